"""What the rows of a log say about the learning rate, and whether it was known before the training.

Most schedules are: a constant, steps, a cosine. A run that is looked at early on has the same plan then as in the end,
so the rates of all its rows are its schedule. A rate that reacts to the training (reduced on a plateau, say) tells what
happened and not what was planned; from its rows alone it looks like steps, so the user must say so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lcode.readers.part import LogPart
from lcode.show import counted
from lcode.table.other_languages import name_in_english
from lcode.table.schedule import Schedule
from lcode.table.table import RunTable

RATE_SIGNAL = "main/lr"

FEWEST = 3
"""Rows that it takes to see that a rate is constant."""

Rates = Literal["plan", "measured"]
"""What the learning rates in the rows of a log are: planned before the training, or a signal measured during it."""

_RATE = re.compile(r"(lr|learning[ _-]?rate)", re.IGNORECASE)

_ONE_OF_SEVERAL = re.compile(rf"((train|cur|current)[ _-])?{_RATE.pattern}([ _](group[ _]?)?\d)?", re.IGNORECASE)
"""Also of a group of parameters, as chemprop's `lr_0`."""

_OF_OPTIMISER = re.compile(r"lr-(adam\w*|sgd|rmsprop|adagrad|nadam|radam|lion|lbfgs)", re.IGNORECASE)
"""Lightning's monitor of learning rates names the optimiser."""


_GROUP = re.compile(r"((param_)?(pg|group)_?)?\d+", re.IGNORECASE)
"""Ultralytics has one rate per group of parameters: `lr/pg0`."""


def is_rate(name: str) -> bool:
    """Whether a column or metric is a learning rate by its name: `lr`, `train/learning_rate`, `lr-AdamW`, `lr/pg0`."""
    first, _, last = (part.strip() for part in name_in_english(name).rpartition("/"))
    return (first.lower() == "lr" and bool(_GROUP.fullmatch(last))) or bool(
        _ONE_OF_SEVERAL.fullmatch(last) or _OF_OPTIMISER.fullmatch(last)
    )


def may_be_set(name: str) -> bool:
    """Whether a rate may be that of a part of the training, and so a setting where others beside it differ."""
    return _ONE_OF_SEVERAL.fullmatch(name.strip()) is not None and _RATE.fullmatch(name.strip()) is None


def rates_of_runs(run: NDArray[np.int64], epoch: NDArray[np.int64], rate: NDArray[np.float64]) -> dict[int, Schedule]:
    """The learning rate of each run that says any, by the run's code: a break point for each epoch that says it.

    Args:
        run: code of each row's run, ascending, shape [N].
        epoch: epoch of each row, ascending within a run, shape [N].
        rate: its learning rate, NaN where not given, shape [N].
    """
    known = ~np.isnan(rate)
    run, epoch, rate = run[known], epoch[known], rate[known]
    codes, starts = np.unique(run, return_index=True)
    parts = zip(codes.tolist(), np.split(epoch, starts[1:]), np.split(rate, starts[1:]), strict=False)
    return {code: Schedule(epochs, rates) for code, epochs, rates in parts}


def with_constant_rates(part: LogPart) -> LogPart:
    """The runs with their learning rate as a hyper-parameter, where it is the same all through each of them.

    A rate that never moves tells runs apart as any setting does, also of a run that has not come to its horizon.
    """
    plans = part.rates
    logged = max((len(plan.rates) for plan in plans.values()), default=0)
    if logged < FEWEST or any(np.ptp(plan.rates) for plan in plans.values()):
        return part
    stated = {name.rpartition(".")[2] for config in part.configs.values() for name in config}
    if any(is_rate(name) and not may_be_set(name) for name in stated):
        return part
    configs = {
        run: {**config, **({"lr": float(plans[run].rates[0])} if run in plans else {})}
        for run, config in part.configs.items()
    }
    signals = part.signals
    if len(signals):
        kept = signals[signals["metric"] != RATE_SIGNAL]
        signals = kept.assign(metric=kept["metric"].cat.remove_unused_categories())
    return replace(part, configs=configs, signals=signals)


def planned(schedules: Mapping[str, Schedule], logged: Mapping[str, Schedule], rates: Rates) -> dict[str, Schedule]:
    """The schedule of each run: as it was stated beforehand, or, if they are a plan, as its rows tell.

    Args:
        schedules: what was stated beforehand, by run.
        logged: what the rows say, by run.
        rates: what the rates of the rows are.
    """
    plans = dict(schedules)
    if rates == "plan":
        plans |= {run: told for run, told in logged.items() if run not in plans or plans[run].last < told.last}
    return plans


def rate_remarks(table: RunTable, logged: Mapping[str, Schedule]) -> list[str]:
    """What the user should know of the rates that were taken from rows; nothing where they are constant.

    Args:
        table: the table.
        logged: what the rows say, by run.
    """
    told = {run: plan for run, plan in table.schedules.items() if plan is logged.get(run)}
    if all(np.all(plan.rates == plan.rates[:1]) for plan in told.values()):
        return []
    goes_on = table.runs["status"] == "running"
    running = [run for run in told if goes_on[run]]
    behind = [run for run in running if told[run].last < table.runs["horizon"][run]]
    notes = []
    if len(behind) == len(running):
        notes.append(
            f"the learning rates in the rows of {counted(len(told), 'run')} are taken to be planned before the "
            "training; if they react to it, as when reduced on a plateau, state --rates measured (in Python "
            "rates='measured')."
        )
    if behind:
        notes.append(
            f"the learning rate of {counted(len(behind), 'run')} is known only up to now ({', '.join(behind[:3])}"
            f"{', …' if len(behind) > 3 else ''}) and nothing is assumed of its future; if it is planned, add rows "
            "up to the horizon with the rate and without values."
        )
    return notes
