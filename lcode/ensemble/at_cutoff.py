"""All that is learned from the finished runs as seen from one cutoff: base models, their weights, and the intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lcode.curves.continuation import at_epochs
from lcode.curves.prefix import Known
from lcode.ensemble.base_model import BaseModel, Observed
from lcode.ensemble.conformal import Conformal
from lcode.ensemble.forests import out_of_fold_changes
from lcode.ensemble.leads import leads_of
from lcode.ensemble.names import PRETRAINED, VALUES
from lcode.ensemble.novelty import Leaning, Novelty
from lcode.ensemble.reach import Reach, within
from lcode.ensemble.registry import BASE_MODELS, Learning
from lcode.ensemble.settings import SETTINGS
from lcode.ensemble.stacking import Stacking

Array = NDArray[np.float64]

CHUNK = 128
"""Runs that are forecast at a time: bounds the memory whatever the size of the table."""


@dataclass(frozen=True, eq=False)
class Judged:
    """Left-out forecasts of the N finished runs, in model space, and what came.

    Attributes:
        mixture: of the base models, as users would get it, not yet widened, [N, K, Q, 21].
        truth: NaN where there is none, [N, K, Q].
        last: last observed value, or the mean of all where nothing was, [N, K].
        leads: place of each query between cutoff (0) and horizon (1), [N, Q].
    """

    mixture: Array
    truth: Array
    last: Array
    leads: Array


class AtCutoff:
    """The forecaster for runs that were seen up to one cutoff.

    Base models are learned; each forecasts the finished runs of the folds that it left out; on these forecasts weights
    are learned (stacking) and intervals are scaled (conformal). Everything is done once, by the same steps in which
    runs are forecast.

    Args:
        given: what the base models may learn from.
        wanted: names of the base models that may count.
        calibrated: whether intervals are scaled.
    """

    def __init__(self, given: Learning, wanted: Sequence[str], *, calibrated: bool = True) -> None:
        history, values = given.history, given.preprocessor.values
        self._history = history
        self._reach = Reach.of(history.last, history.values)
        self._models: dict[str, BaseModel] = {}
        forecasts: dict[str, Array] = {}
        for name, make in BASE_MODELS.items():
            model = make(given, forecasts)
            if model is not None:
                self._models[name], forecasts[name] = model, model.out_of_fold()
        self.names = tuple(name for name in self._models if name in wanted)
        chosen = history.judged
        truth = history.values[:, :, chosen]
        leads = np.broadcast_to(history.grid[chosen], (len(history), len(chosen)))
        prior = forecasts.get(PRETRAINED)
        parts = within(
            np.stack([forecasts[name][:, :, chosen] for name in self.names]),
            Reach.out_of_fold(history.last, history.values, history.folds)[:, :, chosen],
            len(history),
            None if prior is None else prior[:, :, chosen],
        )
        share = max(history.cutoff, 0) / float(np.median(history.horizons))
        alike = np.zeros(truth.shape[1]) if given.related is None else given.related[0].alike
        prior_weights = Stacking.prior(self.names, alike, share)
        came = values.unscale(truth)
        natural = np.stack([np.sort(values.bounded(part), axis=-1) for part in parts])
        self.stacking = prior_weights.learned(leads, natural, came)
        self._novelty = Novelty(history.known, history.folds, self._reach.slope[:, -1])
        unlike = self._novelty.out_of_fold()

        def mix(rows: NDArray[np.int64], moved: Array | None) -> Array:
            mixture = self.stacking.mix(parts[:, rows], leads[rows], moved)
            return np.sort(values.bounded(mixture), axis=-1)

        self._leaning = Leaning.learned(self._towards(share), unlike, mix, came)
        mixture = self.stacking.mix(parts, leads, self._leaning.moved(unlike, self._novelty.stays_out_of_fold()))
        self.judged = Judged(mixture, truth, history.last, leads)
        self._seed = given.seed
        conformal = Conformal.of(leads, mixture, truth)
        self.conformal = conformal if calibrated else replace(conformal, factors=np.zeros_like(conformal.factors))

    @cached_property
    def trees(self) -> Array:
        """What a forest of changes would have said of the runs in `judged`, to compare with, [N, K, Q, 21]."""
        return out_of_fold_changes(self._history, self._seed)[:, :, self._history.judged]

    def quantiles(self, observed: Observed, epochs: Array) -> Array:
        """Quantiles in model space of R runs at the query epochs [R, Q], [R, K, Q, 21]."""
        chunks = range(0, len(observed), CHUNK)
        parts = [self._quantiles(observed.rows(i, i + CHUNK), epochs[i : i + CHUNK]) for i in chunks]
        return np.concatenate(parts)

    def _quantiles(self, observed: Observed, epochs: Array) -> Array:
        history, known = self._history, observed.known
        to_horizon = np.concatenate([epochs, observed.horizons[:, None]], axis=1)
        forecasts: dict[str, Array] = {}
        for name, model in self._models.items():
            forecasts[name] = model.predict(observed, to_horizon, forecasts)
        forecasts = {name: forecast[:, :, :-1] for name, forecast in forecasts.items()}
        last = known.anchor(history.known.last)
        reach = at_epochs(self._reach.ends(last), history.grid, last, observed.cutoff, observed.horizons, epochs)
        parts = within(
            np.stack([forecasts[name] for name in self.names]), reach, len(history), forecasts.get(PRETRAINED)
        )
        leads = leads_of(epochs, observed.cutoffs, observed.horizons)
        return self.conformal.widen(self.stacking.mix(parts, leads, self._moved(known)), leads)

    def _moved(self, known: Known) -> Array | None:
        """Share of the weights of R runs that goes elsewhere, [R, K, E]; None: nothing."""
        return self._leaning.moved(self._novelty.of(known), self._novelty.stays(known))

    def _towards(self, share: float) -> Array:
        """See `Leaning`; the pretrained network knows nothing of a curve that has hardly begun."""
        ripe = min(share / SETTINGS.ripe, 1.0)
        return np.array([[ripe * (name == PRETRAINED), name == VALUES] for name in self.names], dtype=np.float64).T
