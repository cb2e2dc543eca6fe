"""What the left-out folds say of the intervals: how much to widen them, and what hangs together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import norm

from lcode.fitting.loop import Source
from lcode.fitting.prefixes import cutoff_epochs, epoch_counts, values_at
from lcode.forecast import LEVELS
from lcode.models.lcgode import LCGODE
from lcode.tensors.batch import CurveBatch, GraphTensors, RunTensors

SHARES = (0.0, 0.05, 0.1, 0.2, 0.4, 0.7)
"""Prefixes at which the intervals are calibrated, as shares of the horizon; 0 = the first epoch alone."""

QUERIES = 8
_LOW, _MIDDLE, _HIGH = 1, len(LEVELS) // 2, len(LEVELS) - 2


@dataclass(frozen=True)
class Calibration:
    """Conformal widening of the intervals and the copula of a forecast.

    Attributes:
        factors: by how much the distance from the median is multiplied, one per `SHARES`.
        correlation: of the metrics' normal scores within a run, [K][K]; empty if not known.
        persistence: correlation of the normal scores between the epochs of a curve, 0 to 1.
    """

    factors: tuple[float, ...]
    correlation: tuple[tuple[float, ...], ...]
    persistence: float

    @classmethod
    def none(cls) -> Self:
        """No widening, independent metrics: for a model without left-out folds."""
        return cls((1.0,) * len(SHARES), (), 0.9)

    def matrix(self, chosen: list[int]) -> NDArray[np.float64] | None:
        """Correlation of these metrics, or None where it is not known: they then count as independent."""
        return np.array(self.correlation)[np.ix_(chosen, chosen)] if self.correlation else None

    def widen(self, quantiles: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Apply the factors to quantiles in model space [B, K, Q, 21], observed up to these shares [B]."""
        factor = np.interp(np.sqrt(shares), np.sqrt(SHARES), self.factors)[:, None, None, None]
        middle = quantiles[..., _MIDDLE : _MIDDLE + 1]
        return middle + factor * (quantiles - middle)

    def to_json(self) -> dict[str, Any]:
        """As plain values, for the checkpoint."""
        return {"factors": self.factors, "correlation": self.correlation, "persistence": self.persistence}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        rows = tuple(tuple(float(v) for v in row) for row in data["correlation"])
        return cls(tuple(data["factors"]), rows, float(data["persistence"]))


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Forecasts of training runs by the member that never learned from them, from one prefix of each.

    Attributes:
        share: how much of the horizon was seen.
        epochs: query epochs, [R, Q].
        cutoffs: last epoch seen, [R].
        quantiles: in model space, [R, K, Q, 21].
        truth: scaled values, NaN where there is none, [R, K, Q].
        last: last observed scaled value, [R, K].
    """

    share: float
    epochs: NDArray[np.float64]
    cutoffs: NDArray[np.float64]
    quantiles: NDArray[np.float64]
    truth: NDArray[np.float64]
    last: NDArray[np.float64]


def out_of_fold(
    model: LCGODE,
    source: Source,
    *,
    chunk: int = 256,
) -> list[OutOfFold]:
    """Forecast every training run that some member left out, by that member, from each of `SHARES`."""
    runs, graphs, task_of, folds = source.runs, source.graphs, source.task_of, source.folds
    left_out = torch.nonzero(folds < model.config.members)[:, 0]
    results = []
    for share in SHARES:
        parts = [
            _left_out(model, runs.rows(index), graphs, task_of, folds[index], share) for index in left_out.split(chunk)
        ]
        arrays = [np.concatenate([part[i] for part in parts]) for i in range(5)]
        results.append(OutOfFold(share, *arrays))
    return results


def _left_out(
    model: LCGODE,
    runs: RunTensors,
    graphs: GraphTensors | None,
    task_of: torch.Tensor,
    folds: torch.Tensor,
    share: float,
) -> tuple[NDArray[np.float64], ...]:
    last = epoch_counts(runs) - 1
    seen = (runs.epochs <= (share * runs.horizons)[:, None]).sum(-1) - 1
    index = torch.minimum(seen.clamp(min=0), (last - 1).clamp(min=0))
    first = torch.minimum(index + 1, last)
    steps = torch.linspace(0, 1, QUERIES, device=last.device)
    queries = (first[:, None] + steps * (last - first)[:, None]).round().long().clamp(min=0)
    epochs, cutoffs = runs.epochs.gather(1, queries), cutoff_epochs(runs, index)
    batch = CurveBatch(runs, cutoffs)
    with torch.no_grad():
        posterior, anchor = model.encode(batch, graphs, task_of)
        quantiles = model(posterior, anchor, batch, epochs)
    own = quantiles[folds, torch.arange(len(runs), device=folds.device)]
    target, there = values_at(runs, queries)
    truth = torch.where(there, target, torch.nan)
    return tuple(t.double().cpu().numpy() for t in (epochs, cutoffs, own, truth, anchor))


def calibrate(forecasts: list[OutOfFold]) -> Calibration:
    """Read widths and correlations off left-out forecasts.

    The factor at a prefix is a root of the one that would make the left-out 90 % interval cover 90 %: a left-out
    forecast comes from one member, the forecast that users see is the average of all, and is better. With many runs it
    is the square root; with few the members hardly agree on anything but noise, and the whole factor is taken.
    """
    runs = len(forecasts[0].truth)
    exponent = 1 - 0.5 * min(max(np.log(max(runs, 1) / 30) / np.log(4), 0.0), 1.0)  # 1 up to 30 runs, 1/2 from 120
    factors, scores = [], []
    for part in forecasts:
        middle = part.quantiles[..., _MIDDLE]
        above = (part.truth - middle) / np.maximum(part.quantiles[..., _HIGH] - middle, 1e-9)
        below = (middle - part.truth) / np.maximum(middle - part.quantiles[..., _LOW], 1e-9)
        needed = np.maximum(above, below)
        needed = needed[np.isfinite(needed)]
        factor = float(np.quantile(needed, 0.9)) if len(needed) else 1.0
        factors.append(float(np.clip(max(factor, 1e-6) ** exponent, 0.7, 2.5)))
        scores.append(_normal_scores(part))
    score = np.concatenate(scores)  # [runs × prefixes, K, Q]
    return Calibration(tuple(factors), _correlation(score[..., -1]), _persistence(score))


def _normal_scores(part: OutOfFold) -> NDArray[np.float64]:
    """Each truth's level under its forecast, as a standard normal score, [R, K, Q]; NaN where there is no truth."""
    below = (part.quantiles < part.truth[..., None]).sum(-1)
    edges = np.r_[0.005, (LEVELS[1:] + LEVELS[:-1]) / 2, 0.995]
    return np.where(np.isfinite(part.truth), norm.ppf(edges[below]), np.nan)


def _correlation(score: NDArray[np.float64]) -> tuple[tuple[float, ...], ...]:
    """Correlation of the metrics' scores [N, K], shrunk towards independence by ten pseudo-runs."""
    known = np.isfinite(score)
    mean = np.nan_to_num(score).sum(0) / np.maximum(known.sum(0), 1)  # a metric may have no truth at all
    filled = np.where(known, score - mean, 0.0)
    pairs = known.T.astype(float) @ known
    norms = np.sqrt((filled.T**2) @ known)
    matrix = (filled.T @ filled) / np.maximum(norms * norms.T, 1e-9) * pairs / (pairs + 10)
    np.fill_diagonal(matrix, 1.0)
    values, vectors = np.linalg.eigh(matrix)  # pairwise-complete correlations need not be positive definite
    matrix = vectors @ np.diag(np.maximum(values, 0.02)) @ vectors.T
    scale = np.sqrt(np.diag(matrix))
    return tuple(tuple(float(v) for v in row) for row in matrix / np.outer(scale, scale))


def _persistence(score: NDArray[np.float64]) -> float:
    """Mean correlation of the scores between two epochs of one curve."""
    rows = score.reshape(-1, score.shape[-1])
    rows = rows[np.isfinite(rows).all(1)]
    if len(rows) < 10:
        return 0.9
    centred = rows - rows.mean(0)
    deviation = centred.std(0)
    if (deviation < 1e-9).any():
        return 0.9
    matrix = (centred.T @ centred) / len(rows) / np.outer(deviation, deviation)
    queries = len(matrix)
    return float(np.clip((matrix.sum() - queries) / (queries * (queries - 1)), 0.0, 0.99))
