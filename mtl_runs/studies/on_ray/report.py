"""The table, in Markdown: a line per quantity, a column per way to train, means ± deviation over seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from mtl_runs.studies.on_ray.measure import FORECASTS, NOTHING
from mtl_runs.studies.on_ray.plan import Plan


def table(plan: Plan, sweeps: pd.DataFrame, decisions: pd.DataFrame) -> str:
    """All that was measured.

    Args:
        plan: what was trained.
        sweeps: a row per `Trained`.
        decisions: a row per `Asked`.
    """
    ways = list(plan.ways)
    by_way = {way: sweeps[sweeps["way"] == str(way)].set_index("seed") for way in ways}
    local = {way.workers: by_way[way] for way in ways if way.engine == "local"}

    def line(name: str, values: Callable[[pd.DataFrame, pd.DataFrame], pd.Series], digits: int) -> str:
        return _row(name, *(spread(values(by_way[way], local[way.workers]), digits) for way in ways))

    def waited(name: str, monitor: str) -> str:
        own = decisions[decisions["monitor"] == monitor]
        alone = 1000 * own.loc[own["way"] == "alone", "seconds"]
        return _row(
            f"{name}; in the monitor's process {spread(alone, 2)}",
            *(spread(1000 * own.loc[own["way"] == way.engine, "seconds"], 2) for way in ways if not way.killed),
            "",
        )

    lines = [
        _row("", *map(str, ways)),
        "|" + "---|" * (len(ways) + 1),
        line(f"runs finished, of {plan.runs}", lambda own, _: own["finished"], 0),
        line("logs with a bit that differs from the first column's", lambda own, _: own["other"], 0),
        line(f"epochs trained twice, of {plan.runs * plan.epochs}", lambda own, _: own["again"], 0),
        line("seconds until the first epoch ÷ those of local", lambda own, of: own["first"] / of["first"], 2),
        line("seconds from there on ÷ those of local", lambda own, of: own["rest"] / of["rest"], 2),
        line("seconds in all ÷ those of local", lambda own, of: _whole(own) / _whole(of), 2),
        line("processor of the conducting process, ms per run and epoch", lambda own, _: own["told"], 2),
        line("sent to a worker, bytes per run", lambda own, _: own["job"], 0),
        line("sent back, bytes per run and epoch", lambda own, _: own["report"], 0),
        line("log, bytes per run and epoch", lambda own, _: own["log"], 0),
        line("checkpoint, kB per run", lambda own, _: own["checkpoint"] / 1000, 0),
        line("memory of a worker, GB", lambda own, _: own["memory"] / 1e9, 2),
        waited("a decision by forecasts, ms", FORECASTS),
        waited("a decision without a thought, ms", NOTHING),
    ]
    return "\n".join(lines)


def spread(values: Sequence[float] | pd.Series, digits: int) -> str:
    """Mean ± deviation, or the mean alone where all are equal; empty where nothing was measured."""
    known = pd.Series(values, dtype=float).dropna()
    if known.empty:
        return ""
    mean = f"{known.mean():.{digits}f}"
    return mean if known.nunique() == 1 else f"{mean} ± {known.std():.{digits}f}"


def _whole(own: pd.DataFrame) -> pd.Series:
    return own["first"] + own["rest"]


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"
