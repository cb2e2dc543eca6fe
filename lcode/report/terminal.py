"""Tables for the terminal. Names are handed over as `Text`, which rich takes literally: neither markup nor emoji."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from lcode.decisions import Ranking
from lcode.forecast import Forecast
from lcode.report.cells import counted, printable, run_rows, summary_cells

_ACTION_STYLES = {"continue": "green", "stop": "red", "finished": "dim"}


def ranking_table(ranking: Ranking, forecast: Forecast, limit: int = 20) -> Table:
    """The best runs: rank, name, epochs seen, forecast per metric, score, P(best), action.

    Forecasts are `median [5 %, 95 %]` at the horizon, and so is the score.

    Args:
        ranking: R runs, best first.
        forecast: of the same runs.
        limit: rows shown; the caption says how many are not.
    """
    return _runs(forecast, ranking, limit)


def forecast_table(forecast: Forecast, limit: int = 20) -> Table:
    """The runs in the forecast's order: name, epochs seen, and `median [5 %, 95 %]` at the horizon per metric."""
    return _runs(forecast, None, limit)


def summary_table(rows: Sequence[Mapping[str, object]]) -> Table:
    """Rows given as mappings from a heading to a value."""
    headings, cells = summary_cells(rows)
    table = _table()
    for i, heading in enumerate(headings):
        table.add_column(Text(heading), justify="left" if i == 0 else "right")
    for row in cells:
        table.add_row(*map(Text, row))
    return table


def _runs(forecast: Forecast, ranking: Ranking | None, limit: int) -> Table:
    headings, rows = run_rows(forecast, ranking)
    # The page has room for the probability of being among the best tenth as well.
    headings = headings if ranking is None else headings[:-1]
    table = _table()
    longest = max((len(printable(row.run)) for row in rows[:limit]), default=3)
    if ranking is not None:
        table.add_column("rank", justify="right")
    table.add_column("run", overflow="fold", min_width=min(longest, 9))
    for heading in headings:
        table.add_column(Text(heading), justify="right", overflow="fold", min_width=min(len(heading), 6))
    if ranking is not None:
        table.add_column("action", no_wrap=True, min_width=8)
    for rank, row in enumerate(rows[:limit], start=1):
        cells: list[RenderableType] = [Text(printable(row.run)), *map(_Cell, row.cells[: len(headings)])]
        if row.action:
            cells = [Text(str(rank)), *cells, Text(row.action, style=_ACTION_STYLES[row.action])]
        table.add_row(*cells)
    if len(rows) > limit:
        table.caption = f"… and {counted(len(rows) - limit, 'more run')}"
    return table


@dataclass(frozen=True)
class _Cell:
    """`median [low, high]`; in a narrow column the median alone, for a run's name says more than an interval."""

    text: str

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(len(self.text.split(" ")[0]), len(self.text))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(self.text if len(self.text) <= options.max_width else self.text.split(" ")[0])


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, caption_justify="left")
