"""Selective task group updates: groups of tasks that help each other are updated one after the other."""

from __future__ import annotations

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.base import Balancer, Needs, State
from mtl_runs.balancers.draws import Generators, uniform
from mtl_runs.balancers.solvers import faces

MOST_SETS = 10
"""Up to this many tasks all sets of leaders are compared, 1,023 of them."""

APART = 1e6
"""Similarities are of size one: at this distance a task joins no other."""


class SelUpdate(Balancer):
    """Selective task group updates (Jeong & Yoon, ICLR 2025, arXiv 2502.11986): one group of tasks per step.

    A step trains the tasks of one group, with equal weights. Once all groups had their turn, the tasks are grouped anew
    and the order is drawn anew. The proximal affinity of s to t is a running mean of how much a step of a group with s
    lowers the loss of t, `(1 - L_t(after) / L_t(before)) / |group|`. If t is in the group as well it counts as it is
    where both losses move alike, and as `-max` of both gains where they do not; the gain of s itself counts where it is
    one. Groups maximise the objective of affinity propagation (Frey & Dueck 2007) on these affinities, divided by t's
    to itself and made symmetric, with the median as preference; the authors run its iteration, which need not settle.
    At first every task is a group.

    The authors take the groups one after the other on the same batch, here each step has a batch of its own: an epoch
    trains a task by as many batches fewer as there are groups. Their program counts the change by one group's step for
    the group that comes next; here it counts for its own. Heads outside of the group have no gradient, but the momentum
    of the run's optimiser still moves them.

    Loss weighting: heads are scaled, those outside of the group by 0. The extra forward pass must not touch running
    statistics. Gradients are not read, so a zero gradient changes nothing; a task without a finite loss gets weight 0,
    is in no group, and its state stays. K = 1: plain training. State: affinities, [K, K]; when each task's group has
    its turn, whether it had it in this step, and in how many rounds the task was.

    Args:
        decay: weight of the newest affinity in the running mean, in 0..1, excluding 0; 1e-3 for NYUv2 and PASCAL, 1e-4
            for Taskonomy.
        warmup: rounds in which every task is a group.
    """

    needs = Needs.LOSSES | Needs.AFTER_STEP_LOSSES
    scales_heads = True

    def __init__(self, decay: float = 1e-3, warmup: int = 100) -> None:
        if not 0 < decay <= 1:
            raise UsageError(f"decay must be above 0 and at most 1; found {decay}")
        if not (warmup >= 1 and warmup % 1 == 0):
            raise UsageError(f"warmup must be a whole number of at least 1; found {warmup}")
        self.decay, self.warmup = decay, warmup

    def init(self, n_tasks: int) -> State:
        """No affinities, and no round has begun."""
        none = torch.zeros(n_tasks, dtype=torch.float64)
        return {
            "affinity": torch.zeros(n_tasks, n_tasks, dtype=torch.float64),
            "turn": none - 1,
            "trained": none,
            "rounds": none.clone(),
        }

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """Equal weights for the group whose turn it is; the first step of a round makes the groups."""
        draws = uniform(losses.shape, generator, losses.device, torch.float64)
        turn, rounds = state["turn"].expand(losses.shape), state["rounds"].expand(losses.shape)
        begins = ~(active & (turn >= 0)).any(-1, keepdim=True)
        grouped = begins & (rounds.where(active, torch.inf).amin(-1, keepdim=True) >= self.warmup)
        leader = torch.arange(losses.shape[-1], device=losses.device).expand(losses.shape)
        if bool(grouped.any()):
            leader = torch.where(grouped, clusters(_similarities(state["affinity"]), active), leader)
        # A group's turn is the number that was drawn for its leader: the smallest comes first.
        turn = torch.where(begins, draws.gather(-1, leader), turn)
        waiting = active & (turn >= 0)
        trained = waiting & (turn == turn.where(waiting, torch.inf).amin(-1, keepdim=True))
        new_state = {
            **state,
            "turn": torch.where(trained, -1.0, turn),
            "trained": trained.to(turn),
            "rounds": rounds + begins,
        }
        return trained / active.sum(-1, keepdim=True).clamp(min=1).to(turn), new_state

    def after_step(self, state: State, before: Tensor, after: Tensor) -> State:
        """The affinities that this step has shown."""
        before, after = before.detach().to(torch.float64), after.detach().to(torch.float64)
        seen = torch.isfinite(before) & torch.isfinite(after) & (before > 0)
        trained = seen & (state["trained"] > 0)
        size = trained.sum(-1, keepdim=True).clamp(min=1)
        gain = torch.where(seen, 1 - after / before.where(seen, 1.0), 0.0) / size
        of_t, of_s = gain.unsqueeze(-2).expand(*gain.shape, gain.shape[-1]), gain.unsqueeze(-1)
        opposed = trained.unsqueeze(-2) & (of_t * of_s < 0)
        found = torch.where(opposed, -torch.maximum(of_t, of_s), of_t)
        own = torch.eye(gain.shape[-1], dtype=torch.bool, device=gain.device)
        counts = trained.unsqueeze(-1) & seen.unsqueeze(-2) & ~(own & (of_t < 0))
        mean = (1 - self.decay) * state["affinity"] + self.decay * found
        return {**state, "affinity": torch.where(counts, mean, state["affinity"])}


def _similarities(affinity: Tensor) -> Tensor:
    """Affinities in units of each task's to itself, symmetric, [..., K, K]."""
    own = affinity.diagonal(dim1=-2, dim2=-1).unsqueeze(-2)
    relative = affinity / own.where(own > 0, 1.0)
    return (relative + relative.mT) / 2


def clusters(similarity: Tensor, active: Tensor) -> Tensor:
    """For each task the one that leads its cluster, so that tasks are as similar to their leaders as can be.

    Maximises what affinity propagation does, the similarities of all tasks to their leaders and the preferences of
    these: over all sets of leaders of up to `MOST_SETS` tasks, with more by adding the best one by one.

    Args:
        similarity: symmetric, of size about 1, [..., K, K]; the median over the active tasks, the diagonal included,
            is the preference.
        active: bool, [..., K]; others lead themselves.

    Returns:
        Positions, int64, [..., K].
    """
    n = similarity.shape[-1]
    place = torch.arange(n, device=similarity.device)
    own = place.unsqueeze(-1) == place
    pairs = active.unsqueeze(-1) & active.unsqueeze(-2)
    preference = similarity.where(pairs, torch.nan).flatten(-2).nanquantile(0.5, dim=-1, keepdim=True)
    closeness = similarity.where(pairs, -APART).where(~own, torch.where(active, preference, APART).unsqueeze(-1))

    def best_of(sets: Tensor) -> tuple[Tensor, Tensor]:
        """The best of several sets of leaders, bool [..., S, K]: [..., K], and its value [..., 1]."""
        nearest = closeness.unsqueeze(-3).where(sets.unsqueeze(-2), -torch.inf).amax(-1)
        values = torch.where(sets, closeness.diagonal(dim1=-2, dim2=-1).unsqueeze(-2), nearest).sum(-1)
        value, best = values.max(-1, keepdim=True)
        sets = sets.expand(*values.shape, n)
        return sets.gather(-2, best.unsqueeze(-1).expand(*best.shape, n)).squeeze(-2), value

    if n <= MOST_SETS:
        leads, _ = best_of(faces(n, similarity.device) > 0)
    else:
        leads, value = best_of(own)
        for _ in range(n - 1):
            more, higher = best_of(leads.unsqueeze(-2) | own)
            leads, value = torch.where(higher > value, more, leads), torch.maximum(value, higher)
    nearest = closeness.where(leads.unsqueeze(-2), -torch.inf).argmax(-1)
    return torch.where(leads, place, nearest)
