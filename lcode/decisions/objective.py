"""From the K metrics of a run to one score, on its own; inside, a higher score is always better."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from lcode.decisions.references import References, faint_text, left_out_text
from lcode.errors import UsageError
from lcode.table import Direction, Metric

ScoreFunction = Callable[[NDArray[np.float64], Sequence[Metric]], NDArray[np.float64]]
"""A user's own objective: values [..., K] and their metrics to scores [...], higher is better."""


class Objective(ABC):
    """Rule from K metrics to one score per run; higher is better, whatever the directions of the metrics.

    Papers print some scores the other way round (a drop, a rank). Those are counted as `score` gives them, and told as
    `told` does: a ranking's numbers are told ones.

    Attributes:
        unit: what a score is measured in, as a word for tables and sentences.
        direction: which way a *told* score is better: `max`, or `min` where the field prints it so.
        relative: whether a run's score depends on which other runs there are; see `RelativeObjective`.
        front: whether a score above 0 is a place on a front: any such run is worth its compute, not the best alone.
        notes: what the user should know of it, such as where the references come from.
        left_out: metrics that have no say, since the runs to compare with gave no usable reference: key -> why.
    """

    unit: str = ""
    direction: Direction = "max"
    relative: bool = False
    front: bool = False
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

    def told(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores as the field prints them: better in `direction`."""
        return scores if self.direction == "max" else -scores


@dataclass(frozen=True)
class DeltaM(Objective):
    """Δm, the mean relative gain over single-task references, in per cent.

    `score = 100 · Σ_k w_k s_k (value_k − ref_k) / |ref_k|` with s_k = +1 where larger is better and −1 where smaller
    is (Maninis et al., CVPR 2019). A metric whose reference is NaN is left out of the mean.

    Attributes:
        references: what the values are compared with.
        per_task: False: w_k = 1/K, as the tables of Nash-MTL (ICML 2022) and FAMO (NeurIPS 2023) average, where a task
            with five metrics counts five times. True: the mean over T tasks of the mean over the K_t metrics of each,
            w_k = 1/(T K_t), as in LibMTL.
        drop: tell the score as those tables print it, the mean relative *drop*, −Δm: lower is better.
    """

    references: References
    per_task: bool = False
    drop: bool = False

    @property
    def unit(self) -> str:  # type: ignore[override]
        """`Δm %`, or what the told number is if it is the drop."""
        return "Δm drop %" if self.drop else "Δm %"

    @property
    def direction(self) -> Direction:  # type: ignore[override]
        """`min` for the drop."""
        return "min" if self.drop else "max"

    @property
    def notes(self) -> tuple[str, ...]:  # type: ignore[override]
        """Sign, averaging and reference: a Δm without them cannot be compared; and what it lacks."""
        what, better = ("drop below", "lower") if self.drop else ("gain over", "higher")
        over = "tasks, of the mean over each one's metrics" if self.per_task else "metrics"
        told = f"Δm: mean relative {what} {self.references.origin}, in per cent over {over}; {better} is better"
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
        gain = np.where(counts, signs(metrics) * (values - reference) / np.abs(reference), 0.0)
        if not self.per_task:
            return 100 * gain.sum(-1) / counts.sum(-1)
        of_task = [np.array([metric.task == task for metric in metrics]) for task in tasks_of(metrics)]
        number = np.stack([counts[..., mine].sum(-1) for mine in of_task])
        means = np.stack([gain[..., mine].sum(-1) for mine in of_task], axis=-1) / np.maximum(number, 1).T
        return 100 * means.sum(-1) / (number > 0).sum(0)


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
        if self.weights is None:
            return task_scores(values, metrics, self.centre, self.scale).min(-1)
        centre, scale = (np.array([of[m.key] for m in metrics]) for of in (self.centre, self.scale))
        weights = np.array([self.weights.get(m.key, 0.0) for m in metrics])
        # A metric without a weight must not spoil the score where it is missing.
        counts = (weights > 0) & ~np.isnan(centre)
        return (signs(metrics) * (values - centre) / scale)[..., counts] @ weights[counts]


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
        found = self.function(values, metrics)
        try:
            scores = np.asarray(found, dtype=float)
        except (TypeError, ValueError):
            raise UsageError(
                f"the objective returned {type(found).__name__}; it must return an array of scores"
            ) from None
        if scores.shape != values.shape[:-1]:
            raise UsageError(
                f"the objective returned shape {list(scores.shape)} for values of shape {list(values.shape)}; "
                "it must reduce the last axis (the metrics) and keep the others"
            )
        return scores


def check_function(spec: object, metrics: Sequence[Metric]) -> None:
    """Refuse a user's own function that does not give one score per run, before any run depends on it.

    What it raises itself on made-up values is left for the real ones.

    Args:
        spec: an objective as it was given; what is no function is not looked at.
        metrics: the K metrics.

    Raises:
        UsageError: it returns something else; the text says what.
    """
    if isinstance(spec, str | Objective) or not callable(spec):
        return
    count = len(metrics)
    values = np.full((count + 1, count + 2, count), 0.5)  # no two axes alike, so that none is taken for another
    try:
        CustomObjective(spec).score(values, metrics)
    except UsageError:
        raise
    except Exception:
        return


def task_scores(
    values: NDArray[np.float64], metrics: Sequence[Metric], centre: Mapping[str, float], scale: Mapping[str, float]
) -> NDArray[np.float64]:
    """Mean of `z_k = s_k (value_k − centre_k) / scale_k` over the metrics of each task, [..., K] to [..., T].

    A metric whose centre is NaN has no say, nor has a task of which that is all.
    """
    middle, size = (np.array([of[m.key] for m in metrics]) for of in (centre, scale))
    counts = ~np.isnan(middle)
    z = (signs(metrics) * (values - middle) / size)[..., counts]
    counted = [metric for metric, kept in zip(metrics, counts, strict=True) if kept]
    mine = [np.array([metric.task == task for metric in counted]) for task in tasks_of(counted)]
    return np.stack([z[..., of_task].mean(-1) for of_task in mine], axis=-1)


def tasks_of(metrics: Sequence[Metric]) -> tuple[str, ...]:
    """The tasks of the metrics, in the order of appearance."""
    return tuple(dict.fromkeys(metric.task for metric in metrics))


def signs(metrics: Sequence[Metric]) -> NDArray[np.float64]:
    """+1 where larger values are better, −1 where smaller are, [K]."""
    return np.array([metric.sign for metric in metrics], dtype=float)
