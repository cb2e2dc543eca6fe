"""Sweeps: many runs from a space of configurations, on local worker processes."""

from mtl_runs.sweeps.baseline import single_task_runs, write_baseline
from mtl_runs.sweeps.engine import Listener, RunMonitor, Sweep
from mtl_runs.sweeps.progress import ProgressBar
from mtl_runs.sweeps.space import RunSpec, sample_runs

__all__ = [
    "Listener",
    "ProgressBar",
    "RunMonitor",
    "RunSpec",
    "Sweep",
    "sample_runs",
    "single_task_runs",
    "write_baseline",
]
