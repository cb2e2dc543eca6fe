"""Tables in the encodings in which Excel and Windows write them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcode.readers.encodings import is_utf16, without_torn_lines
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


@pytest.mark.parametrize("cut", [b"3,0.", b""])
def test_a_table_that_a_crash_has_torn_loses_the_lines_that_it_cut(tmp_path: Path, cut: bytes) -> None:
    torn = b"epoch,val_loss\n1,0.9\n2,0.8\n" + cut + bytes(300) + b"5\n4,0.6\n" + bytes(16) + b"\n5,0.5\n"
    (tmp_path / "a.csv").write_bytes(torn)
    table = read_logs(tmp_path / "a.csv")
    assert table.points["epoch"].tolist() == [1, 2, 4, 5]
    assert any("2 blocks of zero bytes" in note for note in table.notes)


@given(st.binary(max_size=60))
def test_what_has_no_block_of_zero_bytes_stays_as_it_is(data: bytes) -> None:
    whole, told = without_torn_lines(data)
    assert (whole == data) is (not told) is (bytes(16) not in data or is_utf16(data))
