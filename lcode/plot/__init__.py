"""Figures for notebooks and papers: each function takes values of the library and returns a plotly figure.

With `backend="matplotlib"` it is one of matplotlib's. Either is imported when a figure is made.
"""

from lcode.plot.fan import curves
from lcode.plot.figures import calibration, ranking, savings, stopping
from lcode.plot.fronts import pareto

__all__ = ["calibration", "curves", "pareto", "ranking", "savings", "stopping"]
