"""What runs that have not begun may gain over the best finished one, by their configurations alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lcode.arguments import as_config
from lcode.decisions import FinalValue, score_samples
from lcode.decisions.rule import SAMPLES
from lcode.hooks.live_run import Epoch, LiveRun, live_table
from lcode.hooks.live_sweep import LiveSweep
from lcode.isolation import isolated


def expected_gains(
    sweep: LiveSweep, configs: Sequence[Mapping[str, Any]], horizon: Epoch, final: FinalValue, num_threads: int
) -> NDArray[np.float64] | None:
    """Expected improvement of each configuration over the best finished run, in units of the objective's score.

    Args:
        sweep: what is known.
        configs: hyper-parameters of C runs.
        horizon: their last planned epoch.
        final: what a run ends with.
        num_threads: torch threads while forecasting.

    Returns:
        `E[max(0, score − best)]`, shape [C], ≥ 0; NaN for one that cannot be forecast from its configuration. None
        while no finished run has a score, and of an objective that scores runs against one another.
    """
    scores = sweep.scores
    best = max((*scores.standings.past.values(), *scores.standings.finished.values()), default=None)
    if scores.objective is None or scores.objective.relative or best is None or not configs:
        return None
    names = [f"candidate {number}" for number in range(len(configs))]
    runs = [LiveRun(name, horizon, config=as_config(one, name)) for name, one in zip(names, configs, strict=True)]
    with isolated(num_threads):
        table = live_table(runs, sweep.metrics, sweep.axis.unit, status="running")
        forecast = final.of_forecast(sweep.forecaster().predict(table, final.at), table)
    samples = score_samples(forecast, scores.objective, n=SAMPLES, seed=0, archs=[None] * len(runs))
    gains: NDArray[np.float64] = np.maximum(samples - best, 0.0).mean(0)
    return gains
