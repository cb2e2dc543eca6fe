from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcode.show import html_table, interval, intervals, numbers, plain, printable, probability, shorten


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


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ([(0.7814, 0.7814, 0.7814), (0.51, 0.36, 0.73)], ["0.781", "0.510 [0.360, 0.730]"]),
        ([(0.064, 0.044, 0.105), (0.14, 0.1, 0.26)], ["0.064 [0.044, 0.105]", "0.140 [0.100, 0.260]"]),
        ([(21.47, 21.47, 21.47), (-128, -207, -42), (math.nan,) * 3], ["21.5", "-128.0 [-207.0, -42.0]", "–"]),
        # One run that is almost certain does not fill the others' cells with digits.
        ([(0.5, 0.3, 0.7), (0.5, 0.2, 0.8), (0.5, 0.49999, 0.50001)], [
            "0.500 [0.300, 0.700]", "0.500 [0.200, 0.800]", "0.500 [0.500, 0.500]"]),
        # Decades apart: each has digits of its own.
        ([(2e-5, 1e-5, 3e-5), (0.5, 0.4, 0.6)], ["0.000020 [0.000010, 0.000030]", "0.50 [0.40, 0.60]"]),
    ],
)  # fmt: skip
def test_a_column_of_intervals_has_the_same_decimals(
    column: list[tuple[float, float, float]], expected: list[str]
) -> None:
    assert intervals(column) == expected


def test_a_column_of_numbers_tells_them_apart() -> None:
    assert numbers([22.5, 4.407, math.nan]) == ["22.50", "4.41", "–"]
    assert numbers([0.9312, 0.9327]) == ["0.9312", "0.9327"]
    assert numbers([0.0, 0.0]) == ["0", "0"]
    assert numbers([0.6, 0.25]) == ["0.60", "0.25"] and numbers([100.0, 20.0]) == ["100", "20"]
    assert numbers([0.01848, 0.1051], digits=3) == ["0.018", "0.105"]
    assert numbers([1e-7, 2.0]) == ["1e-07", "2"]


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
