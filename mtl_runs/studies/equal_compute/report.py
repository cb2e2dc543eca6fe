"""What the ways came to at equal budgets, all problems counting alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mtl_runs.studies.equal_compute.plan import COUNTS, EQUAL, FIXED

BUDGETS = (4, 8, 16, 32, 64, 128)
"""In trainings to the end."""

LOST = 0.03
"""Regret, in units of best − median, that the rules of `ways` promise to keep to."""

SINGLE = {f"{name}, rate tuned": name for name in COUNTS if name not in (EQUAL, FIXED)}
"""Ways that tune the rate of one balancer."""

ELSEWHERE = "best balancer of the other problems, rate tuned"


def with_best_single(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Outcomes, and those of whom would take the balancer that did best on the other problems.

    That is the one with the best mean rank of its largest searches by validation data, equal weights and fixed ones
    left out.
    """
    single = outcomes[outcomes["way"].isin(SINGLE)]
    largest = single[single["runs"] == single.groupby(["problem", "way"])["runs"].transform("max")]
    ends = largest.groupby(["problem", "way"])["validation"].mean().unstack()
    parts = [outcomes]
    for problem in ends.index if len(ends) > 1 else ():
        way = ends.drop(index=problem).rank(axis=1).mean().idxmax()
        mine = single[(single["problem"] == problem) & (single["way"] == way)]
        parts.append(mine.assign(way=ELSEWHERE))
    return pd.concat(parts, ignore_index=True)


def at_budgets(outcomes: pd.DataFrame, horizon: int, budgets: Sequence[int] = BUDGETS) -> pd.DataFrame:
    """The largest search of each way, problem and draw that a budget pays for.

    Args:
        outcomes: a row per `Outcome`.
        horizon: epochs of a training.
        budgets: in trainings.

    Returns:
        Its rows, with `budget`.
    """
    parts = []
    for budget in budgets:
        paid = outcomes[outcomes["spent"] <= budget * horizon]
        rows = paid.loc[paid.groupby(["problem", "way", "draw"])["spent"].idxmax()]
        parts.append(rows.assign(budget=budget))
    return pd.concat(parts, ignore_index=True)


def summary(outcomes: pd.DataFrame, horizon: int) -> str:
    """Mean Δm of the winners on the test split ± its deviation between draws, a line per way, in Markdown.

    Draws without a search of that size on every problem do not count. A cell is empty where none is left, and where
    no search is larger than at the budget before.
    """
    rows = at_budgets(with_best_single(outcomes), horizon)
    everywhere = outcomes["problem"].nunique()
    lines = ["| trainings paid for | " + " | ".join(map(str, BUDGETS)) + " |", "|---|" + "---|" * len(BUDGETS)]
    for way, own in rows.groupby("way", sort=False):
        cells, before = [], -1.0
        for budget in BUDGETS:
            some = own[own["budget"] == budget]
            some = some[some.groupby("draw")["problem"].transform("nunique") == everywhere]
            spent = float(some["spent"].mean()) if len(some) else before
            if spent == before:
                cells.append("")
                continue
            before = spent
            means = some.groupby("draw")["test"].mean()
            spread = f" ± {means.std():.2f}" if len(means) > 1 else ""
            cells.append(f"{some.groupby('problem')['test'].mean().mean():.2f}{spread}")
        lines.append(f"| {way} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def per_problem(outcomes: pd.DataFrame, horizon: int, budget: int) -> str:
    """Mean Δm of the winners on each problem at one budget, in Markdown; the best of each in bold."""
    rows = at_budgets(with_best_single(outcomes), horizon, (budget,))
    means = rows.groupby(["way", "problem"], sort=False)["test"].mean().unstack()
    lines = ["| | " + " | ".join(str(name).partition("?")[0] for name in means.columns) + " |"]
    lines.append("|---|" + "---|" * len(means.columns))
    values = means.to_numpy(float)
    best = np.nanmax(values, axis=0)
    for way, own in zip(means.index, values, strict=True):
        shown = [f"**{one:.1f}**" if one == most else f"{one:.1f}" for one, most in zip(own, best, strict=True)]
        lines.append(f"| {way} | " + " | ".join("" if cell == "nan" else cell for cell in shown) + " |")
    return "\n".join(lines)


def same_runs(outcomes: pd.DataFrame, horizon: int, runs: int) -> str:
    """What stopping saves and loses where all begin with the very same runs of the pool, in Markdown.

    Args:
        outcomes: a row per `Outcome`.
        horizon: epochs of a training.
        runs: that they begin with. Draws are left out that not every way was given on every problem.
    """
    over_all = outcomes[outcomes["way"].str.endswith("over all") & (outcomes["runs"] == runs)]
    counts = over_all.groupby("draw")[["way", "problem"]].nunique().prod(axis=1)
    sizes = over_all.groupby("draw").size()
    most = over_all["way"].nunique() * over_all["problem"].nunique()
    draws = sizes.index[(sizes == most) & (counts == most)]
    chosen = over_all[over_all["draw"].isin(draws)]
    rows = chosen.assign(above=chosen["regret"] > LOST).groupby("way")
    means = rows[["spent", "validation", "test", "regret", "above"]].mean()
    begin = f"{runs} runs, draws {', '.join(map(str, draws))}"
    lines = [
        f"| {begin} | trainings paid for | Δm, validation | Δm, test | regret | regret above {LOST:g} in |",
        "|---|---|---|---|---|---|",
    ]
    for way, (spent, validation, test, regret, above) in zip(means.index, means.to_numpy(float).tolist(), strict=True):
        lines.append(f"| {way} | {spent / horizon:.1f} | {validation:.2f} | {test:.2f} | {regret:.4f} | {above:.0%} |")
    return "\n".join(lines)


def curves(outcomes: pd.DataFrame) -> dict[str, list[tuple[float, float]]]:
    """For each way its points: mean run-epochs spent, mean Δm on the test split, over all problems and draws."""
    rows = with_best_single(outcomes)
    everywhere = outcomes["problem"].nunique()
    found: dict[str, list[tuple[float, float]]] = {}
    for (way, _), some in rows.groupby(["way", "runs"], sort=False):
        if some["problem"].nunique() == everywhere:
            of_problem = some.groupby("problem")[["spent", "test"]].mean().mean()
            found.setdefault(str(way), []).append((float(of_problem["spent"]), float(of_problem["test"])))
    return {way: sorted(points) for way, points in found.items() if np.isfinite(points).all()}
