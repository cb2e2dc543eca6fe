"""From the K metrics of a run to one score: higher is better, always."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from lcode.decisions.references import (
    References,
    centre_and_scale,
    faint_text,
    left_out_text,
    nothing_to_compare,
    references_from,
)
from lcode.errors import UsageError
from lcode.table import Metric

ScoreFunction = Callable[[NDArray[np.float64], Sequence[Metric]], NDArray[np.float64]]
"""A user's own objective: values [..., K] and their metrics to scores [...], higher is better."""


class Objective(ABC):
    """Rule from K metrics to one score per run; higher is better, whatever the directions of the metrics.

    Attributes:
        unit: what a score is measured in, as a word for tables and sentences.
        notes: what the user should know of it, such as where the references come from.
        left_out: metrics that have no say, since the runs to compare with gave no usable reference: key -> why.
    """

    unit: str = ""
    notes: tuple[str, ...] = ()
    left_out: Mapping[str, str] = MappingProxyType({})

    @abstractmethod
    def score(
        self, values: NDArray[np.float64], metrics: Sequence[Metric], archs: Sequence[str | None] | None = None
    ) -> NDArray[np.float64]:
        """Score of each run.

        Args:
            values: values in natural units, shape [..., K]; NaN in a metric that counts makes the score NaN.
            metrics: the K metrics, in the order of the last axis.
            archs: architectures of R runs, for references by architecture; then values have shape [..., R, K].

        Returns:
            Scores of shape [...] (with `archs`: [..., R]).
        """


@dataclass(frozen=True)
class DeltaM(Objective):
    """Δm, the mean relative gain over single-task references, in per cent; **higher is better**.

    `score = 100/K · Σ_k s_k (value_k − ref_k) / |ref_k|` with s_k = +1 where larger is better and −1 where smaller
    is. The mean runs over metrics, as in the published tables (Maninis et al., CVPR 2019, and after), so a task with
    five metrics counts five times. The published *sign* is mostly the opposite (lower is better): −score is the
    number to compare with those tables. A metric whose reference is NaN is left out of the mean.
    """

    references: References

    unit = "Δm %"

    @property
    def notes(self) -> tuple[str, ...]:  # type: ignore[override]
        """Sign, averaging and reference: a Δm without them cannot be compared; and what it lacks."""
        told = f"Δm: mean relative gain over {self.references.origin}, in per cent over metrics; higher is better"
        missing, faint = self.references.unmeasured, self.references.faint
        return (told, *([left_out_text(missing)] if missing else []), *([faint_text(faint)] if faint else []))

    @property
    def left_out(self) -> Mapping[str, str]:  # type: ignore[override]
        """Metrics without a reference: their median is 0 or near it, or no run has a value."""
        return {**dict.fromkeys(self.references.unmeasured, "no run ends with a value"), **self.references.faint}

    def score(
        self, values: NDArray[np.float64], metrics: Sequence[Metric], archs: Sequence[str | None] | None = None
    ) -> NDArray[np.float64]:
        """See `Objective.score`."""
        reference = self.references.lookup(metrics, archs)
        counts = np.isfinite(reference)
        gain = _signs(metrics) * (values - reference) / np.abs(reference)
        return 100 * np.where(counts, gain, 0.0).sum(-1) / counts.sum(-1)


@dataclass(frozen=True)
class Standardised(Objective):
    """A combination of the metrics on a common scale: `z_k = s_k (value_k − median_k) / IQR_k`.

    The median and the inter-quartile range are those of the finished runs, so neither units nor outliers matter; the
    sign s_k makes larger better.

    Attributes:
        centre: median by metric key; NaN for a metric that has no say, since no run has a value.
        scale: inter-quartile range by metric key.
        weights: weight ≥ 0 by metric key: the score is Σ_k w_k z_k. None: the worst task counts alone, each task
            with the mean z of its metrics.
    """

    centre: Mapping[str, float]
    scale: Mapping[str, float]
    weights: Mapping[str, float] | None = None

    unit = "inter-quartile ranges"

    @property
    def notes(self) -> tuple[str, ...]:  # type: ignore[override]
        """What has no say although it should."""
        counts = self.centre if self.weights is None else [key for key, weight in self.weights.items() if weight > 0]
        missing = [key for key in counts if np.isnan(self.centre[key])]
        return (left_out_text(missing),) if missing else ()

    def score(
        self, values: NDArray[np.float64], metrics: Sequence[Metric], archs: Sequence[str | None] | None = None
    ) -> NDArray[np.float64]:
        """See `Objective.score`; the architecture makes no difference here."""
        centre, scale = (np.array([of[m.key] for m in metrics]) for of in (self.centre, self.scale))
        weights = np.array([1.0 if self.weights is None else self.weights.get(m.key, 0.0) for m in metrics])
        # A metric without a weight must not spoil the score where it is missing.
        counts = (weights > 0) & ~np.isnan(centre)
        z = (_signs(metrics) * (values - centre) / scale)[..., counts]
        if self.weights is not None:
            return z @ weights[counts]
        tasks = np.array([m.task for m in metrics])[counts]
        return np.stack([z[..., tasks == task].mean(-1) for task in dict.fromkeys(tasks)]).min(0)


@dataclass(frozen=True)
class CustomObjective(Objective):
    """A user's own function from values [..., K] and metrics to scores [...]; higher must be better."""

    function: ScoreFunction

    unit = "score"

    def score(
        self, values: NDArray[np.float64], metrics: Sequence[Metric], archs: Sequence[str | None] | None = None
    ) -> NDArray[np.float64]:
        """See `Objective.score`.

        Raises:
            UsageError: the function did not return one score per run.
        """
        scores = np.asarray(self.function(values, metrics), dtype=float)
        if scores.shape != values.shape[:-1]:
            raise UsageError(
                f"the objective returned shape {list(scores.shape)} for values of shape {list(values.shape)}; "
                "it must reduce the last axis (the metrics) and keep the others"
            )
        return scores


KINDS = "delta_m, mean, worst, weights:NAME=W,… (NAME: a task or a metric)"


def make_objective(
    spec: str | Objective | ScoreFunction,
    metrics: Sequence[Metric],
    *,
    population: NDArray[np.float64] | None = None,
    baseline: Mapping[str, float] | str | os.PathLike[str] | None = None,
) -> Objective:
    """The objective that a word, a function or an objective stands for.

    Args:
        spec: `delta_m`, `mean`, `worst`, `weights:seg=1,depth=2` (names of tasks, whose metrics share the weight
            evenly, or of metrics), an `Objective`, or a function `(values [..., K], metrics) -> scores [...]`.
        metrics: the K metrics to be scored.
        population: final values of finished runs, [N, K]: the scale of `mean`, `worst` and `weights`, and the
            reference of `delta_m` without a baseline.
        baseline: single-task references of `delta_m`, as a mapping from metric key or a CSV file.

    Raises:
        UsageError: an unknown objective, task or metric; the text lists the right ones.
        InputError: a baseline that cannot be read, or a reference of 0.
        NotEnoughDataError: a population is needed and has no value of any metric that counts. A metric that none of
            its runs has a value of is left out, as the objective's `notes` say.
    """
    if isinstance(spec, Objective):
        return spec
    if not isinstance(spec, str) and not callable(spec):
        raise UsageError(f"no objective {spec!r}; there are: {KINDS}, or a function (values, metrics) -> scores")
    if not isinstance(spec, str):
        return CustomObjective(spec)
    kind, _, argument = spec.partition(":")
    if kind == "delta_m" and not argument:
        return DeltaM(references_from(metrics, baseline=baseline, population=population))
    if (argument and kind != "weights") or kind not in ("mean", "worst", "weights"):
        raise UsageError(f"no objective '{spec}'; there are: {KINDS}")
    if baseline is not None:
        raise UsageError(f"the objective '{spec}' uses no baseline; leave it out, or choose delta_m")
    keys = [metric.key for metric in metrics]
    weights = _parse_weights(argument, metrics) if kind == "weights" else None
    centre, scale = centre_and_scale(metrics, population)
    if kind == "mean":
        weights = dict.fromkeys(keys, 1 / int(np.isfinite(centre).sum()))
    counting = [key for key in keys if weights is None or weights.get(key, 0.0) > 0]
    if all(np.isnan(middle) for key, middle in zip(keys, centre, strict=True) if key in counting):
        raise nothing_to_compare(counting)
    return Standardised(
        dict(zip(keys, centre.tolist(), strict=True)), dict(zip(keys, scale.tolist(), strict=True)), weights
    )


def _parse_weights(text: str, metrics: Sequence[Metric]) -> dict[str, float]:
    """`seg=1,depth/abs_err=2` as weights by metric key; a task's weight is shared evenly by its metrics."""
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, _, number = (piece.strip() for piece in part.partition("="))
        meant = [m.key for m in metrics if name in (m.key, f"{m.task}/{m.name}")]
        meant = meant or [m.key for m in metrics if m.task == name]
        if not meant:
            names = dict.fromkeys([*(m.task for m in metrics), *(m.key for m in metrics)])
            raise UsageError(f"no task or metric '{name}' to weight; there are: {', '.join(names)}")
        try:
            weight = float(number)
        except ValueError:
            raise UsageError(f"weight '{part.strip()}' is not of the form NAME=NUMBER, such as seg=1") from None
        if not (np.isfinite(weight) and weight >= 0):
            raise UsageError(f"the weight of '{name}' is {number}; a weight is a number ≥ 0 (directions are known)")
        for key in meant:
            weights[key] = weights.get(key, 0.0) + weight / len(meant)
    if not any(weights.values()):
        raise UsageError(f"'weights:{text}' gives no metric a weight above 0")
    return weights


def _signs(metrics: Sequence[Metric]) -> NDArray[np.float64]:
    return np.array([metric.sign for metric in metrics], dtype=float)
