"""What was measured: metrics, curves and the table of runs. No torch here."""

from lcode.table.axis import as_epochs, as_ticks
from lcode.table.direction import Direction
from lcode.table.metric import MAIN_TASK, Metric, infer_direction, split_key
from lcode.table.metric_names import MetricFacts, known_metric
from lcode.table.pool import pooled
from lcode.table.schedule import Schedule
from lcode.table.table import Curve, RunStatus, RunTable

__all__ = [
    "MAIN_TASK",
    "Curve",
    "Direction",
    "Metric",
    "MetricFacts",
    "RunStatus",
    "RunTable",
    "Schedule",
    "as_epochs",
    "as_ticks",
    "infer_direction",
    "known_metric",
    "pooled",
    "split_key",
]
