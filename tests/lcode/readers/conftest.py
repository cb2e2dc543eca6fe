"""What a log is read as, in a form that is short to compare."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.readers.read import read_logs


@pytest.fixture
def scored() -> Callable[[Path], dict[str, list[float]]]:
    """Reads logs and returns what is scored: `run metric direction` -> values in order of the epochs."""

    def read(path: Path) -> dict[str, list[float]]:
        table = read_logs(path)
        ways = {metric.key: metric.direction for metric in table.metrics}
        found: dict[str, list[float]] = {}
        for run, metric, value in table.points[["run", "metric", "value"]].itertuples(index=False):
            found.setdefault(f"{run} {metric} {ways[metric]}", []).append(float(value))
        return found

    return read
