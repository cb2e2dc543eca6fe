from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcode.show import html_table, interval, plain, printable, probability, shorten


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0.2341, 0.2213, 0.2624), "0.234 [0.221, 0.262]"),
        ((12.3, 10.0, 20.0), "12 [10, 20]"),
        ((-0.5, -1.04, 0.26), "-0.5 [-1.0, 0.3]"),
        ((-0.04, -1.0, 0.5), "0.0 [-1.0, 0.5]"),
        ((0.5, 0.5, 0.5), "0.5"),
        ((0.123456, 0.123456, 0.1234560001), "0.1235"),
        ((2.14e-5, 3e-7, 0.0018), "2.1e-05 [3e-07, 0.0018]"),
        ((2e7, 1e7, 3e7), "2e+07 [1e+07, 3e+07]"),
        ((2e-9, 1e-9, 3e-9), "2e-09 [1e-09, 3e-09]"),
        ((math.nan, math.nan, math.nan), "–"),
    ],
)
def test_interval_shows_two_digits_of_its_width(values: tuple[float, float, float], expected: str) -> None:
    assert interval(*values) == expected


def test_small_probabilities_are_not_shown_as_zero() -> None:
    assert [probability(p) for p in (0.0, 0.001, 0.25, 1.0)] == ["0", "<0.01", "0.25", "1.00"]


def test_plain_values() -> None:
    assert [plain(v) for v in (None, math.nan, True, 3, 1 / 3, -0.0, "a\x1b")] == [
        "–", "–", "yes", "3", "0.3333", "0", "a\\x1b",
    ]  # fmt: skip


@given(st.text(alphabet=st.characters()))
def test_printable_text_can_be_encoded_and_steers_nothing(text: str) -> None:
    shown = printable(text)
    shown.encode("utf-8")
    assert shown.isprintable()
    assert printable(shown) == shown


def test_lone_surrogates_and_direction_marks_are_spelt_out() -> None:
    assert printable("a\ud800\u202eb") == "a\\ud800\\u202eb"


@given(st.text(max_size=60), st.integers(3, 40))
def test_shortened_text_fits_and_keeps_both_ends(text: str, length: int) -> None:
    short = shorten(text, length)
    assert len(short) <= length
    if len(text) > length:
        assert text.startswith(short.split("…")[0]) and short[-1] == text[-1]
    else:
        assert short == text


def test_a_table_of_a_notebook_is_escaped_and_says_what_it_leaves_out() -> None:
    shown = html_table(["<b>"], [["<script>x</script>"], ["a&b"]], caption="<i>", more=1200)
    assert "<script" not in shown and "<i>" not in shown and "<b>" not in shown
    assert "&lt;script&gt;x&lt;/script&gt;" in shown and "a&amp;b" in shown and "1,200 more" in shown
