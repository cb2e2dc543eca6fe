"""The tables: how far apart tasks are, what predicts Δm after some epochs, and what disentanglement adds to the rest.

All take the results of the study, a row per setting, seed and epoch: `cell, problem, arch` and what `conduct` returns;
all give Markdown. Coefficients are Spearman's, over settings (means over seeds) without those that diverged, with 95 %
intervals of a bootstrap. It draws whole cells, whose settings share the tasks alone, and whole problems where problems
are compared.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from mtl_runs.studies.disentanglement.measure import APART, COSINE, RATIO, SO_FAR
from mtl_runs.studies.imbalance.statistics import (
    Interval,
    bootstrap_interval,
    correlation,
    partial_correlation,
    ranks_within,
)

DRAWS = 1000
"""Of a bootstrap."""

SIGNS = (APART, COSINE, RATIO, SO_FAR)

KNOWN = {
    "cosine, ratio": [COSINE, RATIO],
    "Δm so far": [SO_FAR],
    "all three": [COSINE, RATIO, SO_FAR],
}
"""What disentanglement is to tell more than."""


def by_problem(results: pd.DataFrame) -> str:
    """A line per problem: disentanglement after the first epoch and at the end, and Δm.

    Means over settings, then the mean deviation over seeds of a setting, and the deviation over settings.
    """
    first, last = results["epoch"].min(), results["epoch"].max()
    lines = _head("", "settings", f"disentanglement after {first}", f"after {last}", "Δm", "diverged")
    for problem, own in results.groupby("problem", sort=False):
        cells = []
        for epoch, name in ((first, APART), (last, APART), (last, "delta_m")):
            digits = 3 if name == APART else 1
            seeds = own[own["epoch"] == epoch].groupby(["cell", "balancer"])[name]
            numbers = (seeds.mean().mean(), seeds.std().mean(), seeds.mean().std())
            cells.append("{:.{d}f} ± {:.{d}f} ({:.{d}f})".format(*numbers, d=digits))
        at_end = own[own["epoch"] == last]
        settings = len(at_end[["cell", "balancer"]].drop_duplicates())
        lines.append(_row(str(problem), str(settings), *cells, str(at_end["delta_m"].isna().sum())))
    return "\n".join(lines)


def predictions(results: pd.DataFrame) -> str:
    """A line per epoch and sign: its coefficient with Δm at the end.

    Over all settings; over problems, by their means; over the settings of a problem, by ranks within it; and over the
    balancers of a cell, likewise.
    """
    lines = _head("after epoch", "", "all settings", "problems", "within problems", "within cells")
    for epoch, own in _settings(results):
        problems = own.groupby("problem")[[*SIGNS, "delta_m"]].mean().reset_index()
        for sign in SIGNS:
            found = (
                _spearman(own, sign, "cell"),
                _spearman(problems, sign, "problem"),
                _spearman(_ranked(own, "problem"), sign, "cell"),
                _spearman(_ranked(own, "cell"), sign, "cell"),
            )
            lines.append(_row(str(epoch), sign, *map(str, found)))
    return "\n".join(lines)


def beyond(results: pd.DataFrame) -> str:
    """A line per epoch: partial coefficients of disentanglement with Δm at the end, given what else is known then."""
    names = [f"{label}, {where}" for label in KNOWN for where in ("all settings", "within problems")]
    lines = _head("after epoch, given", *names)
    for epoch, own in _settings(results):
        frames = (own, _ranked(own, "problem"))
        found = (_partial(frame, given) for given in KNOWN.values() for frame in frames)
        lines.append(_row(str(epoch), *map(str, found)))
    return "\n".join(lines)


def _settings(results: pd.DataFrame) -> list[tuple[int, pd.DataFrame]]:
    """By epoch, a row per setting of which no training diverged: means over seeds."""
    names = [*SIGNS, "delta_m"]
    whole = results.assign(diverged=results[names].isna().any(axis=1)).groupby(
        ["epoch", "problem", "cell", "balancer"], sort=False
    )
    frame = whole[names].mean()[~whole["diverged"].any()].reset_index()
    return [(int(str(epoch)), own) for epoch, own in frame.groupby("epoch")]


def _ranked(frame: pd.DataFrame, within: str) -> pd.DataFrame:
    return frame.assign(**{name: ranks_within(frame[name], frame[within]) for name in (*SIGNS, "delta_m")})


def _spearman(frame: pd.DataFrame, sign: str, clusters: str) -> Interval:
    return bootstrap_interval(
        frame[[clusters, sign, "delta_m"]],
        lambda drawn: correlation(drawn[sign], drawn["delta_m"], "spearman"),
        clusters,
        n_draws=DRAWS,
    )


def _partial(frame: pd.DataFrame, given: Sequence[str]) -> Interval:
    columns = list(given)
    return bootstrap_interval(
        frame[["cell", APART, "delta_m", *columns]],
        lambda drawn: partial_correlation(drawn[APART], drawn["delta_m"], drawn[columns]),
        "cell",
        n_draws=DRAWS,
    )


def _head(*names: str) -> list[str]:
    return [_row(*names), "|" + "---|" * len(names)]


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"
