"""Training of one run: steps, epochs, checkpoints, log."""

from mtl_runs.training.config import SCHEDULES, RunConfig
from mtl_runs.training.loop import Decision, OnEpoch, RunResult, run_header, train

__all__ = ["SCHEDULES", "Decision", "OnEpoch", "RunConfig", "RunResult", "run_header", "train"]
