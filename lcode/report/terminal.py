"""Tables for the terminal. Names are handed over as `Text`, which rich takes literally: neither markup nor emoji."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from lcode.decisions import Ranking, Suggestion, Suggestions
from lcode.forecast import Forecast
from lcode.report.cells import RunRow, configuration, run_rows, summary_cells
from lcode.show import NOTHING, counted, printable, shorten
from lcode.table import RunTable
from lcode.table.axis import epoch_text
from lcode.table.begun import told_statuses

_ACTION_STYLES = {"continue": "green", "start": "green", "stop": "red", "skip": "red"}

SHORTEST_NAME = 12
"""A run's name is not cut further to make room for a metric; nor so far that two names of a table become alike."""


def ranking_table(
    ranking: Ranking, forecast: Forecast, limit: int = 20, *, table: RunTable | None = None
) -> RenderableType:
    """The best runs: rank, name, epochs seen, forecast per metric, score, P(best), action.

    Forecasts are `median [5 %, 95 %]` at the horizon, and so is the score. A narrow terminal shows less: see `_Runs`.

    Args:
        ranking: R runs, best first.
        forecast: of the same runs.
        limit: rows shown; the caption says how many are not.
        table: the runs; it says which were stopped or failed.
    """
    headings, rows = run_rows(forecast, ranking, table)
    # The page has room for the probability of being among the best tenth as well.
    return _Runs(headings[:-1], rows[:limit], len(forecast.metrics), left_out=len(rows[limit:]))


def forecast_table(forecast: Forecast, limit: int = 40) -> RenderableType:
    """Each run's forecasts at its horizon, in the order of the logs: epochs seen, `median [5 %, 95 %]` per metric.

    Args:
        forecast: of R runs.
        limit: rows shown; the caption says how many are not.
    """
    headings, rows = run_rows(forecast)
    shown = [dict(zip(("run", *headings), (row.run, *row.cells), strict=True)) for row in rows[:limit]]
    return _captioned(summary_table(shown), len(rows) - limit)


def suggestions_table(found: Suggestions, steps: Sequence[Suggestion]) -> Table:
    """What to train next, with the reason: of all suggestions those that are to be shown, the dearest first."""
    unit = found.objective.unit
    table = _table()
    table.add_column("train", no_wrap=True)
    table.add_column("run", overflow="fold")
    table.add_column("epochs", justify="right", no_wrap=True)
    table.add_column(Text("worth\nper epoch"), justify="right", no_wrap=True)
    table.add_column(Text(f"why ({unit})" if unit else "why"))
    for step in steps:
        epochs = f"{step.granted:g}/{step.to_end:g}"
        table.add_row(step.step, Text(printable(step.run)), epochs, f"{step.price:.2g}", Text(step.reason))
    table.caption = "epochs: to train now, before looking again / left to the horizon"
    return table


def runs_table(table: RunTable, limit: int = 200) -> RenderableType:
    """What is known of each run: epochs, planned last epoch, status, and the settings in which runs differ."""
    settings = configuration(table)
    epochs = table.points.groupby("run", observed=True)["epoch"]
    first, last, count = (epochs.agg(how).reindex(table.run_ids).tolist() for how in ("min", "max", "nunique"))
    horizons, statuses = table.runs["horizon"].tolist(), told_statuses(table).tolist()
    rows = []
    for at, run in enumerate(table.run_ids[:limit]):
        ends = [epoch_text(int(end), table.epoch_unit) for end in (first[at], last[at]) if end == end]
        seen = {"epochs": "–".join(ends) or NOTHING, "evaluations": int(count[at]) if ends else 0}
        planned = {"horizon": epoch_text(int(horizons[at]), table.epoch_unit), "status": statuses[at]}
        rows.append({"run": run, **seen, **planned, "differs in": settings[run] or NOTHING})
    return _captioned(summary_table(rows), len(table) - limit)


def _captioned(table: Table, more: int) -> Table:
    if more > 0:
        table.caption = f"… and {counted(more, 'more run')}"
    return table


def summary_table(rows: Sequence[Mapping[str, object]]) -> Table:
    """Rows given as mappings from a heading to a value."""
    headings, cells = summary_cells(rows)
    table = _table()
    for i, heading in enumerate(headings):
        table.add_column(Text(heading), justify="left" if i == 0 else "right")
    for row in cells:
        table.add_row(*map(Text, row))
    return table


@dataclass(frozen=True)
class _Runs:
    """The table of runs, with what there is room for.

    Too narrow a terminal takes the intervals first, then the middle of the names, then the last metrics; a number is
    never broken, and rank, name, score and action stay.

    Attributes:
        headings: of the cells: epochs seen, K metrics, score, P(best).
        rows: the runs, best first.
        metrics: K.
        left_out: runs that are not among the rows.
    """

    headings: Sequence[str]
    rows: Sequence[RunRow]
    metrics: int
    left_out: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        names = [printable(row.run) for row in self.rows]
        longest = max(map(len, names), default=0)
        score = self.metrics + 1
        # Metrics shown, the cell from which on there are intervals, and whether epochs and chances are shown.
        layouts = [(self.metrics, 0, True), (self.metrics, score, True)]
        layouts += [*((k, score + 1, True) for k in range(self.metrics, -1, -1)), (0, score + 1, False)]
        for metrics, intervals_from, beside in layouts:
            whole = self._table(metrics, intervals_from, longest, beside=beside)
            lacking = console.measure(whole, options=options.update_width(10_000)).maximum - options.max_width
            least = longest if intervals_from <= score else shortest_apart(names, SHORTEST_NAME)
            if longest - lacking >= least:
                break
        yield self._table(metrics, intervals_from, min(longest, max(longest - lacking, least)), beside=beside)

    def _table(self, metrics: int, intervals_from: int, name: int, *, beside: bool) -> Table:
        """The first metrics, medians alone before the cell `intervals_from`, and names of at most this length.

        Epochs and chances are left out unless `beside`.
        """
        shown = [i for i in range(len(self.headings)) if not metrics < i <= self.metrics]
        shown = shown if beside else [self.metrics + 1]
        table = _table()
        table.add_column("rank", justify="right", no_wrap=True)
        table.add_column("run", overflow="fold")
        for i in shown:
            heading = self.headings[i] if i >= intervals_from else re.sub(r"(?<=[/-])| ", "\n", self.headings[i])
            table.add_column(Text(heading), justify="right", no_wrap=True)
        table.add_column("action", no_wrap=True)
        for rank, row in enumerate(self.rows, start=1):
            cells = [row.cells[i] if i >= intervals_from else row.cells[i].split(" ")[0] for i in shown]
            texts = map(Text, (str(rank), shorten(printable(row.run), name), *cells))
            table.add_row(*texts, Text(row.action, style=_ACTION_STYLES.get(row.action, "dim")))
        more = [(self.left_out, "more run"), (self.metrics - metrics, "more metric")]
        if caption := " and ".join(counted(number, noun) for number, noun in more if number):
            table.caption = f"… and {caption}"
        return table


def shortest_apart(names: Sequence[str], least: int) -> int:
    """The least length, of at least this, to which different names can be shortened and still differ."""
    longest = max(map(len, names), default=0)
    different = len(set(names))
    lengths = range(min(least, longest), longest)
    return next((length for length in lengths if len({shorten(n, length) for n in names}) == different), longest)


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, caption_justify="left")
