"""The tables: every setting, what differs between kinds of them, and whether imbalance goes with gradient norms.

All take the results of the study, a row per setting, way to weigh and seed: `setting, backbone, start, pictures, arm,
seed, weights` and what `with_imbalance` returns; all give Markdown. Δm, gaps and spreads are in per cent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from mtl_runs.studies.backbones.plan import EQUAL, GRID, INVERSE, PRETRAINED, RANDOM
from mtl_runs.studies.imbalance.gaps import relative_gaps
from mtl_runs.studies.imbalance.statistics import (
    Interval,
    bootstrap_interval,
    correlation,
    mean_interval,
    norm_ratio,
    ranks_within,
)

DRAWS = 1000
"""Of a bootstrap."""


def every_setting(results: pd.DataFrame) -> str:
    """A line per setting: means ± deviation over seeds.

    Ratio of norms and spread of gaps under equal weights; Δm of the three ways, with the weights that the grid's best
    had.
    """
    columns = ["ratio of norms", "spread of gaps", "Δm equal", "Δm best of the grid", "weights", "Δm inverse norms"]
    lines = _head("backbone", "first weights", "pictures", *columns)
    for _, own in results.groupby("setting", sort=False):
        equal, grid, inverse = (own[own["arm"] == arm] for arm in (EQUAL, GRID, INVERSE))
        where = [str(own[name].iloc[0]) for name in ("backbone", "start", "pictures")]
        cells = [_spread(equal[name]) for name in ("ratio", "spread", "score")]
        lines.append(_row(*where, *cells, _spread(grid["score"]), grid["weights"].iloc[0], _spread(inverse["score"])))
    return "\n".join(lines)


def by_kind(results: pd.DataFrame) -> str:
    """A line for all settings and for each kind of them: ratio, spread, and how the ways differ in Δm.

    Means over settings, the ratio's geometric; differences with Student's 95 % intervals.
    """
    columns = ["settings", "ratio of norms", "spread of gaps", "Δm equal", "grid − equal", "inverse − equal"]
    lines = _head("", *columns, "inverse − grid", "inverse above grid")
    for label, own in _kinds(_per_setting(results)):
        means = f"{np.exp(own['log_ratio'].mean()):.1f}", f"{own['spread'].mean():.1f}", f"{own[EQUAL].mean():.2f}"
        pairs = (own[GRID] - own[EQUAL], own[INVERSE] - own[EQUAL], own[INVERSE] - own[GRID])
        won = f"{(own[INVERSE] > own[GRID]).sum()} of {len(own)}"
        lines.append(_row(label, str(len(own)), *means, *(str(mean_interval(values)) for values in pairs), won))
    return "\n".join(lines)


def by_task(results: pd.DataFrame, tasks: Sequence[str]) -> str:
    """A line per task: how hard it pulls under equal weights, and how much worse it is than alone in the three ways.

    Its norm by the mean of the others', geometric mean over trainings; gaps are means over settings with Student's 95 %
    intervals, positive where the task is worse than alone.

    Args:
        results: see above.
        tasks: names of the tasks.
    """
    norms = _per_task(results, tasks).groupby("task")["norm"].mean()
    gaps = results.groupby(["arm", "setting"])[[f"{task} gap" for task in tasks]].mean()
    lines = _head("", "norm by the others'", "gap, equal", "gap, best of the grid", "gap, inverse norms")
    for task in tasks:
        found = (str(mean_interval(gaps[f"{task} gap"].xs(arm))) for arm in (EQUAL, GRID, INVERSE))
        lines.append(_row(task, f"{10 ** norms[task]:.2f}", *found))
    return "\n".join(lines)


def what_changes(results: pd.DataFrame, directions: Mapping[str, str]) -> str:
    """What pretraining and more data change under equal weights: means over pairs of settings.

    By how many per cent the metrics on the test split are better, by what factor the ratio of norms changes, and by how
    many points the spread of the gaps and Δm do; with Student's 95 % intervals.

    Args:
        results: see above.
        directions: `min` or `max` of each metric, by key.
    """
    equal = results[results["arm"] == EQUAL].assign(log_ratio=lambda own: np.log(own["ratio"]))
    few, many = equal["pictures"].min(), equal["pictures"].max()
    lines = _head("under equal weights", "metrics better by", "ratio of norms times", "spread of gaps", "Δm")
    for label, column, levels, rest in (
        ("pretrained, beside random", "start", (RANDOM, PRETRAINED), ["backbone", "pictures"]),
        (f"{many} pictures, beside {few}", "pictures", (few, many), ["backbone", "start"]),
    ):
        old, new = (equal[equal[column] == level].set_index([*rest, "seed"]).sort_index() for level in levels)
        gaps = [relative_gaps(new[key], old[key], pd.Series(way, new.index)) for key, way in directions.items()]
        names = ["log_ratio", "spread", "score"]
        pairs = (new[names] - old[names]).assign(better=-pd.concat(gaps, axis=1).mean(axis=1)).groupby(rest).mean()
        found = {name: mean_interval(pairs[name]) for name in pairs}
        low, middle, high = np.exp([found["log_ratio"].low, found["log_ratio"].estimate, found["log_ratio"].high])
        factor = f"{middle:.2f} [{low:.2f}, {high:.2f}]"
        lines.append(_row(label, str(found["better"]), factor, str(found["spread"]), str(found["score"])))
    return "\n".join(lines)


def how_they_go_together(results: pd.DataFrame, tasks: Sequence[str]) -> str:
    """Spearman's coefficients of gradient norms with what they are said to cause, all but one under equal weights.

    With 95 % intervals of a bootstrap of whole settings. A task's norm is held against the mean of the others', its gap
    against the mean gap of the same training. Ranks within a task do not see that it is another one.

    Args:
        results: see above.
        tasks: names of the tasks.
    """
    settings = _per_setting(results).assign(gain=lambda own: own[INVERSE] - own[EQUAL])
    trained = _per_task(results, tasks)
    found = {
        "ratio of norms and spread of gaps, over settings": _spearman(settings, "log_ratio", "spread"),
        "the same, by ranks within a backbone": _spearman(settings, "log_ratio", "spread", "backbone"),
        "ratio of norms and what inverse norms gain, over settings": _spearman(settings, "log_ratio", "gain"),
        "a task's norm and its gap, over tasks and trainings": _spearman(trained, "norm", "gap"),
        "the same, by ranks within a task": _spearman(trained, "norm", "gap", "task"),
    }
    return "\n".join([*_head("", "Spearman's coefficient"), *(_row(label, str(one)) for label, one in found.items())])


def _per_setting(results: pd.DataFrame) -> pd.DataFrame:
    """A row per setting, means over seeds: Δm by arm; of equal weights, the ratio's logarithm and the spread."""
    wide = results.pivot_table(index="setting", columns="arm", values="score", sort=False)
    equal = results[results["arm"] == EQUAL].assign(log_ratio=lambda own: np.log(own["ratio"])).groupby("setting")
    wide = wide.join(equal[["log_ratio", "spread"]].mean()).join(equal[["backbone", "start", "pictures"]].first())
    return wide.reset_index()


def _kinds(wide: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """All settings, then those with the same backbone, first weights or quantity of data."""
    yield "all", wide
    for column in ("backbone", "start", "pictures"):
        for level, own in wide.groupby(column, sort=False):
            yield (f"{level} pictures" if column == "pictures" else str(level)), own


def _per_task(results: pd.DataFrame, tasks: Sequence[str]) -> pd.DataFrame:
    """A row per task and training with equal weights: `norm` and `gap`, each beside the other tasks'."""
    equal = results[results["arm"] == EQUAL]
    mean = equal[[f"{task} gap" for task in tasks]].mean(axis=1)
    run = equal["setting"] + equal["run"]
    parts = [
        equal[["setting"]].assign(run=run, task=task, own=equal[f"{task} norm"], gap=equal[f"{task} gap"] - mean)
        for task in tasks
    ]
    frame = pd.concat(parts, ignore_index=True).assign(weight=1.0)
    return frame.assign(norm=norm_ratio(frame, "own", weighted=False))


def _spearman(frame: pd.DataFrame, x: str, y: str, within: str | None = None) -> Interval:
    """Of two columns, or of their ranks within groups."""
    frame = frame.dropna(subset=[x, y])
    if within is not None:
        frame = frame.assign(**{name: ranks_within(frame[name], frame[within]) for name in (x, y)})
    return bootstrap_interval(
        frame, lambda drawn: correlation(drawn[x], drawn[y], "spearman"), "setting", n_draws=DRAWS
    )


def _spread(values: pd.Series) -> str:
    return f"{values.mean():.1f} ± {values.std():.1f}"


def _head(*names: str) -> list[str]:
    return [_row(*names), "|" + "---|" * len(names)]


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"
