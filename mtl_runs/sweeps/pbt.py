"""Population-based training of loss weights (Royer et al., NeurIPS 2023, arXiv 2310.08910).

All members train side by side, each with its own loss weights. Every few epochs those that do worst on validation data
take over network and optimiser of one of the best, with its loss weights changed a little, and go on. So the search
costs as much as training the population once, and what it finds is a schedule of weights. Ray Tune, whose PBT the paper
used, also draws some weights anew in an exchange; here they only grow and shrink.

**Repeatable.** An exchange follows from the logs of its epoch and the seed alone, and is made by replacing the
checkpoints of that epoch, each of which remembers it. Whenever a sweep is interrupted, the same call goes on from there
to the same logs.

**In the logs.** Every epoch of a member names its loss weights (`<task>/loss_weight`) and where its network came from
(`main/parent`, the number of a member, and `main/copied_at`, the epoch of the exchange, 0 = never), so that nobody
takes a curve of several networks for that of one. `mtl_runs.sweeps.lineage` reads a network's history off them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from lcode.errors import LcodeError, UsageError
from lcode.table import Metric, RunStatus
from mtl_runs.exchange import Exchange
from mtl_runs.sweeps.engine import Sweep
from mtl_runs.sweeps.lineage import loss_weights, schedule_text, weight_schedule
from mtl_runs.sweeps.logs import epoch_lines, log_status
from mtl_runs.sweeps.selection import choose_parents, mean_rank, perturb
from mtl_runs.training import RunSpec
from mtl_runs.training.checkpoint import load_checkpoint, save_checkpoint
from mtl_runs.training.header import header_digest
from mtl_runs.training.lock import exclusive
from mtl_runs.training.loop import checkpoint_path


@dataclass(frozen=True)
class Score:
    """How members are compared.

    Attributes:
        name: what `Exchange.objective` calls it.
        of: from values [N, K] and the K metrics to scores of the N members, higher is better, NaN where there is none.
        text: a score in words.
    """

    name: str
    of: Callable[[NDArray[np.float64], Sequence[Metric]], NDArray[np.float64]]
    text: Callable[[float], str]


MEAN_RANK = Score("mean_rank", mean_rank, lambda score: f"mean rank {-score:.2f}")
"""Where there is no baseline."""

REMEDY = "remove the folder and start the sweep again, or choose another one"


@dataclass
class PopulationBasedTraining:
    """Trains the members of one population.

    Args:
        sweep: how they are trained between the exchanges: folder, workers, device, …; without a monitor.
        score: which members are the better ones.
    """

    sweep: Sweep
    score: Score = MEAN_RANK

    def run(self, specs: Sequence[RunSpec]) -> dict[str, RunStatus]:
        """Train these runs, going on where an earlier call was interrupted.

        Args:
            specs: the members by their numbers (`RunConfig.exchange`), alike in all but seed and loss weights; at least
                one.

        Returns:
            Status of every run: finished, or failed if it diverged after the last exchange.

        Raises:
            UsageError: these runs are no population, or a checkpoint is gone that cannot be made again.
            LcodeError: a run killed its workers again and again.
        """
        rule = population_of(specs)
        if rule.objective != self.score.name:
            raise UsageError(f"the members are to be compared by {rule.objective}, not by {self.score.name}")
        if self.sweep.monitor is not None:
            raise UsageError(
                "the members of a population depend on each other: none is stopped, so leave out the monitor"
            )
        seen = {spec.run: max(epoch_lines(self.sweep.folder, spec.run), default=0) for spec in specs}
        # Nobody goes beyond an exchange before it was made for all: those before the last that all have come to were.
        exchanges = rule.epochs(specs[0].horizon)
        last = max((epoch for epoch in exchanges if epoch <= min(seen.values())), default=0)
        statuses = {spec.run: log_status(self.sweep.folder, self.sweep.header(spec)) for spec in specs}
        if all(status in ("finished", "failed") for status in statuses.values()):
            return self.sweep.run(specs)
        for spec in specs:
            if statuses[spec.run] is not None:
                self._check_checkpoint(spec, last if seen[spec.run] > last else last - rule.interval)
        with self.sweep.training() as train:
            sweep = replace(self.sweep, engine=train)
            for epoch in exchanges:
                if epoch >= last:
                    sweep.run(specs, until=epoch)
                    self._exchange(specs, rule, epoch)
            return sweep.run(specs)

    def scores(self, specs: Sequence[RunSpec], epoch: int) -> NDArray[np.float64]:
        """Scores of the members at an epoch by their logs, higher is better; NaN for those that diverged, [N]."""
        metrics = self.sweep.header(specs[0]).metrics
        lines = [epoch_lines(self.sweep.folder, spec.run).get(epoch, {"values": {}}) for spec in specs]
        values = np.array([[line["values"].get(metric.key, np.nan) for metric in metrics] for line in lines])
        return self.score.of(values, metrics)

    def summary(self, specs: Sequence[RunSpec]) -> str:
        """Who is best at the end, and the loss weights that its network was trained with, as lines for the user."""
        scores = self.scores(specs, specs[0].horizon)
        if not np.isfinite(scores).any():
            return "no member has a finite value of every metric at the end"
        best = int(np.nanargmax(scores))
        schedule = weight_schedule(self.sweep.folder, specs, specs[best].run)
        return (
            f"best on validation data: {specs[best].run} ({self.score.text(scores[best])}); its network was trained "
            f"with the loss weights\n{schedule_text(schedule)}"
        )

    def _exchange(self, specs: Sequence[RunSpec], rule: Exchange, epoch: int) -> None:
        """Make the exchange after this epoch, or what was not yet made of it."""
        lines = [epoch_lines(self.sweep.folder, spec.run) for spec in specs]
        lost = [spec.run for spec, own in zip(specs, lines, strict=True) if epoch not in own]
        if lost:
            raise LcodeError(
                f"these members killed their worker processes and were given up: {', '.join(lost)}; a population does "
                "not go on without them; is there enough memory?"
            )
        generator = np.random.default_rng([rule.seed, epoch])
        with ExitStack() as stack:
            for spec in specs:
                stack.enter_context(exclusive(self._checkpoint(spec).with_name("lock")))
            for member, parent in choose_parents(self.scores(specs, epoch), rule.quantile, generator):
                of_parent = np.array(list(loss_weights(lines[parent][epoch]).values()))
                weights = perturb(of_parent, rule.perturbation, generator)
                self._copy(specs[member], specs[parent], parent, epoch, weights)

    def _copy(self, spec: RunSpec, parent: RunSpec, number: int, epoch: int, weights: NDArray[np.float64]) -> None:
        """Put the parent's network, optimiser and balancer into the member's checkpoint, unless that was done before.

        The member keeps its random generators: with the parent's it would see the same batches in the same order.
        """
        _, own = self._load(spec)
        if own["memory.exchange.copied_at"].item() == epoch:
            return
        parents_epoch, theirs = self._load(parent)
        if parents_epoch != epoch:
            raise UsageError(
                f"member '{spec.run}' in {self.sweep.folder} takes the network that '{parent.run}' had after epoch "
                f"{epoch}, but that is gone on to epoch {parents_epoch}; {REMEDY}"
            )
        new = {
            "memory.exchange.parent": [float(number)],
            "memory.exchange.copied_at": [float(epoch)],
            "memory.exchange.weights": weights.tolist(),
        }
        tensors = {
            **theirs,
            **{name: value for name, value in own.items() if name.startswith("generator.")},
            **{name: torch.tensor(value, dtype=torch.float64) for name, value in new.items()},
        }
        save_checkpoint(self._checkpoint(spec), tensors, epoch=epoch, digest=header_digest(self.sweep.header(spec)))

    def _check_checkpoint(self, spec: RunSpec, needed: int) -> None:
        """Whether a member can go on: from before an exchange nothing can be trained again.

        Raises:
            UsageError: its checkpoint is missing, damaged, or from before the epoch.
        """
        found, _ = self._load(spec)
        if found < needed:
            raise UsageError(
                f"member '{spec.run}' in {self.sweep.folder} has no usable checkpoint of epoch {needed} or later, and "
                f"without the others' earlier networks it cannot be trained again; {REMEDY}"
            )

    def _load(self, spec: RunSpec) -> tuple[int, dict[str, torch.Tensor]]:
        return load_checkpoint(self._checkpoint(spec), digest=header_digest(self.sweep.header(spec)))

    def _checkpoint(self, spec: RunSpec) -> Path:
        return checkpoint_path(self.sweep.folder, spec.run)


def population_of(specs: Sequence[RunSpec]) -> Exchange:
    """The rules of the population that these runs are.

    Raises:
        UsageError: they are none: a run is on its own, its number is not its place, there is no time for an exchange,
            or the runs differ in more than seed and loss weights. The message names both.
    """
    first = specs[0]
    rule = first.config.exchange
    if rule is None:
        raise UsageError(f"run '{first.run}' is no member of a population; give its configuration an `exchange`")
    if not rule.epochs(first.horizon):
        raise UsageError(
            f"the first exchange would be after epoch {rule.interval}, but the runs end with epoch {first.horizon}; "
            "train longer, or exchange more often"
        )
    for place, spec in enumerate(specs):
        found, expected = _common(spec), {**_common(first), "pbt.member": place, "pbt.members": len(specs)}
        for name in expected:
            if found[name] != expected[name]:
                raise UsageError(
                    f"run '{spec.run}' cannot be a member of the population of '{first.run}': its {name} is "
                    f"{found[name]}, not {expected[name]}; members differ in seed and loss weights only"
                )
    return rule


def _common(spec: RunSpec) -> dict[str, object]:
    """What all members of a population have in common, by name."""
    config = vars(spec.config)
    rule = spec.config.exchange
    return {
        "problem": spec.problem,
        "horizon": spec.horizon,
        **{name: value for name, value in config.items() if name not in ("exchange", "loss_weights")},
        **({"pbt.member": None, "pbt.members": None} if rule is None else rule.for_log()),
    }
