"""Models, data sets and tasks that take turns in one text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

LOSSES = (0.9, 0.7, 0.5)


@pytest.mark.parametrize(
    "block",
    [
        "Epoch {e}/9\nModel A: val loss {v}\nModel B: val loss {w}\n",
        "[A] Epoch {e}/9 val loss {v}\n[B] Epoch {e}/9 val loss {w}\n",
        "Model: A hinge: relu, epoch: {e}\nval loss: {v}\nModel: B hinge: relu, epoch: {e}\nval loss: {w}\n",
    ],
)
def test_each_is_a_run(tmp_path: Path, block: str, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    log = tmp_path / "both.log"
    log.write_text("".join(block.format(e=e, v=v, w=v + 1) for e, v in enumerate(LOSSES, start=1)))
    told = scored(log)
    assert sorted(told.values()) == [list(LOSSES), [v + 1 for v in LOSSES]]
    assert sorted(name[0] for name in told) == ["A", "B"]


@pytest.mark.parametrize(
    "block",
    [
        "[trainer] epoch {e} train loss 9.5\n[evaluator] epoch {e} val loss {v}\n",
        "[Generator] epoch {e} loss 9.5\n[Discriminator] epoch {e} loss 9.5\nval loss {v}\n",
    ],
)
def test_parts_of_one_training_are_none(
    tmp_path: Path, block: str, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "one.log"
    log.write_text("".join(block.format(e=e, v=v) for e, v in enumerate(LOSSES, start=1)))
    assert scored(log) == {"one val_loss min": list(LOSSES)}


@pytest.mark.parametrize(
    "block",
    [
        "Epoch {e} loss 9.5\nEpoch {e} | {name} 00 | ACC {v}\nEpoch {e} | {name} 01 | ACC {w}\n",
        "Epoch {e} loss 9.5\nEvaluating on set_00...\nACC: {v}\nResults for the {name} set_01:\nACC: {w}\n",
        "Epoch {e} loss 9.5\n{name}: set_00, ACC: {v}\n{name}: set_01, ACC: {w}\n",
        "Epoch {e} loss 9.5\nset_00: ACC: {v}\n2031-02-03 - INFO -   {name} set_01: ACC {w}\n",
        "Epoch {e} loss 9.5\n[set_00][{e}00]ACC: {v}+-0.5\n[set_01][{e}00]ACC: {w}+-0.5\n",  # InsightFace
    ],
)
@pytest.mark.parametrize("name", ["dataset", "task", "Domain", "Class"])
def test_data_sets_and_tasks_are_told_apart(
    tmp_path: Path, block: str, name: str, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "one.log"
    log.write_text("".join(block.format(name=name, e=e, v=v, w=v / 2) for e, v in enumerate(LOSSES, start=1)))
    told = scored(log)
    assert list(told.values()) == [list(LOSSES), [v / 2 for v in LOSSES]]
    assert [key.rpartition("_")[2] for key in told] == ["00/ACC max", "01/ACC max"]


def test_labels_that_are_names_of_metrics_elsewhere(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "one.log"
    rows = "step {e} loss: 9.5\n  PER: precision:  {v};\n  LOC: precision:  {v};\nval: recall: {v}\nbest: recall: 0.9\n"
    log.write_text("".join(rows.format(e=e, v=v) for e, v in enumerate(LOSSES, start=1)))
    assert {"one PER/precision max", "one LOC/precision max", "one recall max"} == set(scored(log))


def test_what_is_called_task_loss_is_no_task(tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    log = tmp_path / "one.log"
    log.write_text("".join(f"step {e} | Task Loss: {v} || KD Loss: 9.5\n" for e, v in enumerate(LOSSES, start=1)))
    assert scored(log) == {"one Task/Loss min": list(LOSSES), "one KD/Loss min": [9.5] * 3}


def test_who_tells_it_may_say_on_which_data(tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    log = tmp_path / "one.log"
    at = "2031-02-03 04:05:06 INFO"
    rows = f"{at} trainer: epoch {{e}} loss 9.5 acc 0.5\n{at} evaluator: loss {{v}} acc 0.25\n"
    log.write_text("".join(rows.format(e=e, v=v) for e, v in enumerate(LOSSES, start=1)))
    assert scored(log) == {"one loss min": list(LOSSES), "one acc max": [0.25] * len(LOSSES)}


@pytest.mark.parametrize(("one", "other"), [("source", "target"), ("teacher", "student")])
def test_both_of_a_pair_are_measured(
    tmp_path: Path, one: str, other: str, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "one.log"
    rows = f"Epoch {{e}}\n{one}: acc {{v}} loss 9.5\n{other}: acc 0.25 loss 9.5\n"
    log.write_text("".join(rows.format(e=e, v=v) for e, v in enumerate(LOSSES, start=1)))
    told = scored(log)
    assert told[f"one {one}/acc max"] == list(LOSSES) and told[f"one {other}/acc max"] == [0.25] * len(LOSSES)


@pytest.mark.parametrize(
    "block",
    [
        "[Iter {e}0 Task segm] Val Loss: {v}\n[Iter {e}0 Task norm] Val Loss: {w}\n",
        "[Iter {e}0 Task segm]:\n{{'val loss': {v}}}\n[Iter {e}0 Task norm]:\n{{'val loss': {w}}}\n",
        "I0301 10:00:20.123 140 loggers.py:96] segm/loss at step {e}0: {v}\n"
        "I0301 10:00:20.123 140 loggers.py:96] norm/loss at step {e}0: {w}\n",
        "INFO:absl:segm/loss at step {e}0: {v}\nINFO:absl:norm/loss at step {e}0: {w}\n",
    ],
)
def test_tasks_beside_a_count(tmp_path: Path, block: str, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    log = tmp_path / "one.log"
    log.write_text("".join(block.format(e=e, v=v, w=v / 2) for e, v in enumerate(LOSSES, start=1)))
    assert scored(log) == {"one segm/loss min": list(LOSSES), "one norm/loss min": [v / 2 for v in LOSSES]}


def test_numbered_tasks_behind_a_count(tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    log = tmp_path / "one.log"
    rows = "epoch: {e} task 0, AUC {v}, Log-loss 0.5\nepoch: {e} task 1, AUC 0.25, Log-loss 0.5\n"
    log.write_text("".join(rows.format(e=e, v=v) for e, v in enumerate(LOSSES)))
    told = scored(log)
    assert told["one task_0/AUC max"] == list(LOSSES) and told["one task_1/AUC max"] == [0.25] * len(LOSSES)
    assert len(told) == 4
