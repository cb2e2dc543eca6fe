"""Sweeps: many runs from a space of configurations, in populations, on this machine or a cluster."""

from mtl_runs.sweeps.baseline import single_task_runs, write_baseline
from mtl_runs.sweeps.conductor import Listener, RunMonitor
from mtl_runs.sweeps.engine import Sweep
from mtl_runs.sweeps.freeze_thaw import FreezeThaw
from mtl_runs.sweeps.lineage import schedule_text, weight_schedule
from mtl_runs.sweeps.pbt import PopulationBasedTraining
from mtl_runs.sweeps.progress import ProgressBar
from mtl_runs.sweeps.space import sample_population, sample_runs
from mtl_runs.training import RunSpec

__all__ = [
    "FreezeThaw",
    "Listener",
    "PopulationBasedTraining",
    "ProgressBar",
    "RunMonitor",
    "RunSpec",
    "Sweep",
    "sample_population",
    "sample_runs",
    "schedule_text",
    "single_task_runs",
    "weight_schedule",
    "write_baseline",
]
