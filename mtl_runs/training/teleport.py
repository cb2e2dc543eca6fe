"""Teleports out of conflicts: COST (Zhou et al., NeurIPS 2025, arXiv 2503.04046), around any balancer.

Where a task's gradient disagrees with the mean gradient, `min_k cos(g_0, g_k) ≤ 0`, a member leaves for another point
with the same losses, at most once per epoch, from `teleport_from` on. No step is taken then: balancer, optimiser and
learning rate stay as if there had been none. The shared weights of linear layers and convolutions get a low-rank change
(LoRA, rank 5, as the authors' library sets it up: scale 8/5, one factor uniform in ±1/√fan-in, the other zero), which
Adam trains at the member's rate for two passes over the training data on `L_t - γ L_g`, γ = 0.1:

- `L_t = (1/K) Σ_k |L_k - L*_k|`, where L*_k is the mean loss over the training data before the teleport;
- `L_g = (1/δ) (1/K) Σ_k max_i R_k |L_k(θ + ε_i) - L_k(θ)|`, a sensitivity, i = 1..5, with
  `R_k = K (1 - ‖g_k‖ / Σ_j ‖g_j‖)` in favour of weak tasks, from the gradients where the conflict was seen.

Then it is added to the weights in place. Losses are those with their constant weights.

What the paper leaves open, differs in the authors' code, or is other here:

- The trigger is the code's. The paper looks at the task with the smallest gradient only, and asks for `< 0`.
- The noise ε_i is new in every batch, is on the shared parameters only, and has the length δ in each parameter. δ is
  0.01: with the code's 1e-4 the differences of losses are a few roundings of float32, here some hundreds, while the
  noise is still small against the parameters.
- Historical trajectory reuse: with σ the cosine between the way that the balanced gradient leads, -d, and the way that
  the teleport took, the optimiser starts anew for σ ≤ 0; else its decays are multiplied by σ in the next step. The code
  takes d for -d, which reuses the past where it points back; the paper's motivation is the opposite. Of SGD it is the
  momentum that is multiplied; of Adam the gradient takes the place of what is forgotten (`optimizers.Adam.forget`).
- The authors train by Adam throughout. A member that is moved by SGD, whose rates say nothing of Adam's, teleports at a
  rate of at most 1e-3; at SGD's own the losses do not stay by far.
- γ = 0.1 is the paper's. The authors' code trains on `10 L_t - 0.5 L_g`, whose Adam is that of γ = 0.05.
- Its sensitivity is measured in every step on the batch in which the conflict was seen; here on the batch whose losses
  are kept, so that a pass looks at all data.
- After a teleport it computes the gradients of that batch anew and takes the step that was left out. Here the next
  batch's step is the first at the new point.
- Its cosine is with the balanced gradient of the step before; here with that of the step in which the conflict was
  seen. In its trainer for Cityscapes the step that follows sets the shortened decays back before it moves, so that they
  have no effect; here they have.
- A teleport that leads to NaN, or has no finite losses to keep, is not made.

Only training data are looked at. All that is random comes from the member's own generator, and its passes are made by
itself: no neighbour changes its numbers. A teleport costs two epochs of six forward passes at once; populations in
which members may teleport look at all tasks' gradients in every step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor
from torch.func import functional_call

from mtl_runs.networks.layers import Conv, Linear
from mtl_runs.training.config import RunConfig
from mtl_runs.training.gradients import Gradients
from mtl_runs.training.optimizers import Adam
from mtl_runs.training.population import Population

RANK, SCALE = 5, 8 / 5
PASSES = 2
GAMMA = 0.1
N_PROBES, DELTA = 5, 0.01
HIGHEST_RATE_WITHOUT_ADAM = 1e-3


def in_conflict(gramian: Tensor) -> Tensor:
    """Whether some task disagrees with the mean of the gradients: `g_0ᵀg_k ≤ 0`, K ≥ 2.

    Args:
        gramian: [R, K, K]; tasks with a zero gradient do not count.

    Returns:
        bool [R]; False where anything is not finite.
    """
    agreement = gramian.double().sum(-1)
    there = gramian.diagonal(dim1=1, dim2=2) > 0
    return gramian.isfinite().all(-1).all(-1) & ((agreement <= 0) & there).any(-1)


class Teleports:
    """The teleports of one population. After it was compacted, make a new one.

    Args:
        population: its rows are changed in place.
        gradients: of the population.
    """

    def __init__(self, population: Population, gradients: Gradients) -> None:
        self.population = population
        self._weights = gradients.loss_weights
        self._change = LowRankChange(population)
        names = {id(p): name for name, p in population.network.named_parameters()}
        self._shapes = [(names[id(p)], p.shape[1:]) for block in population.blocks() for p in block]
        self._shared = [p[0].numel() for p in population.blocks()[0]]

    def leaving(self, gramian: Tensor) -> dict[int, dict[str, Tensor]]:
        """Rows of the members that leave in this step, and copies of all their state.

        Args:
            gramian: of the tasks' gradients at the present parameters, on the CPU, [R, K, K].
        """
        rows = []
        for row, conflict in enumerate(in_conflict(gramian).tolist()):
            member = self.population.members[row]
            if conflict and member.epoch >= member.spec.config.teleport_from and member.teleported < member.epoch:
                rows.append(row)
        return {row: {n: v.clone() for n, v in self.population.state_of(row).items()} for row in rows}

    def go(self, states: Mapping[int, Mapping[str, Tensor]], gramian: Tensor, gradient: Tensor, lr: Tensor) -> None:
        """Take back the step of those that leave, and teleport them instead.

        Args:
            states: what `leaving` returned.
            gramian: what it was given.
            gradient: what the optimisers were given, [R, P + H].
            lr: learning rates of this step, [R, 1].
        """
        self.population.load_states(states)
        for row in states:
            self.population.members[row].teleported = self.population.members[row].epoch
            rate = lr[row : row + 1]
            if self.population.members[row].spec.config.optimizer != "adam":
                rate = rate.clamp(max=HIGHEST_RATE_WITHOUT_ADAM)
            change = self._trained_change(row, gramian[row].diagonal().sqrt().to(lr), rate)
            if change is not None and change.any():
                self.population.parameters[row] += change
                shared = self.population.groups[0]
                self._shorten_memory(row, -gradient[row, shared], change[shared])

    def _trained_change(self, row: int, norms: Tensor, lr: Tensor) -> Tensor | None:
        """The change of a member's parameters, [P + H], zero for the tasks' own; None if it came to nothing."""
        generator = self.population.members[row].draws
        start = self.population.parameters[row].clone()
        n_tasks = len(norms)
        weakness = n_tasks * (1 - norms / norms.sum())
        with torch.no_grad():
            batches = list(self._batches(row))
            keep = torch.stack([self._losses(row, start[None], batch)[0] for batch in batches]).mean(0)
        factors = self._change.first(generator).to(start).unsqueeze(0)
        adam = Adam()
        state = adam.init(factors, [RunConfig()])
        for _ in range(PASSES):
            for batch in self._batches(row, generator):
                noise = self._noise(generator).to(start)
                trained = factors.detach().requires_grad_()
                there = start + self._change.of(trained[0], len(start))
                losses = self._losses(row, torch.cat([there[None], there + noise]), batch)
                loss_kept = (losses[0] - keep).abs().mean()
                sensitivity = (weakness * (losses[1:] - losses[0]).abs().amax(0)).mean() / DELTA
                (gradient,) = torch.autograd.grad(loss_kept - GAMMA * sensitivity, trained)
                state = adam.step(factors, gradient, state, lr)
        change = self._change.of(factors[0], len(start))
        return change if bool(change.isfinite().all()) else None

    def _losses(self, row: int, parameters: Tensor, batch: Tensor) -> Tensor:
        """A member's losses, constant weights included, at several points, [n, K]; parameters [n, P + H]."""
        problem, n = self.population.problem, len(parameters)
        data = problem.train
        named, at = {}, 0
        for name, shape in self._shapes:
            named[name] = parameters[:, at : at + prod(shape)].reshape(n, *shape)
            at += prod(shape)
        inputs = data.inputs[batch]
        outputs = functional_call(self.population.network, named, (inputs.expand(n, *inputs.shape),))
        losses = []
        for task, output in zip(problem.tasks, outputs, strict=True):
            targets = data.targets[task.name][batch]
            losses.append(task.loss(output, targets.expand(n, *targets.shape)))
        return torch.stack(losses, -1) * self._weights[row]

    def _batches(self, row: int, generator: torch.Generator | None = None) -> Iterator[Tensor]:
        """Indices of a pass over the training data, in order or shuffled; the incomplete last batch is dropped."""
        n = len(self.population.problem.train)
        size = self.population.members[row].spec.config.batch_size
        order = torch.arange(n) if generator is None else torch.randperm(n, generator=generator)
        yield from order[: n // size * size].to(self.population.parameters.device).split(size)

    def _noise(self, generator: torch.Generator) -> Tensor:
        """Random vectors [n, P + H] with the length δ in each shared parameter."""
        parts = [torch.randn(N_PROBES, size, generator=generator) for size in self._shared]
        parts = [DELTA * part / part.norm(dim=1, keepdim=True) for part in parts]
        n_own = self.population.parameters.shape[1] - sum(self._shared)
        return torch.cat([*parts, torch.zeros(N_PROBES, n_own)], 1)

    def _shorten_memory(self, row: int, way: Tensor, change: Tensor) -> None:
        """Historical trajectory reuse: how much of its past the optimiser keeps after this change."""
        kept = torch.nn.functional.cosine_similarity(way.double(), change.double(), dim=0).item()
        if kept > 0:
            self.population.memory["teleport.kept"][row] = min(kept, 1.0)
            return
        self.population.memory["teleport.kept"][row] = 1.0
        one = slice(row, row + 1)
        for part in self.population.optimizers:
            if part.rows.start <= row < part.rows.stop:
                fresh = part.rule.init(self.population.parameters[one], [self.population.members[row].spec.config])
                for name, value in fresh.items():
                    part.state[name][row - part.rows.start] = value[0]


def move(population: Population, gradient: Tensor, lr: Tensor) -> None:
    """A step of the optimisers, with a shorter memory for members whose last step was a teleport.

    Args:
        population: changed in place.
        gradient: [R, P + H].
        lr: learning rates of this step, [R, 1].
    """
    shares = population.memory.get("teleport.kept", torch.ones(0, 1)).squeeze(1).tolist()
    for part in population.optimizers:
        rows = part.rows
        for row in range(rows.start, rows.stop):
            if shares and shares[row] != 1:
                one, at = slice(row, row + 1), slice(row - rows.start, row - rows.start + 1)
                state = {name: value[at] for name, value in part.state.items()}
                part.rule.forget(population.parameters[one], gradient[one], state, shares[row])
        part.state = part.rule.step(population.parameters[rows], gradient[rows], part.state, lr[rows])
    if shares:
        population.memory["teleport.kept"] = torch.ones_like(population.memory["teleport.kept"])


@dataclass(frozen=True)
class _Matrix:
    """A shared weight as a stack of matrices: copies of [fan_in, fan_out], of [fan_out, fan_in] if transposed."""

    at: slice
    copies: int
    fan_in: int
    fan_out: int
    transposed: bool


class LowRankChange:
    """Changes `SCALE · A B` of the weights of a network's shared linear layers and convolutions, by their factors.

    Args:
        population: whose network.
    """

    def __init__(self, population: Population) -> None:
        self._matrices = []
        at = 0
        for module in next(population.network.groups()).modules():
            for name, parameter in module.named_parameters(recurse=False):
                shape, size = parameter.shape[1:], parameter[0].numel()
                here = slice(at, at + size)
                if isinstance(module, Linear) and name == "weight":
                    fans = (shape[-2], shape[-1])
                    self._matrices.append(_Matrix(here, size // prod(fans), *fans, transposed=False))
                elif isinstance(module, Conv) and name == "weight":
                    fans = (prod(shape[-3:]), shape[-4])
                    self._matrices.append(_Matrix(here, size // prod(fans), *fans, transposed=True))
                at += size

    def first(self, generator: torch.Generator) -> Tensor:
        """The factors to begin with, which change nothing."""
        factors = []
        for matrix in self._matrices:
            drawn = torch.rand(matrix.copies * matrix.fan_in * RANK, generator=generator)
            factors += [(2 * drawn - 1) / matrix.fan_in**0.5, torch.zeros(matrix.copies * RANK * matrix.fan_out)]
        return torch.cat(factors)

    def of(self, factors: Tensor, n_parameters: int) -> Tensor:
        """The change of a member's parameters, [n_parameters]; differentiable."""
        pieces, used, end = [], 0, 0
        for matrix in self._matrices:
            sizes = [matrix.copies * matrix.fan_in * RANK, matrix.copies * RANK * matrix.fan_out]
            left, right = factors[used : used + sum(sizes)].split(sizes)
            used += sum(sizes)
            product = SCALE * torch.bmm(
                left.view(matrix.copies, matrix.fan_in, RANK), right.view(matrix.copies, RANK, matrix.fan_out)
            )
            if matrix.transposed:
                product = product.mT
            pieces += [factors.new_zeros(matrix.at.start - end), product.reshape(-1)]
            end = matrix.at.stop
        return torch.cat([*pieces, factors.new_zeros(n_parameters - end)])
