"""What was found, for people: figures, one self-contained HTML page, tables for the terminal. No torch here.

Plotly is imported when a figure is made, rich with `lcode.report.terminal`.
"""

from lcode.report.figures import forecast_figure, predicted_vs_true_figure, ranking_figure, savings_figure
from lcode.report.html import write_report

__all__ = ["forecast_figure", "predicted_vs_true_figure", "ranking_figure", "savings_figure", "write_report"]
