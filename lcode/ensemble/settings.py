"""How much evidence the ensemble asks for, and whom it believes: each number in one place, with what it was chosen on.

How long networks train stands in `lcode.ensemble.training` and `tuning`; sizes that bound time and memory, and numbers
that keep a division finite, stay where they are used. "Design half" means `lcode.benchmarks.design_sources()` and the
training problems of the corpus. Nothing here was chosen on the report half, but for `strata` (TaskSet) and in part
`seasoned` (`cells`), which are older than the halves, and that runs unlike the others yield at all (`cifar10_cnn`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class EnsembleSettings:
    """How much evidence it takes to believe what, from base models to intervals."""

    folds: int = 5
    """Parts into which finished runs are divided; each is forecast by what was learned from the others. Usual, not
    tuned (Hastie et al. 2009, section 7.10)."""

    few: int = 30
    """Finished runs up to which all settings are those for few runs: no network learns from them, see `Recipe.fit`,
    what is learned at a cutoff serves those that are 15 % later, the whole of a widening is taken."""

    many: int = 120
    """From so many on they are those for many; in between they go with the logarithm. See
    `settings_for` for what it was measured on."""

    least_later: int = 4
    """Finished runs that must have gone on after a cutoff for anything to be learned there, so that each fold leaves
    three."""

    ends: tuple[float, float] = (0.3, 0.7)
    """Leads up to which, and from which on, one set of weights and widths holds; in between they are interpolated. By
    judgement, never tuned."""

    ripe: float = 0.1
    """Share of the horizon from which on the pretrained network, which reads each curve by itself, knows as much as
    any. With 30 finished runs of two tables of LCBench's design half surprises counted from it alone took 10 to 50 %
    off the CRPS from a tenth of the horizon on, and cost 0 to 13 % at the first epoch."""

    seasoned: float = 3.0
    """What the pretrained network counts for in the prior of the stacking from `ripe` on; at the start one over it. On
    the design half, 10 and 30 finished runs, one evaluation seen: a third instead of one changed the CRPS by -2 % on
    LCBench (5 tables), -4 % on `cells`, 0 % on AlgoPerf (3 workloads)."""

    examples: float = 4.0
    """What the in-context network counts for there, which has learned from other problems how such runs go on. Chosen
    on tables of the design half and of the corpus that a network trained for this purpose had not seen: more helps on
    LCBench after one evaluation, and costs on AlgoPerf, whose submissions differ in kind."""

    alike: float = 16.0
    """What related runs count for there as they are, times the fourth power of the share of own ends among theirs. On
    the design half that was .75 to .92 for fastMRI in two implementations and for `fashion` beside `digits-pair`, where
    they help, and .53 or less for tables of LCBench and for `particles` beside `particles-hot`, where they mostly harm.
    16 instead of 1 changed the CRPS of the ends of `fashion`, which the in-context network had seen, by +3 to -14 %."""

    shrink: float = 2.0
    """In runs: with so many finished ones the data and the prior weights of the stacking have about equal say. On the
    design half (11 tables of AlgoPerf and LCBench, 10, 30 and 100 finished runs, six cutoffs each) 1 and 4 changed the
    CRPS by -6 and -8 % on AlgoPerf, by +1 % on LCBench."""

    strata: tuple[int, int] = (80, 5)
    """For each so many runs there is one more factor of the width, for the wider half of the widest part; and how many
    there are at most. On a problem where few runs learn, wide intervals belong to other runs than narrow ones: on
    TaskSet with one factor for all, 80 % of the final values of the runs that learn were covered, and 84 % with
    five."""

    own_factor: float = 60.0
    """In runs: with so many a metric's own factor counts as much as that of all metrics together, and the factor of
    forecasts of one width as much as that of all widths. By judgement, never tuned."""

    trusted: float = 10.0
    """In runs: with so many, intervals that were too wide for the left-out runs are narrowed half-way. A mixture of
    forecasts that are as wide as they should be is too wide where they disagree (Gneiting & Ranjan 2013, "Combining
    predictive distributions"). Chosen on tables of LCBench's design half, where 90 % intervals covered more with 10
    runs."""

    factors: tuple[float, float] = (0.6, 2.5)
    """Intervals are scaled by no less and no more: what asks for more is another fault than the width. By judgement."""

    tilt: float = 0.4
    """Correlation, after the first evaluation, of what the settings promise with what a zero-shot forecast leaves open;
    it falls as one over the square of the number of evaluations. Chosen on the design half and the corpus's training
    problems, with surfaces learned from others of them: from .3 to .6 the CRPS is about the same, and after the second
    evaluation nothing is gained."""

    usual: float = 0.9
    """Quantile of the finished runs' distances to their nearest other one: a run that is no further from the next is
    not unusual yet. By judgement."""

    unlike: float = 3.0
    """In usual distances: from so far on what was learned from the finished runs counts least for a run; up to one it
    counts in full. By judgement."""

    yields: float = 0.9
    """Share of the weights that goes elsewhere for such a run. Without all this, measured on cifar10_cnn at a fifth of
    the horizon, the CRPS was 8 and 3 % larger with 30 and 10 runs; on tables of the design half it was the same."""

    belief: float = 0.75
    """Probability that this is right before any left-out run has spoken. By judgement, never tuned."""

    departure: float = 0.5
    """Share of a run's own departure from the median change that counts in the order of runs without a finished one. On
    47 small trainings of the most different kinds Kendall's τ was below the last value's by .04 with all of it and by
    .005 with half, at a fifth of the horizon, with 1 % less error; on LCBench's design half it was .09 higher."""


SETTINGS = EnsembleSettings()
"""The ones that all forecasts use."""


def share_of_many(runs: float) -> float:
    """How far so many finished runs are many: 0 up to `few`, 1 from `many` on, linear in the logarithm in between."""
    few, many = SETTINGS.few, SETTINGS.many
    return min(max(math.log(max(runs, 1) / few) / math.log(many / few), 0.0), 1.0)
