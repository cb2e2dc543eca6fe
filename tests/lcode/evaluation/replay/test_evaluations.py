from __future__ import annotations

import pandas as pd

from lcode.evaluation.replay import RecordedSweep
from lcode.evaluation.replay.evaluations import by_evaluations
from lcode.evaluation.replay.rungs import BestAfter
from lcode.table import Metric, RunTable

ACC = Metric("main", "acc", "max")


def table(epochs: dict[str, list[int]]) -> RunTable:
    rows = [(run, epoch, "acc", level / 10) for level, run in enumerate(epochs) for epoch in epochs[run]]
    points = pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"])
    ends = pd.DataFrame({"horizon": {run: at[-1] for run, at in epochs.items()}})
    signals = points[["run", "epoch"]].assign(metric="main/loss", value=1.0)
    between = pd.DataFrame([("a", 7, "main/loss", 2.0)], columns=["run", "epoch", "metric", "value"])
    return RunTable.from_points(points, [ACC], runs=ends, signals=pd.concat([signals, between]))


def test_runs_of_steps_are_counted_by_their_evaluations() -> None:
    found = by_evaluations(table({"a": [1, 900, 1800], "b": [1, 3, 5, 7], "c": [500, 1000]}))
    assert found.runs["horizon"].to_dict() == {"a": 3, "b": 4, "c": 2}
    assert set(found.runs["status"]) == {"finished"}
    assert found.curve("a", ACC.key).epochs.tolist() == [1, 2, 3]
    assert found.signals["epoch"].tolist() == [1, 2, 3, 1, 2, 3, 4, 1, 2]
    result = RecordedSweep(found, objective="mean").replay(BestAfter(epochs=2, keep=1))
    assert dict(result.stopped) == {"a": 2, "b": 2} and result.epochs_total == 9


def test_runs_of_epochs_stay_as_they_are() -> None:
    for epochs in ([0, 1, 2, 3], [1, 2, 4, 5], [2, 4, 6, 8]):
        plain = table({"a": epochs, "b": epochs})
        assert by_evaluations(plain) is plain
