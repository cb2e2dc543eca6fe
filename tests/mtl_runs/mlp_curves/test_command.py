from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from lcode.benchmarks import files, load_benchmark
from mtl_runs.mlp_curves import BinaryTable, make, plan_run, sample
from mtl_runs.mlp_curves.__main__ import main


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Few rows, few epochs."""

    def table(task: str, seed: int) -> BinaryTable:
        inputs = torch.randn(24, 3 if task == "car" else 4, generator=torch.Generator().manual_seed(seed))
        labels = (inputs[:, :1] > 0).float()
        return BinaryTable(inputs[:16], labels[:16], inputs[16:], labels[16:])

    monkeypatch.setattr(make, "_table", table)
    monkeypatch.setattr(sample, "EPOCHS", 3)
    yield


def shards(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_tasks_take_turns_and_an_interrupted_job_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--out", str(tmp_path), "--runs", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[:4]] == ["car-0000", "segment-0000", "car-0001", "segment-0001"]
    assert lines[3].startswith("4/4") and lines[4].endswith("4 runs trained, 2 of each task there")
    whole = shards(tmp_path)
    (tmp_path / "segment-seed0" / "00000.parquet").unlink()
    assert main(["--out", str(tmp_path), "--runs", "2"]) == 0
    assert capsys.readouterr().out.startswith("4/4  segment-0000") and shards(tmp_path) == whole
    assert main(["--out", str(tmp_path), "--runs", "1", "--seed", "1", "--tasks", "car"]) == 0
    assert set(shards(tmp_path)) - set(whole) == {"car-seed1/00000.parquet"}


def test_the_collected_runs_are_a_benchmark(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["--out", str(tmp_path / "out"), "--runs", "3"]) == 0
    target = tmp_path / "datasets" / "mlp_curves"
    assert main(["--out", str(tmp_path / "out"), "--collect", str(target)]) == 0
    digests = [line.split()[0] for line in capsys.readouterr().out.splitlines()[-2:]]
    assert all(len(digest) == 64 for digest in digests)
    monkeypatch.setattr(files, "CHECKOUT", target.parent)
    monkeypatch.delenv("LCODE_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    table, plan = load_benchmark("mlp_curves/segment"), plan_run("segment", 1)
    assert table.run_ids == ("segment-0000", "segment-0001", "segment-0002")
    assert table.configs.loc["segment-0001"].to_dict() == {
        str(name): getattr(plan, str(name)) for name in table.configs
    }
    graph = table.graphs[str(table.runs.loc["segment-0001", "arch"])]
    assert graph.out_size[np.array(graph.ops) == "linear"].tolist() == [*plan.widths, 1] and graph.out_size[0] == 4


def test_runs_after_a_missing_one_are_not_collected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A quick run that overtook a slow one would bias the sample."""
    assert main(["--out", str(tmp_path), "--runs", "3", "--tasks", "car"]) == 0
    (tmp_path / "car-seed0" / "00001.parquet").unlink()
    assert main(["--out", str(tmp_path), "--collect", str(tmp_path / "c"), "--tasks", "car"]) == 0
    assert capsys.readouterr().out.endswith("car.parquet  1 runs\n")
    assert main(["--out", str(tmp_path), "--collect", str(tmp_path / "c")]) == 2
    assert "there is no run of 'segment' with seed 0" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [["--runs", "0"], ["--tasks", "cart"], ["--workers", "0"]])
def test_bad_usage(tmp_path: Path, wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--out", str(tmp_path), *wrong])
    assert "error" in capsys.readouterr().err
