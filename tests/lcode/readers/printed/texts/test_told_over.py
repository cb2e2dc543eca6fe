"""Values in whose place others are told in the same epoch, in lines that begin with other words."""

from __future__ import annotations

from pathlib import Path

import pytest

from lcode.readers.read import read_logs


@pytest.mark.parametrize(
    ("one", "two", "words"),
    [
        ("the young", "the old of all", ["'young'", "'old of all'"]),
        ("first pass", "second pass", ["'first'", "'second'"]),
    ],
)
def test_the_words_are_told(tmp_path: Path, one: str, two: str, words: list[str]) -> None:
    log = tmp_path / "one.log"
    log.write_text("".join(f"Epoch {e}\n{one}: acc 0.{e}\n{two}: acc 0.{e}5\n" for e in range(1, 5)))
    (note,) = [note for note in read_logs(log).notes if "the last line of each count" in note]
    assert "of acc" in note and all(word in note for word in words)


def test_a_later_value_of_the_same_words_needs_none(tmp_path: Path) -> None:
    log = tmp_path / "one.log"
    log.write_text("".join(f"Epoch {e}\nval acc 0.{e}\nval acc 0.{e}5\n" for e in range(1, 5)))
    notes = read_logs(log).notes
    assert not any("the last line of each count" in note for note in notes)
    assert any("values were replaced by later ones of the same epoch, of val_acc" in note for note in notes)
