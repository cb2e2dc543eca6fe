from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcode.plot.panels import (
    CONTINUE,
    MARKS,
    STOP,
    Panel,
    axes,
    axis_range,
    figure_text,
    figure_with,
    fitting_columns,
)


def _luminance(colour: str) -> float:
    """Relative luminance of an sRGB colour, as WCAG 2 defines it."""
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("colour", [*(mark.colour for mark in MARKS), CONTINUE, STOP])
def test_colours_stand_out_from_white(colour: str) -> None:
    assert 1.05 / (_luminance(colour) + 0.05) >= 3


def test_marks_differ_without_colour() -> None:
    assert len({mark.symbol for mark in MARKS}) == len(MARKS)


@given(st.text())
def test_figure_text_has_no_markup(text: str) -> None:
    shown = figure_text(text)
    assert not set("<>$\n\r") & set(shown)


@given(st.integers(1, 9), st.integers(1, 4))
def test_panels_stay_on_the_paper_and_apart(count: int, columns: int) -> None:
    figure = figure_with([Panel(str(i), "x", "y") for i in range(count)], columns=columns)
    boxes = [(*x.domain, *y.domain) for x, y in zip(figure.select_xaxes(), figure.select_yaxes(), strict=True)]
    assert len(boxes) == count
    for i, (left, right, bottom, top) in enumerate(boxes):
        assert 0 <= left < right <= 1 and 0 <= bottom < top <= 1
        for other_left, other_right, other_bottom, other_top in boxes[:i]:
            assert right < other_left or other_right < left or top < other_bottom or other_top < bottom


def test_columns_leave_few_places_empty() -> None:
    assert [fitting_columns(n) for n in (1, 2, 3, 4, 5, 6, 7)] == [1, 2, 3, 2, 3, 3, 3]


def test_axis_names() -> None:
    assert [axes(i) for i in range(2)] == [("x", "y"), ("x2", "y2")]


def test_axis_is_logarithmic_over_decades_only() -> None:
    assert axis_range(np.geomspace(1e-4, 10, 50))["type"] == "log"
    assert axis_range(np.linspace(0.1, 1, 50))["type"] == "linear"
    assert axis_range(np.linspace(-1, 1, 50))["type"] == "linear"


def test_axis_leaves_out_what_explodes() -> None:
    low, high = axis_range(np.array([*np.linspace(0, 1, 50), 1e30]))["range"]
    assert low < 0 and 1 < high < 10


@pytest.mark.parametrize("values", [[], [np.nan], [2.0], [0.0, 0.0], [5.0] * 9])
def test_axis_of_few_or_equal_values(values: list[float]) -> None:
    found = axis_range(np.array(values))
    if found:
        low, high = found["range"]
        assert low < values[0] < high
