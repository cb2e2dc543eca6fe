"""265 three-layer CNNs on CIFAR-10: validation error over 40 epochs."""

from __future__ import annotations

from lcode.benchmarks.collection import CurveCollection, main_metric
from lcode.benchmarks.files import DataFile

CIFAR10_CNN = CurveCollection(
    name="cifar10_cnn",
    curves=DataFile(
        "cifar10_cnn/cifar10_cnn.curves.parquet", "446f81f82a550ccde77af69d2a93e335787eee7d89c9470d257c0d8add0ad9bc"
    ),
    configs=DataFile(
        "cifar10_cnn/cifar10_cnn.configs.csv", "8a105d7f31fb58a43231685661107b9f83a8b430b12416565e076e939a80aa09"
    ),
    metric=main_metric("valid_error"),
    rows=10_600,
    source="Klein et al. 2017, Learning curve prediction with Bayesian neural networks (LCNet)",
)
"""Batch size, learning rate and the units of the three layers vary; all runs are kept."""
