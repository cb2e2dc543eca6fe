"""The fit: random prefixes, members that each leave out a fold, early stopping on what they left out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lcode.curves.batch import CurveBatch, GraphTensors, RunTensors
from lcode.curves.own_scale import OwnScales
from lcode.network.adamw import AdamW
from lcode.network.losses import gaussian_nll, masked_mean, pinball
from lcode.network.model import LCGODE
from lcode.network.prefixes import cutoff_epochs, draw_cutoffs, draw_queries, epoch_counts, values_at

Progress = Callable[[int, int, float], None]
"""Called as `progress(step, steps, validation_loss)`."""

VALIDATION_SHARES = (0.0, 0.1, 0.2, 0.4)
"""Prefixes on which the left-out folds are judged, as shares of the horizon; 0 = the first epoch alone."""

VALIDATION_RUNS = 256
"""Of all judged sources together; but at least `SOURCE_RUNS` of each."""

SOURCE_RUNS = 16

EVALUATIONS = 24
"""In a full fit."""

JUDGED = 40
"""Sources that a fit is judged on, evenly chosen: with hundreds of them judging would take longer than learning."""


@dataclass(frozen=True)
class FitSettings:
    """How the model is trained.

    Attributes:
        steps: optimiser steps at most.
        batch: runs per step.
        queries: future epochs per run and step.
        learning_rate: peak of a cosine schedule with a short warm-up (`schedule=False`: constant).
        kl_weight: weight of the KL divergence per latent dimension, beside the mean pinball loss.
        config_dropout: share of runs whose configuration a member must do without, per step.
        patience: evaluations without improvement before stopping; there are `EVALUATIONS` in a full fit.
        nodes: steps of the solve while training: fewer than when forecasting, for the field is smooth.
        fixed_share: cut every training prefix at this share of the horizon instead of at random.
        likelihood: `pinball`, or `gaussian` (the published recipe).
    """

    steps: int = 900
    batch: int = 64
    queries: int = 12
    learning_rate: float = 4e-3
    weight_decay: float = 1e-4
    kl_weight: float = 1e-3
    config_dropout: float = 0.1
    patience: int = 10
    schedule: bool = True
    nodes: int = 5
    fixed_share: float | None = None
    likelihood: str = "pinball"


@dataclass(frozen=True, eq=False)
class Source:
    """Training runs that belong together: one user's table, or one collection among several to pretrain on.

    Attributes:
        runs: R runs with K metrics.
        graphs: their distinct graphs.
        task_of: role number of each metric's task, [K].
        folds: which fold each run belongs to, [R]; member m never learns from fold m.
        own: puts curves on scales of their own, for a model that must do without a fitted one; None: they have one.
    """

    runs: RunTensors
    graphs: GraphTensors | None
    task_of: Tensor
    folds: Tensor
    own: OwnScales | None = None

    @classmethod
    def of(
        cls,
        tensors: tuple[RunTensors, GraphTensors | None],
        task_of: Sequence[int],
        folds: NDArray[np.int64],
        device: torch.device | str,
    ) -> Source:
        """Runs and graphs as a preprocessor reads them, on a device."""
        runs, graphs = tensors
        return cls(
            runs.to(device),
            None if graphs is None else graphs.to(device),
            torch.tensor(list(task_of), device=device),
            torch.from_numpy(folds).to(device),
        )

    def rows(self, index: NDArray[np.int64]) -> Source:
        """These runs alone."""
        rows = torch.from_numpy(index).to(self.folds.device)
        return replace(self, runs=self.runs.rows(rows), folds=self.folds[rows])


@dataclass(frozen=True)
class FitReport:
    """How the fit went: steps made, best loss on the left-out folds (scaled pinball), whether interrupted, seconds."""

    steps: int
    validation_loss: float
    interrupted: bool
    seconds: float = 0.0


def fit_model(
    model: LCGODE,
    sources: Sequence[Source],
    settings: FitSettings,
    generator: torch.Generator,
    progress: Progress | None = None,
) -> FitReport:
    """Train in place; the model ends with the parameters that were best on the left-out folds.

    Args:
        model: M members.
        sources: what to learn from; each step draws one, in proportion to the root of its size.
        settings: how to train.
        generator: source of all random draws.
        progress: called after each validation.

    Ctrl-C ends the fit early and keeps the best parameters so far; before the first validation it is passed on.
    """
    began = time.perf_counter()
    optimiser = AdamW(model.parameters(), settings.weight_decay)
    every = max(settings.steps // EVALUATIONS, 1)
    judged = some_of(sources, JUDGED)
    validation = [_validation(model, source, max(VALIDATION_RUNS // len(judged), SOURCE_RUNS)) for source in judged]
    draws = torch.Generator().manual_seed(len(sources))
    share = torch.tensor([math.sqrt(len(source.runs)) for source in sources], dtype=torch.float32, device="cpu")
    best, best_loss, waited, step, interrupted = _copy(model), math.inf, 0, 0, False
    try:
        for step in range(1, settings.steps + 1):
            source = sources[int(torch.multinomial(share, 1, generator=draws))] if len(sources) > 1 else sources[0]
            _loss(model, source, settings, generator).sum().backward()
            _clip_per_member(model)
            optimiser.step(_rate(settings, step))
            if step % every == 0 or step == settings.steps:
                score = sum(_validate(part) for part in validation) / len(validation)
                if score < best_loss:
                    best, best_loss, waited = _copy(model), score, 0
                else:
                    waited += 1
                if progress is not None:
                    progress(step, settings.steps, score)
                if waited >= settings.patience:
                    break
    except KeyboardInterrupt:
        if math.isinf(best_loss):
            raise  # nothing was judged yet: there is no best to keep
        interrupted = True
    model.load_state_dict(best)
    return FitReport(step, best_loss, interrupted, time.perf_counter() - began)


def some_of(sources: Sequence[Source], most: int) -> list[Source]:
    """At most so many of the sources, evenly chosen."""
    chosen = np.unique(np.rint(np.linspace(0, len(sources) - 1, min(most, len(sources)))).astype(np.int64))
    return [sources[i] for i in chosen]


def _loss(
    model: LCGODE,
    source: Source,
    settings: FitSettings,
    generator: torch.Generator,
) -> Tensor:
    """Evidence lower bound of random continuations, per member, [M]."""
    device = source.folds.device
    members = torch.arange(model.config.members, device=device)
    chosen = torch.randperm(len(source.runs), generator=generator, device=device)[: settings.batch]
    learns = (source.folds[chosen] != members[:, None]).float()
    runs = source.runs.rows(chosen)
    if settings.fixed_share is None:
        index = draw_cutoffs(runs, generator)
    else:
        index = _index_at_share(runs, settings.fixed_share)
    queries = draw_queries(runs, index, settings.queries, generator)
    batch = CurveBatch(runs, cutoff_epochs(runs, index))
    if source.own is not None:
        # Half of the time as if each run were the only one of its table.
        alone = bool(torch.rand((), generator=generator, dtype=torch.float32, device=device) < 0.5)
        batch, _ = (source.own.alone() if alone else source.own)(batch)
    target, there = values_at(batch.runs, queries)
    draws = torch.rand(model.config.members, len(runs), generator=generator, dtype=torch.float32, device=device)
    posterior, last = model.encode(batch, source.graphs, source.task_of, (draws >= settings.config_dropout).float())
    noise = torch.randn(posterior.mean.shape, generator=generator, dtype=torch.float32, device=device)
    quantiles = model(posterior, last, batch, runs.epochs.gather(1, queries), noise, nodes=settings.nodes)
    likelihood = pinball if settings.likelihood == "pinball" else gaussian_nll
    mask = there[None] * learns[:, :, None, None]
    divergence = masked_mean(posterior.kl(), learns[..., None].expand(-1, -1, target.shape[1]))
    return masked_mean(likelihood(quantiles, target), mask) + settings.kl_weight * divergence


@dataclass(frozen=True, eq=False)
class _LeftOut:
    """What one member is judged on: prefixes of the runs it left out, B in all, and epoch indices to ask at, [B, Q]."""

    member: LCGODE
    source: Source
    batch: CurveBatch
    queries: Tensor


def _validation(model: LCGODE, source: Source, count: int) -> list[_LeftOut]:
    """For each member `VALIDATION_SHARES` of those runs among the first `count` that it left out."""
    parts = []
    for member in range(model.config.members):
        own = source.runs.rows(torch.nonzero(source.folds[:count] == member)[:, 0])
        if not len(own):
            continue
        index = torch.cat([_index_at_share(own, share) for share in VALIDATION_SHARES])
        runs = own.rows(torch.arange(len(own), device=index.device).repeat(len(VALIDATION_SHARES)))
        last = epoch_counts(runs) - 1
        first = torch.minimum(index + 1, last)
        steps = torch.linspace(0, 1, 8, dtype=torch.float32, device=last.device)
        queries = (first[:, None] + steps * (last - first)[:, None]).round().long().clamp(min=0)
        batch = CurveBatch(runs, cutoff_epochs(runs, index))
        if source.own is not None:
            batch, _ = source.own(batch)
        parts.append(_LeftOut(model.member(member), source, batch, queries))
    return parts


def _validate(parts: list[_LeftOut]) -> float:
    """Mean pinball loss of each member on the fold it left out, over some prefixes."""
    total, count = 0.0, 0.0
    with torch.no_grad():
        for part in parts:
            runs = part.batch.runs
            posterior, last = part.member.encode(part.batch, part.source.graphs, part.source.task_of)
            quantiles = part.member(posterior, last, part.batch, runs.epochs.gather(1, part.queries))
            target, there = values_at(runs, part.queries)
            total += float((pinball(quantiles, target) * there).sum())
            count += float(there.sum())
    return total / max(count, 1.0)


def _index_at_share(runs: RunTensors, share: float) -> Tensor:
    """Index of the last epoch within this share of the horizon, at least 0 and at most the last but one, [R]."""
    seen = (runs.epochs <= (share * runs.horizons)[:, None]).sum(-1) - 1
    return torch.minimum(seen.clamp(min=0), (epoch_counts(runs) - 2).clamp(min=0))


def _rate(settings: FitSettings, step: int) -> float:
    done = step / settings.steps
    factor = min(1.0, done / 0.05) * 0.5 * (1 + math.cos(math.pi * done)) if settings.schedule else 1.0
    return settings.learning_rate * max(factor, 1e-3)


def _clip_per_member(model: LCGODE, limit: float = 1.0) -> None:
    """Clip each member's gradient on its own: a common norm would couple the members."""
    grads = [p.grad.movedim(model.member_axis(name), 0) for name, p in model.named_parameters() if p.grad is not None]
    norms = torch.cat([grad.flatten(1) for grad in grads], 1).norm(dim=1)
    factor = (limit / norms.clamp(min=1e-12)).clamp(max=1.0)
    torch._foreach_mul_(grads, [factor.view(-1, *[1] * (grad.ndim - 1)) for grad in grads])
    finite = torch.isfinite(norms)
    if not finite.all():  # such a member stays where it is, this time
        for grad in grads:
            grad[~finite] = 0.0


def _copy(model: LCGODE) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}
