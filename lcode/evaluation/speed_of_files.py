"""How long `lcode predict BIG.parquet --out OUT.parquet` takes by the number of runs, each call in its own process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from lcode.errors import UsageError

SEED = 5
"""Of the made-up runs."""

CHUNK = 20_000
"""Runs that are made at a time."""

HORIZON, EARLY, LATE = 50, 3, 7
"""Last epoch, and between which epochs a run stands that has not finished."""

FINISHED = 50
"""Of so many runs one has finished: of the 10,000 of a small file as many as a forecast learns from at most."""


@dataclass(frozen=True)
class Taken:
    """What a call has taken.

    Attributes:
        processor: seconds of the processor.
        clock: seconds by the clock.
        memory: bytes that its process held at most.
    """

    processor: float
    clock: float
    memory: int


def write_runs(path: Path, count: int) -> int:
    """Write made-up runs as Parquet, a row per epoch, some runs at a time; the same count leaves the same table.

    A run has two settings and two losses, which fall as powers of the epoch, the faster the nearer the rate is to .01.

    Args:
        path: of the file.
        count: of the runs.

    Returns:
        The number of rows.
    """
    rows, writer = 0, None
    try:
        for first in range(0, count, CHUNK):
            table = _some_runs(first, min(first + CHUNK, count))
            writer = writer or parquet.ParquetWriter(path, table.schema)
            writer.write_table(table)
            rows += len(table)
    finally:
        if writer is not None:
            writer.close()
    return rows


def timed_forecast(logs: Path, out: Path) -> Taken:
    """Forecast the runs of a file into another by the command, in a process of its own.

    Raises:
        UsageError: the command failed; what it said is on stderr.
    """
    call = ["-c", "from lcode.cli import main; main()", "predict", os.fspath(logs), "--out", os.fspath(out)]
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, *call], stdout=subprocess.DEVNULL)
    # That of this process alone: the usage of "children" is the largest of all so far. What began it counts as well,
    # which has loaded less than a forecast does.
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise UsageError(f"lcode predict {logs} ended with status {process.returncode}; see what it says above")
    unit = 1 if sys.platform == "darwin" else 1024
    return Taken(usage.ru_utime + usage.ru_stime, time.perf_counter() - began, usage.ru_maxrss * unit)


def measured(counts: Sequence[int], repeats: int, folder: Path) -> Iterator[str]:
    """Forecast files of so many runs, each so many times.

    Args:
        counts: of the runs of each file.
        repeats: calls for each file.
        folder: of the files, which are removed again.

    Yields:
        A line per file: seconds of the processor, in all and for 1,000 runs, seconds by the clock, and memory; of
        several calls mean ± deviation, of memory the largest.

    Raises:
        UsageError: a call failed.
    """
    for count in counts:
        logs, out = folder / f"{count}.parquet", folder / f"{count}-forecasts.parquet"
        rows = write_runs(logs, count)
        taken = [timed_forecast(logs, out) for _ in range(repeats)]
        logs.unlink()
        out.unlink()
        processor = [one.processor for one in taken]
        yield (
            f"forecast a file of {count} runs, {rows} rows: {_spread(processor, 1)} s of the processor, "
            f"{_spread([1000 * seconds / count for seconds in processor], 2)} s per 1000 runs, "
            f"{_spread([one.clock for one in taken], 1)} s by the clock, "
            f"{max(one.memory for one in taken) / 1e9:.2f} GB at most"
        )


def _some_runs(first: int, end: int) -> pa.Table:
    """The runs with numbers from `first` on and below `end`."""
    draw = np.random.default_rng([SEED, first])
    numbers = np.arange(first, end)
    lengths = np.where(numbers % FINISHED == 0, HORIZON, draw.integers(EARLY, LATE, len(numbers), endpoint=True))
    rates, widths = 10 ** draw.uniform(-4, -1, len(numbers)), 2 ** draw.integers(4, 9, len(numbers))
    run = np.repeat(np.arange(len(numbers)), lengths)
    epoch = np.arange(len(run)) - np.repeat(np.cumsum(lengths) - lengths, lengths) + 1
    columns: dict[str, object] = {
        "run": [f"run-{number:07d}" for number in numbers[run]],
        "epoch": epoch,
        "lr": rates[run],
        "width": widths[run],
    }
    for task in ("seg", "depth"):
        power = 0.2 + np.exp(-((np.log10(rates) + 2) ** 2)) + 0.1 * draw.random(len(numbers))
        least = 0.2 + 0.1 * draw.random(len(numbers)) + 1 / widths
        noise = np.exp(0.02 * draw.standard_normal(len(run)))
        columns[f"{task}/loss"] = (least[run] + epoch ** -power[run]) * noise
    return pa.table(columns)


def _spread(values: Sequence[float], digits: int) -> str:
    mean = f"{fmean(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ± {stdev(values):.{digits}f}"
