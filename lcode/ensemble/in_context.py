"""The in-context network as a base model: finished runs are its examples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lcode.curves.continuation import BEND, at_epochs, continuation_grid, read_points, share_epochs
from lcode.curves.tokens import Prefixes
from lcode.ensemble.base_model import Forecasts, Observed
from lcode.ensemble.folds import NEVER_OUT
from lcode.ensemble.history import History
from lcode.ensemble.problems import FEWEST_EXAMPLES, MOST_EXAMPLES
from lcode.ensemble.tuning import InContextMembers
from lcode.forecast import LEVELS
from lcode.network.in_context import Examples, InContextNetwork

Array = NDArray[np.float64]

END_POINTS = 3
"""Points that forecasts of the end read at most, see `read_points`."""

POINTS = 12
"""Points between cutoff and horizon at which it forecasts at most; in between it is linear."""


class InContext:
    """Forecasts by what came of the finished runs, one metric at a time.

    Args:
        history: the finished runs from the cutoff; those of other problems are examples and never left out.
        networks: the network, tuned to the finished runs or not.
    """

    def __init__(self, history: History, networks: InContextMembers) -> None:
        self._history, self._networks = history, networks
        metrics = range(history.values.shape[1])
        self._runs = [Prefixes.of(history.known, k, history.cutoff, history.horizons) for k in metrics]
        self._for_ends: dict[tuple[int, bytes], Examples] = {}
        self._leads = continuation_grid(history.horizons, history.cutoff, POINTS, BEND)
        epochs = share_epochs(history.horizons, history.cutoff, self._leads)
        path = history.values[..., None]
        self._came = at_epochs(path, history.grid, history.last, history.cutoff, history.horizons, epochs)[..., 0]

    def out_of_fold(self) -> Array:
        """See `BaseModel`."""
        history, judged = self._history, self._history.judged
        asked = history.folds != NEVER_OUT
        path = np.full((*history.values.shape, len(LEVELS)), np.nan)
        for k in range(path.shape[1]):
            came = history.values[:, k, judged]
            for fold in np.unique(history.folds[asked]).tolist():
                own = np.flatnonzero(history.folds == fold)
                # all runs of a fold were left out by one of the networks
                network = self._networks.without(history.rows[own[0]])
                examples = self._examples(network, k, came, history.grid[judged], history.folds != fold)
                if examples is not None:
                    path[own[:, None], k, judged] = examples.quantiles(self._runs[k].rows(own))
        return path[asked]

    def predict(self, observed: Observed, epochs: Array, before: Forecasts) -> Array:
        """See `BaseModel`."""
        known = observed.known
        read = read_points(self._leads, observed.cutoff, observed.horizons, epochs)
        path = np.full((len(observed), *self._came.shape[1:], len(LEVELS)), np.nan)
        for k in range(path.shape[1]):
            examples = self._for_points(k, read)
            if examples is not None:
                path[:, k, read] = examples.quantiles(Prefixes.of(known, k, observed.cutoff, observed.horizons))
        return at_epochs(path, self._leads, known.last, observed.cutoff, observed.horizons, epochs)

    def _for_points(self, metric: int, points: NDArray[np.bool_]) -> Examples | None:
        """The finished runs as read for these points [J]; None: too few have the metric.

        In a live sweep forecasts of the end are asked for run by run, so the examples are read once for them; kept for
        every point they would take too much memory.
        """
        asked = metric, points.tobytes()
        if asked in self._for_ends:
            return self._for_ends[asked]
        came, leads = self._came[:, metric, points], self._leads[points]
        examples = self._examples(self._networks.whole, metric, came, leads, np.ones(len(came), dtype=np.bool_))
        if examples is not None and points.sum() <= END_POINTS:
            self._for_ends[asked] = examples
        return examples

    def _examples(
        self, network: InContextNetwork, metric: int, came: Array, leads: Array, rows: NDArray[np.bool_]
    ) -> Examples | None:
        """Those of these rows [N] whose values [N, J] at the leads [J] are known, as a network reads them.

        Every run that has the metric at all counts for every lead. None: there are too few of them.
        """
        known = np.flatnonzero(np.isfinite(self._came[:, metric]).all(1) & rows)
        if len(known) < FEWEST_EXAMPLES:
            return None
        known = known[np.unique(np.rint(np.linspace(0, len(known) - 1, MOST_EXAMPLES)).astype(np.int64))]
        return network.learn(self._runs[metric].rows(known), came[known], leads)


class Related:
    """The same where runs of related problems are examples too.

    Args:
        history: own finished runs and related ones, see `lcode.ensemble.related`.
        network: the network as it came.
    """

    def __init__(self, history: History, network: InContextNetwork) -> None:
        self._model = InContext(history, InContextMembers([network], history.folds))

    def out_of_fold(self) -> Array:
        """See `BaseModel`; of the own runs."""
        return self._model.out_of_fold()

    def predict(self, observed: Observed, epochs: Array, before: Forecasts) -> Array:
        """See `BaseModel`."""
        assert observed.beside is not None
        return self._model.predict(replace(observed, known=observed.beside), epochs, before)
