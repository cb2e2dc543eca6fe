"""Runs that have finished since a fit: all that stands beside the networks learns from them too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lcode.ensemble.context import Context
from lcode.ensemble.fitted import EnsembleModel
from lcode.ensemble.folds import assign_folds
from lcode.ensemble.related import curve_keys
from lcode.ensemble.training import CONTEXT_RUNS, MAX_RUNS, Fitted, by_name, in_context, some_rows
from lcode.table import RunTable
from lcode.table.axis import finer_unit
from lcode.table.groups import configuration_groups
from lcode.table.pool import pooled


def taking_up(fitted: Fitted, finished: RunTable, at_least: float) -> Fitted:
    """What was fitted, and knows these finished runs as well; itself where hardly any of them is new.

    Networks stay as they are, scales too; where none was adapted, all is learned anew from the runs of both. On three
    tables of LCBench's design half that the in-context network had never seen the CRPS of the ends, fitted on 60 or 120
    runs and with the others of 200 taken up, was 0.88 to 1.16 and 0.85 to 1.05 of that of the network as it came with
    200, and 0.60 to 0.85 and 0.70 to 0.96 of that of the fit alone, after 1, 5 and 15 epochs.

    Args:
        fitted: an ensemble.
        finished: runs of the same problem; those that it was fitted on may be among them.
        at_least: fewer new ones are not taken up.

    Raises:
        UsageError: the runs and the model disagree on the direction of a metric.
    """
    assert isinstance(fitted.model, EnsembleModel)
    context = fitted.model.context
    held = len(context.finished)
    if held < fitted.runs or (context.adapted is None and held >= CONTEXT_RUNS):
        return fitted  # it has chosen among the runs that it was given: which are new can't be told
    new = by_name(_unknown(context, finished))
    if not len(new) or len(new) < at_least:
        return fitted
    new = new.rows(some_rows(len(new), context.seed, min(CONTEXT_RUNS, MAX_RUNS - held)))
    whole = pooled([context.finished, new])
    if context.adapted is None:
        assert context.prior is not None
        return in_context(
            context.prior, whole, context.seed, parts=context.parts, calibrated=context.calibrated,
            related=context.related,
        )  # fmt: skip
    grown = replace(context, finished=whole, folds=_folds(context, whole))
    return replace(fitted, model=EnsembleModel(grown), runs=len(whole))


def known_of(context: Context, finished: RunTable) -> tuple[str, ...]:
    """Those of the runs that the context holds, whatever their names: forecasts of them know how they ended."""
    new = set(_unknown(context, finished).run_ids)
    return tuple(run for run in finished.run_ids if run not in new)


def _folds(context: Context, whole: RunTable) -> NDArray[np.int64]:
    """A fold for each of the known runs and the new ones behind them, [N].

    No network has learned from the new ones, so what any forecasts of them is out of fold. A repeat of a configuration
    that was learned from is left out with it.
    """
    held = len(context.folds)
    folds = assign_folds(whole, int(context.folds.max()) + 1, context.seed)
    group = configuration_groups(whole)
    alone = np.flatnonzero((whole.configs.isna().all(axis=1) & whole.runs["arch"].isna()).to_numpy())
    group[alone] = group.max() + 1 + np.arange(len(alone))  # nothing says that these are repeats
    folds[alone] = np.arange(len(alone)) % (folds.max() + 1)
    fold_of = dict(zip(group[:held].tolist(), context.folds.tolist(), strict=True))
    later = [fold_of.get(one, fold) for one, fold in zip(group[held:].tolist(), folds[held:].tolist(), strict=True)]
    return np.r_[context.folds, np.array(later, dtype=np.int64)]


def _unknown(context: Context, finished: RunTable) -> RunTable:
    """Those of the runs that the context does not hold, in its unit and with its metrics; none in a finer unit.

    A run is known by its curves: names may repeat from sweep to sweep, and differ from file to file.
    """
    unit = context.finished.epoch_unit
    if finer_unit(unit, finished.epoch_unit) < 0.999 * unit:
        return finished.select([])
    keys = {metric.key for metric in context.preprocessor.metrics}
    metrics = tuple(metric for metric in finished.metrics if metric.key in keys)
    points = finished.points[finished.points["metric"].isin(keys)]
    theirs = replace(finished, points=points, metrics=metrics).in_unit(unit)
    known = set(curve_keys(context.finished).values())
    return theirs.select([run for run, curves in curve_keys(theirs).items() if curves not in known])
