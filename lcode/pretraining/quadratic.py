"""A synthetic prior over sweeps: what hyper-parameters do to learning curves, before any sweep was seen.

Runs are trainings of a noisy quadratic model (Zhang et al. 2019, "Which algorithmic choices matter at which batch
sizes?", arXiv 1907.04164): along each of D directions of curvature h the distance from the optimum shrinks at a pace
that learning rate, momentum and curvature give, down to what the gradients' noise keeps alive; too large a rate stops
progress along the steep ones. Weight decay draws towards the start, what sets the examples apart from others is learned
by heart in the end (as in early stopping of least squares, Yao et al. 2007), and a schedule changes the rate on
the way. So the settings of a run interact as they do in trainings, without one. What a network needs beside, the size
of the network, dropout, categories such as a balancer, tasks that share parameters, is drawn as smooth random effects.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lcode.pretraining.prior import schedules
from lcode.table import Metric, RunTable

Array = NDArray[np.float64]

DIRECTIONS = 32
"""Along which a problem is learned."""

NAMES = {
    "rate": ("lr", "learning_rate"),
    "batch": ("batch_size",),
    "decay": ("weight_decay",),
    "momentum": ("momentum",),
    "dropout": ("dropout", "max_dropout"),
    "depth": ("num_layers", "depth"),
    "width": ("max_units", "width"),
}
"""What settings are called in logs."""


@dataclass(frozen=True, eq=False)
class _Settings:
    """What R runs were trained with; a setting that does not vary in the sweep has one value.

    Attributes:
        rate, batch, decay, momentum, dropout, depth, width: [R].
        adaptive: whether the optimizer is of Adam's kind, [R].
        kind: number of a category that names nothing known elsewhere, [R].
        varies: names of those that a log would tell.
    """

    rate: Array
    batch: Array
    decay: Array
    momentum: Array
    dropout: Array
    depth: Array
    width: Array
    adaptive: NDArray[np.bool_]
    kind: NDArray[np.int64]
    varies: frozenset[str]

    @classmethod
    def drawn(cls, draw: np.random.Generator, runs: int) -> Self:
        """A random search, or points of a grid."""
        grid = draw.uniform() < 0.25

        def between(low: float, high: float, often: float, name: str) -> Array:
            """Uniform in a part of the range, or one value for all."""
            if draw.uniform() > often:
                return np.full(runs, draw.uniform(low, high))
            varies.add(name)
            ends = np.sort(draw.uniform(low, high, 2))
            half = max(np.ptp(ends), 0.4 * (high - low)) / 2
            middle = np.clip(ends.mean(), low + half, high - half)
            place = draw.uniform(-1, 1, runs)
            levels = draw.integers(2, 6)
            place = np.rint((place + 1) / 2 * levels) / levels * 2 - 1 if grid else place
            return np.asarray(np.clip(middle + half * place, low, high))  # but for rounding it lies within

        varies: set[str] = set()
        rate = np.exp(between(np.log(1e-4), np.log(1.0), 0.95, "rate"))
        batch = np.rint(2 ** between(4, 9, 0.6, "batch"))
        decay = np.exp(between(np.log(1e-6), np.log(0.1), 0.6, "decay"))
        momentum = between(0, 0.97, 0.5, "momentum")
        dropout = between(0, 0.9, 0.4, "dropout")
        depth = np.rint(between(1, 6, 0.5, "depth"))
        width = np.rint(2 ** between(4, 10, 0.5, "width"))
        adaptive = np.full(runs, draw.uniform() < 0.3)
        if draw.uniform() < 0.4:
            varies.add("optimizer")
            adaptive = draw.uniform(size=runs) < 0.5
        kinds = draw.integers(2, 24) if draw.uniform() < 0.4 else 1
        if kinds > 1:
            varies.add("kind")
        return cls(
            rate, batch, decay, momentum, dropout, depth, width, adaptive, draw.integers(kinds, size=runs),
            frozenset(varies),
        )  # fmt: skip

    def told(self, draw: np.random.Generator, index: pd.Index) -> pd.DataFrame:
        """As a log tells them, one row per run."""
        columns: dict[str, object] = {
            str(draw.choice(names)): getattr(self, name) for name, names in NAMES.items() if name in self.varies
        }
        if "optimizer" in self.varies:
            columns["optimizer"] = np.where(self.adaptive, "adam", "sgd")
        if "kind" in self.varies:
            columns["method"] = [f"m{kind}" for kind in self.kind]
        return pd.DataFrame(columns, index=index)

    def effect(self, draw: np.random.Generator, size: float) -> Array:
        """A smooth random function of all but the optimizer's settings, of about this size, [R]."""
        result = size * draw.standard_normal(self.kind.max() + 1)[self.kind]
        for place in (self.depth / 2 - 2, np.log2(self.width) / 2 - 3.5, 2 * self.dropout - 1):
            linear, bent = size * draw.standard_normal(2)
            result = result + 0.5 * linear * place - 0.25 * abs(bent) * (place - draw.normal(0, 0.5)) ** 2
        return np.asarray(result)


def sweep(count: int, *, tasks: int, horizon: int, seed: int) -> RunTable:
    """Draw a sweep from the prior.

    Args:
        count: number of runs R.
        tasks: number of tasks K; each has one metric, a loss or an accuracy, and its training loss as a signal.
        horizon: last epoch T.
        seed: the same seed gives the same runs.
    """
    draw = np.random.default_rng(seed)
    settings = _Settings.drawn(draw, count)
    plans = schedules(draw, count, horizon)[0] if draw.uniform() < 0.5 else np.ones((count, horizon))
    # Tasks of a run begin alike in part, and their losses have weights of their own.
    luck = draw.standard_normal((count, 1)) + draw.standard_normal((count, tasks))
    weights = np.ones((count, tasks))
    if tasks > 1 and draw.uniform() < 0.5:
        weights = np.exp(draw.normal(0, 0.8, (count, tasks)))
    metrics, values, signals = [], [], []
    for k in range(tasks):
        excess, trained = _trained(draw, settings, plans, weights[:, k], luck[:, k])
        accuracy = draw.uniform() < 0.5
        metrics.append(Metric(f"task{k}", "accuracy" if accuracy else "loss", "max" if accuracy else "min"))
        values.append(_measured(draw, settings, excess, plans, luck[:, k], accuracy))
        signals.append(trained)
    index = pd.Index([f"q{seed}-{i}" for i in range(count)], name="run", dtype=object)
    configs = settings.told(draw, index)
    if np.ptp(weights) > 0:
        configs = configs.join(pd.DataFrame(weights, index=index).add_prefix("weight.task"))
    logged = draw.uniform() < 0.5
    return RunTable.from_points(
        _points(index, [metric.key for metric in metrics], values),
        metrics,
        configs=configs,
        signals=_points(index, [f"task{k}/train_loss" for k in range(tasks)], signals) if logged else None,
        schedules=dict(zip(index, plans, strict=True)) if draw.uniform() < 0.5 else None,
    )


def _trained(
    draw: np.random.Generator, settings: _Settings, plans: Array, weight: Array, luck: Array
) -> tuple[Array, Array]:
    """Loss above the best that can be had on new examples, and on those that were trained on: [R, T], [R, T].

    At the start the first is about 1.
    """
    order = np.arange(1, DIRECTIONS + 1)
    curvature = order ** -draw.uniform(0.5, 2.5)
    start = order ** -draw.uniform(0.0, 1.5)
    start = start / (curvature * start).sum()  # squared distances: the loss begins at 1
    examples = 10 ** draw.uniform(2, 5.5)
    steps = np.maximum(examples / settings.batch, 1.0) * 10 ** draw.uniform(-1.5, 0)
    # How steep the steepest direction is decides which rates are too large.
    steep = 10 ** draw.uniform(-0.5, 2.5) * np.exp(settings.effect(draw, 0.4))
    adaptive = settings.adaptive[:, None]
    h = np.where(adaptive, curvature ** draw.uniform(0.3, 0.8), curvature)
    momentum = np.where(settings.adaptive, 0.0, settings.momentum)[:, None]
    base = settings.rate * steep * weight * np.where(settings.adaptive, 10 ** draw.uniform(0.5, 1.8), 1.0)
    drag = settings.decay * 10 ** draw.uniform(-0.5, 2.0)
    kept = curvature / (curvature + drag[:, None])  # weight decay stops short of the optimum
    heart = order ** draw.uniform(-0.5, 1.0)
    heart = heart / (curvature * heart).sum() * 10 ** draw.uniform(-3, 0.3)
    heart = heart * (1 - 0.7 * settings.dropout[:, None]) * (settings.width[:, None] / 128) ** draw.uniform(0, 0.5)
    noise = 10 ** draw.uniform(-3.5, 0.0) / settings.batch * (1 + 2 * settings.dropout)
    begin = np.exp(draw.uniform(0, 0.3) * luck)[:, None] * start
    away, alive = np.ones((len(h), DIRECTIONS)), np.zeros((len(h), DIRECTIONS))
    seen, trained = np.empty_like(plans), np.empty_like(plans)
    for t in range(plans.shape[1]):
        eta = (base * plans[:, t])[:, None]
        shrunk = heavy_ball(eta * h, momentum) ** steps[:, None]
        away = away * shrunk
        # What noise keeps alive lies no further away than the start.
        stays = eta * h / curvature / (1 - momentum) * noise[:, None] / np.maximum(2 - eta * h / (1 + momentum), 0.1)
        alive = alive * shrunk**2 + (1 - shrunk**2) * np.minimum(stays, begin)
        learned = (1 - away) * kept
        left = (1 - learned) ** 2 * begin
        seen[:, t] = (curvature * (left + learned**2 * heart + alive)).sum(1)
        trained[:, t] = (curvature * ((1 - learned) ** 2 * (begin + heart) + alive)).sum(1)
    return seen, trained


def heavy_ball(pull: Array, momentum: Array) -> Array:
    """By what gradient descent with momentum β multiplies the distance from the optimum in a step, along one direction.

    The larger root of z² − (1 + β − pull) z + β (Polyak 1964): √β where it oscillates, and at most 1, for too large a
    step makes no progress here rather than an explosion.

    Args:
        pull: learning rate times curvature, > 0.
        momentum: β, 0 to 1.
    """
    middle = 1 + momentum - pull
    apart = np.sqrt(np.maximum(middle**2 - 4 * momentum, 0))
    return np.asarray(np.minimum(np.maximum((np.abs(middle) + apart) / 2, np.sqrt(momentum)), 1.0))


def _measured(
    draw: np.random.Generator, settings: _Settings, excess: Array, plans: Array, luck: Array, accuracy: bool
) -> Array:
    """A metric of the loss above the best, as it would be evaluated, [R, T]."""
    floor = np.exp(draw.uniform(-5, 0.5) + settings.effect(draw, 0.15) + draw.uniform(0, 0.1) * luck)[:, None]
    loud = np.exp(draw.uniform(-7, -2.5) + draw.normal(0, 0.3, (len(excess), 1)))
    noise = loud * draw.standard_normal(excess.shape) * np.sqrt(np.maximum(plans, 0.03))
    # A rate that keeps the loss up keeps it restless.
    level = np.clip(excess, 1e-6, 3.0) * np.exp(noise * draw.uniform(1, 4))
    if not accuracy:
        return np.asarray(10 ** draw.uniform(-2, 2) * (level + floor) * np.exp(noise))
    chance, power = draw.choice([0.01, 0.1, 0.25, 0.5]), draw.uniform(0.5, 2.0)
    missed = np.minimum((level + 0.3 * floor) / (1 + 0.3 * floor), 1.0) ** power
    score = 1 - (1 - chance) * missed * draw.uniform(0.2, 1.0) ** (1 - missed)
    score = score + 0.3 * noise * np.sqrt(score * (1 - score) + 1e-4)
    counted = draw.choice([0, 100, 1000, 10_000])
    return np.asarray(np.clip(np.rint(score * counted) / counted if counted else score, 0.0, 1.0))


def _points(index: pd.Index, keys: list[str], values: list[Array]) -> pd.DataFrame:
    """Values [R, T] of several metrics as rows of a table."""
    run, epoch = np.indices(values[0].shape)
    return pd.DataFrame(
        {
            "run": np.tile(index.to_numpy()[run.ravel()], len(keys)),
            "epoch": np.tile(epoch.ravel() + 1, len(keys)),
            "metric": np.repeat(np.array(keys, dtype=object), run.size),
            "value": np.concatenate([one.ravel() for one in values]),
        }
    )
