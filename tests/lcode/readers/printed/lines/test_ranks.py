"""Lines of several processes that train together: a curve is of one of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.readers.read import read_logs
from lcode.table.table import RunTable

Read = Callable[[Path, str, str], RunTable]
Curve = Callable[[RunTable, str], list[tuple[float, float]]]

ORDERS = ((2, 0, 1), (1, 2, 0), (0, 1, 2), (2, 1, 0))


@pytest.mark.parametrize(
    "who", ["[rank{}]: ", "2031-02-03 04:05:06,123 [Rank {}] ", "[GPU{}] ", "[default{}]:", "[1,{}]<stdout>:"]
)
def test_the_first_that_tells_all_epochs(tmp_path: Path, read: Read, curve: Curve, who: str) -> None:
    lines = [
        f"{who.format(rank)}epoch {epoch} val_loss 0.{90 - 10 * epoch + rank}\n"
        for epoch, order in enumerate(ORDERS, start=1)
        for rank in order
    ]
    lines[-1] = "loading a shard\n"  # rank 0 has not told its last epoch yet
    table = read(tmp_path, "train.log", "".join(lines))
    assert curve(table, "val_loss") == [(1, 0.80), (2, 0.70), (3, 0.60)]
    assert any("0 is read" in note for note in table.notes)


def test_what_one_alone_tells_is_kept(tmp_path: Path, read: Read, curve: Curve) -> None:
    text = "".join(
        f"[rank1]: epoch {e} train_loss 0.{9 - e}1\n[rank0]: epoch {e} train_loss 0.{9 - e}\n[rank1]: val_acc 0.{e}\n"
        for e in range(1, 5)
    )
    table = read(tmp_path, "train.log", text)
    assert curve(table, "val_acc") == [(e, e / 10) for e in range(1, 5)]


def test_one_after_the_other_they_are_trainings(tmp_path: Path, read: Read) -> None:
    lines = [f"[rank {rank}] epoch {e}/5 val_loss {1 / (e + rank):.4f}\n" for rank in (4, 8, 16) for e in range(1, 6)]
    assert len(read(tmp_path, "lora.log", "".join(lines))) == 3


@pytest.mark.parametrize("tag", ["[1,0]<stdout>:", ""])
def test_tags_of_one_rank_leave_those_that_the_lines_name(tmp_path: Path, tag: str) -> None:
    lines = [f"{tag}[rank{r}] Epoch {e} val_loss {1 / e + r / 10:.3f}\n" for e in range(1, 8) for r in (0, 1)]
    (tmp_path / "a.log").write_text(("" if tag else "[1,3]<stderr>:warning\n") + "".join(lines))
    assert read_logs(tmp_path / "a.log").points["value"].tolist() == [round(1 / e, 3) for e in range(1, 8)]
