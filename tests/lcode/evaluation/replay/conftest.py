"""Sweeps of runs whose scores are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
import pytest

from lcode.evaluation.replay import RecordedSweep
from lcode.table import Metric, RunTable

ACC = Metric("main", "acc", "max")

Recorded = Callable[..., RecordedSweep]


def table_of(
    curves: Sequence[Sequence[float]], *, first: int = 1, step: int = 1, horizon: int | None = None
) -> RunTable:
    """Runs `r0`, `r1` … with these accuracies at epochs `first`, `first + step` …"""
    rows = [
        (f"r{i}", first + step * j, ACC.key, value) for i, curve in enumerate(curves) for j, value in enumerate(curve)
    ]
    names = [f"r{i}" for i in range(len(curves))]
    ends = [first + step * (len(curve) - 1) for curve in curves]
    runs = pd.DataFrame({"status": "finished", "horizon": horizon or ends}, index=names)
    return RunTable.from_points(pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"]), [ACC], runs=runs)


@pytest.fixture
def recorded() -> Recorded:
    """Makes a sweep of such runs; a score is 100 (accuracy − 1)."""

    def make(curves: Sequence[Sequence[float]], **options: int) -> RecordedSweep:
        return RecordedSweep(table_of(curves, **options), baseline={ACC.key: 1.0})

    return make
