"""Forecast the final performance of multi-task training runs from their first epochs, rank them, stop them early.

Names are loaded when they are used: `import lcode` and the readers bring neither torch nor scikit-learn.
"""

import random
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lcode.api import fit, load
    from lcode.decisions import Ranking, Suggestions, Verdict, rank, suggest
    from lcode.errors import LcodeError
    from lcode.evaluation import Backtest, backtest
    from lcode.forecast import Forecast
    from lcode.forecasters import forecaster
    from lcode.graphs import ArchGraph, trace_graph
    from lcode.hooks import Monitor
    from lcode.hooks.early_stopper import EarlyStopper
    from lcode.hooks.shared import monitor
    from lcode.readers import read_logs
    from lcode.table import Metric, RunTable
    from lcode.table.candidates import candidates
    from lcode.table.runlog import RunHeader, RunLogWriter

_HOMES = {
    "ArchGraph": "lcode.graphs",
    "Backtest": "lcode.evaluation",
    "EarlyStopper": "lcode.hooks.early_stopper",
    "Forecast": "lcode.forecast",
    "LcodeError": "lcode.errors",
    "Metric": "lcode.table",
    "Monitor": "lcode.hooks",
    "Ranking": "lcode.decisions",
    "RunHeader": "lcode.table.runlog",
    "RunLogWriter": "lcode.table.runlog",
    "RunTable": "lcode.table",
    "Suggestions": "lcode.decisions",
    "Verdict": "lcode.decisions",
    "backtest": "lcode.evaluation",
    "candidates": "lcode.table.candidates",
    "fit": "lcode.api",
    "forecaster": "lcode.forecasters",
    "load": "lcode.api",
    "monitor": "lcode.hooks.shared",
    "rank": "lcode.decisions",
    "read_logs": "lcode.readers",
    "suggest": "lcode.decisions",
    "trace_graph": "lcode.graphs",
}

__all__ = [
    "ArchGraph",
    "Backtest",
    "EarlyStopper",
    "Forecast",
    "LcodeError",
    "Metric",
    "Monitor",
    "Ranking",
    "RunHeader",
    "RunLogWriter",
    "RunTable",
    "Suggestions",
    "Verdict",
    "backtest",
    "candidates",
    "fit",
    "forecaster",
    "load",
    "monitor",
    "rank",
    "read_logs",
    "suggest",
    "trace_graph",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'lcode' has no attribute '{name}'")
    state = random.getstate()  # scikit-learn draws as it loads; see lcode.isolation.importing
    try:
        value = getattr(import_module(_HOMES[name]), name)
    finally:
        random.setstate(state)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
