"""Training of runs, alone or stacked in a population: steps, epochs, checkpoints, logs."""

from mtl_runs.training.callbacks import Decision, EpochReport, OnEpoch, OnEpochs
from mtl_runs.training.config import SCHEDULES, RunConfig, RunSpec
from mtl_runs.training.header import run_header
from mtl_runs.training.loop import RunResult, train, train_population

__all__ = [
    "SCHEDULES",
    "Decision",
    "EpochReport",
    "OnEpoch",
    "OnEpochs",
    "RunConfig",
    "RunResult",
    "RunSpec",
    "run_header",
    "train",
    "train_population",
]
