from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcode.report.cells import configuration, interval, plain, printable, probability, run_rows, shorten, summary_cells
from lcode.table import RunTable


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0.2341, 0.2213, 0.2624), "0.234 [0.221, 0.262]"),
        ((12.3, 10.0, 20.0), "12 [10, 20]"),
        ((-0.5, -1.04, 0.26), "-0.5 [-1.0, 0.3]"),
        ((0.5, 0.5, 0.5), "0.5"),
        ((0.123456, 0.123456, 0.1234560001), "0.1235"),
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
    assert [plain(v) for v in (None, math.nan, True, 3, 1 / 3, "a\x1b")] == ["–", "–", "yes", "3", "0.3333", "a\\x1b"]


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


def test_rows_follow_the_ranking_and_hold_every_run(odd_sweep: Any) -> None:
    headings, rows = run_rows(odd_sweep.forecast, odd_sweep.ranking)
    assert headings[:3] == ("seen", "seg/miou", "depth/abs_err")
    assert [row.run for row in rows] == list(odd_sweep.ranking.runs)
    by_run = {row.run: row for row in rows}
    assert by_run["done"].action == "finished" and by_run["done"].cells[0] == "20/20"
    assert by_run["blown"].action == "stop" and by_run["blown"].cells[1:3] == ("diverged", "diverged")
    assert by_run["silent"].cells[0] == "0/20"
    assert "[" in by_run["live"].cells[1] and by_run["live"].cells[0] == "6/20"
    assert [row.run for row in run_rows(odd_sweep.forecast)[1]] == list(odd_sweep.forecast.run_ids)
    half = dataclasses.replace(odd_sweep.forecast, epoch_unit=0.25)
    assert {row.run: row.cells[0] for row in run_rows(half)[1]}["live"] == "1.5/5"


def test_configuration_names_only_what_varies(odd_sweep: Any) -> None:
    told = configuration(odd_sweep.table)
    assert all(text.startswith("lr=") and "width" not in text for text in told.values())
    bare: RunTable = odd_sweep.table.select(["done"])
    assert configuration(bare) == {"done": ""}


def test_summary_unites_the_keys() -> None:
    assert summary_cells([{"a": 1}, {"b": 0.5, "a": None}]) == (["a", "b"], [["1", "–"], ["–", "0.5"]])
