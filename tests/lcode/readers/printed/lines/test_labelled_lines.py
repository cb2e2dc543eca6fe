"""Lines that begin with the task that they tell of, or stand below its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

VALUES = ((0.9, 0.25), (0.7, 0.5), (0.5, 0.75))
"""A loss that falls and an accuracy that rises, of one task; the other has half of them."""


def tasks(block: str) -> str:
    """The text of a training of which this is printed in each epoch."""
    rows = enumerate(VALUES, start=1)
    return "".join(block.format(e=e, l=loss, a=acc, m=loss / 2, b=acc / 2) for e, (loss, acc) in rows)


def of_tasks(one: str, two: str) -> dict[str, list[float]]:
    """What is scored of two tasks."""
    return {
        f"one {one}/loss min": [loss for loss, _ in VALUES],
        f"one {one}/acc max": [acc for _, acc in VALUES],
        f"one {two}/loss min": [loss / 2 for loss, _ in VALUES],
        f"one {two}/acc max": [acc / 2 for _, acc in VALUES],
    }


@pytest.mark.parametrize(
    "block",
    [
        "Epoch {e}/40\n  [val] {one}: loss={l}, acc={a}\n  [val] {two}: loss={m}, acc={b}\n",
        "Epoch {e}/40\n[val][{one}] loss={l}, acc={a}\n[val][{two}] loss={m}, acc={b}\n",
        "Epoch {e}/40 [{one}][val] loss={l}, acc={a}\nEpoch {e}/40 [{two}][val] loss={m}, acc={b}\n",
        "Epoch {e}/40\n{one}    | acc {a} | loss {l}\n{two} | acc {b} | loss {m}\n",
        "Epoch {e} train loss 9.5\n{one}   acc {a}  loss {l}\n{two}  acc {b}  loss {m}\n",
        "Epoch {e} train loss 9.5\n {one} -> acc {a}, loss {l}\n {two} -> acc {b}, loss {m}\n",
        "Epoch {e} train loss 9.5\n - {one} (val): acc {a}, loss {l}\n - {two} (val): acc {b}, loss {m}\n",
        "Epoch {e} {one} {{'acc': {a}, 'loss': {l}}}\nEpoch {e} {two} {{'acc': {b}, 'loss': {m}}}\n",
        "INFO:root:Epoch {e}\nINFO:root:Validation {one} acc: {a} loss: {l}\n"
        "INFO:root:Validation {two} acc: {b} loss: {m}\n",
        "Epoch {e}\nval {one} acc {a} loss {l}\nval {two} acc {b} loss {m}\n",
        "Epoch {e}\n  {one}:\n    acc: {a}\n    loss: {l}\n  {two}:\n    acc: {b}\n    loss: {m}\n",
        "Epoch {e}\n--- {one} ---\nacc {a} loss {l}\n=== task {two} ===\nacc {b} loss {m}\n",
        'Epoch {e}\n{{\n  "{one}": {{\n    "acc": {a},\n    "loss": {l}\n  }},\n'
        '  "{two}": {{\n    "acc": {b},\n    "loss": {m}\n  }}\n}}\n',
    ],
)
@pytest.mark.parametrize(("one", "two"), [("age", "gender"), ("seg", "cls")])
def test_its_values_are_of_this_task(
    tmp_path: Path, block: str, one: str, two: str, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "one.log"
    log.write_text(tasks(block.replace("{one}", one).replace("{two}", two)))
    assert scored(log) == of_tasks(one, two)


@pytest.mark.parametrize(
    "block",
    [
        "Epoch {e}/40\n[Task: {one}][Metrics] acc: {a} - loss: {l}\n[Task: {two}][Metrics] acc: {b} - loss: {m}\n",
        "Epoch {e}/40\n(task: {one}) acc {a} loss {l}\n(task: {two}) acc {b} loss {m}\n",
        "At epoch {e}\nTask {one} -- epoch {e} -- Dev acc: {a} loss: {l}\n"
        "Task {two} -- epoch {e} -- Dev acc: {b} loss: {m}\n",
        "03/05/2031 10:30:02 Task {one} - epoch {e} - acc: {a}, loss: {l}\n"
        "03/05/2031 10:30:02 Task {two} - epoch {e} - acc: {b}, loss: {m}\n",
        "[{e}/40] Task: {one}, acc {a}, loss {l}\n[{e}/40] Task: {two}, acc {b}, loss {m}\n",
        "Epoch {e}/40\n{one}: acc {a}, loss {l}\n{two}: acc {b}, loss {m}\n",
        "Epoch {e}/40\n{one}: acc({a})    loss ({l})\n{two}: acc({b})  loss({m})\n",
        "Epoch {e}/40\n[val] {one}: acc={a} loss={l}\n[val] {two}: acc={b} loss={m}\n",
        "Epoch {e}/40 | {one}: acc {a}, loss {l} | {two}: acc {b}, loss {m}\n",
        "Epoch {e}/40\n  {one}:\n    acc: {a}\n    loss: {l}\n  {two}:\n    acc: {b}\n    loss: {m}\n",
        "Epoch {e}/40\n=== {one} ===\nacc {a} loss {l}\n=== {two} ===\nacc {b} loss {m}\n",
    ],
)
@pytest.mark.parametrize(("one", "two"), [("is_click", "long_view"), ("Driving area", "Lane line segmentation")])
def test_a_task_in_brackets_before_a_dash_or_of_several_words(
    tmp_path: Path, block: str, one: str, two: str, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "one.log"
    log.write_text(tasks(block.replace("{one}", one).replace("{two}", two)))
    one, two = one.replace(" ", "_"), two.replace(" ", "_")
    assert scored(log) == of_tasks(one, two)


@pytest.mark.parametrize(
    "block",
    [
        "Epoch {e}/40\nTraining finished: loss 9.5\nNew record: acc {a}\nBest so far: acc 0.99\n",
        "Epoch {e}/40\nSaving checkpoint - train loss 9.5\nEvaluation results - acc {a}\n",
        "Epoch {e}/40\n--- Confusion matrix ---\n--- Final report ---\nval acc {a}\n",
    ],
)
def test_words_of_a_sentence_are_no_task(
    tmp_path: Path, block: str, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "one.log"
    log.write_text(tasks(block))
    told = scored(log)
    assert [name.split()[1].removeprefix("val_") for name in told] == ["acc"]
    assert [*told.values()] == [[acc for _, acc in VALUES]]


def test_behind_a_task_may_stand_a_name_that_is_not_known_first(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "one.log"
    log.write_text(tasks("Epoch {e}\nLane line: IOU ({b})\nDetect: P({l})  mAP@0.5({a})\n"))
    assert {name.split()[1] for name in scored(log)} == {"Lane_line/IOU", "Detect/mAP@0.5"}


def test_tasks_with_metrics_of_their_own(tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    log = tmp_path / "one.log"
    log.write_text(tasks("Epoch {e}/40\n  [val]   seg: mIoU={a}, acc={b}\n  [val]   depth: rmse={l}\n"))
    assert sorted(name.split()[1] for name in scored(log)) == ["depth/rmse", "seg/acc", "seg/mIoU"]


def test_what_is_told_once_is_no_task(tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    log = tmp_path / "one.log"
    log.write_text("baseline: acc 0.1\n" + tasks("Epoch {e}\nage: acc {a}\ngender: acc {b}\n"))
    assert sorted(name.split()[1] for name in scored(log)) == ["age/acc", "gender/acc"]


def test_what_is_not_further_in_is_not_below_a_head(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "one.log"
    log.write_text(tasks("Epoch {e}\n  age:\n    acc: {a}\n  gender:\n    acc: {b}\n  mean acc: {l}\n"))
    assert scored(log)["one mean_acc max"] == [loss for loss, _ in VALUES]


def test_a_line_in_which_each_loss_has_a_word_of_its_own_is_of_none(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    block = (
        "Ep: {e}/9. Box loss: 0.5. Line loss: 0.4. Area loss: 0.3\n"
        "Val. Ep: {e}/9. Rectangle loss: {l}. Lane loss: {m}. Region loss: {a}\n"
    )
    (tmp_path / "one.log").write_text(tasks(block))
    found = scored(tmp_path / "one.log")
    assert found.keys() == {"one Rectangle/loss min", "one Lane/loss min", "one Region/loss min"}
    assert found["one Lane/loss min"] == [loss / 2 for loss, _ in VALUES]
