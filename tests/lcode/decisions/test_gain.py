from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lcode.decisions import GainRule
from lcode.errors import UsageError
from lcode.forecast import LEVELS, Forecast
from lcode.table import Metric

METRICS = (Metric("A", "acc", "max"), Metric("B", "loss", "min"))


def forecast(*quantiles: Any) -> Forecast:
    """Of one run; the metrics' quantiles [K, Q, 21]."""
    values = np.stack([np.asarray(one, dtype=float).reshape(-1, len(LEVELS)) for one in quantiles])
    epochs = np.arange(values.shape[1])[None] + 11
    return Forecast(
        ("a",),
        METRICS[: len(values)],
        epochs,
        values[None],
        np.full((1, len(values)), "ok"),
        np.full((1, len(values)), 10),
        np.array([20]),
    )


def test_a_chance_is_that_of_the_best_epoch_to_come() -> None:
    peak = forecast([0.1 + 0.2 * LEVELS, 0.3 + 0.2 * LEVELS, 0.1 + 0.2 * LEVELS])
    assert GainRule(min_delta=0.0).chances(peak, {"A/acc": (0.1, 0.35)}) == {"A/acc": pytest.approx(0.75)}


def test_smaller_is_better_where_the_metric_says_so() -> None:
    both = forecast(0.5 + 0 * LEVELS, LEVELS)
    chances = GainRule(min_delta=0.0).chances(both, {"A/acc": (0.1, 0.6), "B/loss": (0.9, 0.3)})
    assert chances == {"A/acc": 0.0, "B/loss": pytest.approx(0.3)}


@pytest.mark.parametrize(
    ("min_delta", "chance"),
    [(0.0, 0.5), (0.1, 0.4), ({"A/acc": 0.2}, 0.3), ({"B/loss": 0.2}, 0.49), (None, 0.49)],
    ids=str,
)
def test_an_improvement_counts_from_min_delta_on(min_delta: Any, chance: float) -> None:
    # From 0 to 0.5: two per cent of that are 0.01.
    found = GainRule(min_delta=min_delta).chances(forecast(LEVELS), {"A/acc": (0.0, 0.5)})
    assert found["A/acc"] == pytest.approx(chance)


@pytest.mark.parametrize(("best", "delta"), [(0.5, 0.01), (-0.5, 0.01), (0.0, 0.02)])
def test_of_a_metric_that_never_moved_a_share_of_its_value_counts(best: float, delta: float) -> None:
    found = GainRule().chances(forecast(best + LEVELS - 0.5), {"A/acc": (best, best)})
    assert found["A/acc"] == pytest.approx(0.5 - delta)


@pytest.mark.parametrize(
    ("chance", "told"),
    [
        (0.0996, "0.0996"),
        (0.099999, "0.099999"),
        (0.1, "0.10"),
        (0.1004, "0.10"),
        (0.05, "0.05"),
        (np.nan, "not known"),
    ],
)
def test_a_chance_is_told_on_its_side_of_the_bar(chance: float, told: str) -> None:
    assert GainRule(confidence=0.9).told(chance) == told


def test_nothing_is_known_without_a_value_or_a_forecast() -> None:
    rule = GainRule(confidence=0.0)
    assert np.isnan(rule.chances(forecast(LEVELS), {})["A/acc"])
    assert np.isnan(rule.chances(forecast(np.nan * LEVELS), {"A/acc": (0.0, 0.5)})["A/acc"])
    assert not rule.stops([0.0, float("nan")]) and not rule.stops([])


def test_a_run_stops_when_no_metric_improves() -> None:
    rule = GainRule(confidence=0.9)
    assert rule.stops([0.05, 0.09]) and not rule.stops([0.05, 0.11])


@pytest.mark.parametrize(("last", "end"), [(0, 1), (10, 11), (10, 200), (100, 10**9)])
def test_epochs_to_ask_for_reach_from_the_next_to_the_last(last: int, end: int) -> None:
    epochs = GainRule().epochs(last, end)
    assert epochs[-1] == end and last < epochs[0] <= last + max(1, -(-(end - last) // 64))
    assert (np.diff(epochs) > 0).all() and len(epochs) <= 12


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"confidence": 1.5}, "confidence is 1.5; it is a probability"),
        ({"min_delta": -1}, "min_delta is -1; it is at least 0"),
        ({"min_delta": {"A/acc": "x"}}, "min_delta of 'A/acc' is 'x'"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        GainRule(**options)
