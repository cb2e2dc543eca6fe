"""What stopping lost, and that a study goes on where it was."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from lcode.table import Metric, RunTable
from mtl_runs.studies import live_stopping
from mtl_runs.studies.live_stopping import Row, conduct, lost, summary


def truth(*errors: float) -> RunTable:
    """Runs r0, r1 … that end with these errors."""
    rows = [(f"r{i}", epoch, "err", error) for i, error in enumerate(errors) for epoch in (1, 2)]
    return RunTable.from_points(
        pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"]), [Metric("main", "err", "min")]
    )


def test_what_is_lost_is_measured_by_the_medians_of_all_runs() -> None:
    runs = truth(0.5, 0.4, 0.2, 0.3, float("nan"))  # the median error of those that ended is 0.35
    assert lost(runs, ["r2"]) == (0, 0)
    points, share = lost(runs, ["r0", "r3"])
    assert points == pytest.approx(100 * 0.1 / 0.35) and share == pytest.approx(0.1 / 0.15)
    assert lost(runs, [])[1] == 1  # as good as a run of which nothing is known


def test_a_study_goes_on_with_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int, str]] = []

    def sweep(problem: str, seed: int, way: str, out: Path) -> Row:
        asked.append((problem, seed, way))
        if len(asked) == 3:
            raise KeyboardInterrupt
        return Row(problem, seed, way, 100 if way == "to the end" else 25, 8, 9.0, 6.0, 2.0, 0.5, 0.25)

    monkeypatch.setattr(live_stopping, "sweep", sweep)
    with pytest.raises(KeyboardInterrupt):
        conduct(tmp_path, ("digits",), (0, 1))
    rows = conduct(tmp_path, ("digits",), (0, 1))
    again = [("digits", 0, "pausing"), *(("digits", 1, way) for way in ("to the end", "stopping", "pausing"))]
    assert asked[2:] == [("digits", 0, "pausing"), *again]
    assert rows["seed"].tolist() == [0, 0, 0, 1, 1, 1]
    assert "| digits | pausing | 25 | 4.0× | 8.0 of 64 | 9 | 8 (2) | 0.5, 0.5 |" in summary(rows)
