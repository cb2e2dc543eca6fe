"""Lists of attributes with a number each, below a line that counts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.readers.read import read_logs

VALUES = (55.5, 61.25, 65.75, 70.5)


def epochs(block: str) -> str:
    """The text of a training of which this is printed in each epoch."""
    return "".join(block.format(e=e, v=v, w=v + 1, l=100 - v) for e, v in enumerate(VALUES, start=1))


@pytest.mark.parametrize(
    "block",
    [
        "Epoch: {e}\tTrain Loss: 0.5\nVal:\n 0 5_o_Clock    {v}%\n 1 Bald      {w}%\nMean accuracy: {w}%\n",
        "Epoch {e}/4 accuracy of each attribute:\n  5_o_Clock  {v}\n  Bald  {w}\n",
        "Epoch {e}/4 validation accuracy:\n  5_o_Clock: {v}%\n  Bald: {w}%\n  Average: {w}%\n",
    ],
)
def test_each_is_a_curve_of_the_metric_named_around_them(
    tmp_path: Path, block: str, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "one.log"
    log.write_text(epochs(block))
    told = scored(log)
    assert told["one 5_o_Clock/accuracy max"] == [*VALUES]
    assert told["one Bald/accuracy max"] == [v + 1 for v in VALUES]


def test_shares_that_rise_are_scores(tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    log = tmp_path / "one.log"
    log.write_text(epochs("Epoch {e}/4 validation:\n  Smiling    {v}%\n  Young   {w}%\n  Average   {w}%\n"))
    assert {name.split()[1]: values for name, values in scored(log).items()} == {
        "Smiling/score": [*VALUES],
        "Young/score": [v + 1 for v in VALUES],
        "Average_score": [v + 1 for v in VALUES],
    }
    assert any("Smiling, Young, Average nothing says what was measured" in note for note in read_logs(log).notes)


@pytest.mark.parametrize(
    "block",
    [
        "  Smiling  {l}%\n  Young  {l}%\n",  # falls
        "  Smiling  50%\n  Young  30%\n",  # how many there are
        "  Smiling  {v}\n  Young  {w}\n",  # may be anything
        "  gpu  {v}%\n  memory  {w}%\n",
        "  train  {v}%\n  Young  {w}%\n",
    ],
)
def test_others_are_left_alone(tmp_path: Path, block: str, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    log = tmp_path / "one.log"
    log.write_text(epochs("Epoch {e}/4 val acc {v}\n" + block))
    assert list(scored(log)) == ["one val_acc max"]
