"""How good forecasts, rankings and stops were, on runs that are finished by now."""

from lcode.evaluation.backtest import DEFAULT_FORECASTERS, MEASURES, Backtest, backtest
from lcode.evaluation.splits import split_runs

__all__ = ["DEFAULT_FORECASTERS", "MEASURES", "Backtest", "backtest", "split_runs"]
