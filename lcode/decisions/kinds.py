"""The objectives by the words that name them, for the command line and for Python: one grammar, in one place."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lcode.decisions.constraints import Constrained, Constraint, parse_constraints
from lcode.decisions.objective import CustomObjective, DeltaM, Objective, ScoreFunction, Standardised
from lcode.decisions.references import centre_and_scale, check_baseline, nothing_to_compare, references_from
from lcode.decisions.relative import Hypervolume, MeanRank, ParetoFront
from lcode.errors import UsageError
from lcode.table import Metric

Baseline = Mapping[str, float] | str | os.PathLike[str] | None
"""Single-task references: by metric key, or a CSV file."""

DELTA_M_WORDS = {
    "per-task": "mean over tasks of the mean over their metrics, as LibMTL; otherwise over all metrics alike",
    "drop": "told as a drop, where lower is better, as Nash-MTL and FAMO print it; otherwise as a gain",
    "one-reference": "the same references for all architectures, whatever the baseline has by architecture",
}
"""What may follow `delta_m:`, separated by commas."""


@dataclass(frozen=True)
class _Asked:
    """What an objective is made of."""

    argument: str
    metrics: Sequence[Metric]
    population: NDArray[np.float64] | None
    baseline: Baseline

    def scales(self) -> tuple[dict[str, float], dict[str, float]]:
        """Median and inter-quartile range of the population, by metric key."""
        keys = [metric.key for metric in self.metrics]
        centre, scale = centre_and_scale(self.metrics, self.population)
        return dict(zip(keys, centre.tolist(), strict=True)), dict(zip(keys, scale.tolist(), strict=True))


def _delta_m_words(argument: str) -> list[str]:
    words = [word.strip() for word in argument.split(",")] if argument else []
    for word in words:
        if word not in DELTA_M_WORDS:
            known = ", ".join(DELTA_M_WORDS)
            raise UsageError(f"'{word}' of 'delta_m:{argument}' has no meaning; there are: {known}")
    return words


def _delta_m(asked: _Asked) -> Objective:
    words = _delta_m_words(asked.argument)
    references = references_from(asked.metrics, baseline=asked.baseline, population=asked.population)
    if "one-reference" in words:
        references = replace(references, by_arch={})
    return DeltaM(references, per_task="per-task" in words, drop="drop" in words)


def _mean(asked: _Asked) -> Objective:
    centre, scale = asked.scales()
    counting = [key for key, middle in centre.items() if np.isfinite(middle)]
    return Standardised(centre, scale, dict.fromkeys(centre, 1 / len(counting)))


def _weights_by_name(text: str) -> list[tuple[str, float]]:
    """`seg=1,depth/abs_err=2` as pairs, whatever the metrics."""
    weights = []
    for part in text.split(","):
        name, _, number = (piece.strip() for piece in part.partition("="))
        try:
            weight = float(number)
        except ValueError:
            raise UsageError(f"weight '{part.strip()}' is not of the form NAME=NUMBER, such as seg=1") from None
        if not (np.isfinite(weight) and weight >= 0):
            raise UsageError(f"the weight of '{name}' is {number}; a weight is a number ≥ 0 (directions are known)")
        weights.append((name, weight))
    if not any(weight for _, weight in weights):
        raise UsageError(f"'weights:{text}' gives no metric a weight above 0")
    return weights


def _weights(asked: _Asked) -> Objective:
    weights = _parse_weights(asked.argument, asked.metrics)
    centre, scale = asked.scales()
    counting = [key for key in centre if weights.get(key, 0.0) > 0]
    if all(np.isnan(centre[key]) for key in counting):
        raise nothing_to_compare(counting)
    return Standardised(centre, scale, weights)


@dataclass(frozen=True)
class Kind:
    """An objective that a word stands for.

    Attributes:
        form: how it is written, where that is more than the word.
        meaning: what it is, in a few words.
        make: makes it of what was asked for.
        check: refuses what follows the colon where that has no meaning for any metrics.
        takes_argument: whether something may follow the colon.
        takes_baseline: whether single-task references have a say.
        relative: whether it scores runs against one another.
    """

    meaning: str
    make: Callable[[_Asked], Objective]
    check: Callable[[str], object] | None = None
    form: str = ""
    takes_argument: bool = False
    takes_baseline: bool = False
    relative: bool = False


KINDS: dict[str, Kind] = {
    "delta_m": Kind(
        "mean relative gain over references, %", _delta_m, _delta_m_words, takes_argument=True, takes_baseline=True
    ),
    "mean": Kind("mean over metrics, in inter-quartile ranges", _mean),
    "worst": Kind("the worst task", lambda asked: Standardised(*asked.scales())),
    "weights": Kind(
        "weighted mean",
        _weights,
        _weights_by_name,
        form="weights:NAME=W,… (NAME: a task or a metric)",
        takes_argument=True,
    ),
    "mean_rank": Kind("mean over metrics of the rank among the runs", lambda _: MeanRank(), relative=True),
    "pareto": Kind("on the front of all tasks, or not", lambda asked: ParetoFront(*asked.scales()), relative=True),
    "hypervolume": Kind("volume that this run alone wins", lambda asked: Hypervolume(*asked.scales()), relative=True),
}
"""The objectives by the word before the colon."""

FORMS = ", ".join(kind.form or word for word, kind in KINDS.items())
"""How objectives are written."""

DELTA_M_FORMS = f"delta_m:{','.join(DELTA_M_WORDS)} (any of these words)"


def takes_baseline(spec: object) -> bool:
    """Whether single-task references have a say in an objective that is given as a word."""
    kind = KINDS.get(spec.partition(":")[0]) if isinstance(spec, str) else None
    return kind is not None and kind.takes_baseline


def scores_alone(spec: str | Objective | ScoreFunction) -> bool:
    """Whether an objective scores a run on its own, as those must that are kept while runs come and go."""
    kind = KINDS.get(spec.partition(":")[0]) if isinstance(spec, str) else None
    return not (spec.relative if isinstance(spec, Objective) else kind is not None and kind.relative)


def check_adds_up(spec: str | Objective | ScoreFunction) -> None:
    """Refuse an objective under which what is lost by stopping cannot be added up.

    Raises:
        UsageError: it scores runs against one another.
    """
    if not scores_alone(spec):
        raise UsageError(
            "a budget of regret adds up scores of runs on their own, and this objective scores them against one "
            "another: stop by delta, or choose delta_m, mean, worst or weights:NAME=W"
        )


def check_objective(spec: object, baseline: object = None) -> None:
    """Refuse what is no objective whatever the metrics, before any are known.

    Args:
        spec: see `make_objective`.
        baseline: likewise.

    Raises:
        UsageError: an unknown word, or references of another type.
        InputError: a file of references that cannot be read, or a reference of 0.
    """
    if isinstance(spec, str) or not (isinstance(spec, Objective) or callable(spec)):
        kind, argument = _kind_of(spec, baseline)
        if kind.check is not None:
            kind.check(argument)
    check_baseline(baseline)


def make_objective(
    spec: str | Objective | ScoreFunction,
    metrics: Sequence[Metric],
    *,
    population: NDArray[np.float64] | None = None,
    baseline: Baseline = None,
    constraints: Sequence[str | Constraint] = (),
) -> Objective:
    """The objective that a word, a function or an objective stands for.

    Args:
        spec: a word, one of `KINDS`: `delta_m` (also `delta_m:per-task,drop`), `mean`, `weights:seg=1,depth=2` (names
            of tasks, whose metrics share the weight evenly, or of metrics), `worst`, `mean_rank`, `pareto`,
            `hypervolume`; or an `Objective`, or a function `(values [..., K], metrics) -> scores [...]`.
        metrics: the K metrics to be scored.
        population: final values of finished runs, [N, K]: the scale of all but `delta_m` and `mean_rank`, and the
            reference of `delta_m` without a baseline.
        baseline: single-task references of `delta_m`, as a mapping from metric key or a CSV file.
        constraints: what a run's final values must fulfil, such as `depth/abs_err<=0.4`; see `Constrained`.

    Raises:
        UsageError: an unknown objective, task, metric or constraint; the text lists the right ones.
        InputError: a baseline that cannot be read, or a reference of 0.
        NotEnoughDataError: a population is needed and has no value of any metric that counts. A metric that none of
            its runs has a value of is left out, as the objective's `notes` say.
    """
    bounds = tuple(bound.on(metrics) for bound in parse_constraints(constraints))
    plain = _plain(spec, metrics, population, baseline)
    if bounds and isinstance(plain, Constrained):
        return Constrained(plain.objective, (*plain.constraints, *bounds))
    return Constrained(plain, bounds) if bounds else plain


def _plain(
    spec: str | Objective | ScoreFunction,
    metrics: Sequence[Metric],
    population: NDArray[np.float64] | None,
    baseline: Baseline,
) -> Objective:
    """The objective without constraints."""
    if isinstance(spec, Objective):
        return spec
    if not isinstance(spec, str) and callable(spec):
        return CustomObjective(spec)
    kind, argument = _kind_of(spec, baseline)
    return kind.make(_Asked(argument, metrics, population, baseline))


def _kind_of(spec: object, baseline: object) -> tuple[Kind, str]:
    """The kind that a word stands for, and what follows the colon."""
    word, colon, argument = spec.partition(":") if isinstance(spec, str) else ("", "", "")
    kind = KINDS.get(word)
    if kind is None or (colon and not argument) or (argument and not kind.takes_argument):
        raise UsageError(
            f"no objective {spec!r}; there are: {FORMS}; {DELTA_M_FORMS}; "
            "in Python also a function (values, metrics) -> scores"
        )
    if baseline is not None and not kind.takes_baseline:
        able = " or ".join(name for name, other in KINDS.items() if other.takes_baseline)
        raise UsageError(f"the objective '{spec}' uses no baseline; leave it out, or choose {able}")
    return kind, argument


def _parse_weights(text: str, metrics: Sequence[Metric]) -> dict[str, float]:
    """`seg=1,depth/abs_err=2` as weights by metric key; a task's weight is shared evenly by its metrics."""
    weights: dict[str, float] = {}
    for name, weight in _weights_by_name(text):
        meant = [m.key for m in metrics if name in (m.key, f"{m.task}/{m.name}")]
        meant = meant or [m.key for m in metrics if m.task == name]
        if not meant:
            names = dict.fromkeys([*(m.task for m in metrics), *(m.key for m in metrics)])
            raise UsageError(f"no task or metric '{name}' to weight; there are: {', '.join(names)}")
        for key in meant:
            weights[key] = weights.get(key, 0.0) + weight / len(meant)
    return weights
