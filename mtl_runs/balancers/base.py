"""The contract of a balancer: statistics of one step in, task weights out; state, randomness and networks stay outside.

Notation: K tasks, losses `L_k`, shared parameters θ, `g_k = ∇_θ L_k`, `G` the K×P Jacobian with rows `g_k`,
`A = G Gᵀ` the Gramian. A balancer returns weights `α`, and the update direction of θ is `d = Gᵀα`.

A trainer calls, per step: `transform` for a method that needs the Jacobian (it may put other rows in the place of G),
`update`, and after the parameters moved `after_step` for a method that needs the losses there; per epoch `end_epoch`.

Conventions that hold for every balancer here:

- **Mean convention.** Weights are on the scale of the mean loss: equal weighting is 1/K each. A method whose paper
  sums over tasks is divided by K; the trainer's `reduction="sum"` multiplies by K again.
- **Inactive tasks.** A task is inactive in a step when its loss is NaN or infinite or, for a method that reads
  gradients, when its gradient is zero, NaN or infinite. It gets weight 0, its state stays as it was, and the others
  are balanced as if it were not there: one zero row would make the min-norm point zero and stop all training. The
  authors' programs leave a zero gradient in. Those that add gradients up give the same direction, over K instead of
  the number of active tasks; MGDA and its relatives stop, IMTL-G gives NaN.
- **Several batches.** For a method with `Needs.SEVERAL_BATCHES` the trainer splits a step's batch into three
  independent parts ξ, ξ', ζ. The Gramian is `G(ξ) G(ξ')ᵀ`, not symmetric; a task is inactive only where its diagonal
  entry is zero, NaN or infinite, for chance may make it negative. Losses are those of ζ, and weights are for `G(ζ)`.
- **Losses only.** A method that reads nothing but losses scales the heads, so that one backward pass of `Σ w_k L_k`
  does.
- **Precision.** Everything between the statistics and the weights is float64, on K numbers or K×K.
- **Populations.** All tensors may have any leading dimensions: one run, or a population of them in one call. The
  generator may be one for all, or a sequence with one for each entry of a single leading dimension; with the sequence
  each run draws what it would draw alone.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from mtl_runs.balancers.draws import Generators

CLIP = 1.0
"""Where the trainers of Nash-MTL and of those that took them over (FAMO, FairGrad, SDMGrad) clip, it is to this length.

They do for Nash-MTL, PCGrad, CAGrad, GradDrop, FairGrad, SDMGrad and PIVRG. For all others the clip is missing, or
comes before the gradients are computed and has no effect.
"""

SMALLEST_LOSS = 1e-8
"""For methods that take logarithms of losses or divide by them, losses below count as this large."""

State = Mapping[str, Tensor]
"""What a balancer remembers between steps: named tensors [..., K] or [..., K, *], plain data to checkpoint.

Memory of the size of the Jacobian starts as [..., K, 1] and is [..., K, P] from the first step on.
"""


class Needs(enum.Flag):
    """What a balancer reads. The trainer computes no more than the union of what is asked for and what it logs.

    `LESS_LATER` is for a method that at some time of a training needs less than this: `Balancer.reads` says when.
    """

    LOSSES = enum.auto()
    GRAMIAN = enum.auto()
    JACOBIAN = enum.auto()
    AFTER_STEP_LOSSES = enum.auto()
    SEVERAL_BATCHES = enum.auto()
    LESS_LATER = enum.auto()


N_BATCHES = 3
"""How many independent batches a step takes for a balancer with `Needs.SEVERAL_BATCHES`."""

READS_GRADIENTS = Needs.GRAMIAN | Needs.JACOBIAN
"""Needs of balancers for which a step computes the gradient of every task."""


@dataclass(frozen=True)
class TaskStatistics:
    """What is known of the K tasks at one step, detached from any graph.

    Attributes:
        losses: task losses, [..., K].
        gramian: inner products of the tasks' gradients of the shared parameters, or of the rows that `transform` put
            in their place, [..., K, K]; with `Needs.SEVERAL_BATCHES` those of one batch with those of another.
    """

    losses: Tensor
    gramian: Tensor


class Balancer(ABC):
    """Turns the statistics of a step into one weight per task.

    A subclass states `needs` and `scales_heads` and writes `weigh`; with state, also `init`; where the Jacobian itself
    matters, also `rows`. Everything is a pure function: no call changes the balancer or the state it was given.

    Attributes:
        needs: what the method reads; a setting may change it for one balancer.
        scales_heads: whether the weights are loss weights, so that the gradient of each task's own head is multiplied
            as well; a gradient method leaves the heads alone.
        positive_losses: whether it takes logarithms of losses or divides by them, so that they must be positive.
        clip: the longest shared gradient that the method's own trainer lets through, for the sum of the tasks, not
            their mean; 0 = it does not clip.
    """

    needs: Needs
    scales_heads: bool
    positive_losses: bool = False
    clip: float = 0.0

    def init(self, n_tasks: int) -> State:
        """The state before the first step, for one run; stack along new leading dimensions for a population."""
        return {}

    def reads(self, state: State) -> Needs:
        """What the next step reads: `needs`, or with `Needs.LESS_LATER` less, once no run of the population needs more.

        A trainer that gives a step less than `needs` gives zeros for what it leaves out.
        """
        return self.needs

    def transform(
        self, state: State, losses: Tensor, jacobian: Tensor, generator: Generators = None
    ) -> tuple[Tensor, State]:
        """The rows that `update` then weighs; without `Needs.JACOBIAN` the Jacobian as it is.

        Args:
            state: what `init` or the previous step returned.
            losses: task losses, [..., K].
            jacobian: the tasks' gradients of the shared parameters, [..., K, P], on any device and in any precision.
            generator: as in `update`.

        Returns:
            Rows [..., K, P] like the Jacobian, zero for inactive tasks; and the state to give to `update`.
        """
        if Needs.JACOBIAN not in self.needs:
            return jacobian, state
        jacobian, losses = jacobian.detach(), losses.detach().to(jacobian)
        squared_norms = jacobian.square().sum(-1)
        active = torch.isfinite(losses) & torch.isfinite(squared_norms) & (squared_norms > 0)
        jacobian = torch.where(active.unsqueeze(-1), jacobian, 0.0)
        rows, new_state = self.rows(state, torch.where(active, losses, 1.0), jacobian, active, generator)
        return torch.where(active.unsqueeze(-1), rows, 0.0), keep_inactive(active, new_state, state)

    def update(self, state: State, statistics: TaskStatistics, generator: Generators = None) -> tuple[Tensor, State]:
        """Weights for this step and the state for the next.

        Args:
            state: what `init`, the previous step or `transform` returned.
            statistics: losses and gradients of the K tasks at this step.
            generator: source of randomness; a method that draws has to be given one to be reproducible.

        Returns:
            Weights, float64, [..., K], 0 for inactive tasks; and the new state.
        """
        losses = statistics.losses.detach().to(torch.float64)
        gramian = statistics.gramian.detach().to(torch.float64)
        active = torch.isfinite(losses)
        if Needs.GRAMIAN in self.reads(state):
            products = gramian.diagonal(dim1=-2, dim2=-1)
            there = products != 0 if Needs.SEVERAL_BATCHES in self.needs else products > 0
            active = active & torch.isfinite(products) & there
        if bool(active.all()):
            # The usual case, and the rest is a good part of what a cheap method costs.
            return self.weigh(state, losses, gramian, active, generator)
        losses = torch.where(active, losses, 1.0)
        gramian = torch.where(active.unsqueeze(-1) & active.unsqueeze(-2), gramian, 0.0)
        weights, new_state = self.weigh(state, losses, gramian, active, generator)
        return torch.where(active, weights, 0.0), keep_inactive(active, new_state, state)

    def after_step(self, state: State, before: Tensor, after: Tensor) -> State:
        """The state once the parameters have moved; called only with `Needs.AFTER_STEP_LOSSES`.

        Args:
            state: what `update` returned.
            before: the losses that `update` was given, [..., K].
            after: losses of the same batch at the new parameters, [..., K].
        """
        return state

    def end_epoch(self, state: State) -> State:
        """The state after the last step of an epoch."""
        return state

    def rows(
        self, state: State, losses: Tensor, jacobian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """The method's part of `transform`, on clean numbers.

        Args:
            state: as in `transform`; its tensors may be on another device.
            losses: like the Jacobian, [..., K]; 1 where inactive.
            jacobian: [..., K, P]; zero rows where inactive.
            active: bool, [..., K].
            generator: as in `update`.

        Returns:
            Rows [..., K, P] (what is returned for an inactive task is ignored) and the new state.
        """
        return jacobian, state

    @abstractmethod
    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """The method itself, on clean numbers.

        Args:
            state: as in `update`.
            losses: float64, [..., K]; 1 where inactive.
            gramian: float64, [..., K, K]; rows and columns of inactive tasks are zero.
            active: bool, [..., K]; for a method that reads gradients, active diagonals are positive (with
                `Needs.SEVERAL_BATCHES`, not zero).
            generator: as in `update`.

        Returns:
            Weights in the mean convention, [..., K] (whatever is returned for an inactive task is ignored), and the
            new state with the same names.
        """


def keep_inactive(active: Tensor, new: State, old: State) -> State:
    """The new state, but the old one for inactive tasks.

    Args:
        active: bool, [..., K].
        new: tensors [..., K, *].
        old: the same names; tensors that broadcast to the new ones.
    """
    kept = dict(new)
    for name, value in new.items():
        if value is not old[name]:
            mask = active.to(value.device).reshape(*active.shape, *(1,) * (value.ndim - active.ndim))
            kept[name] = torch.where(mask, value, old[name].to(value))
    return kept


def uniform_over(active: Tensor) -> Tensor:
    """1/(number of active tasks) for active tasks, 0 for others: [..., K], float64."""
    return active / active.sum(-1, keepdim=True).clamp(min=1).to(torch.float64)


def shares_among(shares: Tensor, active: Tensor) -> Tensor:
    """Shares of the active tasks alone, scaled to sum to 1, and equal where the active tasks have none: [..., K]."""
    shares = torch.where(active, shares, 0.0)
    total = shares.sum(-1, keepdim=True)
    return torch.where(total > 0, shares / total.where(total > 0, 1.0), uniform_over(active))


def softmax_over(logits: Tensor, active: Tensor) -> Tensor:
    """Softmax over the active tasks, 0 for others: [..., K]."""
    shares = logits.where(active, -torch.inf).softmax(-1)
    return shares.where(active, 0.0)
