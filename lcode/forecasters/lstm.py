"""A long short-term memory network: the usual neural forecaster of sequences, without an ODE and without a graph."""

from __future__ import annotations

import copy
import math
from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lcode.curves.arrays import CurveArrays
from lcode.curves.batch import CurveBatch, RunTensors
from lcode.curves.collate import Preprocessor
from lcode.curves.continuation import continuation_grid, share_epochs
from lcode.ensemble.folds import assign_folds
from lcode.forecasters.by_cutoff import CutoffForecaster, CutoffModel
from lcode.isolation import isolated
from lcode.network.curve_encoder import POINT_FEATURES, condense
from lcode.network.decoder import QuantileDecoder
from lcode.network.losses import masked_mean, pinball
from lcode.network.prefixes import cutoff_epochs, draw_cutoffs, draw_queries, values_at
from lcode.table import RunTable

Array = NDArray[np.float64]

HIDDEN = 48

STEPS = 900
BATCH = 64
QUERIES = 12
RATE = 4e-3
CONFIG_DROPOUT = 0.2
"""Share of the prefixes that are read without their configuration, for it is mostly noise where runs are few."""

JUDGINGS, PATIENCE = 30, 8
"""How often the left-out runs are forecast during training, and how often in a row they may get no better."""

FOLDS = 5
"""One fold in so many judges when to stop, and is not learned from."""

EXAMS = 4
"""Random prefixes of each of those runs by which it judges."""

PLAN_STEP = 16
"""Every so-manieth point of the planned learning rate is read."""


class LSTMForecaster(CutoffForecaster):
    """Reads all curves of a prefix as one sequence, and decodes 21 quantiles of every metric at any later epoch.

    Trained at random cutoffs by the pinball loss of random future epochs; the parameters kept are those that were
    best on a fifth of the runs. Values are scaled as for the project's own model, prefixes condensed to as many points.
    """

    name: ClassVar[str] = "lstm"

    @isolated()
    def fit(self, table: RunTable) -> Self:
        """Learn from the finished runs."""
        super().fit(table)
        assert self._finished is not None
        self._preprocessor = Preprocessor.fit(self._finished)
        runs = self._preprocessor.tensors(self._finished)[0]
        judges = torch.from_numpy(assign_folds(self._finished, FOLDS, self.seed) == 0)
        # In double precision a run's forecast does not depend on which others are forecast with it.
        self._net = _trained(runs, judges, self.seed).double()
        self._known = runs.present.any(-1).any(0).numpy()
        return self

    def learn(self, finished: RunTable, cutoff: int) -> CutoffModel:
        """The one network, asked from this cutoff."""
        grid = continuation_grid(finished.runs["horizon"].to_numpy(np.int64), cutoff)
        return _AtCutoff(self._net, self._preprocessor, self._known, cutoff, grid)


class _AtCutoff:
    """The network at one cutoff."""

    def __init__(
        self, net: _Network, preprocessor: Preprocessor, known: NDArray[np.bool_], cutoff: int, grid: Array
    ) -> None:
        self.grid = grid
        self._net, self._preprocessor, self._known, self._cutoff = net, preprocessor, known, cutoff

    @isolated()
    def predict(self, table: RunTable, arrays: CurveArrays) -> Array:
        """See `CutoffModel.predict`."""
        runs = self._preprocessor.tensors(table)[0]
        epochs = share_epochs(table.runs["horizon"].to_numpy(np.int64), self._cutoff, self.grid)
        batch = CurveBatch(runs, torch.full((len(runs),), float(max(self._cutoff, 0)), dtype=torch.float32))
        with torch.no_grad():
            scaled = self._net(batch, torch.from_numpy(epochs))[0].numpy()
        return np.where(self._known[:, None, None], self._preprocessor.values.unscale(scaled), np.nan)


class _Network(nn.Module):
    """Points of all curves, oldest first -> LSTM -> with the configuration a state per metric -> quantiles.

    Args:
        runs: the training runs, for the numbers of metrics K, signals and configuration features.
        generator: source of the decoder's initial values.
    """

    def __init__(self, runs: RunTensors, generator: torch.Generator) -> None:
        super().__init__()
        metrics, signals = runs.signals.shape[1], runs.signals.shape[-1]
        self.reader = nn.LSTM(metrics * (POINT_FEATURES + signals + 1), HIDDEN, batch_first=True, dtype=torch.float32)
        self.settings = nn.Sequential(_linear(_settings(runs).shape[1], HIDDEN), nn.SiLU(), _linear(HIDDEN, HIDDEN))
        self.join = nn.Sequential(nn.SiLU(), _linear(2 * HIDDEN, metrics * HIDDEN))
        self.decoder = QuantileDecoder(1, HIDDEN, 3, HIDDEN, True, generator)

    def forward(self, batch: CurveBatch, at: Tensor, keep: Tensor | None = None) -> Tensor:
        """Quantiles in model space, [1, B, K, Q, 21].

        Args:
            batch: B prefixes.
            at: query epochs, [B, Q].
            keep: 0 where a run's configuration is withheld, [B]; None: nowhere.
        """
        dtype = next(self.parameters()).dtype
        tokens, there, _, last = condense(batch)
        points = torch.cat([tokens, there[..., None]], -1).transpose(1, 2).flatten(2)
        read = self.reader(points.to(dtype))[0][:, -1]
        settings = self.settings(_settings(batch.runs).to(dtype))
        settings = settings if keep is None else settings * keep[:, None]
        state = self.join(torch.cat([read, settings], -1)).unflatten(-1, (-1, HIDDEN))[None]
        z = nn.functional.silu(state)[..., None, :].expand(-1, -1, -1, at.shape[1], -1)
        quantiles: Tensor = self.decoder(z, _lead(batch, at).to(dtype), state, last.to(dtype))
        return quantiles


def _linear(inputs: int, outputs: int) -> nn.Linear:
    """A layer in single precision, whatever the script's default."""
    return nn.Linear(inputs, outputs, dtype=torch.float32)


def _settings(runs: RunTensors) -> Tensor:
    """What is known of each run before it starts: configuration, loss weights, planned learning rate, [R, P]."""
    return torch.cat([runs.config, runs.weights, runs.plan[:, ::PLAN_STEP, :2].flatten(1)], -1)


def _lead(batch: CurveBatch, at: Tensor) -> Tensor:
    """Time features of query epochs [B, Q], as many as the decoder takes: [B, Q, 3]."""
    cutoff, horizon = batch.cutoffs.clamp(min=0)[:, None], batch.runs.horizons[:, None]
    return torch.stack([torch.log1p(at) - torch.log1p(cutoff), (at - cutoff) / horizon, torch.log1p(at) / 5], -1)


def _trained(runs: RunTensors, judges: Tensor, seed: int) -> _Network:
    """A network that learned from the runs and stopped where it was best on the judges, [R], bool."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):  # torch's layers draw from the global generator, which stays as it was
        torch.manual_seed(seed)
        net = _Network(runs, generator)
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 0.5 * (1 + math.cos(math.pi * step / STEPS)))
    learners, judged = runs.rows(torch.nonzero(~judges)[:, 0]), runs.rows(torch.nonzero(judges)[:, 0])
    exam = [_draw(judged, generator) for _ in range(EXAMS)]
    best, best_loss, waited = net.state_dict(), math.inf, 0
    for step in range(1, STEPS + 1):
        chosen = torch.randperm(len(learners), generator=generator)[:BATCH]
        batch, queries = _draw(learners.rows(chosen), generator)
        keep = torch.rand(len(chosen), generator=generator, dtype=torch.float32) >= CONFIG_DROPOUT
        loss = _loss(net, batch, queries, keep.float())
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if step % (STEPS // JUDGINGS) == 0:
            with torch.no_grad():
                score = sum(float(_loss(net, batch, queries)) for batch, queries in exam)
            waited += 1
            if score < best_loss:
                best, best_loss, waited = copy.deepcopy(net.state_dict()), score, 0
            if waited >= PATIENCE:
                break
    net.load_state_dict(best)
    return net


def _draw(runs: RunTensors, generator: torch.Generator) -> tuple[CurveBatch, Tensor]:
    """The runs cut at random, and indices of later epochs, [B, Q]."""
    index = draw_cutoffs(runs, generator)
    return CurveBatch(runs, cutoff_epochs(runs, index)), draw_queries(runs, index, QUERIES, generator)


def _loss(net: _Network, batch: CurveBatch, queries: Tensor, keep: Tensor | None = None) -> Tensor:
    """Mean pinball loss at the queries."""
    target, there = values_at(batch.runs, queries)
    quantiles = net(batch, batch.runs.epochs.gather(1, queries), keep)
    return masked_mean(pinball(quantiles, target), there[None]).sum()
