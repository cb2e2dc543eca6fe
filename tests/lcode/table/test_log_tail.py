from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lcode.files import replacing
from lcode.table.log_tail import LogTail


def texts(tail: LogTail) -> tuple[bool, list[tuple[int, str]]]:
    again, lines = tail.news()
    return again, [(number, line.decode()) for number, line in lines]


def test_each_line_is_read_once_when_it_has_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    tail = LogTail(path)
    assert texts(tail) == (False, [])
    path.write_bytes(b"one\ntwo\nth")
    assert texts(tail) == (False, [(1, "one"), (2, "two")])
    assert texts(tail) == (False, [])
    with path.open("ab") as file:
        file.write(b"ree\n")
    assert texts(tail) == (False, [(3, "three")])


def test_a_torn_line_that_its_writer_cut_off_was_never_there(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    tail = LogTail(path)
    path.write_bytes(b"one\ntw")
    assert texts(tail) == (False, [(1, "one")])
    os.truncate(path, 4)
    with path.open("ab") as file:
        file.write(b"other\n")
    assert texts(tail) == (False, [(2, "other")])


def test_a_file_that_was_replaced_is_news_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    tail = LogTail(path)
    path.write_bytes(b"one\ntwo\n")
    tail.news()
    with replacing(path) as file:
        file.write(b"one\ntwo\nthree\n")
    assert texts(tail) == (True, [(1, "one"), (2, "two"), (3, "three")])
    path.write_bytes(b"1\n")
    assert texts(tail) == (True, [(1, "1")])


@given(st.lists(st.binary(max_size=6).map(lambda text: text.replace(b"\n", b"")), max_size=8), st.data())
def test_in_whatever_pieces_a_log_is_written(lines: list[bytes], data: st.DataObject) -> None:
    text = b"".join(line + b"\n" for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        tail, found = LogTail(path), list[tuple[int, bytes]]()
        for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
            with path.open("ab") as file:
                file.write(text[begin:end])
            again, news = tail.news()
            assert not again
            found += news
    assert found == list(enumerate(lines, start=1))
