"""What every command shares: clear errors, progress bars, and outputs that appear whole or not at all."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from lcode.errors import UsageError, refusal
from lcode.files import check_room, refusals, replacing

if TYPE_CHECKING:
    import pandas as pd

out = Console()
err = Console(stderr=True, soft_wrap=True)

INTERRUPTED = 130

EVERY = 60.0
"""Seconds between lines of progress in a log."""

StepsProgress = Callable[[int, int, str], None]
"""Called with (steps done, all steps, what is done now)."""


def run_app(app: typer.Typer, arguments: Sequence[str], *, name: str) -> int:
    """Run a command and turn what it raises into an exit status and one message on stderr.

    `--verbose` anywhere among the arguments shows the traceback as well.
    """
    verbose = "--verbose" in arguments
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")  # Δ, ± and the like where its encoding lacks them
    try:
        app(args=[a for a in arguments if a != "--verbose"], prog_name=name)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 0
    except KeyboardInterrupt:
        err.print("interrupted")
        return INTERRUPTED
    except Exception as error:
        if verbose:
            err.print_exception()
        refused = refusal(error)
        if refused is not None:
            err.print(f"[bold red]error:[/] {escape(str(refused))}", highlight=False)
            return 2
        hint = "" if verbose else "; run it again with --verbose and report the traceback"
        err.print(f"[bold red]bug:[/] {escape(f'{type(error).__name__}: {error}')}{hint}", highlight=False)
        return 1
    return 0


_OF_FILE = re.compile(r"(?P<file>[^\s:]+\.\w+): (?P<rest>.+)", re.DOTALL)
"""A remark on one file."""


def show_notes(notes: Sequence[str]) -> None:
    """Print remarks for the user on stderr, so that stdout stays machine-readable; the same of many files once."""
    from lcode.table.reading import listed

    files: dict[str, list[str]] = {}
    for note in notes:
        told = _OF_FILE.fullmatch(note)
        files.setdefault(note if told is None else told["rest"], []).append("" if told is None else told["file"])
    for rest, names in files.items():
        where = f"{listed(names, most=3)}: " if any(names) else ""
        err.print(f"[dim]note:[/] {escape(where + rest)}", highlight=False)


@contextmanager
def steps_progress(text: str) -> Iterator[StepsProgress]:
    """A progress bar with time left on stderr; yields `advance(done, total, what)`.

    Where stderr is no terminal (a cluster's log), a line every `EVERY` seconds instead.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, TextColumn("left"), TimeRemainingColumn(), console=err, transient=True) as bar:
        task, begun = bar.add_task(text, total=None), monotonic()
        said, before = begun, -1

        def advance(done: int, total: int, what: str) -> None:
            nonlocal said, before
            before = done if before < 0 else before  # a job that goes on does not begin at 0
            bar.update(task, completed=done, total=total, description=f"{text}: {escape(what)}")
            now = monotonic()
            if not err.is_terminal and now - said >= EVERY:
                said = now
                each = (now - begun) / max(done - before, 1)
                left = f", about {each * (total - done) / 60:.0f} min left" if done > before else ""
                line = f"{text}: {100 * done / max(total, 1):.0f} % after {(now - begun) / 60:.0f} min{left}; {what}"
                err.print(line, markup=False, highlight=False)

        yield advance


@contextmanager
def fit_progress(text: str) -> Iterator[Callable[[int, int, float], None]]:
    """The same for a fit; yields the callback that it wants."""
    with steps_progress(text) as advance:
        yield lambda step, steps, loss: advance(step, steps, f"left-out loss {loss:.4f}")


def check_output(path: Path, *suffixes: str, option: str = "--out", logs: Path | None = None) -> None:
    """Refuse an output that could not be written, before any work is done.

    Args:
        path: of the output.
        suffixes: how its name may end.
        option: by which it was given.
        logs: what is read; no file of it is written over, but for what lcode itself has written there.

    Raises:
        UsageError: an unknown ending, a folder that does not exist, or a log.
        StorageError: the disk is full, or the folder is not the user's to write in.
    """
    if path.suffix.lower() not in suffixes:
        raise UsageError(f"{option} {path}: its name must end in {' or '.join(suffixes)}")
    with refusals(path):
        if not path.parent.is_dir():
            raise UsageError(f"{option} {path}: the folder {path.parent} does not exist; create it first")
        if path.is_dir():
            raise UsageError(f"{option} {path} is a folder; name a file")
        if logs is not None and path.exists() and _is_within(path, logs) and not _is_own(path):
            raise UsageError(f"{option} {path} is one of the files that are read, and would be lost; name another one")
    check_room(path.parent)


def _is_within(path: Path, logs: Path) -> bool:
    """Whether a file is the one that is named, or in the folder."""
    place, source = path.resolve(), logs.resolve()
    return place == source or source in place.parents


def _is_own(path: Path) -> bool:
    """Whether a table was written by lcode, by its columns."""
    from lcode.readers.runs.own_outputs import is_own_output

    if path.suffix.lower() == ".parquet":
        from pyarrow import ArrowInvalid, parquet

        try:
            return is_own_output(parquet.read_schema(path).names)
        except ArrowInvalid:
            return False
    with path.open(encoding="utf-8", errors="replace") as file:
        return is_own_output(file.readline().strip().split(","))


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write a CSV or Parquet file under a temporary name, then rename it."""
    write_frames(iter([frame]), path)


def write_frames(frames: Iterator[pd.DataFrame], path: Path) -> None:
    """Write frames of the same columns, at least one, below each other; the file is there whole or not at all.

    By Arrow: pandas takes longer to write a forecast than it takes to make it. Numbers have eight digits.
    """
    import pyarrow as pa
    from pyarrow import csv, parquet

    writer: csv.CSVWriter | parquet.ParquetWriter | None = None
    schema: pa.Schema | None = None
    with replacing(path) as stream:
        for frame in frames:
            table = pa.Table.from_pandas(frame.apply(_eight_digits), schema=schema, preserve_index=False)
            schema = table.schema
            if writer is None and path.suffix.lower() == ".parquet":
                writer = parquet.ParquetWriter(stream, table.schema)
            elif writer is None:
                stream.write((",".join(frame.columns) + "\n").encode())
                options = csv.WriteOptions(include_header=False, quoting_style="needed")
                writer = csv.CSVWriter(stream, table.schema, write_options=options)
            writer.write_table(table)
        if writer is not None:
            writer.close()


def _eight_digits(column: pd.Series) -> pd.Series:
    import numpy as np

    if column.dtype != np.float64:
        return column
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = 10.0 ** (7 - np.floor(np.log10(column.abs())))
        return (column * unit).round().div(unit).where(np.isfinite(unit), column)
