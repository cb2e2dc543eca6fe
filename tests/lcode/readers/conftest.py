"""Texts that are read as logs, and what was read in forms that are short to compare."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.readers.read import read_logs
from lcode.table.table import RunTable


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


@pytest.fixture
def read() -> Callable[[Path, str, str], RunTable]:
    """Reads a text, written to a file of this name in a folder."""

    def read_text(folder: Path, name: str, text: str) -> RunTable:
        path = folder / name
        path.write_text(text)
        return read_logs(path)

    return read_text


@pytest.fixture
def curve() -> Callable[[RunTable, str], list[tuple[float, float]]]:
    """Epochs and values of a metric, in order of runs and epochs."""

    def of(table: RunTable, key: str) -> list[tuple[float, float]]:
        points = table.points[table.points["metric"] == key]
        epochs = points["epoch"] * table.epoch_unit
        return [(float(epoch), float(value)) for epoch, value in zip(epochs, points["value"], strict=True)]

    return of


@pytest.fixture
def directions() -> Callable[[RunTable], dict[str, str]]:
    """Direction of each metric that is scored."""
    return lambda table: {metric.key: metric.direction for metric in table.metrics}
