"""How wide a pretrained network's intervals must be: read off its forecasts of problems that it left out.

Of forecasts as users get them: runs that were seen as far are put in order first, see `lcode.ensemble.order`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from lcode.curves.batch import RunTensors
from lcode.ensemble.conformal import needed_factors, normal_scores, persistence
from lcode.ensemble.leads import leads_of
from lcode.ensemble.order import in_careful_order, moved_by
from lcode.ensemble.settings import SETTINGS
from lcode.ensemble.widths import Widths
from lcode.forecast import Q50
from lcode.network.loop import Source
from lcode.network.model import LCGODE
from lcode.network.quantiles import OutOfFoldNetwork

Array = NDArray[np.float64]

SHARES = (0.0, 0.05, 0.1, 0.2, 0.4, 0.7)
"""Prefixes from which runs are forecast, as shares of the horizon; 0 = the first epoch alone."""

QUERIES = 8


@dataclass(frozen=True, eq=False)
class Judged:
    """Forecasts of the N runs of a problem from one prefix, by a network that has not learned from it.

    Attributes:
        leads: place of each query between cutoff (0) and horizon (1), [N, Q].
        quantiles: in model space, [N, K, Q, 21].
        truth: scaled values, NaN where there is none, [N, K, Q].
    """

    leads: Array
    quantiles: Array
    truth: Array


def judge(network: LCGODE, source: Source) -> list[Judged]:
    """Forecasts of a problem from each of `SHARES`, each run by the member that left it out."""
    rows = torch.nonzero(source.folds < network.config.members)[:, 0]
    members, chosen = OutOfFoldNetwork(network, source), source.runs.rows(rows)
    counts = (chosen.present.any(1) * torch.arange(1, chosen.present.shape[-1] + 1, device=rows.device)).amax(-1)
    results = []
    for share in SHARES:
        seen = (chosen.epochs <= (share * chosen.horizons)[:, None]).sum(-1) - 1
        index = torch.minimum(seen.clamp(min=0), (counts - 2).clamp(min=0))
        first = torch.minimum(index + 1, counts - 1)
        steps = torch.linspace(0, 1, QUERIES, dtype=torch.float32, device=rows.device)
        queries = (first[:, None] + steps * (counts - 1 - first)[:, None]).round().long().clamp(min=0)
        epochs, cutoffs = _numpy(chosen.epochs.gather(1, queries)), _numpy(chosen.epochs.gather(1, index[:, None]))
        forecast = members.forecast(rows.cpu().numpy(), cutoffs[:, 0], epochs)
        ordered = _in_order(forecast, _values(chosen, index[:, None])[..., 0])
        leads = leads_of(epochs, cutoffs[:, 0], _numpy(chosen.horizons))
        results.append(Judged(leads, ordered, _values(chosen, queries)))
    return results


def _in_order(quantiles: Array, last: Array) -> Array:
    """Forecasts [N, K, Q, 21] of runs that were seen as far, moved as without a finished run; last values [N, K]."""
    medians = quantiles[..., Q50]
    moves = [in_careful_order(medians[:, k], last[:, k], medians[:, k], last[:, k]) for k in range(last.shape[1])]
    return moved_by(quantiles, np.stack(moves, axis=1))


def _values(runs: RunTensors, places: torch.Tensor) -> Array:
    """The curves at these places [N, Q] of their epochs, NaN where there is no value, [N, K, Q]."""
    at = places[:, None].expand(-1, runs.values.shape[1], -1)
    return _numpy(torch.where(runs.present.gather(-1, at), runs.values.gather(-1, at), torch.nan))


def learn_widths(problems: Sequence[Sequence[Judged]]) -> Widths:
    """One set of widths for any metric; `Widths()` where there is no problem.

    Each problem counts alike. With so many problems the factor is the very one that makes 90 % of all intervals cover;
    but none is below 1, for a user's problem is further away from all of these than they are from each other.

    Args:
        problems: for each problem its forecasts from `SHARES`.
    """
    if not problems:
        return Widths()
    factors = []
    for of_share in zip(*problems, strict=True):
        ends = []
        for near in (True, False):
            needed = []
            for part in of_share:
                cells, leads = needed_factors(part.quantiles, part.truth)[0], part.leads[:, None]
                needed.append(
                    cells[np.isfinite(cells) & (leads <= SETTINGS.ends[0] if near else leads >= SETTINGS.ends[1])]
                )
            values = np.concatenate(needed)
            weights = np.concatenate([np.full(len(one), 1 / max(len(one), 1)) for one in needed])
            log = np.log(_weighted_quantile(values, weights, 0.9)) if len(values) else 0.0
            ends.append(float(np.clip(log, 0.0, np.log(SETTINGS.factors[1]))))
        factors.append((ends[0], ends[1]))
    scores = [np.concatenate([normal_scores(part.quantiles, part.truth) for part in parts]) for parts in problems]
    return Widths(SHARES, tuple(factors), float(np.median([persistence(score) for score in scores])))


def _weighted_quantile(values: Array, weights: Array, level: float) -> float:
    """The smallest value up to which lies at least this share of the weight."""
    order = np.argsort(values)
    share = np.cumsum(weights[order]) / weights.sum()
    place = min(int(np.searchsorted(share, level)), len(values) - 1)
    return max(float(values[order][place]), 1e-9)


def _numpy(tensor: torch.Tensor) -> Array:
    return tensor.double().cpu().numpy()
