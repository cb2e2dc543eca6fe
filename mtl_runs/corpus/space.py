"""What the corpus is drawn from: problems, architectures, balancers with their settings, and what is held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mtl_runs.sweeps.packs import PACK
from mtl_runs.training.config import OptimizerName

HORIZON = 60
"""Last epoch of every run."""

VECTOR_ARCHS = (
    "mlp-12x1",
    "mlp-16x2",
    "mlp-24x3",
    "mlp-32x1",
    "mlp-32x2",
    "mlp-48x2",
    "mlp-64x1",
    "mmoe-8x1e3",
    "mmoe-12x1e2",
    "mmoe-16x2e2",
    "stitch-8x2",
    "stitch-16x1",
    "stitch-16x2",
)
"""Small: 4,000 runs are to be had in two hours of CPU time."""

PICTURE_ARCHS = ("cnn-4x1", "cnn-6x2", "cnn-8x1", "resnet-4x1", "resnet-3x2", "stitchcnn-3x2", "mtan-3x1")
"""For pictures whose tasks want one vector, beside the perceptrons."""

DENSE_ARCHS = ("cnn-4x2", "cnn-6x2", "resnet-4x1", "stitchcnn-4x1", "mtan-3x1")

HELD_OUT_ARCHS = ("mlp-24x3", "mlp-32x1", "mmoe-12x1e2", "stitch-16x1", "cnn-6x2", "mtan-3x1")
"""Architectures of the test part of the split by architecture. One of each family that others remain of, and all of
mtan: a network of a kind never seen."""

HELD_OUT_PROBLEMS = ("waves", "cells")
"""Problems of the test part of the split by problem: one on vectors, one on pictures, neither with a sibling."""


@dataclass(frozen=True)
class Plan:
    """How much of the corpus one problem makes.

    Attributes:
        tasks: its K tasks.
        archs: architectures, used equally often.
        batch_sizes: batch sizes, the most frequent first; an architecture has a different one in each pack.
        by_gradients: packs of balancers that read the tasks' gradients.
        by_losses: packs of balancers that read losses only.
        apart: for each balancer that needs passes of its own (FAMO, MoDo), packs of half the size.
        members: of a pack.
    """

    tasks: Sequence[str]
    archs: Sequence[str]
    batch_sizes: Sequence[int]
    by_gradients: int
    by_losses: int
    apart: int
    members: int = PACK


_SMALL_BATCHES = (256, 128, 512, 64)
_DENSE_BATCHES = (64, 128, 32)


def _digits(*tasks: str, left_out: Sequence[str], by_gradients: int, by_losses: int) -> Plan:
    """Perceptrons and small networks on pictures; those are slow, so each problem leaves some out."""
    archs = tuple(arch for arch in VECTOR_ARCHS + PICTURE_ARCHS if arch not in left_out)
    return Plan(tasks, archs, _SMALL_BATCHES, by_gradients, by_losses, apart=1)


def _dense(*tasks: str, by_gradients: int, by_losses: int) -> Plan:
    """Ten times as slow as perceptrons, and as slow in small packs as in large ones."""
    return Plan(tasks, DENSE_ARCHS, _DENSE_BATCHES, by_gradients, by_losses, apart=0, members=8)


def _vectors(*tasks: str) -> Plan:
    return Plan(tasks, VECTOR_ARCHS, _SMALL_BATCHES, 15, 10, apart=2)


_LEFT_OUT = (
    ("mlp-12x1", "mlp-64x1", "mmoe-16x2e2", "cnn-8x1", "resnet-3x2", "mtan-3x1"),
    ("mlp-16x2", "mmoe-8x1e3", "stitch-16x2", "cnn-6x2", "resnet-4x1", "stitchcnn-3x2"),
    ("mlp-48x2", "stitch-8x2", "mmoe-16x2e2", "cnn-4x1", "resnet-3x2", "stitchcnn-3x2"),
)

PLANS: Mapping[str, Plan] = {
    "digits": _digits("left", "right", "sum", left_out=_LEFT_OUT[0], by_gradients=14, by_losses=10),
    "digits-scaled": _digits("left", "right", "sum", left_out=_LEFT_OUT[1], by_gradients=14, by_losses=10),
    "digits-pair": _digits("left", "right", left_out=_LEFT_OUT[2], by_gradients=14, by_losses=8),
    "fashion": _digits("left", "right", left_out=_LEFT_OUT[0], by_gradients=10, by_losses=8),
    "fashion-ink": _digits("left", "right", "contested", left_out=_LEFT_OUT[1], by_gradients=10, by_losses=8),
    "scenes": _dense("parts", "depth", "normals", by_gradients=7, by_losses=5),
    "scenes-fog": _dense("parts", "depth", "normals", by_gradients=6, by_losses=4),
    "cells": _dense("map", "count", "outbreak", by_gradients=8, by_losses=6),
    "tabular": _vectors("kind", "flag", "value"),
    "tabular-wide": _vectors("kind", "rare", "large", "small", "pair"),
    "clicks": _vectors("click", "like", "watch"),
    "particles": _vectors("energy", "force", "stress"),
    "particles-hot": _vectors("energy", "force", "stress"),
    "waves": _vectors("form", "speed", "phase", "clean"),
}
"""By problem; the tasks are named here so that the definition needs no data."""

LOSS_BALANCERS = ("equal", "uncertainty", "uw_o", "uw_so", "imtl_l", "slaw", "rlw", "dwa", "stch", "gls")
"""Drawn in turn for packs of balancers that read losses only; `fixed` is in all of these packs."""

GRADIENT_BALANCERS = (
    "inverse_norm",
    "gradnorm",
    "pcgrad",
    "gradvac",
    "mgda",
    "cagrad",
    "imgrad",
    "conicgrad_exact",
    "sdmgrad",
    "sdmgrad_os",
    "fairgrad",
    "nash_mtl",
    "imtl_g",
    "config",
    "aligned_mtl",
    "upgrad",
    "dualproj",
    "ngdiff",
    "rgw",
    "graddrop",
    "moco",
    "db_mtl",
    "excess_mtl",
    "adatask",
)
"""Drawn in turn for packs of balancers that read gradients."""

APART = ("famo", "modo")
"""Each in packs of its own."""

SETTINGS: Mapping[str, Mapping[str, Sequence[Any]]] = {
    "uncertainty": {"lr": (0.005, 0.025, 0.1)},
    "uw_so": {"temperature": (1.0, 5.0, 20.0)},
    "imtl_l": {"lr": (0.005, 0.025, 0.1)},
    "slaw": {"beta": (0.9, 0.99)},
    "dwa": {"temperature": (1.0, 2.0, 5.0)},
    "stch": {"mu": (0.1, 0.3, 1.0)},
    "inverse_norm": {"target": ("norm_of_sum", "mean_of_norms", "sum_to_k")},
    "gradnorm": {"alpha": (0.5, 1.5), "lr": (0.025, 0.1)},
    "gradvac": {"beta": (0.1, 0.5)},
    "cagrad": {"c": (0.2, 0.4, 0.8)},
    "imgrad": {"c": (0.4, 0.8)},
    "conicgrad_exact": {"c": (0.25, 0.5, 0.75)},
    "sdmgrad": {"regularisation": (0.1, 0.3, 1.0)},
    "sdmgrad_os": {"regularisation": (0.1, 0.3, 1.0)},
    "fairgrad": {"alpha": (0.5, 1.0, 2.0)},
    "aligned_mtl": {"scale": ("min", "rmse")},
    "moco": {"beta": (0.1, 0.5), "gamma": (0.01, 0.1)},
    "db_mtl": {"beta": (0.5, 0.9)},
    "excess_mtl": {"step_size": (0.01, 0.1)},
    "famo": {"lr": (0.025, 0.1)},
    "modo": {"gamma": (0.01, 0.1), "rho": (0.0, 0.1)},
}
"""Values of each setting; what is not named keeps its default. Few, because each pair of a balancer and its settings
costs a call per step."""

LEARNING_RATES: Mapping[OptimizerName, tuple[float, float]] = {"sgd": (3e-3, 3e-1), "adam": (1e-4, 1e-2)}
"""Log-uniform between these."""

BASELINE_RATES = (1e-3, 3e-3, 1e-2)
"""Of the single-task references: Adam, cosine; each task alone gets the best of these."""

BASELINE_BATCHES = (256, 128, 64)
"""The first of them that the problem's plan has."""
