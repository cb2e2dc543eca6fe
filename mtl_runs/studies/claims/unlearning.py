"""A problem of unlearning: a network that knows all digits forgets one of them and keeps the others.

Two tasks on the same answers: `keep`, whose cross-entropy falls, and `forget`, whose cross-entropy rises, as NGDiff's
paper (arXiv 2410.22086) has it: its loss is the negative one. A sample counts for one of them, and has the target
`NOT_MINE` in the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from lcode.table import Metric
from mtl_runs.networks import own_randomness
from mtl_runs.problems import Classification, Problem, Split
from mtl_runs.problems.digits import digit_pictures
from mtl_runs.problems.overlap import divide

KEEP_TASK, FORGET_TASK = "keep", "forget"
CLASSES, NOT_MINE = 10, -1

FORGOTTEN = 0.9
"""Error of the digit that was to be forgotten, at which it counts as forgotten: that of who guesses."""

NOISE = 0.3
"""Deviation of a pixel, whose ink is 0 to 1."""

WIDTH, EPOCHS, BATCH, RATE = 32, 15, 64, 1e-2
"""Of the network and of its first training, by Adam under a cosine."""


@dataclass(frozen=True)
class Kept(Classification):
    """Classes of the samples that are this task's."""

    sign = 1.0

    def refuses(self, targets: Tensor, n_samples: int, input_shape: Sequence[int]) -> str | None:
        """As other classes, of the samples that are this task's."""
        return super().refuses(targets.where(targets != NOT_MINE, 0), n_samples, input_shape)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy of the task's samples in each member's batch, times the task's sign; 0 without any."""
        mine = targets != NOT_MINE
        chosen = outputs.log_softmax(-1).gather(-1, targets.clamp(min=0).unsqueeze(-1)).squeeze(-1)
        return -self.sign * (chosen * mine).sum(-1) / mine.sum(-1).clamp(min=1)

    def tally(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Wrong answers and answers of the task's samples."""
        return super().tally(outputs[:, targets != NOT_MINE], targets[targets != NOT_MINE])


@dataclass(frozen=True)
class Forgotten(Kept):
    """Classes that shall not be known: the larger the cross-entropy, the better."""

    sign = -1.0

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """`err`, 0..1, larger is better."""
        return (Metric(self.name, "err", "max"),)


class Shift(nn.Module):
    """Adds one number to all logits, which no probability notices: both tasks read the same answers."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(()))

    def forward(self, logits: Tensor) -> Tensor:
        """The logits, all moved alike."""
        return logits + self.shift


def forgetting(seed: int) -> Problem:
    """The problem that goes with a seed: each tenth forgets the same digit. Its network has learned all of them."""
    return _forgetting_digit(seed % CLASSES)


def kept_score(values: Mapping[str, float]) -> float:
    """Share of right answers to what was to be kept, less what is missing of forgetting; at most 1."""
    return 1 - values[f"{KEEP_TASK}/err"] - max(0.0, FORGOTTEN - values[f"{FORGET_TASK}/err"])


@lru_cache(maxsize=CLASSES)
def _forgetting_digit(forgotten: int) -> Problem:
    splits = []
    for pictures, classes in _pictures():
        mine = classes == forgotten
        targets = {
            KEEP_TASK: torch.where(mine, NOT_MINE, classes),
            FORGET_TASK: torch.where(mine, classes, NOT_MINE),
        }
        splits.append(Split(pictures, targets))
    tasks = (Kept(KEEP_TASK, CLASSES), Forgotten(FORGET_TASK, CLASSES))
    return Problem(f"forget-{forgotten}", tasks, *splits, network=_learned_everything)


def landmarks(seed: int) -> dict[str, dict[str, float]]:
    """Errors on the test split of the network before it forgets, and of one that has never seen the digit."""
    problem = forgetting(seed)
    kept = problem.train.targets[KEEP_TASK] != NOT_MINE
    found = {}
    for label, wanted in {"before": torch.ones_like(kept), "never seen": kept}.items():
        with own_randomness(3 * seed):  # as the trainer seeds the network that it is handed
            network = _learn(wanted)
        with torch.no_grad():
            logits = network(problem.test.inputs).unsqueeze(0)
        found[label] = {
            key: value.item()
            for task in problem.tasks
            for key, value in task.measure(task.tally(logits, problem.test.targets[task.name])).items()
        }
    return found


@lru_cache(maxsize=1)
def _pictures() -> list[tuple[Tensor, Tensor]]:
    """Noisy pictures and their classes: training, validation and test, 60/20/20."""
    generator = np.random.default_rng(0)
    pictures, classes = digit_pictures()
    noisy = (pictures + generator.normal(0, NOISE, pictures.shape)).reshape(len(pictures), -1)
    parts = divide(len(pictures), generator)
    return [(torch.from_numpy(noisy[part].astype(np.float32)), torch.from_numpy(classes[part])) for part in parts]


def _learned_everything() -> tuple[nn.Module, Mapping[str, nn.Module]]:
    """The network that is to forget; which one depends on torch's global seed, as that of any own network."""
    network = deepcopy(_learned_with(torch.initial_seed()))
    return network, {KEEP_TASK: Shift(), FORGET_TASK: Shift()}


@lru_cache(maxsize=32)
def _learned_with(seed: int) -> nn.Module:
    """The network of a seed: headers ask for the same one again."""
    with own_randomness(seed):
        return _learn(torch.ones(len(_pictures()[0][0]), dtype=torch.bool))


def _learn(wanted: Tensor) -> nn.Module:
    """A perceptron trained on these of the training pictures; draws from torch's global generator."""
    network = nn.Sequential(
        nn.Linear(64, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, CLASSES)
    )
    pictures, classes = (values[wanted] for values in _pictures()[0])
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(pictures)).split(BATCH):
            optimizer.zero_grad()
            cross_entropy(network(pictures[batch]), classes[batch]).backward()
            optimizer.step()
        schedule.step()
    return network
