"""Lines of one shape are read as each of them alone would be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcode.readers.printed.lines import line_shapes
from lcode.readers.printed.lines.line_shapes import LONGEST, LineShapes
from lcode.readers.printed.lines.printed_line import Said, said_in

NUMBERS = st.one_of(
    st.integers(0, 99_999).map(str),
    st.floats(-1e6, 1e6).map(repr),
    st.sampled_from(["nan", "inf", "-inf", ".5", "-0", "007", "1e-05", "3.", "12:30:59", "2031-02-03", "1.9G", "49%"]),
)

TEXTS = st.sampled_from(
    [
        *("Epoch ", "[Epoch ", "/", "] ", " | loss: ", " loss ", ", val_acc=", " - top5 acc ", "step:", "best epoch "),
        *(" mAP50 ", " class 3 acc ", " (", ") ", "\t", " lr 1e-", "%", "th ", " Dice: [", ", ", "]", " DEV : ", "-"),
    ]
)


def said(line: str, shapes: LineShapes | None = None) -> str:
    return repr(said_in(line) if shapes is None else shapes.said_in(line))


@given(st.lists(TEXTS, min_size=1, max_size=8), st.lists(st.lists(NUMBERS, min_size=8, max_size=8), max_size=4))
def test_a_line_says_the_same_whatever_was_read_before(texts: list[str], numbers: list[list[str]]) -> None:
    shapes = LineShapes()
    for row in numbers:
        line = "".join(text + number for text, number in zip(texts, row, strict=False))
        assert said(line, shapes) == said(line)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("epoch 1 loss -0.5 acc 0.5", "epoch 2 loss 0.25 acc nan"),
        ("epoch 1 class 3 acc 0.5", "epoch 1 class 4 acc 0.6"),
        ("epoch 1 mAP 0.5: 0.25", "epoch 2 mAP 0.75: 0.5"),
        ("epoch 1 top 5 acc: 0.25", "epoch 2 top 1 acc: 0.5"),
        ("epoch 1: 0.25 val loss: 0.5", "epoch 2: 0.5 val loss: 0.25"),
        ("epoch 1/9 loss 1 acc 1", "epoch 2/9 loss 2 acc 3"),
        ("epoch 1 loss 1.5", "epoch 1 loss 1,5"),
        ("epoch 1 a 1 b 1 c 1 d 1 e 1 f 1 g 1 h 1 i 1 acc 1", "epoch 2 a 1 b 1 c 1 d 1 e 1 f 1 g 1 h 1 i 1 acc 2"),
    ],
)
def test_what_could_be_confused(first: str, second: str) -> None:
    shapes = LineShapes()
    for line in (first, second, first, first, first, first, second, second):
        assert said(line, shapes) == said(line)


def test_of_a_long_list_of_long_numbers_the_beginning_is_read() -> None:
    numbers = [f"0.{n:04d}577966284751{n % 10}" for n in range(500)]
    line = "epoch 3, losses: [" + ", ".join(numbers) + "]"
    assert said(line, LineShapes()) == said(line[:LONGEST]) and len(line) > LONGEST


@pytest.mark.parametrize("digits", [400, 5000])
def test_a_damaged_number_of_thousands_of_digits_is_read_like_any_line(digits: int) -> None:
    line = f"Epoch 3, loss 0.{'7' * digits}, step {'9' * digits}"
    shapes = LineShapes()
    assert said(line, shapes) == said(line[:LONGEST]) == said(line, shapes)


def test_lines_with_a_running_number_are_searched_twice_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[str] = []

    def search(line: str) -> Said | None:
        searched.append(line)
        return said_in(line)

    monkeypatch.setattr(line_shapes, "said_in", search)
    shapes = LineShapes()
    for k in range(1, 100):
        assert shapes.said_in(f"loss 0.5 user {k}: 0.6") == said_in("loss 0.5 user 1: 0.6")
    assert len(searched) < 5


def test_a_number_in_a_name_is_part_of_it() -> None:
    shapes = LineShapes()
    for value in ("0.25", "0.50", "0.75"):
        for name in ("Hits@1", "Hits@3", "Hits@10", "Hits@50"):
            said = shapes.said_in(f"{name}: {value}")
            assert said is not None and said.pairs == {name: float(value)}
