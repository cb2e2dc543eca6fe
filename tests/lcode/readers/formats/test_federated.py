"""Flower's history: rounds and values in pairs, of the server and of its clients."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lcode.readers.read import read_logs

FALLS, RISES = [[0, 2.5], [1, 2.25], [2, 2.0], [3, 1.5]], [[0, 0.25], [1, 0.5], [2, 0.625], [3, 0.75]]
SERVER = {"losses_centralized": FALLS, "metrics_centralized": {"accuracy": RISES}}
CLIENTS = {"losses_distributed": FALLS[1:], "metrics_distributed": {"accuracy": RISES[1:]}}


@pytest.mark.parametrize(
    ("history", "signals"),
    [
        (SERVER, set()),
        ({**SERVER, "metrics_distributed_fit": {}, "losses_distributed": []}, set()),
        ({**CLIENTS, "losses_centralized": [], "metrics_centralized": {}}, set()),
        ({**CLIENTS, "metrics_distributed_fit": {"loss": FALLS[1:]}}, {"train/loss"}),
        ({**CLIENTS, **SERVER}, {"distributed/loss", "distributed/accuracy"}),
    ],
)
def test_one_kind_of_data_is_scored(tmp_path: Path, history: dict[str, Any], signals: set[str]) -> None:
    (tmp_path / "history.json").write_text(json.dumps(history))
    table = read_logs(tmp_path / "history.json")
    assert {metric.name: metric.direction for metric in table.metrics} == {"loss": "min", "accuracy": "max"}
    points = table.points.assign(metric=table.points["metric"].astype(str).str.removeprefix("val/"))
    values = points.groupby("metric")["value"].apply(list)
    start = 0 if history.get("metrics_centralized") else 1
    assert values["loss"] == [value for _, value in FALLS[start:]]
    assert values["accuracy"] == [value for _, value in RISES[start:]]
    assert set(table.signals["metric"]) == signals
    assert any("what its clients did (distributed)" in note for note in table.notes) == (len(signals) > 1)


def test_pairs_of_step_and_value_may_lie_further_in(tmp_path: Path) -> None:
    (tmp_path / "curves.json").write_text(json.dumps({"val": {"loss": FALLS, "acc": RISES}}))
    table = read_logs(tmp_path / "curves.json")
    assert [metric.key for metric in table.metrics] == ["val/loss", "val/acc"]
    assert list(table.points["epoch"].unique()) == [0, 1, 2, 3]
