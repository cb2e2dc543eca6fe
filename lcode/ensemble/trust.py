"""What the left-out runs say of a model beside simple forecasts, for its user."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from lcode.ensemble.context import Context
from lcode.forecast import Q05, Q50, Q95

Array = NDArray[np.float64]

NARROW, WIDE = 0.75, 0.98
"""Coverage of the 90 % interval below and above which the user is warned."""

TELLING = 12
"""Left-out runs that it takes for a warning: of eight runs one that went astray decides whose mean error is smaller."""

BY_CHANCE = 0.01
"""Chance, over all metrics together, that last values seem to order runs better than forecasts where they do not."""

LEAST_ORDER = 0.02
"""A smaller difference in Kendall's τ is not told, however sure it is: of 50 pairs of runs it turns round one."""

NAMES = {"last": "the last value", "trees": "ExtraTrees"}


def out_of_fold_figures(context: Context, cutoffs: Iterable[tuple[float, int]]) -> dict[str, Any]:
    """How well each prefix forecasts the left-out runs, beside the last value and a forest (ExtraTrees).

    Args:
        context: the finished runs.
        cutoffs: share of the horizon and epoch of each prefix.

    Returns:
        For each share of the horizon and metric: `runs`, the number of left-out runs; `coverage90` of the final value;
        and for `lcode`, `last` and `trees` each `mape` (a share), `final_mae` (natural units) and `kendall`. `order` is
        by how much each run's order among the others is better by last values, [N], see `_order_lost`.
    """
    figures: dict[str, Any] = {}
    values = context.preprocessor.values
    for share, cutoff in cutoffs:
        learned = context.at(cutoff)
        judged = learned.judged
        quantiles = np.sort(values.unscale(learned.conformal.widen(judged.mixture, judged.leads)), axis=-1)
        truth = values.unscale(judged.truth)
        forest = values.unscale(learned.trees[..., Q50])
        last = np.broadcast_to(values.unscale(judged.last)[..., None], truth.shape)
        rows: dict[str, Any] = {}
        for k, metric in enumerate(context.preprocessor.metrics):
            known = np.asarray(np.isfinite(truth[:, k]).all(axis=1) & np.isfinite(forest[:, k]).all(axis=1))
            if not known.any():
                continue
            final, ends = truth[known, k, -1], quantiles[known, k, -1]
            forecasts = {"lcode": quantiles[..., Q50], "last": last, "trees": forest}
            rows[metric.key] = {
                "runs": int(known.sum()),
                "order": _order_lost(known, final, ends[:, Q50], last[known, k, -1]),
                "coverage90": float(((final >= ends[:, Q05]) & (final <= ends[:, Q95])).mean()),
                **{name: _errors(truth[known, k], values_of[known, k]) for name, values_of in forecasts.items()},
            }
        figures[f"{share:g}"] = rows
    return figures


def trust_rows(backtest: dict[str, Any]) -> list[dict[str, str]]:
    """The figures as rows for a table, one per metric and prefix: ours, then the last value's and ExtraTrees'."""

    def beside(values: dict[str, Any], title: str, name: str, form: str) -> dict[str, str]:
        numbers = {of: values[of][name] for of in ("lcode", "last", "trees")}
        return {
            title if of == "lcode" else f"{title} {of}": "–" if x is None else format(x, form)
            for of, x in numbers.items()
        }

    return [
        {
            "metric": metric,
            "seen": _seen(share),
            **beside(values, "MAE", "final_mae", ".2g"),
            **beside(values, "τ", "kendall", ".2f"),
            "covers %": f"{100 * values['coverage90']:.0f}",
        }
        for share, metrics in backtest.items()
        for metric, values in metrics.items()
    ]


def trust_warnings(backtest: dict[str, Any]) -> list[str]:
    """Plain sentences where a simple forecast does as well, or where the intervals are off.

    Of fewer than `TELLING` left-out runs neither is said: it would be chance.
    """
    warnings = []
    for name, words in NAMES.items():
        worse = _places(backtest, partial(_is_worse, than=name))
        if worse:
            warnings.append(f"on left-out runs {words} forecasts the final value as well or better: {worse}")
    ordered = _better_ordered(backtest)
    if ordered:
        told = ", ".join(f"{metric} (τ {last:.2f} beside {ours:.2f})" for metric, (last, ours) in ordered.items())
        warnings.append(f"on left-out runs the order of the last values is nearer to that of the ends: {told}")
    narrow = _places(backtest, lambda v: v["coverage90"] < NARROW)
    if narrow:
        warnings.append(f"on left-out runs the 90 % interval covers less than {100 * NARROW:.0f} %: {narrow}")
    # Few runs cannot tell 98 % from 90 %.
    wide = _places(backtest, lambda v: v["coverage90"] > WIDE and v["runs"] >= 100)
    if wide:
        warnings.append(f"on left-out runs the 90 % interval covers more than {100 * WIDE:.0f} %: {wide}")
    return warnings


def _errors(truth: Array, predicted: Array) -> dict[str, float | None]:
    """Errors of forecasts [N, Q]; τ is None where either side is constant."""
    size = np.abs(truth)
    tau = stats.kendalltau(truth[:, -1], predicted[:, -1]).statistic
    return {
        "mape": float((np.abs(predicted - truth) / np.maximum(size, 1e-3 * size.mean() + 1e-300)).mean()),
        "final_mae": float(np.abs(predicted[:, -1] - truth[:, -1]).mean()),
        "kendall": float(tau) if np.isfinite(tau) else None,
    }


def _is_worse(values: dict[str, Any], *, than: str) -> bool:
    return bool(values["lcode"]["final_mae"] >= values[than]["final_mae"])


def _order_lost(known: NDArray[np.bool_], final: Array, ours: Array, last: Array) -> Array:
    """Each run's part in how much better last values order the runs than forecasts do, [N]; their mean is that in τ.

    Of all pairs with another run: the share that the last values have in the right order, less those in the wrong one,
    minus the same of the forecasts. NaN for runs that are not known.

    Args:
        known: which of N runs have all values, [N].
        final: ends of those, [M], M ≥ 1.
        ours: as forecast, [M].
        last: last values, [M].
    """
    came, forecast, stood = (np.sign(values[:, None] - values) for values in (final, ours, last))
    lost = np.full(len(known), np.nan)
    lost[known] = (came * (stood - forecast)).sum(1) / max(len(final) - 1, 1)
    return lost


def _better_ordered(backtest: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Metrics of which last values order the runs better, with both τ, means over the prefixes.

    In most prefixes, and in their mean by more than chance explains: τ is the mean over pairs of runs, so that the
    variance of a difference is 4/n times that of the runs' parts in it (Hoeffding 1948), and the difference is held
    against Student's distribution. All prefixes are of the same runs: a run has one part, its mean over them.
    """
    rows: dict[str, list[dict[str, Any]]] = {}
    for metrics in backtest.values():
        for metric, values in metrics.items():
            if values["runs"] >= TELLING and None not in (values["lcode"]["kendall"], values["last"]["kendall"]):
                rows.setdefault(metric, []).append(values)
    found = {}
    for metric, of in rows.items():
        parts = np.stack([values["order"] for values in of])
        there = np.isfinite(parts)
        some = there.any(0)
        lost = np.where(there, parts, 0.0).sum(0)[some] / there.sum(0)[some]
        bound = stats.t.ppf(1 - BY_CHANCE / len(rows), len(lost) - 1) * 2 * lost.std(ddof=1) / np.sqrt(len(lost))
        last, ours = (np.array([values[name]["kendall"] for values in of]) for name in ("last", "lcode"))
        if 2 * (ours < last).sum() > len(of) and lost.mean() > max(bound, LEAST_ORDER):
            found[metric] = (float(last.mean()), float(ours.mean()))
    return found


def _places(backtest: dict[str, Any], is_bad: Callable[[dict[str, Any]], bool]) -> str:
    found = [
        f"{metric} at {'the first epoch' if float(share) == 0 else f'{_seen(share)} seen'}"
        for share, metrics in backtest.items()
        for metric, values in metrics.items()
        if values["runs"] >= TELLING and is_bad(values)
    ]
    return ", ".join(found)


def _seen(share: str) -> str:
    return "1st epoch" if float(share) == 0 else f"{100 * float(share):.0f} %"
