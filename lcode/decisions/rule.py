"""Rules that stop a run: by its forecast, or, for comparison, by the median of the others at the same epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lcode.arguments import check_count, check_share
from lcode.decisions.ledger import Outlook
from lcode.decisions.standings import Standings
from lcode.decisions.verdict import Action, Verdict
from lcode.forecast import sample_quantiles
from lcode.show import interval

SAMPLES = 512
"""Samples of a run's score that a verdict counts its probability on: a standard error of 0.02 at δ = 0.2."""

DELTA = 0.2
"""A run that is less likely to beat the incumbent is stopped.

Chosen on the design half (docs/replay.md): a smaller one trains many runs far that beat nobody where forecasts stay
wide; a larger one saves little more on LCBench, and lost the best run of one of its tables.
"""

LASTING = 5
"""Reports in a row in which a metric is NaN or infinite until its run counts as diverged.

An undefined metric lasts one report or two, a loss that overflows until a loss scaler has settled three. A diverged
network does not recover: of 1,974 curves of TaskSet (three losses, 8,000 runs) that cease to be finite none does, so
waiting costs four epochs.
"""


class Weighed(NamedTuple):
    """Whether a run is to be stopped, why (after its probability), and what chance of a loss that adds, if known."""

    stop: bool
    reason: str
    price: float | None = None


@dataclass(frozen=True)
class StopRule:
    """Stop a run whose probability of beating the incumbent by its horizon is below `delta`.

    No run is stopped before `min_epochs`, nor while fewer than `keep` other runs of the sweep (finished or live)
    are better than it is expected to be: at least `keep` runs of a sweep are trained to the end, however good the
    runs before it were. Diverged runs are the caller's to stop, at once.

    Attributes:
        delta: probability below which a run is stopped, 0 to 1.
        min_epochs: first epoch at which a run may be stopped.
        keep: the best so many runs of the sweep, by current expectation, are never stopped.
        every: decide at the first report at or after each multiple of so many epochs only.
        pools: whether earlier forecasts of a run have a say in what is believed of it, see `pooled`.
    """

    pools: ClassVar[bool] = False
    delta: float = DELTA
    min_epochs: int = 3
    keep: int = 3
    every: int = 1

    def __post_init__(self) -> None:
        check_share("delta", self.delta)
        for name, least in (("min_epochs", 0), ("keep", 0), ("every", 1)):
            check_count(name, getattr(self, name), least)

    def due(self, epoch: float, previous: float | None = None) -> bool:
        """Whether a decision is due when a run has reached this epoch: the first report since a multiple of `every`.

        Runs need not report every epoch: evaluated at 3, 8, 13, … they are decided on at 8, 13, … with `every=5`.

        Args:
            epoch: last epoch that was reported.
            previous: the last one that was reported before it, -1 if there is none; default: the epoch before.
        """
        before = epoch - 1 if previous is None else previous
        return epoch // self.every > max(before, self.min_epochs - 1) // self.every

    def next_due(self, epoch: float) -> int:
        """First epoch after this one at which, or at the first report after which, a decision is due."""
        first = max(int(epoch) + 1, self.min_epochs)
        return -(-first // self.every) * self.every

    def decide(
        self,
        run: str,
        epoch: float,
        samples: NDArray[np.float64],
        standings: Standings,
        *,
        left: float = 1.0,
        unit: str = "",
        forecast: Mapping[str, Mapping[str, float]] | None = None,
        by_mean: bool = False,
    ) -> Verdict:
        """The verdict on a run whose score at the horizon has been forecast.

        Args:
            run: name of the run.
            epoch: last epoch that the forecast has seen.
            samples: samples of the run's score at its horizon, shape [n], higher is better; NaN = no forecast, as
                for a task without a value so far.
            standings: the other runs; of this one what was forecast last, see `pooled`.
            left: share of the run's epochs that are still to come, 0 to 1.
            unit: what a score is measured in, for the reason.
            forecast: summary to be carried by the verdict.
            by_mean: whether the mean of the samples is expected, as of ranks and chances, in place of their median.
        """
        forecast = forecast or {}
        if not np.isfinite(samples).all():
            return Verdict(run, epoch, "continue", "there is no forecast of every task yet", forecast=forecast)
        samples = self.pooled(run, samples, standings)
        low, expected, high = sample_quantiles(samples, (0.05, 0.5, 0.95)).tolist()
        expected = float(samples.mean()) if by_mean else expected
        seen = f"expected {interval(expected, low, high)} {unit}".rstrip()
        outlook = Outlook.of(samples)
        incumbent = standings.incumbent(run)
        if incumbent is None:
            reason = f"no other run to compare with; {seen}"
            return Verdict(run, epoch, "continue", reason, None, expected, forecast, outlook=outlook.scores)
        probability = float((samples > incumbent.score).mean())
        worth = self.weigh(run, epoch, outlook, probability, standings, left)
        reason = f"P(beats {incumbent}) = {probability:.3f}{worth.reason}"
        action: Action = "continue"
        if worth.stop and standings.better(run, expected) < self.keep:
            reason += f", but one of the sweep's best {self.keep} so far"
        elif worth.stop:
            action = "stop"
        return Verdict(
            run, epoch, action, f"{reason}; {seen}", probability, expected, forecast,
            price=worth.price, outlook=outlook.scores,
        )  # fmt: skip

    def pooled(self, run: str, samples: NDArray[np.float64], standings: Standings) -> NDArray[np.float64]:
        """What is believed of the run after this forecast: the forecast itself."""
        return samples

    def weigh(
        self, run: str, epoch: float, outlook: Outlook, probability: float, standings: Standings, left: float
    ) -> Weighed:
        """Whether a run is to be stopped, as far as `keep` lets it be.

        Args:
            run: name of the run.
            epoch: last epoch that the forecast has seen.
            outlook: how it will end.
            probability: that it beats the incumbent.
            standings: the other runs.
            left: share of the run's epochs that are still to come, 0 to 1.
        """
        stop = probability < self.delta
        return Weighed(stop, f" {'<' if stop else '≥'} {self.delta:g}")


def diverged_verdict(run: str, epoch: float, metric: str, value: float) -> Verdict:
    """Stop: a metric of the run became NaN or infinite at this epoch, and stayed so."""
    since = f"at epoch {epoch} and in all reports since, {LASTING} or more"
    return Verdict(run, epoch, "stop", f"diverged: {metric} is {value:g} {since}", probability=0.0)


class Bar(NamedTuple):
    """The score that a run must reach at an epoch, and on how many finished runs it rests; None: no bar yet."""

    score: float | None
    runs: int


@dataclass(frozen=True)
class MedianRule:
    """Stop a run whose best score so far is below the median score of the finished runs at the same epoch.

    The rule of Google Vizier (Golovin et al. 2017) in the form of Optuna's `MedianPruner`, and with another `top` that
    of its `PercentilePruner`: it forecasts nothing, and runs that were stopped before do not count. It takes the score
    of the objective where those take one metric.

    Attributes:
        n_startup: finished runs needed before any run is stopped.
        min_epochs: first epoch at which a run may be stopped.
        top: a run goes on while its best score would be in this share of the finished runs' scores, 0 to 1; one half
            for the median, 0.25 for the best quarter.
    """

    n_startup: int = 5
    min_epochs: int = 3
    top: float = 0.5

    def __post_init__(self) -> None:
        for name in ("n_startup", "min_epochs"):
            check_count(name, getattr(self, name), 0)
        check_share("top", self.top)

    def bar(self, peers: Sequence[float]) -> Bar:
        """The score to reach where the finished runs have these at the same epoch, ascending; linear between two."""
        count = len(peers)
        if not count or count < self.n_startup:
            return Bar(None, count)
        place = (1 - self.top) * (count - 1)
        below = min(int(place), max(count - 2, 0))
        low, high = peers[below], peers[min(below + 1, count - 1)]
        return Bar(low + (place - below) * (high - low), count)

    def decide(self, run: str, epoch: int | float, best: float, peers: NDArray[np.float64] | Bar) -> Verdict:
        """The verdict on a run.

        Args:
            run: name of the run.
            epoch: its last epoch.
            best: its best score so far, higher is better.
            peers: scores of the finished runs at that epoch, shape [N], NaN where one has none; or their `bar`.
        """
        bar, runs = peers if isinstance(peers, Bar) else self.bar(np.sort(peers[np.isfinite(peers)]).tolist())
        if bar is None or epoch < self.min_epochs:
            return Verdict(run, epoch, "continue", f"{runs} finished runs to compare with at epoch {epoch}")
        what = "the median" if self.top == 0.5 else f"that of the best {self.top:.0%}"
        if best < bar:
            return Verdict(run, epoch, "stop", f"best score so far {best:.3g} is below {what} {bar:.3g} of {runs} runs")
        return Verdict(run, epoch, "continue", f"best score so far {best:.3g} ≥ {what.removeprefix('the ')} {bar:.3g}")
