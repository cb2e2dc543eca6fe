"""Sweeps: many runs from a space of configurations, in populations, on this machine or a cluster."""

from mtl_runs.sweeps.baseline import single_task_runs, write_baseline
from mtl_runs.sweeps.conductor import Listener, RunMonitor
from mtl_runs.sweeps.engine import Sweep
from mtl_runs.sweeps.progress import ProgressBar
from mtl_runs.sweeps.space import sample_runs
from mtl_runs.training import RunSpec

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
