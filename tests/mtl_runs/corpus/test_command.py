from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import lcode
from lcode.benchmarks import load_mtl_curves
from mtl_runs.corpus import Entry
from mtl_runs.corpus.__main__ import main
from mtl_runs.corpus.stored import CURVES, GRAPHS, RUNS, read_curves, read_runs

RUN = "clicks-002"

Out = pytest.CaptureFixture[str]


def files(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in (RUNS, CURVES, GRAPHS)}


def test_every_run_is_stored_in_the_order_of_the_definition(corpus: Path, entries: list[Entry]) -> None:
    runs = read_runs(corpus)
    assert list(runs.index) == [entry.spec.run for entry in entries]
    assert list(runs["configuration"]) == [entry.configuration for entry in entries]
    assert set(runs["status"]) <= {"finished", "failed"} and (runs["horizon"] == 2).all()
    assert runs["split"].isna().equals(runs["single_task"])
    best = runs[runs["baseline"]]
    assert best["single_task"].all() and len(best) == 2 + 3
    assert best.groupby(["problem", "arch", "tasks"]).size().max() == 1


def test_the_values_are_those_of_the_logs(corpus: Path) -> None:
    lines = [json.loads(line) for line in (corpus / "logs" / f"{RUN}.jsonl").read_text().splitlines()]
    curves = {name: values for run, name, _, values in read_curves(corpus) if run == RUN}
    assert set(curves) == set(lines[1]["values"]) | set(lines[1]["signals"])
    for key in lines[1]["values"]:
        assert curves[key].tolist() == [np.float32(line["values"][key]) for line in lines[1:3]]
    for name in lines[1]["signals"]:
        logged = np.array([line["signals"][name] for line in lines[1:3]])
        tolerance = np.full(2, 5e-4) if name.endswith("/cosine") else 5e-4 * np.abs(logged)
        assert np.all(np.abs(curves[name] - logged) <= tolerance)


def test_the_loader_has_the_same_table_as_the_reader_of_logs(corpus: Path) -> None:
    table = load_mtl_curves(corpus)["clicks"].table
    read = lcode.read_logs(corpus / "logs").select(table.run_ids)
    assert {metric.key: metric for metric in read.metrics}.items() >= {m.key: m for m in table.metrics}.items()
    pd.testing.assert_frame_equal(table.runs, read.runs, check_dtype=False)
    for run in table.run_ids[::3]:
        for metric in table.metrics:
            one, other = table.curve(run, metric.key), read.curve(run, metric.key)
            assert one.epochs.tolist() == other.epochs.tolist() and one.diverged_at == other.diverged_at
            np.testing.assert_allclose(one.values, other.values, rtol=1e-7)
        np.testing.assert_allclose(table.schedules[run].rates, read.schedules[run].rates, rtol=1e-7)
    configs = read.configs[list(table.configs)]
    assert read.configs.drop(columns=list(table.configs)).isna().all(axis=None)
    pd.testing.assert_frame_equal(table.configs.astype(object), configs.astype(object).where(configs.notna(), np.nan))
    (graph,) = table.graphs.values()
    (other_graph,) = (graph for name, graph in read.graphs.items() if name in set(read.runs["arch"]))
    assert graph.digest() == other_graph.digest()


def test_called_again_it_trains_nothing_and_writes_the_same_bytes(corpus: Path, tmp_path: Path, capsys: Out) -> None:
    before = {path: path.stat().st_mtime_ns for path in (corpus / "logs").glob("*.jsonl")}
    assert main(["--out", str(corpus), "--target", str(tmp_path)]) == 0
    assert {path: path.stat().st_mtime_ns for path in (corpus / "logs").glob("*.jsonl")} == before
    assert files(tmp_path) == files(corpus)
    assert f"{len(before)} runs, 0 missing" in capsys.readouterr().out


def test_an_interrupted_corpus_goes_on(corpus: Path, tmp_path: Path, capsys: Out) -> None:
    """Some runs are there, one has lost its end and its checkpoint, the others are missing."""
    (tmp_path / "logs").mkdir()
    logs = sorted((corpus / "logs").glob("digits-pair-*.jsonl"))
    for log in logs[:-4]:
        shutil.copy(log, tmp_path / "logs")
    torn = tmp_path / "logs" / logs[0].name
    torn.write_bytes(torn.read_bytes()[:-90])
    assert main(["--out", str(tmp_path), "--collect-only"]) == 0
    assert f"{len(logs) - 5} runs, " in capsys.readouterr().out
    assert len(read_runs(tmp_path)) == len(logs) - 5
    assert main(["--out", str(tmp_path), "--only", "digits-pair", "--stored", str(corpus)]) == 0
    assert f"{len(logs)} of {len(logs)} runs equal the stored ones bit for bit" in capsys.readouterr().out
    assert len(read_runs(tmp_path)) == len(logs)


def test_one_run_alone_equals_the_stored_one(corpus: Path, tmp_path: Path, capsys: Out) -> None:
    assert main(["--out", str(tmp_path), "--only", RUN, "--stored", str(corpus)]) == 0
    assert "1 of 1 runs equal the stored ones bit for bit (float32)" in capsys.readouterr().out
    assert list(read_runs(tmp_path).index) == [RUN]


def test_a_run_that_differs_is_named_with_its_first_difference(corpus: Path, tmp_path: Path, capsys: Out) -> None:
    (tmp_path / "logs").mkdir()
    lines = (corpus / "logs" / f"{RUN}.jsonl").read_text().splitlines()
    second = json.loads(lines[2])
    exact = second["values"]["watch/rmse"]
    second["values"]["watch/rmse"] = float(np.nextafter(np.float32(exact), np.float32(99)))
    lines[2] = json.dumps(second, separators=(",", ":"))
    (tmp_path / "logs" / f"{RUN}.jsonl").write_text("\n".join(lines) + "\n")
    assert main(["--out", str(tmp_path), "--only", RUN, "--stored", str(corpus)]) == 1
    out = capsys.readouterr().out
    assert f"{RUN}: differs from the stored run: watch/rmse at epoch 2 is " in out
    assert "0 of 1 runs equal" in out


def test_a_partial_corpus_does_not_replace_a_whole_one(corpus: Path, tmp_path: Path, capsys: Out) -> None:
    before = files(corpus)
    arguments = ["--out", str(tmp_path), "--only", "clicks-000", "--stored", str(corpus), "--target", str(corpus)]
    assert main(arguments) == 2
    assert "choose another target" in capsys.readouterr().err
    assert files(corpus) == before


def test_what_cannot_be_collected_is_one_message(corpus: Path, tmp_path: Path, capsys: Out) -> None:
    assert main(["--out", str(tmp_path), "--collect-only"]) == 2
    assert "no run of the corpus is over in" in capsys.readouterr().err
    assert main(["--out", str(tmp_path), "--only", "clicks-xyz"]) == 2
    assert "'clicks-xyz' is neither a run of the corpus nor one of its problems" in capsys.readouterr().err
    (tmp_path / "logs").mkdir(exist_ok=True)
    log = tmp_path / "logs" / f"{RUN}.jsonl"
    text = (corpus / "logs" / f"{RUN}.jsonl").read_text()
    log.write_text(text.replace('"lr":', '"lr":1', 1))
    assert main(["--out", str(tmp_path), "--collect-only"]) == 2
    assert "is the log of another run: its config is" in capsys.readouterr().err
    log.write_text(text.replace('{"type":"epoch","epoch":1,', '{"type":"epoch","epoch":7,'))
    assert main(["--out", str(tmp_path), "--collect-only"]) == 2
    assert "does not have the epochs 1, 2, …" in capsys.readouterr().err
