"""The planned last epoch of each run: as its logs state it, as the user states it, or as it must be assumed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lcode.readers.part import LogPart, in_unit
from lcode.readers.raw import RawTable
from lcode.show import counted
from lcode.table.axis import MAX_TICKS, as_ticks, epoch_text, finer_unit
from lcode.table.horizon import MIN_EVALUATIONS, counts_from_zero, last_evaluation
from lcode.table.schedule import Schedule

_MEANING = "the horizon is the planned last epoch, a whole number from 1 on (or a fraction where the epochs are)"


def latest_horizons(
    raw: RawTable, run: NDArray[np.int64], names: list[str], epoch: NDArray[np.float64]
) -> tuple[NDArray[np.float64], list[str]]:
    """The horizon that each run states at its latest epoch, NaN where none is stated, and what to tell the user.

    A training that is prolonged states another horizon from then on.

    Args:
        raw: the table.
        run: code of each row's run, shape [N].
        names: name of each run.
        epoch: epoch of each row, as the user counts, shape [N].

    Raises:
        InputError: a cell that is no horizon.
    """
    horizon = np.full(len(names), np.nan)
    if "horizon" not in raw.columns:
        return horizon, []
    values, _ = raw.numbers("horizon", remedy=_MEANING)
    whole = bool(np.all(epoch == np.floor(epoch)))
    with np.errstate(invalid="ignore"):
        wrong = (values <= 0) | (values > MAX_TICKS) | (whole & (values != np.floor(values)) & ~np.isnan(values))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise raw.error(row, "horizon", f"'{raw.text(row, 'horizon')}' is no horizon; {_MEANING}")
    order = np.lexsort((epoch, run))
    order = order[~np.isnan(values[order])]
    horizon[run[order]] = values[order]  # the last assignment stays
    same = run[order[1:]] == run[order[:-1]]
    moved = np.flatnonzero(same & (values[order[1:]] != values[order[:-1]]))
    if not len(moved):
        return horizon, []
    one = int(moved[0])
    changed = len(np.unique(run[order[moved]]))
    example = f"'{names[run[order[one]]]}': from {values[order[one]]:g} to {values[order[one + 1]]:g}"
    return horizon, [
        f"{raw.path.name}: the horizon changes within {counted(changed, 'run')} ({example}); the latest one counts."
    ]


def settle_horizons(part: LogPart, stated: float | None) -> tuple[LogPart, list[str]]:
    """The runs with their planned last epochs, and what to tell the user about them.

    Args:
        part: the runs as they were read, horizons as stated in the logs.
        stated: what the user says for all of them, as epochs are counted; stronger than the logs.
    """
    if stated is not None:
        part = in_unit(part, finer_unit(part.epoch_unit, stated))
    runs, unit = part.runs, part.epoch_unit
    first, last, logged = (runs[name].to_numpy(float) for name in ("first", "last", "horizon"))
    given = logged if stated is None else np.full(len(runs), float(as_ticks(stated, unit)))
    zero = np.zeros(len(runs), dtype=bool)
    if unit == 1:  # fractions of an epoch begin at 0 before anything is trained
        zero = counts_from_zero(first, last, given)
        # What the logs' own horizon tells of epoch 0 holds for another horizon as well.
        zero &= counts_from_zero(first, last, logged) | np.isnan(logged)
    ends = given - zero
    beyond = last > ends
    notes = []
    if zero.any():
        steps = _evaluation_steps(part)
        ends[zero] = last_evaluation(ends[zero], steps[zero])
    told = zero & ~_ends_there(part) if stated is None else zero
    if told.any():
        example = int(np.flatnonzero(told)[0])
        which = f", evaluated every {steps[example]} epochs" if steps[example] > 1 else ""
        notes.append(
            f"the epochs of {counted(told.sum(), 'run')} count from 0, and none of them has a point at its horizon: "
            f"a horizon of {given[example]:.0f} ends at epoch {ends[example]:.0f}{which}, as for range()."
        )
    if beyond.any():
        example = int(np.flatnonzero(beyond)[0])
        notes.append(
            f"{counted(beyond.sum(), 'run')} went on beyond the stated horizon, so it is raised to the last epoch "
            f"('{runs.index[example]}': epoch {epoch_text(int(last[example]), unit)} of "
            f"{epoch_text(int(ends[example]), unit)})."
        )
    horizon = np.where(beyond, last, ends)
    status = runs["status"]
    if stated is not None:
        # What a log called finished goes on if the user plans further.
        status = status.mask((status == "finished") & (last < horizon), "running")
    if unit == 1:
        other = _ends_from_zero(first, last, np.isnan(horizon))
        horizon = np.where(np.isnan(horizon), other, horizon)
        if not np.isnan(other).all():
            notes.append(
                f"{counted(int((~np.isnan(other)).sum()), 'run')} count epochs from 0 and others from 1, so theirs are "
                f"taken to end at epoch {np.nanmax(other):.0f}, those of the others at {np.nanmax(other) + 1:.0f}."
            )
    notes += _assumed(part, np.isnan(horizon) & (status.isna() | (status == "running")).to_numpy())
    schedules = _from_zero(part, logged, zero)
    return replace(part, runs=runs.assign(horizon=horizon, status=status), schedules=schedules), notes


def _ends_there(part: LogPart) -> NDArray[np.bool_]:
    """Of which runs the horizon is said to be the last epoch, wherever the first is: it needs no remark, [R]."""
    said = part.runs.get("ends_there")
    return np.zeros(len(part.runs), dtype=bool) if said is None else said.eq(True).to_numpy(dtype=bool)


def _ends_from_zero(
    first: NDArray[np.float64], last: NDArray[np.float64], unknown: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """The last epoch of runs that count from 0 beside others that count from 1, all of one length, [R]; else NaN.

    Nothing says how long they are, but one of them ends an epoch before the longest of the others.
    """
    ends = np.full(len(first), np.nan)
    from_zero, from_one = unknown & (first == 0), unknown & (first == 1)
    if from_zero.any() and from_one.any() and last[from_zero].max() == last[from_one].max() - 1:
        ends[from_zero] = last[from_zero].max()
    return ends


def _evaluation_steps(part: LogPart) -> NDArray[np.int64]:
    """Greatest common divisor of the epochs at which each run has values, [R]; too few follow those of all runs."""
    if not len(part.points):
        return np.zeros(len(part.runs), dtype=np.int64)
    names = part.points["run"].cat.categories
    places = part.points[["run", "epoch"]].drop_duplicates().sort_values("run", kind="stable")
    epochs = places["epoch"].to_numpy()
    codes, first, count = np.unique(places["run"].cat.codes.to_numpy(), return_index=True, return_counts=True)
    enough = count >= MIN_EVALUATIONS
    steps = np.full(len(names), np.gcd.reduce(epochs))
    steps[codes[enough]] = np.gcd.reduceat(epochs, first)[enough]
    return np.append(steps, np.gcd.reduce(epochs))[names.get_indexer(part.runs.index)]


def _from_zero(part: LogPart, logged: NDArray[np.float64], zero: NDArray[np.bool_]) -> dict[str, Schedule]:
    """The plans that were stated with a rate per epoch, of which the first is that of epoch 0 where a run begins there.

    Args:
        part: the runs.
        logged: horizon of each run as its log states it, [R].
        zero: which of them mean epochs from 0 by it, [R].
    """
    plans = dict(part.schedules)
    for run in part.runs.index[zero].intersection(list(plans)):
        if plans[run].last == logged[part.runs.index.get_loc(run)]:
            plans[run] = replace(plans[run], epochs=plans[run].epochs - 1)
    return plans


def _assumed(part: LogPart, unknown: NDArray[np.bool_]) -> list[str]:
    """The remark on runs of which neither the horizon nor an end is known."""
    if unknown.any() and not part.runs["last"].notna().any():
        return ["no run has begun and no horizon is given, so only epoch 1 is forecast; state --horizon N."]
    if not unknown.any() or not len(part.points):
        return []
    last = part.points.groupby("run", observed=True)["epoch"].max().reindex(part.runs.index)
    longest = max(int(last.max()), 1)
    ended = int((last[unknown] >= longest).sum())
    consequence = f"{counted(ended, 'run')} {'counts' if ended == 1 else 'count'}" if ended else "none of them counts"
    return [
        f"no horizon is given for {counted(unknown.sum(), 'run')}: taken to be epoch "
        f"{epoch_text(longest, part.epoch_unit)}, the largest that was logged, so that {consequence} as "
        "finished; state --horizon N (in Python horizon=N) if more is planned."
    ]
