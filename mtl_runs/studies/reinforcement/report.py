"""The tables, in Markdown: balancers, tasks, and forecasts."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from mtl_runs.studies.imbalance.statistics import mean_interval


def balancers(results: pd.DataFrame, base: str) -> str:
    """A line per world and balancer, best first: means ± deviation over seeds, and what differs from the base.

    Args:
        results: of `measure.conduct`.
        base: the balancer that the others are held against, seed by seed, with Student's 95 % intervals.
    """
    lines = _head("world", "balancer", "rate", "return", "success", "Δm", f"return − {base}'s", "better in")
    for world, own in results.groupby("world", sort=False):
        held = own[own["balancer"] == base].set_index("seed")["return"]
        order = own.groupby("balancer")["return"].mean().sort_values(ascending=False).index
        for balancer in order:
            rows = own[own["balancer"] == balancer]
            numbers = [_spread(rows["return"], 3), _spread(rows["success"], 2), _spread(rows["delta_m"], 1)]
            rate = "each its own" if rows["rate"].isna().all() else f"{rows['rate'].iloc[0]:g}"
            gains = rows.set_index("seed")["return"] - held
            beside = ["", ""]
            if balancer != base:
                beside = [f"{mean_interval(gains.dropna()):.3f}", f"{(gains > 0).sum()} of {len(gains)}"]
            lines.append(_row(str(world), str(balancer), rate, *numbers, *beside))
    return "\n".join(lines)


def tasks(results: pd.DataFrame, names: Sequence[str]) -> str:
    """A line per task: its return alone, and under each balancer of each world, means over seeds.

    Args:
        results: of `measure.conduct`.
        names: of the tasks.
    """
    means = results.groupby(["world", "balancer"], sort=False)[list(names)].mean()
    lines = _head("", *(f"{balancer}, {world}" for world, balancer in means.index))
    lines += [_row(name, *(f"{value:.2f}" for value in means[name])) for name in names]
    return "\n".join(lines)


def rankings(found: pd.DataFrame) -> str:
    """A line per world and way to rank: τ and regret after each look, mean ± deviation over splits.

    Args:
        found: of `forecasts.conduct`, of several splits, with a column `world`.
    """
    looks = sorted(found["epoch"].unique())
    lines = _head("world", "", *(f"{what} after {look}" for what in ("τ", "regret") for look in looks))
    for (world, by), own in found.groupby(["world", "by"], sort=False):
        cells = [_spread(own.loc[own["epoch"] == look, what], 3) for what in ("tau", "regret") for look in looks]
        lines.append(_row(str(world), str(by), *cells))
    return "\n".join(lines)


def _spread(values: pd.Series, digits: int) -> str:
    return f"{values.mean():.{digits}f} ± {values.std():.{digits}f}"


def _head(*names: str) -> list[str]:
    return [_row(*names), "|" + "---|" * len(names)]


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"
