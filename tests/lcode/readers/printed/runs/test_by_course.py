"""Values without the name of a metric, which are a loss or a score by the way that they went in most runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from lcode.readers.read import read_logs

FALLS = (0.9, 0.7, 0.5, 0.4, 0.35)
RISES = (0.9, 1.5, 2.5, 4.0, 6.5)

CATBOOST = "{e}:\tlearn: {v}\ttest: {v}\tbest: 0.1 (2)\ttotal: 1ms\tremaining: 1.5s\n"


def written(folder: Path, line: str, runs: Sequence[Sequence[float | str]]) -> Path:
    """A folder with a file for each run."""
    for run, values in enumerate(runs):
        (folder / f"r{run}.log").write_text("".join(line.format(e=e, v=v) for e, v in enumerate(values)))
    return folder


@pytest.mark.parametrize("line", [CATBOOST, "epoch {e}: train {v} val {v}\n"])
@pytest.mark.parametrize("at", range(3))
def test_a_run_that_diverges_has_the_loss_of_the_others(tmp_path: Path, line: str, at: int) -> None:
    table = read_logs(written(tmp_path, line, [RISES if run == at else FALLS for run in range(3)]))
    assert [(metric.key, metric.direction) for metric in table.metrics] == [("loss", "min")]
    assert table.points.groupby("run", observed=True).size().tolist() == [len(FALLS)] * 3
    (note,) = [note for note in table.notes if "name no metric" in note]
    assert "read as a loss" in note and "in 2 of 3 runs" in note


def test_so_has_one_of_which_nothing_finite_was_told(tmp_path: Path) -> None:
    table = read_logs(written(tmp_path, CATBOOST, [FALLS, (0.9, "nan", "nan", "nan", "nan"), ("nan",) * 5]))
    assert [(metric.key, metric.direction) for metric in table.metrics] == [("loss", "min")]
    assert set(table.runs.index) == {"r0", "r1", "r2"}


def test_what_rises_in_most_is_a_score(tmp_path: Path) -> None:
    table = read_logs(written(tmp_path, CATBOOST, [RISES, FALLS, RISES]))
    assert [(metric.key, metric.direction) for metric in table.metrics] == [("score", "max")]
    assert sum("name no metric" in note for note in table.notes) == 1
