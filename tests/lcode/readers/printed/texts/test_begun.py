"""Texts of runs that have but begun, beside those of others that have told the same further."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.readers.read import read_logs


def _uncounted(epochs: int) -> str:
    return "".join(f"loss 0.{90 - 5 * e} acc 0.{40 + 5 * e}\n" for e in range(epochs))


def _counted(epochs: int) -> str:
    return "".join(f"Epoch {e}/10 val_loss 0.{90 - 5 * e}\n" for e in range(1, epochs + 1))


def _in_groups(epochs: int) -> str:
    return "".join(f"train/loss 0.{90 - 5 * e} val/loss 0.{95 - 5 * e}\n" for e in range(epochs))


@pytest.mark.parametrize(
    ("tell", "names", "evaluations"),
    [
        (_uncounted, ["r0.log", "r1.log"], 1),
        (_uncounted, ["r0.log", "r1.log"], 4),
        (_uncounted, ["sgd/train.log", "adam/train.log"], 2),
        (_uncounted, ["sgd.log", "adam.log"], 3),
        (_counted, ["sgd.log", "adam.log"], 1),
        (_in_groups, ["r0.log", "r1.log"], 2),
    ],
)
def test_a_young_run_is_read_as_the_others(
    tmp_path: Path, tell: Callable[[int], str], names: list[str], evaluations: int
) -> None:
    for name, epochs in zip(names, (8, evaluations), strict=True):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(tell(epochs))
    table = read_logs(tmp_path)
    key = "val_loss" if tell is _counted else "loss"
    told = table.points[table.points["metric"] == key].groupby("run")["value"].agg(list)
    assert sorted(map(len, told)) == [evaluations, 8]
    young = min(told, key=len)
    assert young == max(told, key=len)[:evaluations]


def test_what_one_came_to_is_no_run_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "train.log").write_text(_uncounted(8))
    (tmp_path / "final.log").write_text("loss 0.40 acc 0.90\n")
    (tmp_path / "words.log").write_text("precision 16, 4 workers\n")
    table = read_logs(tmp_path)
    assert len(table.run_ids) == 1
    left_out = [note for note in table.notes if "left out" in note]
    assert len(left_out) == 1
    assert "final.log" in left_out[0]
