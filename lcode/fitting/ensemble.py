"""What stands beside the network in a forecast: base learners, their weights, and the widths of the intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lcode.experts.committee import MAX_RUNS, Committee
from lcode.fitting.calibration import Calibration, calibrate
from lcode.fitting.network import OutOfFoldNetwork
from lcode.fitting.out_of_fold import OutOfFold, gains, out_of_fold_parts, prior_weights
from lcode.fitting.stacking import Stacking, learn_stacking
from lcode.fitting.trust import out_of_fold_figures
from lcode.fitting.zero_shot import ZeroShot
from lcode.tensors.collate import Preprocessor
from lcode.tensors.scaling import ValueScaler


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Base learners beside a network, all judged on forecasts of finished runs that they had not learned from.

    Attributes:
        zero_shot: the pretrained model as it was, a part of the forecast that few runs cannot spoil.
        committee: regressors on the finished runs; None: the network stands alone.
        stacking: how much each part counts; None: the network alone.
        calibration: widths and correlations from the left-out folds.
        backtest: figures on the left-out folds beside simple forecasts; see `out_of_fold_figures`.
    """

    zero_shot: ZeroShot | None
    committee: Committee | None
    stacking: Stacking | None
    calibration: Calibration
    backtest: dict[str, Any]

    @classmethod
    def none(cls) -> Self:
        """The network alone, as it is."""
        return cls(None, None, None, Calibration.none(), {})

    @classmethod
    def learn(
        cls,
        committee: Committee,
        zero_shot: ZeroShot | None,
        preprocessor: Preprocessor,
        wanted: Sequence[str],
        *,
        adapted: OutOfFoldNetwork | None,
    ) -> Self:
        """Learn weights and widths on the committee's finished runs.

        Args:
            committee: regressors, which know what a network forecasts of runs it has not learned from.
            zero_shot: the pretrained model, if there is one.
            preprocessor: scales of the metrics.
            wanted: names of the parts that may count.
            adapted: the network that learned from the finished runs; None: there is none, and the pretrained one takes
                its place.
        """
        out_of_fold = out_of_fold_parts(committee, zero_shot, preprocessor, adapted)
        if not out_of_fold:
            return cls(zero_shot, committee, None, Calibration.none(), {})
        stacking = _learn_stacking(out_of_fold, wanted, preprocessor.values)
        out_of_fold = [part.of_own() for part in out_of_fold]
        judged = [part.judged(stacking) for part in out_of_fold]
        calibration = calibrate(judged)
        figures = out_of_fold_figures(out_of_fold, judged, preprocessor, calibration)
        return cls(zero_shot, committee, stacking, calibration, figures)


def some_rows(done: int, own: int, seed: int, most: int = MAX_RUNS) -> tuple[NDArray[np.int64], int]:
    """At most so many of the rows of finished runs, own ones first, and how many those are."""
    generator = np.random.default_rng(seed)
    mine = np.sort(generator.permutation(own)[:most])
    others = own + np.sort(generator.permutation(done - own)[: most - len(mine)])
    return np.r_[mine, others], len(mine)


def _learn_stacking(out_of_fold: Sequence[OutOfFold], wanted: Sequence[str], values: ValueScaler) -> Stacking:
    """The weights of the parts that are wanted: of all runs, then, from there, of the problem's own."""
    names = out_of_fold[0].names
    chosen = np.array([name in wanted for name in names])
    prior = [chosen * prior_weights(names, len(part.truth), part.share) for part in out_of_fold]
    stacking = _weights(out_of_fold, prior, values)
    own = [part.of_own() for part in out_of_fold]
    return stacking if own[0].own == len(out_of_fold[0].truth) else _weights(own, stacking.weights, values)


def _weights(out_of_fold: Sequence[OutOfFold], prior: Sequence[ArrayLike], values: ValueScaler) -> Stacking:
    names, (quantiles, truths) = out_of_fold[0].names, zip(*(part.natural(values) for part in out_of_fold), strict=True)
    shares, leads = [part.share for part in out_of_fold], [part.leads for part in out_of_fold]
    return learn_stacking(names, prior, shares, leads, quantiles, truths, gains(names))
