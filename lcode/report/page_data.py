"""What the page's script draws from: plain values that become JSON, texts as they are to be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lcode.decisions import Ranking, StoppingCurve
from lcode.decisions.pareto import front_probability
from lcode.evaluation.metrics import kendall
from lcode.evaluation.replay import Replay
from lcode.forecast import Forecast
from lcode.report.aligned import true_finals
from lcode.report.cells import configuration, run_rows, score_title
from lcode.report.packed import Axes, packed, packed_curves, thinned
from lcode.show import numbers, printable
from lcode.table import RunTable
from lcode.table.balancing import balanced_tasks, balancing

BACKGROUND = 40
"""So many other runs are drawn in grey behind a fan."""

FRONT_METRICS, FRONT_SAMPLES = 8, (256, 64)
"""Fronts are given for pairs of the first so many metrics; joint samples that they are counted on, of up to 1,000 runs
and of more."""

SIGNAL_RUNS, SIGNAL_POINTS = 200, 60
"""Signals are kept of the best so many runs, at so many epochs."""

STOPPING_POINTS = 80
"""Thresholds whose points are drawn: more could not be told apart."""


def page_data(table: RunTable, forecast: Forecast, ranking: Ranking | None, truth: RunTable | None) -> dict[str, Any]:
    """The runs, best first, as columns; their curves; fronts; signals.

    Args:
        table: the runs as observed.
        forecast: of them; R runs × K metrics.
        ranking: of the same runs; without one they are in the forecast's order.
        truth: the same runs trained to their ends.
    """
    names = forecast.run_ids if ranking is None else ranking.runs
    place = {run: i for i, run in enumerate(forecast.run_ids)}
    order = [place[run] for run in names]
    _, rows = run_rows(forecast, ranking, table)
    metrics = len(forecast.metrics)
    final = forecast.final()
    median = final.quantile(0.5)[..., 0]
    log = [_on_log_axis(table, metric.key, median[:, k]) for k, metric in enumerate(forecast.metrics)]
    came = None if truth is None else np.where(forecast.status == "finished", np.nan, true_finals(forecast, truth))
    told, whole = configuration(table), configuration(table, shared=True)
    data: dict[str, Any] = {
        "metrics": [
            {"key": printable(m.key), "name": printable(m.name), "up": m.direction == "max", "log": on_log}
            for m, on_log in zip(forecast.metrics, log, strict=True)
        ],
        "horizon": float(forecast.horizons.max(initial=1) * forecast.epoch_unit),
        "runs": {
            "name": [printable(run) for run in names],
            "seen": [row.cells[0] for row in rows],
            "cells": [row.cells[1 : 1 + metrics] for row in rows],
            "middle": _numbers(median[order]),
            "config": [told.get(run, "") for run in names],
            "settings": [whole.get(run, "") for run in names],
        },
        "context": thinned(len(order), BACKGROUND).tolist(),
        **packed_curves(forecast, table, order, log, truth),
        "signals": _signals(table, names[:SIGNAL_RUNS]),
    }
    if came is not None:
        columns = [numbers(column) for column in came[order].T.tolist()]
        data["runs"]["came"] = [list(row) for row in zip(*columns, strict=True)]
    if ranking is not None:
        data["score"] = score_title(ranking)
        data["runs"] |= {
            "action": [row.action for row in rows],
            "score": [row.cells[1 + metrics] for row in rows],
            "scores": _numbers(np.stack([ranking.score_q05, ranking.score, ranking.score_q95], axis=-1)),
            "best": [row.cells[2 + metrics] for row in rows],
            "bests": _numbers(ranking.p_best),
            "top": [row.cells[-1] for row in rows],
            "tops": _numbers(ranking.p_top_10pct),
        }
        data["scoreUp"] = ranking.objective.direction == "max"
        if ranking.p_feasible is not None:
            data["runs"] |= {
                "feasible": [row.cells[3 + metrics] for row in rows],
                "feasibles": _numbers(ranking.p_feasible),
            }
    if metrics > 1:
        data["fronts"] = _fronts(final, order)
        data["ends"] = _numbers(np.stack([final.quantile(q)[..., 0][order] for q in (0.05, 0.95)], axis=-1))
    return data


def savings_data(replays: Mapping[str, Sequence[Replay]]) -> list[dict[str, Any]]:
    """Per policy the share of epochs saved and the regret, each as least, mean and most of its replays."""

    def spread(values: Sequence[float]) -> list[float]:
        return [float(f(values)) for f in (np.min, np.mean, np.max)]

    return [
        {
            "name": printable(policy),
            "saved": spread([100 * outcome.saved for outcome in outcomes]),
            "regret": _numbers(np.array(spread([outcome.regret for outcome in outcomes]))),
        }
        for policy, outcomes in replays.items()
    ]


def stopping_data(curve: StoppingCurve) -> dict[str, Any]:
    """Thresholds (%) with the runs stopped, epochs saved (%) and regret of each; the place of the chosen one."""
    kept = np.union1d(thinned(len(curve.thresholds), STOPPING_POINTS), [curve.chosen])
    return {
        "below": _numbers(100 * curve.thresholds[kept]),
        "stopped": curve.stopped[kept].tolist(),
        "saved": _numbers(100 * curve.saved[kept]),
        "regret": _numbers(curve.regret[kept]),
        "chosen": int(np.searchsorted(kept, curve.chosen)),
    }


def hits_data(forecast: Forecast, truth: RunTable) -> list[dict[str, Any]]:
    """Per metric what was forecast (5 %, median, 95 %) and what came, for runs whose end the forecast did not know.

    With Kendall's τ of forecast and true order, and how many intervals of 90 % held the true value.
    """
    final = forecast.final()
    low, median, high = (final.quantile(level)[..., 0] for level in (0.05, 0.5, 0.95))
    true = true_finals(forecast, truth)
    told = []
    for k, metric in enumerate(forecast.metrics):
        rows = np.isfinite(true[:, k]) & np.isfinite(median[:, k]) & (forecast.status[:, k] != "finished")
        ends, came = np.stack([low, median, high], axis=-1)[rows, k], true[rows, k]
        tau = kendall(came, ends[:, 1])
        told.append(
            {
                "key": printable(metric.key),
                "names": [printable(run) for run, kept in zip(forecast.run_ids, rows, strict=True) if kept],
                "forecast": _numbers(ends),
                "true": _numbers(came),
                "held": int(((came >= ends[:, 0]) & (came <= ends[:, 2])).sum()),
                "tau": float(tau) if np.isfinite(tau) else None,
            }
        )
    return told


def _fronts(final: Forecast, order: list[int]) -> list[dict[str, Any]]:
    """For each pair of metrics the probability of each run to be on their front, in per cent."""
    samples = final.sample(FRONT_SAMPLES[len(order) > 1000])[..., 0][:, order]
    samples = samples * np.array([metric.sign for metric in final.metrics])
    pairs = combinations(range(min(len(final.metrics), FRONT_METRICS)), 2)
    return [
        {
            "pair": [a, b],
            "percent": np.rint(100 * front_probability(samples[..., a], samples[..., b])).astype(int).tolist(),
        }
        for a, b in pairs
    ]


def _signals(table: RunTable, names: Sequence[str]) -> dict[str, Any]:
    """Gradient cosines and weights: `axes`, and by place of the run and heading `[label, axis, lo, hi, values]`."""
    axes = Axes(table.epoch_unit)
    points = table.signals
    kinds = {str(key): kind for key in points["metric"].unique() if (kind := balancing(str(key)))}
    points = points[points["metric"].isin(list(kinds)).to_numpy() & points["run"].isin(names).to_numpy()]
    place = {run: i for i, run in enumerate(names)}
    runs: dict[str, dict[str, list[Any]]] = {}
    groups = list(pd.DataFrame(points).groupby(["run", "metric"], observed=True, sort=False))
    curves = [curve.iloc[thinned(len(curve), SIGNAL_POINTS)] for _, curve in groups]
    written = packed([curve["value"].to_numpy(float) for curve in curves], [False] * len(curves))
    for ((run, key), _), curve, values in zip(groups, curves, written, strict=True):
        line = [printable(balanced_tasks(str(key))), axes.place(curve["epoch"].to_numpy(np.int64)), *values]
        runs.setdefault(str(place[str(run)]), {}).setdefault(kinds[str(key)], []).append(line)
    return {"axes": axes.lists, "runs": runs}


def _on_log_axis(table: RunTable, key: str, finals: NDArray[np.float64]) -> bool:
    """Whether a metric is drawn on a logarithmic axis: positive throughout, over more than two decades."""
    values = np.concatenate([table.points.loc[table.points["metric"] == key, "value"].to_numpy(float), finals])
    values = values[np.isfinite(values)]
    return bool(len(values) and (values > 0).all() and np.quantile(values, 0.95) > 100 * np.quantile(values, 0.05))


def _numbers(values: NDArray[np.float64]) -> Any:
    """Nested lists of numbers with five digits, None for what is not finite."""
    if values.ndim > 1:
        return [_numbers(row) for row in values]
    return [float(f"{value:z.5g}") if np.isfinite(value) else None for value in values.tolist()]
