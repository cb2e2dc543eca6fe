"""`python -m mtl_runs.corpus.describe`: the figures of the stored corpus, as Markdown for its card."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lcode.errors import LcodeError
from mtl_runs.corpus.space import LEARNING_RATES
from mtl_runs.corpus.stored import STORED
from mtl_runs.corpus.study import BLOWN_UP, Array, Study, balancer_ranks, read_studies, tau, with_error
from mtl_runs.corpus.trivial import SLACK

HALVES = 5
"""Repetitions of the random halves."""


def describe(folder: Path) -> str:
    """All tables, as Markdown.

    Raises:
        DataNotFoundError: there is no corpus.
        UsageError: it has no multi-task run.
    """
    studies = list(read_studies(folder))
    parts = (counts, spread, diverged, noise, twins, metric_noise, balancers, agreement)
    return "\n\n".join(part(studies) for part in parts) + "\n"


def counts(studies: Sequence[Study]) -> str:
    """Runs, configurations, ends and trivial runs of each problem."""
    rows: list[tuple[Any, ...]] = []
    for study in studies:
        runs = study.runs
        trivial = study.trivial_tasks
        rows.append(
            (
                study.problem,
                len(runs),
                runs["configuration"].nunique(),
                len(study.seeds),
                (runs["status"] == "finished").sum(),
                (runs["status"] == "failed").sum(),
                (trivial > 0).sum(),
                (trivial == len(study.tasks)).sum(),
                study.blown_up.sum(),
                _number(np.nanmedian, study.delta_m, ".1f"),
                f"{100 * np.mean(study.delta_m > 0):.0f} %",
                study.n_references,
            )
        )
    total = [sum(row[i] for row in rows) for i in range(1, 9)]
    rows.append(("**all**", *total, "", "", sum(row[-1] for row in rows)))
    header = (
        "problem", "multi-task runs", "configurations", "with twins", "finished", "failed", "trivial in a task",
        "trivial in all", "blown up", "median Δm %", "Δm > 0", "references",
    )  # fmt: skip
    return _titled(
        "Counts",
        f"Trivial: finished, and in no metric of the task {100 * SLACK:.0f} % better than the best constant is. "
        f"Blown up: finished beyond {BLOWN_UP:g} times that level; in all figures such values count as that.",
        _table(header, rows),
    )


def spread(studies: Sequence[Study]) -> str:
    """What the configurations are spread over."""
    runs = pd.concat([study.runs for study in studies])
    columns = ("config.balancer", "arch", "config.batch_size", "config.schedule", "config.optimizer")
    rows = []
    for column in (*columns, "config.reduction", "config.clip", "split", "arch_split", "problem_split"):
        number = runs[column].value_counts()
        shown = number if len(number) <= 8 else pd.concat([number.head(3), number.tail(2)])
        text = ", ".join(f"{value} {n}" for value, n in shown.items())
        rows.append((column.removeprefix("config."), len(number), text if len(number) <= 8 else f"{text} (ends of it)"))
    low, middle, high = runs["config.lr"].quantile([0, 0.5, 1])
    rows.append(("lr", runs["config.lr"].nunique(), f"{low:.2g} to {high:.2g}, median {middle:.2g}"))
    return _titled("Spread of the multi-task runs", "", _table(("", "values", "runs"), rows))


def diverged(studies: Sequence[Study]) -> str:
    """Share of failed runs by optimiser and third of its range of rates."""
    runs = pd.concat([study.runs for study in studies])
    failed = (runs["status"] == "failed").groupby([runs["config.optimizer"], _third(runs)])
    share, number = failed.mean().to_dict(), failed.size().to_dict()
    thirds = ("low", "middle", "high")
    rows = [
        (name, *(f"{100 * share[name, t]:.1f} % ({number[name, t]})" if (name, t) in share else "–" for t in thirds))
        for name in sorted(runs["config.optimizer"].unique())
    ]
    return _titled(
        "Diverged runs",
        "By optimiser and third of its range of learning rates (in logarithms); in brackets the runs.",
        _table(("", *thirds), rows),
    )


def noise(studies: Sequence[Study]) -> str:
    """How much of the end of a run is the seed's doing, in Δm."""
    rows = []
    for study in studies:
        pairs = study.twins()
        seed = _seed_deviation(study, study.delta_m)
        gap = np.abs(np.diff(study.delta_m[pairs], axis=1))[:, 0]
        better = gap[_better_half(study.delta_m[pairs].sum(1))]
        rows.append(
            (
                study.problem,
                len(pairs),
                _text(seed),
                _text(_robust(study.delta_m)),
                *(_number(statistic, gap) for statistic in (np.nanmedian, np.nanmean)),
                *(_number(statistic, gap / seed) for statistic in (np.nanmedian, np.nanmean)),
                _number(np.nanmedian, better),
            )
        )
    header = (
        "problem", "twin pairs", "seed SD", "spread of runs", "median gap", "mean gap", "median / SD", "mean / SD",
        "median gap, better half",
    )  # fmt: skip
    return _titled(
        "Noise floor of Δm, in per cent",
        "Gap: absolute difference of two seeds of one configuration. Seed SD: pooled within configurations. Spread: "
        "interquartile range of all runs / 1.35. For normal noise mean / SD is 1.13 and median / SD 0.95; where they "
        "are lower, few configurations make most of the noise.",
        _table(header, rows),
    )


def twins(studies: Sequence[Study]) -> str:
    """Rank agreement of twins, and of 20 % with the end."""
    rows = []
    for study in studies:
        one, other = study.delta_m[study.twins()].T
        better = _better_half(one + other)
        early, final = study.early_delta_m, study.delta_m
        top = _better_half(final)
        metrics = [tau(study.early[:, k], study.final[:, k]) for k in range(len(study.directions))]
        rows.append(
            (
                study.problem,
                with_error(tau, one, other),
                with_error(tau, one[better], other[better]),
                with_error(tau, early, final),
                with_error(tau, early[top], final[top]),
                _number(np.nanmean, np.array(metrics)),
            )
        )
    header = ("problem", "twins", "twins, better half", "20 % → end", "20 % → end, better half", "metrics, 20 % → end")
    return _titled(
        "Kendall τ of Δm",
        "With bootstrap standard errors. Twins: between two seeds of one configuration, the ceiling of any forecast "
        "from the configuration. Better half: by the pair's mean, or by the end. Last column: mean over the metrics.",
        _table(header, rows),
    )


def metric_noise(studies: Sequence[Study]) -> str:
    """The same gaps for every metric."""
    rows = []
    for study in studies:
        pairs = study.twins()
        for k, (key, direction) in enumerate(study.directions.items()):
            values = study.final[:, k]
            gap = np.abs(np.diff(values[pairs], axis=1))[:, 0]
            seed = _seed_deviation(study, values)
            rows.append(
                (
                    study.problem,
                    f"{key} ({direction})",
                    _number(np.nanmedian, values, ".3g"),
                    *(_text(number, ".3g") for number in (_robust(values), seed)),
                    *(_number(statistic, gap, ".3g") for statistic in (np.nanmedian, np.nanmean)),
                    _number(np.nanmedian, gap / seed),
                    _text(tau(*values[pairs].T)),
                )
            )
    header = ("problem", "metric", "median end", "spread", "seed SD", "median gap", "mean gap", "median / SD", "twin τ")
    return _titled("Noise floor of every metric", "", _table(header, rows))


def balancers(studies: Sequence[Study]) -> str:
    """The best and the worst of each problem."""
    rows = []
    for study in studies:
        ranks = balancer_ranks(study)
        named = [f"{name} {row['rank']:.2f} ± {row['error']:.2f}" for name, row in ranks.iterrows()]
        rows.append((study.problem, len(ranks), ", ".join(named[:4]), ", ".join(named[-3:])))
    return _titled(
        "Balancers",
        "Mean place of a balancer's runs among the problem's by Δm, from 0 (worst) to 1 (best), with standard error. "
        "Runs differ in everything else as well, so read this as a tendency.",
        _table(("problem", "balancers", "best", "worst"), rows),
    )


def agreement(studies: Sequence[Study]) -> str:
    """Kendall τ of the ranking of balancers: between problems, rates and random halves."""
    ranks = {study.problem: balancer_ranks(study)["rank"] for study in studies}
    between = [_tau_of(ranks[a], ranks[b]) for a, b in combinations(ranks, 2)]
    rows = [("between two problems", _summary(between))]
    rates, halves = [], []
    for study in studies:
        high = (_position(study.runs) >= 0.5).to_numpy()
        rates.append(_tau_of(*(balancer_ranks(study, side, 2)["rank"] for side in (~high, high))))
        names = study.runs["configuration"].unique()
        for seed in range(HALVES):
            drawn = np.random.default_rng(seed).permutation(names)[: len(names) // 2]
            half = study.runs["configuration"].isin(drawn).to_numpy()
            halves.append(_tau_of(*(balancer_ranks(study, side, 2)["rank"] for side in (half, ~half))))
    rows.append(("between the lower and the upper half of the learning rates, one problem", _summary(rates)))
    rows.append(("between random halves of the configurations, one problem: the ceiling", _summary(halves)))
    return _titled(
        "Agreement of the balancers' ranking", "Kendall τ, mean and range.", _table(("", "mean (range)"), rows)
    )


def _seed_deviation(study: Study, values: Array) -> float:
    """Standard deviation within configurations, pooled."""
    groups = [values[rows] for rows in study.seeds]
    freedom = sum(len(group) - 1 for group in groups)
    deviation = np.sqrt(sum(((group - group.mean()) ** 2).sum() for group in groups) / max(freedom, 1))
    # Nothing can be measured in units of no noise at all.
    return float(deviation) or np.nan


def _better_half(values: Array) -> NDArray[np.bool_]:
    return values >= np.nanmedian(values) if np.isfinite(values).any() else np.zeros(len(values), dtype=bool)


def _number(statistic: Callable[[Array], float], values: Array, form: str = ".2f") -> str:
    return _text(statistic(values), form) if np.isfinite(values).any() else "–"


def _text(value: float, form: str = ".2f") -> str:
    return f"{value:{form}}" if np.isfinite(value) else "–"


def _robust(values: Array) -> float:
    low, high = np.quantile(values[np.isfinite(values)], (0.25, 0.75)) if np.isfinite(values).any() else (0.0, np.nan)
    return float((high - low) / 1.349)


def _position(runs: pd.DataFrame) -> pd.Series:
    """Place of each learning rate in its optimiser's range, in logarithms, 0..1."""
    bounds = np.log([LEARNING_RATES[name] for name in runs["config.optimizer"]])
    return (np.log(runs["config.lr"]) - bounds[:, 0]) / (bounds[:, 1] - bounds[:, 0])


def _third(runs: pd.DataFrame) -> pd.Series:
    return pd.cut(_position(runs), [-np.inf, 1 / 3, 2 / 3, np.inf], labels=["low", "middle", "high"]).astype(str)


def _tau_of(one: pd.Series, other: pd.Series) -> float:
    both = one.index.intersection(other.index)
    return tau(one[both].to_numpy(float), other[both].to_numpy(float))


def _summary(values: Sequence[float]) -> str:
    known = np.array([value for value in values if np.isfinite(value)])
    return f"{known.mean():.2f} ({known.min():.2f} to {known.max():.2f})" if len(known) else "–"


def _titled(title: str, text: str, table: str) -> str:
    return "\n\n".join(part for part in (f"### {title}", text, table) if part)


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; exit status 0: done, 2: no corpus, with one message on stderr."""
    parser = argparse.ArgumentParser(prog="python -m mtl_runs.corpus.describe", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=STORED, help="folder of the Parquet files")
    given = parser.parse_args(arguments)
    try:
        print(describe(given.folder))  # noqa: T201
    except (LcodeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
