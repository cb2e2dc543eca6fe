"""Trainings in one text that go on in the count of another, or print by turns."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest

from lcode.table.table import RunTable

Read = Callable[[Path, str, str], RunTable]


def _lines(epochs: range, total: int, losses: Callable[[int], float]) -> str:
    return "".join(f"Epoch [{at}/{total}] train loss: {losses(at):.4f}, val loss: {losses(at):.4f}\n" for at in epochs)


@pytest.mark.parametrize(
    ("first", "second", "runs"),
    [
        # The second goes on where the first ended, but is another training.
        (_lines(range(1, 9), 9, lambda at: 0.5), _lines(range(8, 12), 12, lambda at: 90 / at), [8, 4]),
        (_lines(range(1, 9), 9, lambda at: 0.5), _lines(range(20, 24), 24, lambda at: 0.4), [8, 4]),
        # It is the first, resumed.
        (_lines(range(1, 9), 9, lambda at: 0.5), _lines(range(9, 13), 12, lambda at: 0.45), [12]),
        (_lines(range(1, 9), 9, lambda at: 0.5), _lines(range(7, 13), 12, lambda at: 0.6), [12]),
        (_lines(range(1, 9), 9, lambda at: 0.5), _lines(range(9, 13), 9, lambda at: 90.0), [12]),
    ],
)
def test_a_training_that_counts_on_after_another(
    tmp_path: Path, read: Read, first: str, second: str, runs: list[int]
) -> None:
    table = read(tmp_path, "a.log", first + second)
    assert table.points.groupby("run", observed=True).size().tolist() == runs


def test_another_training_ends_before_what_was_reached(tmp_path: Path, read: Read) -> None:
    first = "".join(f"Epoch #{at}: val_loss={9 - at}.5\n" for at in range(9))
    second = "".join(f"Epoch {at}/6: val_loss=0.{9 - at}\n" for at in range(2, 7, 2))
    table = read(tmp_path, "a.log", first + second)
    assert [len(points) for _, points in table.points.groupby("run", observed=True)] == [9, 3]


def test_saved_models_that_are_measured_again_take_nothing_from_the_training(tmp_path: Path, read: Read) -> None:
    first = "".join(f"epoch: {at} done, AUC: 0.{at}, loss: {9 - at}.5\n" for at in range(1, 9))
    again = "".join(f"epoch: {at} done, AUC: 0.99\n" for at in (6, 7, 8))
    table = read(tmp_path, "a.log", first + again)
    scores = table.points[table.points["metric"].str.contains("AUC")]["value"].tolist()
    assert scores == [float(f"0.{at}") for at in range(1, 9)]
    assert len(table.runs) == 1 and any("saved models" in note for note in table.notes)


def test_two_trainings_that_print_by_turns(tmp_path: Path, read: Read) -> None:
    early = [f"Epoch {at}: loss {1 / (at + 1):.3f}\n" for at in range(9)]
    late = [f"Epoch {at}: loss {3 / (at + 1):.3f}\n" for at in range(5)]
    table = read(tmp_path, "a.log", "".join([*early[:4], *chain(*zip(late, early[4:], strict=True))]))
    assert [len(points) for _, points in table.points.groupby("run", observed=True)] == [9, 5]
    assert table.points["value"].max() == 3 and any("by turns" in note for note in table.notes)


def test_starts_within_the_first_epoch_are_told_by_the_steps(tmp_path: Path, read: Read) -> None:
    def steps(count: int) -> str:
        return "".join(f"epoch: {at // 4} step: {at} loss: {5 - 0.1 * at:.2f}\n" for at in range(count))

    table = read(tmp_path, "a.log", steps(24) + steps(3) + steps(20))
    assert list(table.runs.index) == ["a", "a#2", "a#3"]
