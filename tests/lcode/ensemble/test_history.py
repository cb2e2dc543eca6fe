from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np

from lcode.curves.arrays import curve_arrays
from lcode.curves.prefix import PrefixReader
from lcode.curves.scaling import ValueScaler
from lcode.ensemble.history import GRID, History
from lcode.table import RunTable, pooled

Family = Callable[..., RunTable]
CUTOFF = 4


def history_of(table: RunTable, cutoff: int, like: RunTable | None = None) -> History:
    """With scales and encodings that were fitted on another table, or on this one."""
    like = table if like is None else like
    scaler = ValueScaler.fit(curve_arrays(like))
    folds = np.arange(len(table)) % 5
    return History.of(table, curve_arrays(table), folds, cutoff, scaler, PrefixReader(like, scaler))


def test_every_epoch_that_is_left_is_in_the_continuations(history: RunTable) -> None:
    found, scaler = history_of(history, CUTOFF), ValueScaler.fit(curve_arrays(history))
    assert len(found) == 20 and found.epochs[0].tolist() == list(range(5, 17))
    values = scaler.scale(curve_arrays(history).values)
    np.testing.assert_allclose(found.values, values[:, :, CUTOFF:])
    np.testing.assert_allclose(found.last, values[:, :, CUTOFF - 1])


def test_long_continuations_are_learned_at_few_points(family: Family) -> None:
    found = history_of(family(6, horizon=250), CUTOFF)
    assert found.values.shape == (6, 2, GRID) and (found.epochs[:, -1] == 250).all()


def test_what_is_known_is_what_was_seen_up_to_the_cutoff(history: RunTable) -> None:
    points, signals = history.points.copy(), history.signals.copy()
    points.loc[points["epoch"] > CUTOFF, "value"] *= 0.5
    signals.loc[signals["epoch"] > CUTOFF, "value"] = 7.0
    later = history_of(replace(history, points=points, signals=signals), CUTOFF, like=history)
    usual = history_of(history, CUTOFF)
    for field in fields(usual.known):
        if field.name == "clock":  # the plan, which is known from the start
            continue
        np.testing.assert_array_equal(getattr(later.known, field.name), getattr(usual.known, field.name))
    assert not np.array_equal(later.values, usual.values)


def test_a_curve_that_diverged_teaches_nothing_of_its_end(history: RunTable) -> None:
    points = history.points.copy()
    points.loc[(points["run"] == "r03") & (points["metric"] == "seg/err") & (points["epoch"] > 9), "value"] = np.nan
    found = history_of(replace(history, points=points), CUTOFF)
    assert np.isnan(found.values[3, 0]).all() and np.isfinite(np.delete(found.values, 3, axis=0)).all()
    assert np.isfinite(found.values[3, 1]).all()


def test_runs_that_had_ended_by_the_cutoff_are_left_out(family: Family) -> None:
    table = pooled([family(10), family(3, horizon=40), family(2, horizon=10)])
    found = history_of(table, 12)
    assert found.rows.tolist() == list(range(13))
    assert found.folds.tolist() == (found.rows % 5).tolist()


def test_it_can_be_told_on_the_grid_of_others(history: RunTable, family: Family) -> None:
    longer = history_of(family(5, horizon=100), CUTOFF)
    scaler = ValueScaler.fit(curve_arrays(history))
    reader, folds = PrefixReader(history, scaler), np.arange(len(history)) % 5
    found = History.of(history, curve_arrays(history), folds, CUTOFF, scaler, reader, longer.grid)
    assert found.values.shape == (20, 2, len(longer.grid))
    np.testing.assert_allclose(found.values[..., -1], history_of(history, CUTOFF).values[..., -1])


def test_repeats_of_one_configuration_are_left_out_one_by_one(history: RunTable) -> None:
    scaler = ValueScaler.fit(curve_arrays(history))
    reader, folds = PrefixReader(history, scaler), np.zeros(len(history), dtype=np.int64)
    found = History.of(history, curve_arrays(history), folds, CUTOFF, scaler, reader)
    assert found.folds.tolist() == list(range(20))
