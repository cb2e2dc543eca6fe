from __future__ import annotations

import re
from html import unescape

import numpy as np
import pytest

from lcode.decisions import StoppingCurve
from lcode.report.sections import stopping_section


def curve(regret: list[float], delta: float = 0.05) -> StoppingCurve:
    """Below 2 % nobody is stopped, below 30 % one run is, below 100 % four."""
    thresholds, saved = np.array([0.02, 0.3, 1.0]), np.array([0.0, 0.2, 0.9])
    return StoppingCurve(thresholds, np.array([0, 1, 4]), saved, np.array(regret), delta)


def words(section: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub("<[^>]*>", " ", section)))


@pytest.mark.parametrize(
    ("regret", "delta", "said"),
    [
        ([0, 0, 1], 0.05, "saves 20 % of the epochs still to come, and is expected to cost nothing"),
        ([0, 0.25, 1], 0.05, "still to come. The best score is then expected to be 0.25 lower"),
        ([0, 0, np.nan], 0.5, "below 50 %, as advised, saves 90 % of the epochs still to come; no run with a forecast"),
        ([0, 0, 1], 0.01, "No run has a chance below 1 %, so nothing is stopped, saved or lost."),
    ],
)  # fmt: skip
def test_the_advice_in_words(regret: list[float], delta: float, said: str) -> None:
    assert said in words(stopping_section(curve(regret, delta), ""))


def test_other_thresholds_are_listed_and_the_advised_one_is_marked() -> None:
    text = words(stopping_section(curve([0, 0.25, np.nan], 0.03), "Δm %"))
    assert "Regret is in Δm %." in text
    rows = text.split("expected regret ")[-1]
    assert rows.split(" 5 % ")[0] == "1 % 0 0 % 0 3 % (advised) 1 20 % 0.25"
    assert rows.strip().endswith("50 % 4 90 % unknown: no run would be left")
