"""The tables: what each arm came to, and how far it is from its base, seed by seed."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from mtl_runs.studies.imbalance.statistics import Interval, mean_interval


def paired(results: pd.DataFrame, arm: str, base: str, column: str = "score") -> Interval:
    """Mean difference of two arms over the seeds that both have finished, with Student's 95 % interval."""
    values = results.pivot(index="seed", columns="arm", values=column)
    return mean_interval((values[arm] - values[base]).dropna())


def table(results: pd.DataFrame, columns: Sequence[str]) -> str:
    """A line per arm in Markdown: means ± deviation over seeds, how much better than the base, and in how many seeds.

    Args:
        results: from `conduct`, perhaps with further columns.
        columns: that are shown after the score.
    """
    lines = ["| | score | " + " | ".join(columns) + " | score − base's | better in |"]
    lines.append("|---|---|" + "---|" * (len(columns) + 2))
    for arm, own in results.groupby("arm", sort=False):
        cells = [f"{own['score'].mean():.2f} ± {own['score'].std():.2f}"]
        cells += [f"{own[name].mean():.3g} ± {own[name].std():.2g}" for name in columns]
        base = own["base"].iloc[0]
        if base:
            values = results.pivot(index="seed", columns="arm", values="score")
            won = int((values[arm] > values[base]).sum())
            cells += [str(paired(results, str(arm), base)), f"{won} of {len(values)}"]
        else:
            cells += ["", ""]
        lines.append(f"| {arm} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
