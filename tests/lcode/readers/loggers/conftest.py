"""Texts that are read as logs, and what was read in forms that are short to compare."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.readers.read import read_logs
from lcode.table.table import RunTable


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
