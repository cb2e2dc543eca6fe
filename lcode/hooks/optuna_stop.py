"""Optuna: end a study in which no new trial is expected to gain anything."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lcode.arguments import check_count
from lcode.errors import UsageError
from lcode.hooks.extras import missing
from lcode.hooks.optuna import LcodePruner

try:
    from optuna import Study
    from optuna.samplers import RandomSampler
    from optuna.search_space import intersection_search_space
    from optuna.trial import FrozenTrial, TrialState
except ImportError as error:
    raise missing("Optuna", "optuna") from error

ATTRIBUTE = "lcode:nothing_to_gain"
"""Attribute of a study that was ended, with the reason."""


class NothingToGain:
    """A callback that stops a study when no new trial is expected to beat the best one by more than a little.

    After each complete trial it draws configurations, half of them at random from the search space that the complete
    trials share, half from the best trials with one parameter drawn anew. Each is forecast from its configuration
    alone, as what the complete trials have taught, and its expected improvement over the best finished trial counted:
    `E[max(0, score − best)]`. Is the largest below `gain`, `study.stop()` is called: trials that run are finished, none
    is started. Nothing is promised of configurations that were not drawn, nor of ones outside the search space.

    Examples:
        >>> import optuna
        >>> from lcode.hooks.optuna import LcodePruner
        >>> from lcode.hooks.optuna_stop import NothingToGain
        >>> study = optuna.create_study(direction="maximize", pruner=LcodePruner(horizon=10))
        >>> study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2, callbacks=[NothingToGain(0.01)])
    """

    def __init__(self, gain: float, *, candidates: int = 64, min_trials: int = 10, seed: int = 0) -> None:
        """Make a callback for `study.optimize(callbacks=[…])`; the study has an `LcodePruner`.

        Args:
            gain: expected improvement below which a trial is not worth its training, > 0, in the unit of the scores in
                the verdicts' reasons: of one metric, its own; of several, per cent of Δm, or that of `objective`.
            candidates: how many configurations are drawn.
            min_trials: no study is ended before so many trials have finished.
            seed: of the draws.

        Raises:
            UsageError: a number out of range.
        """
        if isinstance(gain, bool) or not gain > 0 or not math.isfinite(gain):
            raise UsageError(f"gain is {gain!r}; it is a number above 0, such as 0.01 of an accuracy")
        check_count("candidates", candidates, 1)
        check_count("min_trials", min_trials, 1)
        self.gain, self.candidates, self.min_trials = gain, candidates, min_trials
        self._seed = seed

    def __call__(self, study: Study, trial: FrozenTrial) -> None:
        """What Optuna calls after each trial.

        Raises:
            UsageError: the study has another pruner.
        """
        pruner = study.pruner
        if not isinstance(pruner, LcodePruner):
            raise UsageError(
                f"the study's pruner is a {type(pruner).__name__}; "
                "give it ours: optuna.create_study(pruner=LcodePruner(horizon=30))"
            )
        if trial.state != TrialState.COMPLETE:
            return
        gains = pruner.expected_gains(study, self._drawn(study), min_trials=self.min_trials)
        if gains is not None and gains.max() < self.gain:  # not where one cannot be forecast
            reason = f"the largest expected gain of {len(gains)} new trials is {gains.max():.3g}, below {self.gain:g}"
            study.set_user_attr(ATTRIBUTE, reason)
            study.stop()

    def _drawn(self, study: Study) -> list[dict[str, Any]]:
        """Configurations of trials that there might be; none where the trials share no parameter."""
        complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        space = intersection_search_space(complete)
        rng = np.random.default_rng([self._seed, len(complete)])
        sampler = RandomSampler(seed=int(rng.integers(2**31)))
        best, drawn = study.best_trials, []
        for number in range(self.candidates if space else 0):
            fresh = {name: sampler.sample_independent(study, complete[0], name, of) for name, of in space.items()}
            if number % 2:
                near, anew = best[rng.integers(len(best))], str(rng.choice(list(space)))
                fresh = {**{name: near.params[name] for name in space}, anew: fresh[anew]}
            drawn.append(fresh)
        return drawn
