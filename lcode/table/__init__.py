"""What was measured: metrics, curves and the table of runs. No torch here."""

from lcode.table.metric import MAIN_TASK, Direction, Metric, infer_direction, split_key
from lcode.table.pool import pooled
from lcode.table.table import Curve, RunStatus, RunTable

__all__ = [
    "MAIN_TASK",
    "Curve",
    "Direction",
    "Metric",
    "RunStatus",
    "RunTable",
    "infer_direction",
    "pooled",
    "split_key",
]
