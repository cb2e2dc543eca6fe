"""`lcode watch LOGS`: the ranking while runs are training, in a terminal, or as one line for cron and CI."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from lcode.cli import options as opt
from lcode.cli.baseline import baseline_for
from lcode.cli.console import err, out
from lcode.cli.log_source import LogSource, reads_logs
from lcode.cli.model_source import loaded_model, table_for
from lcode.errors import LcodeError
from lcode.show import printable, probability

if TYPE_CHECKING:
    from lcode.decisions import Ranking
    from lcode.forecast import Forecast
    from lcode.forecasters.lcgode import LCGODEForecaster
    from lcode.report import Headline
    from lcode.report.advice import Advice
    from lcode.table import RunTable

REMEMBERED = 8
"""So many changes are shown, the last ones."""

ROWS = 15
"""Runs in the live table, the best ones."""


@reads_logs
def watch(
    source: LogSource,
    every: Annotated[float, typer.Option(metavar="SECONDS", help="Read the logs again after so long.", min=1)] = 30,
    once: Annotated[bool, typer.Option("--once", help="Print one line and end, for cron and CI.")] = False,
    model: opt.ModelDir = None,
    objective: opt.Objective = "delta_m",
    baseline: opt.Baseline = None,
    constraint: opt.Constraints = None,
    device: opt.Device = None,
) -> None:
    """Show the ranking of LOGS while the runs are training, and what changes; Ctrl-C ends it."""
    looks = _looks(_Watched(source, loaded_model(source, model, device), objective, baseline, constraint or ()))
    first = next(looks)
    if once:
        print_line(first.headline.line)
        return
    try:
        if out.is_terminal:
            _show(first, looks, every)
        else:
            _tell(first, looks, every)
    except KeyboardInterrupt:
        err.print("no longer watching")


@dataclass(frozen=True)
class Look:
    """The runs as they stood when the logs were read.

    Attributes:
        table: the runs.
        forecast: of them.
        ranking: of them.
        headline: what to do.
        advice: for each run, best first.
        trouble: why the logs could not be read this time; the rest is then as it was the last time.
    """

    table: RunTable
    forecast: Forecast
    ranking: Ranking
    headline: Headline
    advice: dict[str, Advice]
    trouble: str = ""


def changes(before: Look, after: Look) -> list[str]:
    """What is different, in a line each: runs that are new, advice that changed, another best bet."""
    lines = []
    for run, now in after.advice.items():
        then = before.advice.get(run)
        chance = f" (P {probability(after.headline.stop[run])})" if run in after.headline.stop else ""
        if then is None:
            lines.append(f"{printable(run)} is new: {now}{chance}")
        elif then != now:
            lines.append(f"{printable(run)}: {then} → {now}{chance}")
    best = after.headline.best
    if best is not None and best != before.headline.best:
        lines.append(f"best bet is now {printable(best)} (P {probability(after.headline.p_best)})")
    return lines


def print_line(text: str) -> None:
    """One line on stdout, however long: it is for programs and logs, and must not be wrapped."""
    typer.echo(text)


def pause(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)


@dataclass
class _Watched:
    """What is read again and again."""

    source: LogSource
    shipped: LCGODEForecaster
    objective: str
    baseline: Path | None
    constraints: Sequence[str] = ()
    finished: frozenset[str] = frozenset()
    in_context: LCGODEForecaster | None = None

    def look(self, table: RunTable) -> Look:
        """Forecast and rank; the forecaster takes up finished runs anew only when there are others."""
        from lcode.decisions import rank
        from lcode.report import headline
        from lcode.report.advice import advice

        finished = frozenset(table.with_status("finished").run_ids)
        if self.in_context is None or finished != self.finished:
            self.finished = finished
            self.in_context = self.shipped.in_context(table) if len(finished) < len(table) else self.shipped
        forecast = self.in_context.predict(table)
        baseline = baseline_for(self.source.logs, self.baseline, self.objective, table)
        ranking = rank(forecast, self.objective, table=table, baseline=baseline, constraints=self.constraints)
        told = headline(forecast, ranking, table)
        return Look(table, forecast, ranking, told, advice(forecast, ranking, table))


def _looks(watched: _Watched) -> Iterator[Look]:
    """The runs now, and each time that the logs have been read again; an error ends it at the first reading only."""
    look = watched.look(table_for(watched.shipped, watched.source, told=False))
    while True:
        yield look
        try:
            fresh = table_for(watched.shipped, watched.source, told=False)
            if fresh.points.equals(look.table.points) and fresh.runs.equals(look.table.runs):
                look = replace(look, trouble="")
            else:
                look = watched.look(fresh)
        except (LcodeError, OSError) as error:
            # A log that is being written, or moved, may be whole again the next time.
            look = replace(look, trouble=str(error))


def _show(look: Look, looks: Iterator[Look], every: float) -> None:
    """A table in the terminal that is drawn anew."""
    told: deque[str] = deque(maxlen=REMEMBERED)
    with Live(_screen(look, told, every), console=out, auto_refresh=False) as live:
        live.refresh()
        while True:
            pause(every)
            fresh = next(looks)
            told.extend(f"{time.strftime('%H:%M')}  {line}" for line in changes(look, fresh))
            look = fresh
            live.update(_screen(look, told, every), refresh=True)


def _tell(look: Look, looks: Iterator[Look], every: float) -> None:
    """A line for each change: the output goes to a file or a program."""
    print_line(look.headline.line)
    while True:
        pause(every)
        fresh = next(looks)
        for line in changes(look, fresh):
            print_line(line)
        look = fresh


def _screen(look: Look, told: deque[str], every: float) -> RenderableType:
    from lcode.report.terminal import ranking_table

    foot = f"read at {time.strftime('%H:%M:%S')}, again every {every:g} s; Ctrl-C ends"
    parts: list[RenderableType] = [Text(look.headline.sentence, style="bold")]
    parts.append(ranking_table(look.ranking, look.forecast.final(), limit=ROWS, table=look.table))
    parts += [Text(line) for line in told]
    if look.headline.caveat:
        parts.append(Text(look.headline.caveat))
    if look.trouble:
        parts.append(Text(f"not read this time: {printable(look.trouble)}", style="yellow"))
    parts.append(Text(foot, style="dim"))
    return Group(*parts)
