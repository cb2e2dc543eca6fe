"""From the architecture graph to an embedding of the trunk and of each task's head."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lcode.curves.batch import GraphTensors
from lcode.network.stacked import StackedLinear


def mean_by(index: Tensor, values: Tensor, size: int) -> Tensor:
    """Mean of the rows that have the same index, and 0 where no row has it.

    Written out, as torch-geometric, whose message passing this is, takes some seconds to load.

    Args:
        index: 0 to size - 1, long [E].
        values: any float, [E, …].
        size: number of means S.

    Returns:
        [S, …].
    """
    total = values.new_zeros(size, *values.shape[1:]).index_add(0, index, values)
    count = values.new_zeros(size).index_add(0, index, values.new_ones(len(index)))
    return total / count.clamp(min=1).view(-1, *[1] * (values.ndim - 1))


class GraphEncoder(nn.Module):
    """Message passing along and against the data flow, then mean pooling by role.

    The operation type enters as a learned vector per category: types have no order.

    Args:
        members: ensemble members M.
        ops: size of the operation vocabulary, the bucket of unknown ones included.
        features: numeric node features.
        tasks: number of tasks whose heads have roles of their own.
        hidden: width H.
        rounds: rounds of message passing; a node sees that many operations up and down the flow.
        generator: source of the initial values.
    """

    def __init__(
        self,
        members: int,
        ops: int,
        features: int,
        tasks: int,
        hidden: int,
        generator: torch.Generator,
        rounds: int = 3,
    ) -> None:
        super().__init__()
        self.tasks = tasks
        self.op = nn.Parameter(0.3 * torch.randn(ops, members, hidden, generator=generator, dtype=torch.float32))
        self.enter = StackedLinear(members, features, hidden, generator)
        self.mix = nn.ModuleList(StackedLinear(members, 3 * hidden, hidden, generator) for _ in range(rounds))

    def forward(self, graphs: GraphTensors, task_of: Tensor) -> Tensor:
        """Encode each graph once.

        Args:
            graphs: G graphs.
            task_of: role number of each metric's task (`task_indices`), [K].

        Returns:
            For each member, graph and metric: the pooled trunk and the pooled head of its task, [M, G, K, 2 H].
        """
        members, hidden = self.op.shape[1:]
        h = self.op[graphs.op] + self.enter(graphs.x.expand(members, *graphs.x.shape)).transpose(0, 1)
        source, target = graphs.edge_index
        for mix in self.mix:
            down, up = mean_by(target, h[source], len(h)), mean_by(source, h[target], len(h))
            near = torch.cat([h, down, up], -1)
            h = h + nn.functional.silu(mix(near.transpose(0, 1))).transpose(0, 1)
        roles = self.tasks + 2
        cell = graphs.batch * roles + graphs.role
        pooled = mean_by(cell, h, graphs.size * roles).view(graphs.size, roles, members, hidden)
        trunk = pooled[:, :1].expand(-1, len(task_of), -1, -1)
        head = pooled[:, task_of + 1]
        return torch.cat([trunk, head], -1).permute(2, 0, 1, 3)
