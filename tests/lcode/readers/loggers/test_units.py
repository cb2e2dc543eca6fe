"""Curves of one run that count epochs and steps, and those that were logged without a step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from torch.utils.tensorboard import SummaryWriter

from lcode.readers import read_logs
from lcode.table import RunTable

Value = tuple[str, float, int | None]


def score(run: int, epoch: float) -> float:
    return epoch / (epoch + 9 + run)


def write(folder: Path, values: Iterable[Value]) -> None:
    with SummaryWriter(str(folder)) as writer:
        for name, value, step in values:
            writer.add_scalar(name, value, step)


def curve(table: RunTable, run: str, metric: str, *, signal: bool = False) -> dict[int, float]:
    points = table.signals if signal else table.points
    own = points[(points["run"] == run) & (points["metric"] == metric)]
    return {int(epoch): round(value, 3) for epoch, value in zip(own["epoch"], own["value"], strict=True)}


def expected(run: int, epochs: range, first: int = 0) -> dict[int, float]:
    return {first + epoch: round(score(run, epoch), 3) for epoch in epochs}


def fractions(run: int, length: int) -> Iterable[Value]:
    """`train/epoch` and a loss of each batch, and the validation by epoch."""
    for epoch in range(length):
        for batch in range(10):
            yield "train/epoch", epoch + batch / 10, 10 * epoch + batch
            yield "train/loss", 1 / (1 + 10 * epoch + batch), 10 * epoch + batch
        yield "val/acc", score(run, epoch), epoch


def fractions_behind(run: int, length: int) -> Iterable[Value]:
    """The same, with the fractions as they are behind each batch."""
    for name, value, step in fractions(run, length):
        yield name, value + (0.1 if name == "train/epoch" else 0), step


def whole_epochs(run: int, length: int) -> Iterable[Value]:
    """The same, with the epoch itself beside each batch, from 1 on."""
    for name, value, step in fractions(run, length):
        yield name, value // 1 + 1 if name == "train/epoch" else value, step


def batches(run: int, length: int) -> Iterable[Value]:
    """The same, where nothing says the epoch."""
    return (value for value in fractions(run, length) if value[0] != "train/epoch")


def curve_by_curve(run: int, length: int) -> Iterable[Value]:
    """The same, one curve behind the other."""
    return sorted(batches(run, length), key=lambda value: value[0] != "val/acc")


def without_a_step(run: int, length: int) -> Iterable[Value]:
    """The same without steps."""
    return ((name, value, None) for name, value, _ in batches(run, length))


@pytest.mark.parametrize("logged", [fractions, fractions_behind, whole_epochs, batches, curve_by_curve, without_a_step])
def test_batches_beside_epochs_are_put_at_their_epochs(
    tmp_path: Path, logged: Callable[[int, int], Iterable[Value]]
) -> None:
    for run, length in ((0, 30), (1, 30), (2, 12)):
        write(tmp_path / str(run), logged(run, length))
    table = read_logs(tmp_path)
    for name, length in (("0", 30), ("1", 30), ("2", 12)):
        assert curve(table, name, "acc") == expected(int(name), range(length))
        losses = {epoch: round(1 / (10 + 10 * epoch), 3) for epoch in range(length)}
        assert curve(table, name, "train/loss", signal=True) == losses
    assert table.runs["status"].tolist() == ["finished", "finished", "running"]
    assert any("different units, val/acc epochs and train/loss steps" in note for note in table.notes)
    assert not any("replaced" in note for note in table.notes)


@pytest.mark.parametrize("end", [0, 1], ids=["behind", "at the last"])
def test_evaluations_that_count_epochs_and_steps_are_put_on_one_axis(tmp_path: Path, end: int) -> None:
    for run, length in ((0, 30), (1, 30), (2, 12)):
        write(
            tmp_path / str(run),
            [
                *(("val/seg_miou", score(run, epoch), epoch) for epoch in range(length)),
                *(("val/depth_rmse", 1 - score(run, epoch), (epoch + 1) * 125 - end) for epoch in range(length)),
                *(("train/loss", 1 / (1 + step), step) for step in range(0, length * 125, 25)),
            ],
        )
    table = read_logs(tmp_path)
    assert curve(table, "2", "seg/miou") == expected(2, range(12))
    assert curve(table, "2", "depth/rmse") == {at: round(1 - score(2, at), 3) for at in range(12)}
    assert set(curve(table, "2", "train/loss", signal=True)) == set(range(12))
    assert table.runs["horizon"].tolist() == [29] * 3


def test_a_run_that_has_but_begun_is_read_as_the_others(tmp_path: Path) -> None:
    for run, length in ((0, 30), (1, 30), (2, 1)):
        write(tmp_path / str(run), batches(run, length))
    table = read_logs(tmp_path)
    assert curve(table, "2", "acc") == {0: 0} and curve(table, "2", "train/loss", signal=True) == {0: 0.1}


def test_signals_of_which_nothing_says_the_epoch_are_left_out(tmp_path: Path) -> None:
    for run in range(2):
        told = [value for value in fractions(run, 30) if value[0] != "train/epoch"]
        odd = [("train/grad_norm", 1.0 + step, step) for step in range(0, 297, 3) if step % 7]
        write(tmp_path / str(run), sorted([*told, *odd], key=lambda value: value[0]))
    table = read_logs(tmp_path)
    assert curve(table, "0", "acc") == expected(0, range(30))
    assert not len(table.signals) or not table.signals["metric"].str.contains("grad_norm").any()
    assert any("nothing says which step is of which epoch: train/grad_norm" in note for note in table.notes)


def test_batches_of_an_epoch_that_has_not_ended_are_left_out_where_nothing_says_the_epoch(tmp_path: Path) -> None:
    for run in range(2):
        told: list[Value] = [("train/loss", 1.0 / (1 + step), step) for step in range(306)]
        write(tmp_path / str(run), [*told, *(("val/acc", score(run, at), at) for at in range(30))])
    table = read_logs(tmp_path)
    assert curve(table, "1", "val/acc") == expected(1, range(30)) and not len(table.signals)
    assert any("nothing says which step is of which epoch: train/loss" in note for note in table.notes)


def test_the_order_of_logging_tells_them_apart_where_no_name_says_validation(tmp_path: Path) -> None:
    for run, length in ((0, 30), (1, 12)):
        told: list[Value] = []
        for epoch in range(length):
            told += [("loss_g", 1.0 / (1 + 20 * epoch + batch), 20 * epoch + batch) for batch in range(20)]
            told.append(("fid", 50.0 / (epoch + run + 1), epoch))
        write(tmp_path / str(run), told)
    table = read_logs(tmp_path)
    assert len(curve(table, "1", "fid")) == 12
    assert curve(table, "1", "train/loss_g", signal=True)[11] == round(1 / 240, 3)


def test_a_validation_that_goes_with_the_training_counts_as_it_does(tmp_path: Path) -> None:
    for run in range(2):
        told: list[Value] = []
        for step in range(300):
            told.append(("train/loss", 1 / (1 + step), step))
            if step < 30 or run:
                told.append(("val/acc", score(run, step), step))
        write(tmp_path / str(run), told)
    table = read_logs(tmp_path)
    assert curve(table, "1", "acc") == expected(1, range(300))
    assert not any("different units" in note for note in table.notes)


def test_values_without_a_step_are_counted_in_the_order_of_logging(tmp_path: Path) -> None:
    for run, length in ((0, 20), (1, 7)):
        write(tmp_path / str(run), [("val/acc", score(run, at), None) for at in range(length)])
    table = read_logs(tmp_path)
    assert curve(table, "0", "val/acc") == expected(0, range(20))
    assert table.runs["status"].tolist() == ["finished", "running"]
    assert any("logged without a step, so counted in the order of logging: val/acc" in note for note in table.notes)
