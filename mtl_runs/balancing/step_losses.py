"""The losses of one step: what they depend on, and each task's gradient."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancing.gradients import Rows, gradients_of
from mtl_runs.balancing.leaves import Reach, reach
from mtl_runs.balancing.processes import mean_over_processes

Heads = list[tuple[Tensor, dict[int, Tensor]]]
"""Leaves, and by task their gradients."""

NO_LABELS = "for a batch without labels of a task give torch.tensor(float('nan'))"


class StepLosses:
    """The K losses of a batch in a network that is only known by its graph.

    Leaves of the graph are of three kinds: shared parameters, those that one task alone depends on (`own`), and others
    (`common`), which several tasks depend on although they were not given as shared.

    Args:
        tasks: names of the K tasks.
        losses: by task, single numbers; NaN where the batch says nothing of a task.
        shared: the shared parameters that require a gradient.
        features: what the heads see of the shared part; empty = gradients are those of the parameters.
        scale: factor on every loss before it is derived.

    Attributes:
        values: the losses, mean over all processes, on the CPU, [1, K].
        active: places of the tasks with a finite loss.
        own: by task, leaves that no other task depends on.
        common: leaves that several tasks depend on, and which are not shared.
        behind: leaves that the features depend on.
        opaque: whether it cannot be seen which of the common leaves are some task's own, see `Reach`.

    Raises:
        UsageError: a task is missing or unknown; a loss is no single number, has no graph, or does not depend on what
            is shared; a shared parameter has a way around the features; what depends on what cannot be seen.
    """

    def __init__(
        self,
        tasks: Sequence[str],
        losses: Mapping[str, Tensor],
        shared: Sequence[Tensor],
        features: Sequence[Tensor],
        scale: float,
    ) -> None:
        self.tasks, self.scale = tasks, scale
        self.targets = features or shared
        given = _in_order(tasks, losses)
        double = any(loss.dtype == torch.float64 for loss in given)
        dtype = torch.float64 if double else torch.float32
        values = torch.stack([loss.detach().reshape(()).to(given[0].device, dtype) for loss in given])
        mean_over_processes(values)
        self.values = values.unsqueeze(0).cpu()
        self.active = torch.isfinite(self.values[0]).nonzero()[:, 0].tolist()
        self._losses = {k: self._derivable(k, given[k]) for k in self.active}
        self.own: dict[int, list[Tensor]] = {k: [] for k in self.active}
        self.common: list[Tensor] = []
        self.behind = list(reach(features).leaves) if features else []
        found = reach(list(self._losses.values()), features)
        if found.hidden:
            raise UsageError(
                "a part of the network is under torch.utils.checkpoint with use_reentrant=True, which gives gradients "
                "to a plain backward() alone; give it use_reentrant=False"
            )
        self.opaque = found.opaque
        self._sort(found, shared, bool(features))

    def leaves(self) -> list[Tensor]:
        """All leaves that a task with a finite loss depends on."""
        return list(reach(list(self._losses.values())).leaves)

    def rows(self, *, heads: bool, keep: bool) -> tuple[Rows, Heads]:
        """A backward pass for each task.

        Args:
            heads: whether the gradients of the tasks' own leaves are wanted, and of those that may be.
            keep: whether the graph is gone through again later.

        Returns:
            The gradients of what is shared, in units of the losses; and those of the others, scaled.
        """
        rows = Rows(self.targets, len(self.tasks))
        unclear = self.common if self.opaque and heads else []
        found: dict[int, tuple[Tensor, dict[int, Tensor]]] = {}
        for k, loss in self._losses.items():
            others = [*(self.own[k] if heads else []), *unclear]
            inputs = [*self.targets, *others]
            gradients = gradients_of([self.scale * loss], inputs, keep=keep or k != self.active[-1])
            rows.fill(k, gradients[: len(self.targets)], self.scale)
            for leaf, gradient in zip(others, gradients[len(self.targets) :], strict=True):
                if gradient is not None:
                    _, by_task = found.setdefault(id(leaf), (leaf, {}))
                    if not by_task or bool(gradient.any()):
                        by_task[k] = gradient
            del gradients  # before the next pass makes as many
        return rows, [_without_zeros(leaf, by_task) for leaf, by_task in found.values()]

    def of_sum(self, factors: Tensor, leaves: Sequence[Tensor], broken: Collection[int] = ()) -> list[Tensor | None]:
        """One backward pass of `Σ_k c_k L_k`, after which the graph is gone.

        Args:
            factors: c, [1, K]; tasks without a finite loss do not count.
            leaves: whose gradients are wanted.
            broken: tasks that do not count either, for their gradients are NaN or infinite, and so is 0 times them.
        """
        terms = [self.scale * float(factors[0, k]) * loss for k, loss in self._losses.items() if k not in broken]
        return gradients_of([torch.stack(terms).sum()], leaves, keep=False) if terms else [None] * len(leaves)

    def _derivable(self, k: int, loss: Tensor) -> Tensor:
        if not loss.requires_grad:
            raise UsageError(
                f"the loss of task '{self.tasks[k]}' depends on no parameter that requires a gradient; was it "
                f"detached, or computed under torch.no_grad()? ({NO_LABELS})"
            )
        # Summed up with others on their device, in a precision that a scale does not leave.
        return loss.reshape(()).to(self.targets[0].device, torch.promote_types(loss.dtype, torch.float32))

    def _sort(self, found: Reach, shared: Sequence[Tensor], by_features: bool) -> None:
        """Put every leaf where it belongs, and see that each task depends on what is shared."""
        ids = {id(parameter) for parameter in (*shared, *self.behind)}
        around = {}
        reached = 0
        for leaf, mask in zip(found.leaves, found.by_leaf, strict=True):
            tasks = [k for place, k in enumerate(self.active) if mask >> place & 1]
            if id(leaf) in ids:
                around[tasks[0]] = leaf
                reached |= mask
            else:
                (self.own[tasks[0]] if len(tasks) == 1 else self.common).append(leaf)
        if by_features:
            reached = 0
            for mask in found.by_stop:
                reached |= mask
        for place, k in enumerate(self.active):
            if not reached >> place & 1:
                what = "the features" if by_features else "any shared parameter that requires a gradient"
                raise UsageError(
                    f"the loss of task '{self.tasks[k]}' does not depend on {what}; is `shared` what all tasks use, "
                    "and was the loss computed from this forward pass?"
                )
        for k, leaf in around.items() if by_features else ():
            raise UsageError(
                f"a shared parameter of shape {list(leaf.shape)} reaches the loss of task '{self.tasks[k]}' on a way "
                "around the features; give all features that the heads see, or leave `features` out to balance by the "
                "parameters"
            )


def _in_order(tasks: Sequence[str], losses: Mapping[str, Tensor]) -> list[Tensor]:
    """The losses in the order of the tasks."""
    if not isinstance(losses, Mapping):
        raise UsageError(f"losses are a {type(losses).__name__}; give a dictionary, such as {{'{tasks[0]}': loss, …}}")
    missing = [task for task in tasks if task not in losses]
    unknown = [str(task) for task in losses if task not in tasks]
    if missing or unknown:
        found = f"there is none of: {', '.join(missing)}" if missing else f"unknown: {', '.join(unknown)}"
        raise UsageError(f"losses must have one entry for each of the tasks {', '.join(tasks)}; {found} ({NO_LABELS})")
    for task in tasks:
        loss = losses[task]
        if not isinstance(loss, Tensor) or loss.numel() != 1:
            what = f"a tensor of shape {list(loss.shape)}" if isinstance(loss, Tensor) else f"a {type(loss).__name__}"
            raise UsageError(f"the loss of task '{task}' is {what}; give a tensor with a single number, such as a mean")
    return [losses[task] for task in tasks]


def _without_zeros(leaf: Tensor, by_task: dict[int, Tensor]) -> tuple[Tensor, dict[int, Tensor]]:
    """The leaf with the gradients that are not zero, but with one in any case."""
    if len(by_task) > 1:
        by_task = {k: g for k, g in by_task.items() if bool(g.any())}
    return leaf, by_task
