from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lcode import plot
from lcode.errors import UsageError
from lcode.evaluation.replay import Replay
from lcode.plot.backend import Backend

pytest.importorskip("matplotlib", reason="needs matplotlib: pip install -e '.[notebooks]'")

BACKENDS: tuple[Backend, ...] = ("plotly", "matplotlib")
REPLAYS = {"forecast": [Replay((), 400, 1000, {}, None, 0.2, ())], "median": [Replay((), 700, 1000, {}, None, 0.1, ())]}

FIGURES: dict[str, Callable[[Any, Backend], Any]] = {
    "curves": lambda case, backend: plot.curves(case.table, case.forecast, truth=case.truth, backend=backend),
    "ranking": lambda case, backend: plot.ranking(case.ranking, backend=backend),
    "calibration": lambda case, backend: plot.calibration(case.forecast, case.truth, backend=backend),
    "savings": lambda _, backend: plot.savings(REPLAYS, unit="Δm %", backend=backend),
    "stopping": lambda case, backend: plot.stopping(case.ranking, backend=backend),
    "pareto": lambda case, backend: plot.pareto(case.forecast, backend=backend),
}


def _drawn(figure: Any) -> None:
    """Render it; a warning is an error."""
    figure.canvas.draw()


def test_every_figure_is_tried() -> None:
    assert set(FIGURES) == set(plot.__all__)


@pytest.mark.parametrize("name", FIGURES)
def test_both_libraries_show_the_same_panels_axes_and_names(sweep: Any, name: str) -> None:
    plotly, static = (FIGURES[name](sweep, backend) for backend in BACKENDS)
    _drawn(static)
    assert [f"<b>{axes.get_title(loc='left')}</b>" for axes in static.axes] == [
        note.text.replace("&amp;", "&") for note in plotly.layout.annotations
    ]
    for axes, x, y in zip(static.axes, plotly.select_xaxes(), plotly.select_yaxes(), strict=True):
        assert axes.get_xlabel() == (x.title.text or "") and axes.get_ylabel() == (y.title.text or "")
        assert axes.get_xscale() == ("log" if x.type == "log" else "linear")
        if x.range is not None:
            np.testing.assert_allclose(axes.get_xlim(), np.power(10.0, x.range) if x.type == "log" else x.range)
    shown = [trace.name for trace in sorted(plotly.data, key=lambda t: t.legendrank or 1000) if trace.showlegend]
    assert [text.get_text() for text in static.legends[0].get_texts()] == shown


def test_the_points_are_those_of_the_other_library(sweep: Any) -> None:
    plotly, static = (FIGURES["stopping"](sweep, backend) for backend in BACKENDS)
    for trace, line in zip(plotly.data, static.axes[0].lines, strict=True):
        np.testing.assert_allclose(line.get_xdata(), trace.x)
        np.testing.assert_allclose(line.get_ydata(), trace.y)
    curve = sweep.ranking.stopping
    assert plotly.data[1].x.tolist() == [100 * curve.saved[curve.chosen]]
    assert plotly.data[1].name == "below 5 %, as advised"


def test_names_are_literal_and_all_of_them_are_in_the_legend(make_case: Callable[..., Any]) -> None:
    names = ["_hidden", "a $\\frac{1}{$ b", "<b>bold</b> & co", "plain"]
    case = make_case(names, dict.fromkeys(names[1:], 5))
    figure = plot.curves(case.table, case.forecast, runs=names, backend="matplotlib")
    _drawn(figure)
    shown = [text.get_text() for text in figure.legends[0].get_texts()]
    assert shown[:4] == ["_hidden", "a \\$\\frac{1}{\\$ b", "<b>bold</b> & co", "plain"]


def test_a_diverged_run_is_drawn(odd_sweep: Any) -> None:
    _drawn(plot.curves(odd_sweep.table, odd_sweep.forecast, backend="matplotlib"))


def test_unknown_and_missing_backends(sweep: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no backend 'bokeh' for figures; there are: plotly, matplotlib"):
        plot.ranking(sweep.ranking, backend="bokeh")  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UsageError, match=r"pip install 'lcode\[notebooks\]'"):
        plot.ranking(sweep.ranking, backend="matplotlib")


def test_a_ranking_made_by_hand_says_nothing_of_stopping(sweep: Any) -> None:
    with pytest.raises(UsageError, match=r"make it with lcode\.rank"):
        plot.stopping(dataclasses.replace(sweep.ranking, stopping=None))


def test_matplotlib_is_loaded_on_request_alone_and_without_pyplot() -> None:
    code = (
        "import sys, lcode.plot; assert 'matplotlib' not in sys.modules; "
        "lcode.plot.savings({}, backend='matplotlib'); assert 'matplotlib.pyplot' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
