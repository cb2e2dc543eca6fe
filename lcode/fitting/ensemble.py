"""What stands beside the network in a forecast: base learners, their weights, and the widths of the intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lcode.experts.committee import MAX_RUNS, Committee
from lcode.fitting.blend import Blend, learn_blend
from lcode.fitting.calibration import Calibration, calibrate
from lcode.fitting.left_out import LeftOut, gains, left_out_parts, prior_weights
from lcode.fitting.network import LeftOutNetwork
from lcode.fitting.start import Start
from lcode.fitting.trust import left_out_figures
from lcode.tensors.collate import Preprocessor
from lcode.tensors.scaling import ValueScaler


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Base learners beside a network, all judged on forecasts of finished runs that they had not learned from.

    Attributes:
        start: the pretrained model as it was, a part of the forecast that few runs cannot spoil.
        committee: regressors on the finished runs; None: the network stands alone.
        blend: how much each part counts; None: the network alone.
        calibration: widths and correlations from the left-out folds.
        backtest: figures on the left-out folds beside simple forecasts; see `left_out_figures`.
    """

    start: Start | None
    committee: Committee | None
    blend: Blend | None
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
        start: Start | None,
        preprocessor: Preprocessor,
        wanted: Sequence[str],
        *,
        adapted: LeftOutNetwork | None,
    ) -> Self:
        """Learn weights and widths on the committee's finished runs.

        Args:
            committee: regressors, which know what a network forecasts of runs it has not learned from.
            start: the pretrained model, if there is one.
            preprocessor: scales of the metrics.
            wanted: names of the parts that may count.
            adapted: the network that learned from the finished runs; None: there is none, and the pretrained one takes
                its place.
        """
        left_out = left_out_parts(committee, start, preprocessor, adapted)
        if not left_out:
            return cls(start, committee, None, Calibration.none(), {})
        blend = _learn_blend(left_out, wanted, preprocessor.values)
        left_out = [part.of_own() for part in left_out]
        judged = [part.judged(blend) for part in left_out]
        calibration = calibrate(judged)
        figures = left_out_figures(left_out, judged, preprocessor, calibration)
        return cls(start, committee, blend, calibration, figures)


def some_rows(done: int, own: int, seed: int, most: int = MAX_RUNS) -> tuple[NDArray[np.int64], int]:
    """At most so many of the rows of finished runs, own ones first, and how many those are."""
    generator = np.random.default_rng(seed)
    mine = np.sort(generator.permutation(own)[:most])
    others = own + np.sort(generator.permutation(done - own)[: most - len(mine)])
    return np.r_[mine, others], len(mine)


def _learn_blend(left_out: Sequence[LeftOut], wanted: Sequence[str], values: ValueScaler) -> Blend:
    """The weights of the parts that are wanted: of all runs, then, from there, of the problem's own."""
    names = left_out[0].names
    chosen = np.array([name in wanted for name in names])
    prior = [chosen * prior_weights(names, len(part.truth), part.share) for part in left_out]
    blend = _weights(left_out, prior, values)
    own = [part.of_own() for part in left_out]
    return blend if own[0].own == len(left_out[0].truth) else _weights(own, blend.weights, values)


def _weights(left_out: Sequence[LeftOut], prior: Sequence[ArrayLike], values: ValueScaler) -> Blend:
    names, (quantiles, truths) = left_out[0].names, zip(*(part.natural(values) for part in left_out), strict=True)
    shares, leads = [part.share for part in left_out], [part.leads for part in left_out]
    return learn_blend(names, prior, shares, leads, quantiles, truths, gains(names))
