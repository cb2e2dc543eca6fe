from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import norm

from lcode.curves.arrays import curve_arrays
from lcode.curves.collate import Preprocessor
from lcode.ensemble.fitted import PretrainedModel
from lcode.ensemble.order import in_careful_order
from lcode.ensemble.store import load_fitted
from lcode.ensemble.widths import Widths
from lcode.forecast import LEVELS, Q50
from lcode.forecasters.lcgode import SHIPPED
from lcode.network.loop import Source
from lcode.network.model import LCGODE, LCGODEConfig
from lcode.network.quantiles import OutOfFoldNetwork
from lcode.pretraining.prior import synthetic_runs
from lcode.pretraining.widths import QUERIES, SHARES, Judged, judge, learn_widths

LEADS = np.array([0.05, 0.2, 0.5, 0.8, 1.0])


def problem(spread: float, *, runs: int, lasting: float = 0.5) -> list[Judged]:
    """Normal truths of two metrics at five queries, forecast with the right median and `spread` times their width."""
    generator, parts = np.random.default_rng(0), []
    for _ in SHARES:
        trend = generator.standard_normal((runs, 2, 1))
        truth = np.sqrt(lasting) * trend + np.sqrt(1 - lasting) * generator.standard_normal((runs, 2, 5))
        quantiles = np.broadcast_to(spread * norm.ppf(LEVELS), (runs, 2, 5, len(LEVELS)))
        parts.append(Judged(np.tile(LEADS, (runs, 1)), quantiles, truth))
    return parts


def factors_of(problems: Sequence[Sequence[Judged]]) -> np.ndarray:
    return np.array(learn_widths(problems).factors)


def test_intervals_that_are_too_narrow_are_widened_by_the_whole_factor_and_wide_ones_stay() -> None:
    np.testing.assert_allclose(factors_of([problem(0.5, runs=400)]), np.log(2), atol=0.15)
    np.testing.assert_array_equal(factors_of([problem(2.0, runs=400)]), 0)


def test_each_problem_counts_alike_however_many_runs_it_has() -> None:
    """One problem whose intervals are right, one where they are half as wide as they should be."""
    right, narrow = problem(1.0, runs=2000), problem(0.5, runs=100)
    together = factors_of([right, narrow])
    assert together.shape == (len(SHARES), 2) and (together > 0.2).all() and (together < np.log(2)).all()
    np.testing.assert_allclose(factors_of([right]), 0, atol=0.05)


def test_without_a_far_query_nothing_is_said_of_the_far_ones() -> None:
    parts = [replace(part, leads=np.zeros_like(part.leads)) for part in problem(0.5, runs=400)]
    found = factors_of([parts])
    assert (found[:, 0] > 0.3).all() and (found[:, 1] == 0).all()


def test_how_lasting_errors_are_is_that_of_the_middle_problem() -> None:
    found = learn_widths([problem(1.0, runs=300, lasting=lasting) for lasting in (0.1, 0.4, 0.9)])
    assert found.persistence == pytest.approx(0.4, abs=0.1) and found.shares == SHARES


def test_without_a_problem_nothing_is_widened() -> None:
    assert learn_widths([]) == Widths()


def test_runs_are_judged_from_each_share_by_the_member_that_left_them_out() -> None:
    table = synthetic_runs(6, tasks=2, horizon=20, seed=0)
    read = Preprocessor.generic(table)
    network = LCGODE(LCGODEConfig(metrics=0, members=2, hidden=8, latent=2, nodes=2), torch.Generator().manual_seed(0))
    folds = np.array([0, 1, 0, 1, 0, 2])  # the last run was left out by none
    source = replace(Source.of(read.tensors(table), read.task_of, folds, "cpu"), own=read.own_scales)
    parts = judge(network, source)
    assert len(parts) == len(SHARES)
    for part in parts:
        assert part.quantiles.shape == (5, 2, QUERIES, len(LEVELS)) and np.isfinite(part.quantiles).all()
        assert (part.leads > 0).all() and (np.diff(part.leads) >= 0).all() and (part.leads[:, -1] == 1).all()
    # The first epoch alone, then a fifth: the same ends.
    np.testing.assert_array_equal(parts[0].truth[..., -1], parts[3].truth[..., -1])
    assert parts[0].leads[0, 0] == pytest.approx(1 / 19) and parts[3].leads[0, 0] == pytest.approx(1 / 16)


def test_forecasts_are_judged_in_the_order_in_which_a_user_gets_them() -> None:
    """Medians are the predicted ones, taken by the runs in the order of more careful values."""
    table = synthetic_runs(40, tasks=1, horizon=20, seed=0)
    read = Preprocessor.generic(table)
    model = load_fitted(SHIPPED, "cpu")[0].model  # one that expects runs to go on differently
    assert isinstance(model, PretrainedModel)
    network = model.prior.network
    source = replace(Source.of(read.tensors(table), read.task_of, np.arange(40) % 5, "cpu"), own=read.own_scales)
    cutoff = 2  # a share of 0.1
    ends = np.full((40, 1), 20.0)
    plain = OutOfFoldNetwork(network, source).forecast(np.arange(40), np.full(40, float(cutoff)), ends)[:, 0, :, Q50]
    last = read.values.scale(curve_arrays(table.prefix(cutoff)).last_values)[:, 0]
    moves = in_careful_order(plain, last, plain, last)
    judged = judge(network, source)[SHARES.index(0.1)].quantiles[:, 0, -1:, Q50]
    assert np.abs(moves).max() > 1e-3
    np.testing.assert_allclose(judged, plain + moves, atol=1e-4)
