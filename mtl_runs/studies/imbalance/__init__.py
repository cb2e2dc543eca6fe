"""Does imbalance go with gradient norms, and do inverse norms replace a grid of weights (arXiv 2509.23915)?

`plan` says what is trained, `conduct` trains it in stages, `record` collects it in one table, `cost` measures what
a training costs, `gaps` and `statistics` are what the notebook computes from that table.
"""

from mtl_runs.studies.imbalance.conduct import conduct
from mtl_runs.studies.imbalance.cost import COSTS, measure_costs
from mtl_runs.studies.imbalance.gaps import add_gaps, chosen_references, gap_table, per_run
from mtl_runs.studies.imbalance.plan import STUDY, Plan, Setting, Trial
from mtl_runs.studies.imbalance.record import RECORD, collect, read_record, write_record
from mtl_runs.studies.imbalance.statistics import (
    Interval,
    best_of,
    bootstrap_interval,
    correlation,
    mean_interval,
    norm_ratio,
    partial_correlation,
    permutation_p_value,
    ranks_within,
)

__all__ = [
    "COSTS",
    "RECORD",
    "STUDY",
    "Interval",
    "Plan",
    "Setting",
    "Trial",
    "add_gaps",
    "best_of",
    "bootstrap_interval",
    "chosen_references",
    "collect",
    "conduct",
    "correlation",
    "gap_table",
    "mean_interval",
    "measure_costs",
    "norm_ratio",
    "partial_correlation",
    "per_run",
    "permutation_p_value",
    "ranks_within",
    "read_record",
    "write_record",
]
