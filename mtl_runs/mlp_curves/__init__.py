"""Learning curves of multi-layer perceptrons on two tables, by LC-GODE's recipe: `python -m mtl_runs.mlp_curves`."""

from __future__ import annotations

from mtl_runs.mlp_curves.make import make_runs
from mtl_runs.mlp_curves.perceptron import Curves, train
from mtl_runs.mlp_curves.sample import EPOCHS, RunPlan, plan_run
from mtl_runs.mlp_curves.shards import collect
from mtl_runs.mlp_curves.tables import TABLES, BinaryTable, load_table

__all__ = [
    "EPOCHS",
    "TABLES",
    "BinaryTable",
    "Curves",
    "RunPlan",
    "collect",
    "load_table",
    "make_runs",
    "plan_run",
    "train",
]
