"""The in-context network, tuned to the finished runs of one problem.

What a problem has of its own, such as what its settings do, a network that reads examples can only guess at from
them; with many runs it is worth learning. On three tables of LCBench's design half that the network had never seen,
tuned to 200 runs, its pinball loss at the ends was 16 to 36 % smaller after 1 and 5 of 52 epochs, on two problems of
the corpus 2 to 3 %; tuned to 80 runs 0 to 20 %. Tuned to 30 it was 5 to 12 % larger on a workload of AlgoPerf, so few
runs leave it as it is.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from lcode.ensemble.problems import MOST_EXAMPLES, Problem, batch_of, drawn, drawn_lead
from lcode.ensemble.settings import share_of_many
from lcode.network.adamw import AdamW
from lcode.network.in_context import InContextNetwork
from lcode.network.losses import pinball

STEPS, RATE = 60, 1e-3
"""Steps of each member with many finished runs, and the peak of their learning rate.

On three tables as above the CRPS of the whole forecast with 200 runs fell by 2, 5 and 2 % after 1, 5 and 15 epochs with
40 steps, by 2, 8 and 6 % with 200 and a batch for each, which take eight times as long. A rate of 3e-4 learned too
little in 60 steps, one of 2e-3 no more.
"""

PROBLEMS = 2
"""Problems per step."""

EXAMPLES = (0.4, 0.8)
"""Of the runs of a problem so large a share are examples, from and to, log-uniform."""

USED = 3
"""Steps that each batch is used for: to draw one costs half as much as a step, and a new one each time is hardly
better."""

WARM = 3
"""Steps at least in which the learning rate rises: Adam's first ones are as large as the rate, whatever the
gradient."""

LEAST = 10
"""Runs that a problem must have to be learned from. By judgement: four examples and six others."""


@dataclass(frozen=True, eq=False)
class InContextMembers:
    """An in-context network for what was left out, and one for everything else.

    Attributes:
        members: each was tuned without the runs of one fold; or a single one that was not tuned at all.
        folds: fold of each of N finished runs, [N].
    """

    members: Sequence[InContextNetwork]
    folds: NDArray[np.int64]

    def without(self, run: np.int64) -> InContextNetwork:
        """The network that never learned from this finished run."""
        return self.members[int(self.folds[run]) % len(self.members)] if len(self.members) > 1 else self.members[0]

    @cached_property
    def whole(self) -> InContextNetwork:
        """The network for runs in progress: the mean of the members' parameters.

        Networks tuned from one start lie close enough for that, and their mean forecasts better than any of them
        (Wortsman et al. 2022, "Model soups", arXiv 2203.05482).
        """
        if len(self.members) == 1:
            return self.members[0]
        mean = copy.deepcopy(self.members[0])
        with torch.no_grad():
            for parameters in zip(mean.parameters(), *(one.parameters() for one in self.members), strict=True):
                parameters[0].copy_(torch.stack(parameters[1:]).mean(0))
        return mean


def tune(
    network: InContextNetwork,
    problems: Sequence[Problem],
    folds: NDArray[np.int64],
    seed: int,
    advance: Callable[[int, int], None] | None = None,
) -> list[InContextNetwork]:
    """Tune the network to finished runs, once without each fold.

    A network that has learned from a run knows how it ended, so that weights and widths learned on such forecasts would
    be too trusting: what is left out is left out here too.

    Args:
        network: pretrained on other problems; it stays as it is.
        problems: those of N finished runs.
        folds: fold of each, [N].
        seed: of what is drawn.
        advance: called after each step with the steps that are done and all that there are.

    Returns:
        A network for each fold; none where there are too few runs to learn from.
    """
    steps = steps_for(len(folds))
    count = int(folds.max(initial=-1)) + 1
    if not steps or count < 2:
        return []
    tuned = []
    for fold in range(count):
        known = _without(problems, folds, fold)
        if not known:
            return []
        tuned.append(copy.deepcopy(network))
        for step in _learning(tuned[-1], known, steps, np.random.default_rng((seed, fold))):
            if advance is not None:
                advance(fold * steps + step, count * steps)
    return tuned


def steps_for(runs: int) -> int:
    """Steps of each member by the number of finished runs: none with few."""
    return round(STEPS * share_of_many(runs) * max(math.sqrt(runs / 300), 1.0))


def _without(problems: Sequence[Problem], folds: NDArray[np.int64], fold: int) -> list[Problem]:
    """The problems without the runs of a fold, as far as enough is known of them at some lead."""
    rest = (one.rows(folds[one.index] != fold) for one in problems)
    return [one for one in rest if np.isfinite(one.came).sum(0).max() >= LEAST]


def _learning(
    network: InContextNetwork, problems: Sequence[Problem], steps: int, draw: np.random.Generator
) -> Iterator[int]:
    """Train a network in place on problems of one table; yields how many steps it has made."""
    optimiser = AdamW(network.parameters(), weight_decay=0.0)
    device = next(network.parameters()).device
    batches = [tuple(part.to(device) for part in _batch(problems, draw)) for _ in range(-(-steps // USED))]
    for step in range(steps):
        *given, came = batches[step % len(batches)]
        loss = pinball(network(*given)[None], came).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        rise = min(1.0, (step + 1) / max(0.1 * steps, WARM))
        optimiser.step(RATE * rise * 0.5 * (1 + math.cos(math.pi * step / steps)))
        yield step + 1


def _batch(problems: Sequence[Problem], draw: np.random.Generator) -> tuple[torch.Tensor, ...]:
    """Arguments of the network for some problems with as many examples each, and what came."""
    chosen: list[tuple[Problem, int]] = []
    while len(chosen) < PROBLEMS:
        lead = drawn_lead(draw)
        problem = problems[int(draw.integers(len(problems)))]
        if np.isfinite(problem.came[:, lead]).sum() >= LEAST:
            chosen.append((problem.at(lead), lead))
    fewest, most = map(math.log, EXAMPLES)
    share = math.exp(draw.uniform(fewest, most))
    examples = min(round(share * min(len(problem) for problem, _ in chosen)), MOST_EXAMPLES)
    return batch_of([drawn(problem, lead, examples, draw) for problem, lead in chosen])
