from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lcode.benchmarks import BENCHMARKS, files, load_benchmark, load_mtl_curves, mtl_curves
from lcode.errors import DataNotFoundError, InputError, UsageError
from lcode.table import Metric

GRAPH = {"nodes": [{"op": "input"}, {"op": "linear", "params": 9.0}], "edges": [[0, 1]]}


def line(problem: str, run: str, **more: Any) -> dict[str, Any]:
    tasks, arch = more.get("tasks", "a,b"), more.get("arch", "mlp")
    single = "," not in tasks
    known: dict[str, Any] = {
        "run": run,
        "problem": problem,
        "arch": arch,
        "graph": None if single else f"g-{arch}",
        "seed": 7,
        "status": "finished",
        "horizon": 3,
        "single_task": single,
        "baseline": False,
        "tasks": tasks,
        "configuration": run,
        "split": None if single else "train",
        "arch_split": "train",
        "problem_split": "train",
        "schedule": [1.0, 0.5, 0.25],
        "config.lr": 0.1,
        "config.balancer": "equal",
        "config.moco.beta": None,
    }
    return {**known, **more}


RUNS = [
    line("digits", "d-a-1", tasks="a", baseline=True),
    line("digits", "d-a-2", tasks="a"),
    line("digits", "d-b-1", tasks="b", baseline=True),
    line("digits", "d0"),
    line("digits", "d1", arch="cnn", arch_split="test", status="failed", **{"config.lr": 0.2}),
    line("digits", "d2", split="test"),
    line("waves", "w0", tasks="a,b", problem_split="test", **{"config.moco.beta": 0.5}),
]
CURVES: list[tuple[str, str, str, str | None, list[float]]] = [
    ("digits", "d-a-1", "a/err", "min", [0.5, 0.4, 0.25]),
    ("digits", "d-a-2", "a/err", "min", [0.5, 0.5, 0.5]),
    ("digits", "d-b-1", "b/auc", "max", [0.5, 0.6, 0.75]),
    ("digits", "d0", "a/err", "min", [0.9, 0.8, 0.5]),
    ("digits", "d0", "b/auc", "max", [0.5, 0.5, 0.625]),
    ("digits", "d1", "a/err", "min", [0.9, np.nan]),
    ("digits", "d1", "b/auc", "max", [0.5, np.nan]),
    ("digits", "d2", "a/err", "min", [1, 1, 1]),
    ("digits", "d2", "b/auc", "max", [0.5, 0.5, 0.5]),
    ("digits", "d-a-1", "a/weight", None, [1, 1, 1]),
    ("digits", "d0", "b/weight", None, [1, 2, 4]),
    ("digits", "d0", "a|b/cosine", None, [0, 0.5, 0]),
    ("waves", "w0", "a/rmse", "min", [4, 2, 1]),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A corpus of two problems."""
    folder = tmp_path / "mtl_curves"
    folder.mkdir()
    pq.write_table(pa.Table.from_pylist(RUNS), folder / "runs.parquet")
    names = ("problem", "run", "metric", "direction", "values")
    pq.write_table(pa.table(dict(zip(names, zip(*CURVES, strict=True), strict=True))), folder / "curves.parquet")
    (folder / "graphs.json").write_text(json.dumps({"g-mlp": GRAPH, "g-cnn": GRAPH}))
    return folder


def test_the_multi_task_runs_of_a_problem_are_a_table(folder: Path) -> None:
    table = load_mtl_curves(folder)["digits"].table
    assert table.run_ids == ("d0", "d1", "d2") and table.metrics == (
        Metric("a", "err", "min"),
        Metric("b", "auc", "max"),
    )
    assert table.curve("d0", "b/auc").values.tolist() == [0.5, 0.5, 0.625]
    assert table.curve("d1", "a/err").diverged_at == 2
    assert list(table.configs) == ["lr", "balancer"] and table.configs["lr"].tolist() == [0.1, 0.2, 0.1]
    assert table.runs.loc["d1"].to_dict() == {"status": "failed", "horizon": 3, "arch": "cnn", "seed": 7}
    assert table.schedules["d1"].rates.tolist() == [0.2, 0.1, 0.05]
    assert set(table.graphs) == {"mlp", "cnn"} and len(table.graphs["cnn"]) == 2
    signals = table.signals.astype({"run": str, "metric": str})
    assert signals.iloc[[0, -1]].to_numpy().tolist() == [["d0", 1, "b/weight", 1.0], ["d0", 3, "a|b/cosine", 0.0]]


def test_the_table_behaves_like_any_other(folder: Path) -> None:
    table = load_mtl_curves(folder)["digits"].table
    cut = table.prefix(2).select(["d2", "d0"])
    assert cut.curve("d0", "a/err").epochs.tolist() == [1, 2] and list(cut.runs["status"]) == ["running", "running"]
    assert table.with_status("finished").run_ids == ("d0", "d2")
    again = type(table).from_points(
        table.points, table.metrics, runs=table.runs, configs=table.configs, signals=table.signals
    )
    pd.testing.assert_frame_equal(again.points, table.points)
    pd.testing.assert_frame_equal(again.runs, table.runs)
    assert len(again.concat(load_mtl_curves(folder)["waves"].table)) == 4


def test_references_and_their_best(folder: Path) -> None:
    curves = load_mtl_curves(folder)["digits"]
    assert curves.references.run_ids == ("d-a-1", "d-a-2", "d-b-1") and curves.references.graphs == {}
    assert curves.baseline.to_numpy().tolist() == [["mlp", "a", "err", 0.25], ["mlp", "b", "auc", 0.75]]
    assert list(curves.baseline) == ["arch", "task", "metric", "value"]


def test_the_splits(folder: Path) -> None:
    both = load_mtl_curves(folder)
    assert both["digits"].part("train").run_ids == ("d0", "d1") and both["digits"].part("test").run_ids == ("d2",)
    assert both["digits"].part("test", "arch_split").run_ids == ("d1",)
    assert both["waves"].part("test", by="problem_split").run_ids == ("w0",)
    assert both["waves"].baseline.empty and len(both["waves"].references) == 0
    assert both["digits"].splits.loc["d2", "configuration"] == "d2"
    with pytest.raises(UsageError, match="no split 'batch'; there are: split, arch_split, problem_split"):
        both["digits"].part("test", by="batch")


def test_some_problems_only(folder: Path) -> None:
    assert list(load_mtl_curves(folder, problems=["waves"])) == ["waves"]
    assert list(load_mtl_curves(folder, problems=["waves"])["waves"].table.configs) == ["lr", "balancer", "moco.beta"]
    with pytest.raises(InputError, match="holds no run of clicks"):
        load_mtl_curves(folder, problems=["waves", "clicks"])


def test_files_of_two_corpora(folder: Path) -> None:
    (folder / "graphs.json").write_text("{}")
    with pytest.raises(InputError, match="has no graph 'g-mlp'; the files are not of one corpus"):
        load_mtl_curves(folder)


def test_where_the_files_are_looked_for(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the checkout as they are; in `LCODE_DATA` and the cache with the right checksum only."""
    monkeypatch.delenv("LCODE_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(files, "CHECKOUT", tmp_path / "nowhere")
    with pytest.raises(DataNotFoundError, match=r"'mtl_curves/runs.parquet' not found"):
        load_benchmark("mtl_curves/digits")
    monkeypatch.setattr(files, "CHECKOUT", folder.parent)
    assert load_benchmark("mtl_curves/digits").run_ids == ("d0", "d1", "d2")
    shutil.copytree(folder, tmp_path / "data" / "mtl_curves")
    monkeypatch.setenv("LCODE_DATA", str(tmp_path / "data"))
    with pytest.raises(DataNotFoundError, match="is not the file this benchmark was made for"):
        load_benchmark("mtl_curves/digits")


def test_every_problem_is_a_benchmark() -> None:
    assert {f"mtl_curves/{problem}" for problem in mtl_curves.PROBLEMS} <= set(BENCHMARKS)
    assert BENCHMARKS["mtl_curves/digits"].source
