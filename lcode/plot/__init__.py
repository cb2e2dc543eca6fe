"""Interactive figures for notebooks: each function takes values of the library and returns a plotly figure.

Plotly is imported when a figure is made.
"""

from lcode.plot.fan import curves
from lcode.plot.figures import calibration, ranking, savings
from lcode.plot.fronts import pareto

__all__ = ["calibration", "curves", "pareto", "ranking", "savings"]
