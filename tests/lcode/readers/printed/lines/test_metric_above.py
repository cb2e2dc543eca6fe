"""Values of each part of the data below a line with their metric alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Scored = Callable[[Path], dict[str, list[float]]]

EPOCHS = range(1, 6)


def test_they_are_of_that_metric(tmp_path: Path, scored: Scored) -> None:
    line = "Run: 01, Epoch: 0{e}, Loss: 9.5, Train: {a}%, Valid: {b}%, Test: {b}%\n"
    log = tmp_path / "one.log"
    log.write_text(
        "".join(f"Hits@{k}\n" + line.format(e=e, a=k + 2 * e, b=k + e) for e in EPOCHS for k in (10, 50, 100))
    )
    assert scored(log) == {f"one Valid_Hits@{k} max": [k + e for e in EPOCHS] for k in (10, 50, 100)}


@pytest.mark.parametrize("head", ["", "Epoch done\n", "a line\n", "loss 0.5 of before\n"])
def test_below_other_lines_they_name_no_metric(tmp_path: Path, scored: Scored, head: str) -> None:
    log = tmp_path / "one.log"
    log.write_text("".join(f"{head}Epoch: {e}, Train: {e + 9}%, Valid: {e + 5}%\n" for e in EPOCHS))
    assert scored(log) == {"one score max": [e + 5 for e in EPOCHS]}


@pytest.mark.parametrize(
    ("title", "line"),
    [("Accuracy\n", ""), ("", "loss {c:.3f}\n"), ("", "acc {c:.3f}\n")],
)
def test_a_title_above_the_first_or_a_value_above_each_names_nothing(
    tmp_path: Path, scored: Scored, title: str, line: str
) -> None:
    log = tmp_path / "one.log"
    text = line + "Epoch {e} Train: {a}, Val: {b}\n"
    log.write_text(title + "".join(text.format(e=e, c=2 / e, a=0.5 + e / 20, b=0.4 + e / 20) for e in EPOCHS))
    assert scored(log)["one score max"] == [0.4 + e / 20 for e in EPOCHS]


def test_a_number_behind_an_at_sign_is_of_the_name(tmp_path: Path, scored: Scored) -> None:
    log = tmp_path / "one.log"
    log.write_text("".join(f"Hits @ 10\nEpoch {e} Train: 0.5, Val: {e / 8}\n" for e in EPOCHS))
    assert scored(log)["one Val_Hits@10 max"] == [e / 8 for e in EPOCHS]
