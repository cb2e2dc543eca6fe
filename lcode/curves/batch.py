"""What the model reads: runs as tensors, and batches of their prefixes.

Shape alphabet, used throughout: R runs of a table, B runs of a batch, K metrics, U epochs of a run at which anything
was measured, Q query epochs, A auxiliary signals, P configuration features, G distinct graphs, M ensemble members.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import torch
from torch import Tensor

PLAN_POINTS = 65
"""The planned learning rate is kept at this many equidistant shares of the horizon."""


OWN_FEATURES = 8
"""What is told of a curve beside its values where these are on a scale of its own, see `lcode.curves.own_scale`."""


@dataclass(frozen=True, eq=False)
class RunTensors:
    """Everything the model may know of R runs, in model space.

    Attributes:
        epochs: ascending epochs at which anything was measured, [R, U], float; padded with the last one.
        values: scaled values, 0 where there is none, [R, K, U].
        present: where there is a value, [R, K, U], bool.
        signals: scaled auxiliary signals of each metric's task, 0 where unknown, [R, K, U, A].
        cosines: running mean of the gradient cosine between the metrics' tasks, [R, K, K, U], 0 where unknown.
        config: encoded hyper-parameters, [R, P].
        weights: log of the task's loss weight, 0 where unknown, [R, K].
        plan: planned learning rate at shares 0…1 of the horizon, [R, 65, 3]: log of lr / largest lr, share of the
            schedule's integral that is behind, and 1 (all 0 where there is no plan that reaches the horizon).
        graph_index: which graph each run has, -1 for none, [R], long.
        horizons: planned last epoch, [R], float.
        ticks: epochs that make one unit of the model's time, [R], float: about the distance between two evaluations,
            so that it does not matter whether a log counts epochs, steps or evaluations.
    """

    epochs: Tensor
    values: Tensor
    present: Tensor
    signals: Tensor
    cosines: Tensor
    config: Tensor
    weights: Tensor
    plan: Tensor
    graph_index: Tensor
    horizons: Tensor
    ticks: Tensor

    def __len__(self) -> int:
        return self.epochs.shape[0]

    def rows(self, index: Tensor) -> Self:
        """These runs only."""
        return self._map(lambda tensor: tensor[index])

    def to(self, device: torch.device | str) -> Self:
        """The same on another device."""
        return self._map(lambda tensor: tensor.to(device))

    def _map(self, change: Any) -> Self:
        return replace(self, **{field.name: change(getattr(self, field.name)) for field in fields(self)})


@dataclass(frozen=True, eq=False)
class CurveBatch:
    """Prefixes of B runs: the runs, and the epoch up to which each was observed.

    Attributes:
        runs: the runs; what lies after the cutoff is hidden by `observed`, never read.
        cutoffs: last epoch that may be seen, [B], float; below the first epoch: nothing was observed.
        marks: what is told of curves on a scale of their own, [B, K, OWN_FEATURES]; None: their scale is that of all.
    """

    runs: RunTensors
    cutoffs: Tensor
    marks: Tensor | None = None

    @property
    def observed(self) -> Tensor:
        """Where there is a value that may be seen, [B, K, U], bool."""
        return self.runs.present & (self.runs.epochs <= self.cutoffs[:, None])[:, None, :]

    @property
    def now(self) -> Tensor:
        """The cutoffs in the model's time, at least 0, [B]."""
        return self.cutoffs.clamp(min=0) / self.runs.ticks

    @property
    def ends(self) -> Tensor:
        """The horizons in the model's time, [B]."""
        return self.runs.horizons / self.runs.ticks

    def times(self, epochs: Tensor) -> Tensor:
        """Epochs [B, …] in the model's time, at least 0."""
        return epochs.clamp(min=0) / self.runs.ticks.reshape(-1, *[1] * (epochs.ndim - 1))


@dataclass(frozen=True, eq=False)
class GraphTensors:
    """G distinct architecture graphs, N nodes and E edges in all.

    Attributes:
        op: operation type, [N], long.
        x: numeric node features, [N, F].
        role: 0 trunk, k + 1 head of task k, n_tasks + 1 head of another task, [N], long.
        edge_index: (source, target), [2, E], long.
        batch: graph of each node, ascending, [N], long.
        size: number of graphs G.
    """

    op: Tensor
    x: Tensor
    role: Tensor
    edge_index: Tensor
    batch: Tensor
    size: int

    def subset(self, graphs: Tensor) -> GraphTensors:
        """The marked graphs only, renumbered in order; `graphs` is a sorted list of distinct indices."""
        position = torch.full((self.size,), -1, dtype=torch.long, device=self.op.device)
        position[graphs] = torch.arange(len(graphs), device=self.op.device)
        kept = position[self.batch] >= 0
        node = torch.cumsum(kept, 0) - 1
        edges = kept[self.edge_index[0]]
        return GraphTensors(
            self.op[kept],
            self.x[kept],
            self.role[kept],
            node[self.edge_index[:, edges]],
            position[self.batch[kept]],
            len(graphs),
        )

    def to(self, device: torch.device | str) -> GraphTensors:
        """The same on another device."""
        tensors = (self.op, self.x, self.role, self.edge_index, self.batch)
        op, x, role, edge_index, batch = (tensor.to(device) for tensor in tensors)
        return GraphTensors(op, x, role, edge_index, batch, self.size)


def task_indices(tasks: Sequence[str], known: Sequence[str]) -> list[int]:
    """Position of each task in `known`, or len(known) for an unknown one."""
    return [known.index(task) if task in known else len(known) for task in tasks]
