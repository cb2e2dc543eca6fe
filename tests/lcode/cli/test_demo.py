from __future__ import annotations

import pytest

from lcode.cli.demo import LIVE, MEDIAN, REPLAYED, Row, in_short


@pytest.mark.parametrize(
    ("live", "median", "said", "not_said"),
    [
        ((0.39, 0.0), (0.27, 3.57), "21 of 22 runs early and so saved 39% of their training, and the best", "median"),
        ((0.39, 1.2), (0.27, 3.57), "is 1.2 points", "median"),
        (
            (0.39, 0.0),
            (0.61, 1.0),
            "Without the 14 trained before, the simple median rule does as well or better: it saves 61%",
            "is 0.0 points",
        ),
        ((0.39, 0.0), (0.40, 0.0), "median rule saves less and loses less: it saves 40% and loses 0.0", "as well or"),
        ((0.39, 0.0), (0.70, 9.0), "trained to its end", "median"),
    ],
)
def test_the_demo_ends_with_what_is_true(
    live: tuple[float, float], median: tuple[float, float], said: str, not_said: str
) -> None:
    rows = [Row(LIVE, 0.7, *live), Row(REPLAYED, 0.7, 0.61, 1.38), Row(MEDIAN, None, *median)]
    text = in_short(rows, 22, 21, 14)
    assert said in text and not_said not in text
    assert rows[2].cells()["τ"] == ""
