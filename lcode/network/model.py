"""LC-GODE for coupled tasks: prefix and architecture -> latent states -> ODE through the horizon -> quantiles.

After Ding, Y. et al., "Architecture-aware learning curve extrapolation via graph ordinary differential equation",
AAAI 2025, arXiv 2412.15554: a sequence encoder gives a posterior over a latent state, a graph encoder an embedding
of the architecture, an ODE conditioned on it carries the state through the horizon, a decoder maps it to the metric;
trained by an evidence lower bound. Ours differs in that there is one state per task metric and the states are
coupled; that the solve starts at the cutoff and the decoder adds to the last observed value; that configuration
and planned learning rate enter; and that the likelihood is that of 21 quantiles (pinball loss).
"""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from lcode.curves.batch import PLAN_POINTS, CurveBatch, GraphTensors
from lcode.network.curve_encoder import CurveEncoder, condense
from lcode.network.decoder import QuantileDecoder
from lcode.network.dynamics import Course, Dynamics
from lcode.network.mlp_dynamics import MLPDynamics
from lcode.network.stacked import StackedLinear, StackedMLP
from lcode.network.task_attention import TaskAttention
from lcode.network.vector_field import VectorField

TIME_POWER = 0.5
"""The solve runs on time to this power: fine steps early, where curves bend, without crowding a long horizon."""

CONTROLS, LEADS = 5, 6


@dataclass(frozen=True)
class LCGODEConfig:
    """Size and parts of the model.

    Attributes:
        metrics, signals, config, ops, node_features, tasks: widths of the inputs; metrics = 0: any metrics, none
            known by name; ops = 0: no graphs.
        members: ensemble members M, trained together as stacked parameters.
        latent, hidden: size of a latent state and width of the layers.
        nodes: steps of the fixed-grid solve.
        solver: `rk4`; `dopri5` by torchdiffeq, asked for the same nodes; `mlp`: no equation, a network of time instead.
        coupled: tasks hear each other, in the encoder and in the field.
        anchored: the solve starts at the cutoff and the decoder adds to the last value; off = from epoch 0, absolute.
        controlled: the planned learning rate drives the field.
    """

    metrics: int
    signals: int = 0
    config: int = 0
    ops: int = 0
    node_features: int = 0
    tasks: int = 1
    members: int = 5
    latent: int = 16
    hidden: int = 48
    nodes: int = 10
    solver: str = "rk4"
    coupled: bool = True
    anchored: bool = True
    controlled: bool = True

    def to_json(self) -> dict[str, Any]:
        """As plain values, for the checkpoint."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class LatentPosterior:
    """q(z | prefix, configuration, architecture): a diagonal normal per run and metric.

    Attributes:
        mean, log_std: [M, B, K, D].
        context: what the field and the decoder are conditioned on, [M, B, K, H].
    """

    mean: Tensor
    log_std: Tensor
    context: Tensor

    def kl(self) -> Tensor:
        """KL divergence to the standard normal prior, summed over D: [M, B, K]."""
        return (0.5 * (self.mean**2 + (2 * self.log_std).exp() - 1) - self.log_std).sum(-1)

    def sample(self, noise: Tensor | None) -> Tensor:
        """Draw z = mean + std · noise; the mean itself without noise."""
        return self.mean if noise is None else self.mean + self.log_std.exp() * noise


class LCGODE(nn.Module):
    """The model; holds M members as stacked parameters.

    Args:
        config: sizes and parts.
        generator: source of the initial values.
    """

    def __init__(self, config: LCGODEConfig, generator: torch.Generator) -> None:
        super().__init__()
        self.config = config
        m, h = config.members, config.hidden
        self.curves = CurveEncoder(m, config.signals, h, generator)
        self.settings = StackedMLP(m, (config.config, h, h), generator) if config.config else None
        self.graphs: nn.Module | None = None
        if config.ops:
            from lcode.network.graph_encoder import GraphEncoder  # torch-geometric takes seconds to import

            self.graphs = GraphEncoder(m, config.ops, config.node_features, config.tasks, h // 2, generator)
        self.metric = nn.Parameter(torch.zeros(m, 1, config.metrics, h, dtype=torch.float32))
        self.weight = StackedLinear(m, 1, h, generator)
        self.join = StackedMLP(m, (2 * h if self.graphs is not None else h, h, h), generator, last_gain=0.5)
        self.listen = TaskAttention(m, h, h // 2, generator) if config.coupled else None
        self.heard = StackedLinear(m, h // 2, h, generator, gain=0.5) if config.coupled else None
        self.posterior = StackedLinear(m, h, 2 * config.latent, generator)
        self.field: Dynamics
        if config.solver == "mlp":
            self.field = MLPDynamics(m, config.latent, h, CONTROLS, config.coupled, generator)
        else:
            self.field = VectorField(m, config.latent, h, CONTROLS, config.coupled, generator, config.solver)
        self.decoder = QuantileDecoder(m, config.latent, LEADS, h, config.anchored, generator)

    def encode(
        self, batch: CurveBatch, graphs: GraphTensors | None, task_of: Tensor, keep_config: Tensor | None = None
    ) -> tuple[LatentPosterior, Tensor]:
        """Prefixes, configurations and architectures -> posterior, and the last observed values [B, K].

        Args:
            batch: B prefixes.
            graphs: the graphs that `batch.runs.graph_index` points into.
            task_of: role number of each metric's task, [K].
            keep_config: 0 where a member must do without a run's configuration, [M, B], for training.
        """
        runs = batch.runs
        tokens, there, summary, last = condense(batch)
        context = self.curves(tokens, there, summary)
        if self.config.metrics:
            context = context + self.metric
        context = context + self.weight(runs.weights.expand(self.config.members, *runs.weights.shape)[..., None])
        if self.settings is not None:
            settings = self.settings(runs.config.expand(self.config.members, *runs.config.shape))
            settings = settings if keep_config is None else settings * keep_config[..., None]
            context = context + settings[:, :, None]
        if self.graphs is not None:
            context = torch.cat([context, self._architectures(batch, graphs, task_of, context)], -1)
        context = self.join(nn.functional.silu(context))
        if self.listen is not None and self.heard is not None:
            bias = self.listen.bias(self._cosines(batch), there.any(-1))
            context = context + self.heard(self.listen(nn.functional.silu(context), bias))
        mean, log_std = self.posterior(nn.functional.silu(context)).chunk(2, -1)
        return LatentPosterior(mean, log_std.clamp(-6, 1) - 2, context), last

    def forward(
        self,
        posterior: LatentPosterior,
        last: Tensor,
        batch: CurveBatch,
        at: Tensor,
        noise: Tensor | None = None,
        *,
        nodes: int | None = None,
    ) -> Tensor:
        """Carry the latent states through the horizon and decode them.

        Args:
            posterior: of `encode`.
            last: last observed scaled values, [B, K].
            batch: the same prefixes.
            at: query epochs, [B, Q], float.
            noise: standard normal, [M, B, K, D], or None for the posterior mean.
            nodes: steps of the solve, if others than the configured ones.

        Returns:
            Quantiles in model space, [M, B, K, Q, 21].
        """
        start, end = (warped[:, None] for warped in self._span(batch))
        at = batch.times(at)

        def controls(clock: Tensor) -> Tensor:
            return self._controls(batch, (start + clock * (end - start)) ** (1 / TIME_POWER), end - start)

        place = ((at**TIME_POWER - start) / (end - start)).clamp(0, 1)
        course = Course(place, controls, self._cosines(batch), nodes or self.config.nodes)
        z = self.field(posterior.sample(noise), posterior.context, course)
        return self.decoder(z, self._lead(batch, at), posterior.context, last)

    def member(self, index: int) -> LCGODE:
        """One member as a model of its own, M = 1, that shares its parameters' memory with this model."""
        alone = copy.deepcopy(self)
        alone.config = replace(self.config, members=1)
        for (name, ours), theirs in zip(self.named_parameters(), alone.parameters(), strict=True):
            theirs.data, theirs.grad = ours.data.narrow(self.member_axis(name), index, 1), None
        return alone

    @staticmethod
    def member_axis(name: str) -> int:
        """Which axis of the parameter of this name holds the members."""
        return 1 if name == "graphs.op" else 0

    def _architectures(self, batch: CurveBatch, graphs: GraphTensors | None, task_of: Tensor, like: Tensor) -> Tensor:
        index = batch.runs.graph_index
        used = torch.unique(index[index >= 0])
        if graphs is None or not len(used) or self.graphs is None:
            return torch.zeros_like(like)
        encoded = self.graphs(graphs.subset(used), task_of)
        position = torch.searchsorted(used, index.clamp(min=0)).clamp(max=len(used) - 1)
        return encoded[:, position] * (index >= 0)[None, :, None, None]

    def _cosines(self, batch: CurveBatch) -> Tensor:
        """Gradient cosines known at the cutoff, [B, K, K]."""
        known = (batch.runs.epochs <= batch.cutoffs[:, None]).sum(-1)
        index = (known.clamp(min=1) - 1)[:, None, None, None].expand(*batch.runs.cosines.shape[:-1], 1)
        return batch.runs.cosines.gather(-1, index)[..., 0] * (known > 0)[:, None, None]

    def _span(self, batch: CurveBatch) -> tuple[Tensor, Tensor]:
        """Start and end of the solve in warped time, [B] each."""
        begin = batch.now if self.config.anchored else torch.zeros_like(batch.cutoffs)
        end = torch.maximum(batch.ends, begin + 1)
        return begin**TIME_POWER, end**TIME_POWER

    def _controls(self, batch: CurveBatch, times: Tensor, span: Tensor) -> Tensor:
        """Time features and planned learning rate, [B, T, 5], at times [B, T]; the span is in warped time, [B, 1]."""
        share = (times / batch.ends[:, None]).clamp(0, 1)
        # The solve's own clock is the unit interval: how much time it spans decides how far a state may move.
        return torch.cat([share[..., None], (span / 5).expand_as(share)[..., None], self._plan(batch, times)], -1)

    def _plan(self, batch: CurveBatch, times: Tensor) -> Tensor:
        """The planned learning rate at times [B, T]: [B, T, 3], see `RunTensors.plan`."""
        if not self.config.controlled:
            return times.new_zeros(*times.shape, 3)
        position = (times / batch.ends[:, None]).clamp(0, 1) * (PLAN_POINTS - 1)
        left = position.floor().clamp(max=PLAN_POINTS - 2).long()
        x = (position - left)[..., None]
        index = left[..., None].expand(*left.shape, 3)
        return (1 - x) * batch.runs.plan.gather(1, index) + x * batch.runs.plan.gather(1, index + 1)

    def _lead(self, batch: CurveBatch, at: Tensor) -> Tensor:
        """What is known of the queries, which are given in the model's time, [B, Q, 6].

        How far ahead they lie; and by how much the learning rate will have changed by then, how much of the plan lies
        between, and whether there is a plan: a drop that is still to come is news, one that is past is in the curve.
        """
        cutoff, horizon = batch.now[:, None], batch.ends[:, None]
        ahead = torch.log1p(at) - torch.log1p(cutoff)
        time = torch.stack([ahead, (at - cutoff) / horizon, torch.log1p(at) / 5], -1)
        plan = self._plan(batch, at)
        return torch.cat([time, plan[..., :2] - self._plan(batch, cutoff)[..., :2], plan[..., 2:]], -1)
