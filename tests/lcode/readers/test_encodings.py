"""Tables in the encodings in which Excel and Windows write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lcode.readers.read import read_logs


@pytest.mark.parametrize(
    ("encoding", "told"),
    [("utf-8-sig", ""), ("utf-16", ""), ("gb18030", "read as GB18030"), ("cp1252", "read as Windows-1252")],
)
def test_a_table_in_another_encoding(tmp_path: Path, encoding: str, told: str) -> None:
    run, epoch, loss = ("größe é", "epoch", "val_loss") if encoding == "cp1252" else ("甲方案", "轮次", "验证损失")
    rows = "".join(f"{run},{e},{v}\n" for e, v in ((1, 0.9), (2, 0.7)))
    (tmp_path / "a.csv").write_bytes(f"run,{epoch},{loss}\n{rows}".encode(encoding))
    table = read_logs(tmp_path / "a.csv")
    assert table.run_ids == (run,) and table.points["value"].tolist() == [0.9, 0.7]
    assert [metric.direction for metric in table.metrics] == ["min"]
    assert any(told in note for note in table.notes)


def test_a_history_in_a_text_file(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text(
        '{\n "mean return": [1.5, 2.5, 3.5],\n "val_loss": [0.5, 0.4, 0.3, 0.2],\n "acc": [1]}'
    )
    table = read_logs(tmp_path / "log.txt")
    assert [metric.key for metric in table.metrics] == ["val_loss"]  # as many values as were evaluated
    assert len(table.points) == 4
