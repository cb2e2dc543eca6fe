"""What left-out runs say of a model's order, beside that of the last values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from lcode.ensemble.trust import _errors, _order_lost, trust_warnings


def figures(
    runs: int, *, ours: float, last: float, seed: int = 0, known: NDArray[np.bool_] | None = None
) -> dict[str, Any]:
    """Of one metric at four prefixes: ends, forecasts and last values that are so far from them."""
    generator = np.random.default_rng(seed)
    ends = generator.normal(size=runs)
    there = np.ones(runs, dtype=np.bool_) if known is None else known
    # The same runs are hard at every prefix.
    hard = generator.normal(size=(2, runs))
    rows = {}
    for share in ("0", "0.1", "0.3", "0.5"):
        noise = 0.8 * hard + 0.6 * generator.normal(size=(2, runs))
        forecast, stood = (ends + ours * noise[0])[there], (ends + last * noise[1])[there]
        errors = {
            name: _errors(ends[there][:, None], values[:, None])
            for name, values in (("lcode", forecast), ("last", stood), ("trees", stood))
        }
        for name in ("last", "trees"):
            errors[name]["final_mae"] = 100.0  # the order alone is judged here
        order = _order_lost(there, ends[there], forecast, stood)
        rows[share] = {"seg/miou": {"runs": int(there.sum()), "coverage90": 0.9, "order": order, **errors}}
    return rows


def test_a_runs_part_in_the_order_is_what_its_pairs_say() -> None:
    ends, forecast, last = (
        np.array([1.0, 2.0, 3.0, 4.0]),
        np.array([2.0, 1.0, 3.0, 4.0]),
        np.array([1.0, 2.0, 4.0, 3.0]),
    )
    lost = _order_lost(np.array([True, True, False, True, True]), ends, forecast, last)
    # The forecast has the first pair the wrong way round, the last values the last pair: 2 of 3 shares each.
    np.testing.assert_allclose(lost, [2 / 3, 2 / 3, np.nan, -2 / 3, -2 / 3])
    right = _order_lost(np.ones(4, dtype=bool), ends, forecast, ends)
    tau = stats.kendalltau(ends, forecast).statistic
    assert right.mean() == pytest.approx(1 - tau)


def test_an_order_that_is_better_by_last_values_is_told_with_both_figures() -> None:
    (warning,) = trust_warnings(figures(40, ours=1.0, last=0.2))
    assert "the order of the last values is nearer to that of the ends: seg/miou (τ 0." in warning
    known = np.arange(50) % 5 > 0
    assert len(trust_warnings(figures(50, ours=1.0, last=0.2, known=known))) == 1


@pytest.mark.parametrize("seed", range(20))
def test_what_may_be_chance_is_not_told(seed: int) -> None:
    assert trust_warnings(figures(12, ours=0.5, last=0.5, seed=seed)) == []
    assert trust_warnings(figures(40, ours=0.2, last=1.0, seed=seed)) == []  # the forecast is better
    assert trust_warnings(figures(11, ours=3.0, last=0.01, seed=seed)) == []  # too few to say anything


def test_a_difference_that_turns_round_few_pairs_is_not_told() -> None:
    ends = np.arange(200.0)
    forecast = ends.copy()
    forecast[::2] += 1.5  # every second run has overtaken its neighbour
    values: dict[str, Any] = {
        "runs": 200,
        "coverage90": 0.9,
        "order": _order_lost(np.ones(200, dtype=bool), ends, forecast, ends),
        **{n: _errors(ends[:, None], v[:, None]) for n, v in (("lcode", forecast), ("last", ends), ("trees", ends))},
    }
    values["last"]["final_mae"] = values["trees"]["final_mae"] = 100.0
    assert values["lcode"]["kendall"] < values["last"]["kendall"]
    assert trust_warnings({"0.2": {"seg/miou": values}}) == []
