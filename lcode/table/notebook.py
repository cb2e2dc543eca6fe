"""What a notebook shows of a table of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lcode.show import ARROWS, SHOWN, counted, html_table, plain
from lcode.table.axis import epoch_text
from lcode.table.begun import told_statuses

if TYPE_CHECKING:
    from lcode.table.table import RunTable


def runs_html(table: RunTable) -> str:
    """The first runs, how far they are, and the last value of each metric, as a small HTML table."""
    shown = list(table.run_ids[:SHOWN])
    points = table.points[table.points["run"].isin(shown)]
    last = points.groupby(["run", "metric"], observed=True)["value"].last().to_dict()
    epochs, unit = table.last_epochs, table.epoch_unit
    statuses = told_statuses(table)
    rows = [
        [
            run,
            str(statuses[run]),
            "/".join(epoch_text(int(end), unit) for end in (epochs[run], table.runs["horizon"][run])),
            *(plain(last.get((run, metric.key))) for metric in table.metrics),
        ]
        for run in shown
    ]
    headings = ["run", "status", "epochs", *(f"{metric.key} {ARROWS[metric.direction]}" for metric in table.metrics)]
    caption = f"{counted(len(table), 'run')}, {counted(len(table.metrics), 'metric')}: the last values"
    return html_table(headings, rows, caption=caption, more=len(table) - SHOWN)
