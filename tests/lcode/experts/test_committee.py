from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from lcode.experts.committee import EXPERTS, Committee, smoothed
from lcode.forecast import LEVELS
from lcode.table import RunTable
from lcode.tensors.arrays import curve_arrays
from lcode.tensors.scaling import ValueScaler

Family = Callable[..., RunTable]
CUTOFF, HORIZON = 4, 16


@pytest.fixture(scope="module")
def runs(family: Family) -> RunTable:
    return family(60)


@pytest.fixture(scope="module")
def committee(runs: RunTable) -> Committee:
    return committee_of(runs)


class LevelNetwork:
    """Stands for a network: every curve stays on its last value in model space, give or take one."""

    def __init__(self, table: RunTable, scaler: ValueScaler) -> None:
        self._arrays, self._scaler = curve_arrays(table), scaler

    def __call__(self, rows: np.ndarray, cutoff: int, epochs: np.ndarray) -> np.ndarray:
        last = self._arrays.rows(rows).interpolate(np.full((len(rows), 1), max(cutoff, 1)))
        return level(self._scaler.scale(last)[..., 0], epochs)


def level(last: np.ndarray, epochs: np.ndarray) -> np.ndarray:
    return np.nan_to_num(last)[..., None, None] + np.zeros((epochs.shape[1], 1)) + norm.ppf(LEVELS)


def committee_of(table: RunTable) -> Committee:
    scaler = ValueScaler.fit(curve_arrays(table))
    folds = np.arange(len(table)) % 5
    return Committee(table, len(table), scaler, folds, LevelNetwork(table, scaler), seed=0)


def forecast_of(committee: Committee, table: RunTable, cutoff: int = CUTOFF) -> np.ndarray:
    """Of every epoch that is left."""
    epochs = np.tile(np.arange(max(cutoff, 0) + 1, HORIZON + 1), (len(table), 1))
    observed = committee.observe(table, cutoff, table.metrics)
    return committee.predict(observed, epochs, level(observed.known.last, epochs))


def test_every_expert_beats_the_last_value(family: Family, runs: RunTable, committee: Committee) -> None:
    new = family(30, seed=1, prefix="n")
    forecast = forecast_of(committee, new.prefix(CUTOFF))
    assert forecast.shape == (len(EXPERTS), 30, 2, HORIZON - CUTOFF, 21)
    truth = committee.scaler.scale(curve_arrays(new).values)
    error = np.abs(forecast[..., 10] - truth[:, :, CUTOFF:]).mean(axis=(1, 2, 3))
    last = np.abs(truth[:, :, CUTOFF - 1 : CUTOFF] - truth[:, :, CUTOFF:]).mean()
    assert (error < 0.5 * last).all()
    assert (np.diff(forecast) >= 0).all()


def test_left_out_forecasts_are_nearly_as_good_as_those_of_new_runs(family: Family, committee: Committee) -> None:
    experts = committee.at(CUTOFF)
    assert experts is not None
    own = np.abs(experts.out_of_fold()[..., 10] - experts.scene.values).mean(axis=(1, 2, 3))
    new = family(60, seed=1, prefix="n")
    forecast = forecast_of(committee, new.prefix(CUTOFF))
    truth = committee.scaler.scale(curve_arrays(new).values[:, :, CUTOFF:])
    fresh = np.abs(forecast[..., 10] - truth).mean(axis=(1, 2, 3))
    # A forecast that had seen its own run would be far better than one of a new run.
    assert (own > 0.6 * fresh).all() and (own < 2.5 * fresh).all()


def test_nothing_after_the_cutoff_is_read(runs: RunTable, committee: Committee) -> None:
    points = runs.points.copy()
    points.loc[points["epoch"] > CUTOFF, "value"] = 7.0
    signals = runs.signals.copy()
    signals.loc[signals["epoch"] > CUTOFF, "value"] = 7.0
    changed = replace(runs, points=points, signals=signals)
    one, other = (forecast_of(committee, t) for t in (runs, changed))
    np.testing.assert_array_equal(one, other)


def test_gaps_divergence_and_missing_metrics_leave_finite_forecasts(family: Family) -> None:
    table = family(24)
    points = table.points.copy()
    points.loc[(points["run"] == "r03") & (points["epoch"] > 9), "value"] = np.nan
    points = points[~((points["run"] == "r04") & (points["metric"] == "depth/miou"))]
    points = points[~((points["run"] == "r05") & (points["epoch"] % 2 == 1))]
    damaged = replace(table, points=points.reset_index(drop=True))
    committee = committee_of(damaged)
    for cutoff in (-1, 0, 1, 5):
        seen = damaged.prefix(max(cutoff, 0))
        forecast = forecast_of(committee, seen, cutoff)
        assert np.isfinite(forecast).all()


def test_where_nothing_was_learned_there_is_no_forecast(committee: Committee, runs: RunTable) -> None:
    observed = committee.observe(runs.select(runs.run_ids[:2]), HORIZON, runs.metrics)
    epochs = np.full((2, 1), HORIZON + 4)
    late = committee.predict(observed, epochs, level(observed.known.last, epochs))
    assert np.isnan(late).all() and late.shape == (len(EXPERTS), 2, 2, 1, 21)


def test_late_cutoffs_share_experts(family: Family) -> None:
    committee = committee_of(family(6, horizon=250))
    assert [committee.nearest(c) for c in range(1, 9)] == list(range(1, 9))
    assert len({committee.nearest(c) for c in range(20, 200)}) < 25
    assert all(abs(np.log(committee.nearest(c) / c)) < 0.11 for c in range(9, 200))


def test_packed_and_unpacked_it_forecasts_the_same(runs: RunTable, committee: Committee) -> None:
    committee.at(CUTOFF)
    meta, arrays = committee.pack()
    again = Committee.unpack(
        json.loads(json.dumps(meta)), arrays, committee.scaler, lambda table, _: LevelNetwork(table, committee.scaler)
    )
    some = runs.select(runs.run_ids[:5]).prefix(CUTOFF)
    one, other = (forecast_of(c, some) for c in (committee, again))
    np.testing.assert_array_equal(one, other)


def test_near_the_end_fewer_components_are_left_than_before(runs: RunTable) -> None:
    committee = committee_of(runs)
    committee.at(CUTOFF)  # its hyper-parameters serve all later cutoffs
    for cutoff in (HORIZON - 2, HORIZON - 1, CUTOFF + 1):
        assert np.isfinite(forecast_of(committee, runs.prefix(cutoff), cutoff)).all()


def test_smoothing_spreads_a_spike_and_keeps_lines() -> None:
    spike = np.zeros((9, 21))
    spike[4] = 5.0
    np.testing.assert_allclose(smoothed(spike, 2)[:, 0], [0, 0, 1, 1, 1, 1, 1, 0, 0])
    line = np.linspace(0, 1, 9)[:, None] + np.zeros(21)
    np.testing.assert_allclose(smoothed(line, 2)[:-1], line[:-1])
    np.testing.assert_array_equal(smoothed(spike, 0), spike)
    np.testing.assert_allclose(smoothed(spike[4:5], 2), spike[4:5])
