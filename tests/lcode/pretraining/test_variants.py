"""Variants of problems: enough runs, one map for whatever was seen and came, the order kept or turned."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from lcode.curves.common_settings import COMMON_SETTINGS
from lcode.curves.prefix import CURVE, SIDE, Evidence
from lcode.curves.tokens import Prefixes
from lcode.ensemble.problems import Problem
from lcode.pretraining.variants import varied
from lcode.regressors.kernel_regression import Columns

LEAST = 12


def problem(runs: int = 30) -> Problem:
    """Runs that end where they stood; how many values were seen of each says which it is."""
    draw = np.random.default_rng(0)
    points = np.cumsum(draw.standard_normal((runs, 6)), axis=1)
    settings = draw.standard_normal((runs, len(COMMON_SETTINGS)))
    blocks = np.r_[CURVE, np.full(settings.shape[1], SIDE)]
    values = np.concatenate([points[:, -1:], settings], axis=1)
    evidence = Evidence(values, Columns(np.arange(len(blocks)), blocks))
    known = Prefixes.thinned(points, np.arange(runs), np.full(runs, 0.3), settings, evidence)
    return Problem(known, np.stack([np.full(runs, np.nan), points[:, -1]], axis=1), np.arange(runs))


@given(st.integers(0, 2**32 - 1))
def test_a_variant_is_a_problem_of_enough_runs_on_one_scale(seed: int) -> None:
    whole = problem().at(1)
    variant = varied(whole, LEAST, np.random.default_rng(seed))
    assert LEAST <= len(variant) <= len(whole) and variant.came.shape == (len(variant), 1)
    np.testing.assert_array_equal(variant.runs.points[:, -1], variant.came[:, 0])  # one map for both
    kept = variant.runs.seen
    order = spearmanr(whole.came[kept, 0], variant.came[:, 0]).statistic
    assert abs(order) > 0.99  # increasing or decreasing; what is cut off far away are ties
    assert ((variant.runs.settings == whole.runs.settings[kept]) | (variant.runs.settings == 0)).all()
    shown = variant.runs.evidence
    assert CURVE in shown.columns.blocks  # whatever else is known of runs may be hidden
    kind = np.isin(whole.runs.evidence.columns.blocks, shown.columns.blocks)
    np.testing.assert_array_equal(shown.values, whole.runs.evidence.values[kept][:, kind])


def test_variants_differ_and_the_problem_stays() -> None:
    whole, same = problem().at(1), problem().at(1)
    found = [varied(whole, LEAST, np.random.default_rng(seed)) for seed in range(20)]
    assert len({len(one) for one in found}) > 3
    assert any(np.ptp(one.came) != np.ptp(whole.came) for one in found)
    np.testing.assert_array_equal(whole.runs.points, same.runs.points)
    np.testing.assert_array_equal(whole.runs.settings, same.runs.settings)


def test_where_no_run_may_be_missed_none_is() -> None:
    whole = problem().at(1)
    assert all(len(varied(whole, len(whole), np.random.default_rng(seed))) == len(whole) for seed in range(20))


def test_at_a_lead_only_runs_count_of_which_it_is_known_what_came() -> None:
    assert not len(problem().at(0)) and len(problem().at(1)) == 30
