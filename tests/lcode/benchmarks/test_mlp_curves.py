from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lcode.benchmarks import BENCHMARKS, files, load_benchmark
from lcode.errors import DataNotFoundError
from lcode.table import Metric

NAN = float("nan")
RUNS = [
    {"run": "car-0000", "widths": [4, 2], "test_loss": [0.75, 0.5, 0.25], "train_loss": [1.0, 0.5, 0.5]},
    {"run": "car-0001", "widths": [3], "test_loss": [0.5, NAN, NAN], "train_loss": [0.5, NAN, NAN]},
    {"run": "car-0002", "widths": [4, 2], "test_loss": [NAN] * 3, "train_loss": [NAN] * 3},
]
SAME: dict[str, object] = {"inputs": 5, "batch_size": 32, "momentum": 0.5, "weight_decay": 0.01, "dropout": 0.25}
SAME |= {"lr": 0.1, "schedule": [0.1, 0.1, 0.05], "test_error": [0.5, 0.5, 0.5]}


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three runs of three epochs, two of which diverge."""
    (tmp_path / "mlp_curves").mkdir()
    pq.write_table(pa.Table.from_pylist([run | SAME for run in RUNS]), tmp_path / "mlp_curves" / "car.parquet")
    monkeypatch.setattr(files, "CHECKOUT", tmp_path)
    monkeypatch.delenv("LCODE_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def test_the_runs_are_a_table() -> None:
    table = load_benchmark("mlp_curves/car")
    assert table.run_ids == ("car-0000", "car-0001", "car-0002")
    assert table.metrics == (Metric("main", "test_loss", "min"),)
    assert table.curve("car-0000", "test_loss").values.tolist() == [0.75, 0.5, 0.25]
    assert table.runs["horizon"].tolist() == [3, 3, 3]
    assert table.configs.loc["car-0001"].to_dict() == {
        name: SAME[name] for name in ("batch_size", "lr", "momentum", "weight_decay", "dropout")
    }
    assert table.schedules["car-0002"].rates.tolist() == [0.1, 0.1, 0.05]
    signals = table.signals.astype({"run": str, "metric": str})
    assert signals.iloc[0].tolist() == ["car-0000", 1, "train_loss", 1.0] and len(signals) == 6


def test_a_diverged_run_ends_with_its_first_nan() -> None:
    table = load_benchmark("mlp_curves/car")
    assert table.runs["status"].tolist() == ["finished", "failed", "failed"]
    late, early = (table.curve(run, "test_loss") for run in ("car-0001", "car-0002"))
    assert (late.values.tolist(), late.diverged_at) == ([0.5], 2) and (len(early.values), early.diverged_at) == (0, 1)
    assert len(table.points) == 6


def test_layers_are_the_graph() -> None:
    table = load_benchmark("mlp_curves/car")
    assert table.runs["arch"].tolist() == ["4-2", "3", "4-2"] and set(table.graphs) == {"4-2", "3"}
    graph = table.graphs["4-2"]
    assert graph.ops == ("input", "linear", "relu", "dropout", "linear", "relu", "dropout", "linear")
    assert np.nansum(graph.params) == 6 * 4 + 5 * 2 + 3


def test_elsewhere_than_in_the_checkout_the_checksum_must_be_right(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataNotFoundError, match=r"'mlp_curves/segment.parquet' not found"):
        load_benchmark("mlp_curves/segment")
    monkeypatch.setenv("LCODE_DATA", str(checkout))
    with pytest.raises(DataNotFoundError, match="is not the file this benchmark was made for"):
        load_benchmark("mlp_curves/car")
    assert all(BENCHMARKS[f"mlp_curves/{name}"].source for name in ("car", "segment"))
