"""One HTML file with everything in it: it can be mailed, archived and read without a network."""

from __future__ import annotations

import html
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import numpy as np

from lcode.decisions import Ranking
from lcode.evaluation.replay import Replay
from lcode.files import replacing
from lcode.forecast import Forecast
from lcode.report.cells import configuration, run_rows, summary_cells
from lcode.report.fan import HIGHLIGHTED
from lcode.report.figures import forecast_figure, predicted_vs_true_figure, ranking_figure, savings_figure
from lcode.report.page import PAGE
from lcode.report.panels import one_column
from lcode.show import NOTHING, counted, printable
from lcode.table import RunTable

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

FIRST_ROWS = 30
"""Rows of the table of runs that are shown at once; the others can be unfolded."""


def write_report(
    path: str | os.PathLike[str],
    *,
    title: str,
    table: RunTable,
    forecast: Forecast,
    ranking: Ranking | None = None,
    truth: RunTable | None = None,
    replays: Mapping[str, Sequence[Replay]] | None = None,
    summary: Sequence[Mapping[str, object]] | None = None,
    notes: Sequence[str] = (),
) -> None:
    """Write the report: summary, table of all runs, figures, notes, and how to read the intervals.

    Everything that comes from the data (names, configurations, notes) is shown literally, whatever characters it has.

    Args:
        path: the file to write; it is written under a temporary name and renamed.
        title: heading of the page.
        table: the runs as observed.
        forecast: of these runs, made with `at="full"` so that the fans show every epoch.
        ranking: of the same runs; it orders them and chooses those that the figures highlight.
        truth: the same runs trained to their ends, if they are known.
        replays: replays by policy, as for `savings_figure`.
        summary: rows of a table of key figures, from heading to value.
        notes: remarks, besides those of the table, the forecast and the ranking.

    Raises:
        StorageError: the file cannot be written.
    """
    sections = []
    if summary:
        sections.append(_section("Summary", _summary(summary)))
    sections.append(_section("Runs" if ranking is None else "Ranking", _runs(table, forecast, ranking)))
    if ranking is not None:
        lead = "Score at the horizon: median and the interval that holds it with probability 90\u00a0%."
        sections.append(_section("Scores", _lead(lead) + _figure("ranking", ranking_figure(ranking))))
    fans = forecast_figure(table, forecast, truth=truth, runs=_worth_showing(forecast, ranking))
    sections.append(_section("Forecasts", _lead(_FANS) + _figure("forecast", fans)))
    if truth is not None:
        hits = predicted_vs_true_figure(forecast, truth)
        lead = "Each dot is a run. On the dotted line, prediction and truth agree; τ = 1 means the same order of runs."
        sections.append(_section("Predicted and true ends", _lead(lead) + _figure("hits", hits)))
    if replays:
        lead = "What each stopping policy would have saved and lost on runs that were trained to their ends."
        unit = "" if ranking is None else ranking.objective.unit
        figure = _figure("savings", savings_figure(replays, unit=unit))
        sections.append(_section("Compute saved", _lead(lead) + figure))
    sections.append(_section("How to read the intervals", _READING))
    remarks = dict.fromkeys((*notes, *table.notes, *forecast.notes, *(ranking.notes if ranking else ())))
    if remarks:
        items = "".join(f"<li>{_text(note)}</li>" for note in remarks)
        sections.append(_section("Notes", f"<ul>{items}</ul>"))
    page = _page(title, _what(forecast, truth), "\n".join(sections))
    with replacing(Path(path)) as file:
        file.write(page.encode())


_FANS = (
    "Points: observed. Ring: the last epoch that the forecast has seen. Line and bands: median, 50\u00a0% and "
    "90\u00a0% interval of each epoch to come. Grey: other runs. Click a name to hide or show a run, drag to zoom, "
    "double-click to reset."
)

_READING = """<p><b>0.71 [0.68, 0.74]</b> reads: 0.71 is as likely to be exceeded as not, and with probability
90&nbsp;% the value at the run's last planned epoch lies between 0.68 and 0.74. So about one run in ten ends outside
its interval, on either side. An interval is for one run and one metric; that all runs of a long list lie within theirs
is much less likely. A value without an interval was observed, or comes from a forecaster that states no
uncertainty.</p>
<p><b>P(best)</b> is the probability that the run ends with the best score of all runs listed,
<b>P(top 10&nbsp;%)</b> that it ends among the best tenth. <b>stop</b> means: too unlikely to be worth its
compute.</p>"""


def _what(forecast: Forecast, truth: RunTable | None) -> str:
    """What the page is, in one sentence."""
    runs, metrics = len(forecast.run_ids), len(forecast.metrics)
    live = int((forecast.status == "ok").any(axis=1).sum())
    measured = f"{counted(runs, 'training run')} on {counted(metrics, 'metric')}"
    text = (
        f"The final performance of {measured}, forecast by lcode from the epochs seen so far "
        f"({live} of the runs still had epochs to come)"
    )
    return f"{text}, beside what came of them." if truth is not None else f"{text}."


def _worth_showing(forecast: Forecast, ranking: Ranking | None) -> list[str] | None:
    """Open runs from the best down to the third quartile, evenly spread.

    The best alone would cover each other, and the worst have often learnt nothing and would squeeze all others.

    The figure's own choice without a ranking; the best runs where none is open.
    """
    if ranking is None:
        return None
    unfinished = (forecast.status == "ok").any(axis=1)
    is_open = dict(zip(forecast.run_ids, unfinished, strict=True))
    still_open = [run for run in ranking.runs if is_open[run]] or list(ranking.runs)
    spread = np.linspace(0, 0.75 * (len(still_open) - 1), min(HIGHLIGHTED, len(still_open)))
    return [still_open[i] for i in spread.round().astype(int)]


def _runs(table: RunTable, forecast: Forecast, ranking: Ranking | None) -> str:
    headings, rows = run_rows(forecast, ranking)
    ranked = ranking is not None
    described = configuration(table)
    with_configuration = any(described.values())
    names = ["run", *headings, *(["action"] if ranked else []), *(["configuration"] if with_configuration else [])]
    classes = ["run", *("number" for _ in headings), "", ""]
    head = "".join(f'<th class="{kind}">{_text(name)}</th>' for name, kind in zip(names, classes, strict=False))
    if ranked:
        head = f'<th class="number">rank</th>{head}'
    body = []
    for rank, row in enumerate(rows, start=1):
        cells = [f'<td class="run">{_text(row.run)}</td>', *(f'<td class="number">{_text(c)}</td>' for c in row.cells)]
        if row.action:
            cells = [f'<td class="number">{rank}</td>', *cells, f'<td class="{row.action}">{row.action}</td>']
        if with_configuration:
            told = _text(described.get(row.run) or NOTHING)
            cells.append(f'<td class="configuration" title="{told}">{told}</td>')
        body.append(f"<tr>{''.join(cells)}</tr>")
    shown = _table(head, body[:FIRST_ROWS])
    rest = body[FIRST_ROWS:]
    if not rest:
        return shown
    return f"{shown}<details><summary>{counted(len(rest), 'more run')}</summary>{_table(head, rest)}</details>"


def _summary(rows: Sequence[Mapping[str, object]]) -> str:
    headings, cells = summary_cells(rows)
    head = "".join(f"<th{_numeric(i > 0)}>{html.escape(name)}</th>" for i, name in enumerate(headings))
    body = [
        "<tr>" + "".join(f"<td{_numeric(i > 0)}>{html.escape(c)}</td>" for i, c in enumerate(row)) + "</tr>"
        for row in cells
    ]
    return _table(head, body)


def _table(head: str, rows: Sequence[str]) -> str:
    return (
        f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _figure(name: str, figure: Figure) -> str:
    """The place of a figure, its data as inert JSON, and its layouts for wide and for narrow screens."""
    narrow = one_column(figure).to_json()
    data = f'{{"figure": {figure.to_json()}, "narrow": {narrow}}}'
    # In JSON a < can only stand inside a string, where its escape means the same; no tag can begin or end here.
    data = data.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return (
        f'<div class="figure" id="{name}" style="height:{figure.layout.height}px"></div>'
        f'<script type="application/json" id="{name}-data">{data}</script>'
    )


def _section(heading: str, content: str) -> str:
    return f"<section><h2>{html.escape(heading)}</h2>{content}</section>"


def _lead(text: str) -> str:
    return f'<p class="lead">{html.escape(text)}</p>'


def _numeric(numeric: bool) -> str:
    return ' class="number"' if numeric else ""


def _text(text: str) -> str:
    return html.escape(printable(text))


def _page(title: str, what: str, content: str) -> str:
    from plotly.offline import get_plotlyjs

    return Template(PAGE).substitute(title=_text(title), what=html.escape(what), content=content, plotly=get_plotlyjs())
