"""Tasks of Meta-World (Yu et al. 2019, arXiv 1910.10897; McLean et al. 2025, arXiv 2505.11289) as a world.

`pip install 'lcode[metaworld]'` brings its simulator, which needs no screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lcode.errors import MissingExtraError
from mtl_runs.control.world import Act, Episode

try:
    import metaworld
except ImportError as error:
    raise MissingExtraError(
        "this world is Meta-World's, which is not installed; pip install 'lcode[metaworld]'"
    ) from error

STEPS = 200
"""Of an episode; Meta-World's own go on to the 500th, when what could be done has been done."""

SEED, HELD_OUT_SEED = 1, 2
"""Of the places of things that are learned with, fifty per task, and of those that returns are measured with."""


class MetaWorld:
    """Tasks of Meta-World side by side; see `World`.

    A reward is up to 10, a policy learns by a tenth of it. An episode succeeds where the task was done in any step, as
    Meta-World counts it. Every environment is one of the processor, so that steps take their time one by one.

    Args:
        name: of the world.
        tasks: as Meta-World names them, such as `reach-v3`.
        n_learning: environments of a task in which things lie anew in every episode.
        n_held_out: environments of a task in which things always lie in the same places.
    """

    n_observed, n_actions = 39, 4

    def __init__(self, name: str, tasks: Sequence[str], n_learning: int = 4, n_held_out: int = 4) -> None:
        self.name, self.tasks, self.scales = name, tuple(tasks), torch.full((len(tasks),), 0.1)
        self.n_learning, self.n_held_out = n_learning, n_held_out
        self._bodies: list[list[Any]] = []
        self._places: list[Sequence[Any]] = []
        for task in tasks:
            learned, held_out = (metaworld.MT1(task, seed=seed) for seed in (SEED, HELD_OUT_SEED))
            bodies = [learned.train_classes[task]() for _ in range(n_learning + n_held_out)]
            for body, places in zip(bodies[n_learning:], held_out.train_tasks, strict=False):
                body.set_task(places)
            self._bodies.append(bodies)
            self._places.append(learned.train_tasks)

    def episode(self, act: Act, generator: torch.Generator) -> Episode:
        """See `World`."""
        seen, actions, rewards = [self._begin(generator)], [], []
        done = torch.zeros(len(self.tasks), self.n_learning + self.n_held_out, dtype=torch.bool)
        for _ in range(STEPS):
            actions.append(act(seen[-1]))
            moves = actions[-1].clamp(-1, 1).numpy()
            steps = [
                [body.step(move) for body, move in zip(bodies, of_task, strict=True)]
                for bodies, of_task in zip(self._bodies, moves, strict=True)
            ]
            seen.append(_stacked([[step[0] for step in of_task] for of_task in steps]))
            rewards.append(_stacked([[step[1] for step in of_task] for of_task in steps]))
            done |= torch.tensor([[step[4]["success"] > 0 for step in of_task] for of_task in steps])
        return Episode(torch.stack(seen), torch.stack(actions), torch.stack(rewards), done)

    def _begin(self, generator: torch.Generator) -> Tensor:
        """First observations, [K, N, O]."""
        for bodies, places in zip(self._bodies, self._places, strict=True):
            drawn = torch.randint(len(places), (self.n_learning,), generator=generator).tolist()
            for body, place in zip(bodies, drawn, strict=False):
                body.set_task(places[place])
        return _stacked([[body.reset()[0] for body in bodies] for bodies in self._bodies])


def _stacked(values: Sequence[Sequence[Any]]) -> Tensor:
    """Numbers of all environments, float32 [K, N, ...]."""
    return torch.from_numpy(np.array(values, dtype=np.float32))
