"""How long fits and forecasts take on this machine: `python -m lcode.evaluation.speed`, on synthetic runs.

With `--parquet 10000,100000` instead: how long it takes to forecast files of so many runs, Parquet in and out.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from lcode.errors import LcodeError
from lcode.evaluation.speed_of_files import measured
from lcode.forecasters.lcgode import LCGODEForecaster
from lcode.pretraining.prior import synthetic_runs
from lcode.table import RunTable

T = TypeVar("T")

DRAWN = 1000
"""Runs drawn from the prior; a longer table repeats them under other names."""


def repeated(table: RunTable, count: int) -> RunTable:
    """A table of `count` runs: those of the table again and again, under other names."""
    points, names = table.points.astype({"run": object, "metric": object}), np.array(table.run_ids, dtype=object)
    parts = [points.assign(run=points["run"] + f"-{copy}") for copy in range(-(-count // len(table)))]
    runs = pd.concat([table.runs.set_axis(names + f"-{copy}") for copy in range(len(parts))])
    whole = RunTable.from_points(pd.concat(parts), table.metrics, runs=runs)
    return whole.select(whole.run_ids[:count])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print seconds, and the memory that was taken at most; exit status 0: done, 2: bad usage, with one message."""
    parser = argparse.ArgumentParser(prog="python -m lcode.evaluation.speed", description=__doc__)
    parser.add_argument("--fit", type=int, default=255, help="finished runs of 50 epochs to fit on")
    parser.add_argument("--full", type=int, default=1000, help="runs of 3 tasks to forecast at every epoch up to 200")
    parser.add_argument("--finals", type=int, default=10_000, help="runs of 1 task to forecast at the horizon alone")
    parser.add_argument(
        "--parquet", type=_counts, metavar="N,N,...", help="instead of these: files of so many runs to forecast"
    )
    parser.add_argument("--repeats", type=_count, default=3, help="calls for each of these files; default: 3")
    args = parser.parse_args(arguments)
    if args.parquet is None:
        _fits_and_forecasts(args)
        return 0
    try:
        with tempfile.TemporaryDirectory() as folder:
            for line in measured(args.parquet, args.repeats, Path(folder)):
                print(line, flush=True)  # noqa: T201
    except (LcodeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _fits_and_forecasts(args: argparse.Namespace) -> None:
    finished = synthetic_runs(args.fit, tasks=1, horizon=50, seed=1, metrics=["loss"])
    model = _timed(f"fit {args.fit} runs x 50 epochs", lambda: LCGODEForecaster.adapted().fit(finished))
    long = LCGODEForecaster.adapted().fit(synthetic_runs(args.fit, tasks=3, horizon=200, seed=2, metrics=["loss"]))
    seen = synthetic_runs(args.full, tasks=3, horizon=200, seed=3, metrics=["loss"]).prefix(20)
    for again in ("", " again"):
        _timed(f"forecast {args.full} runs x 3 tasks up to epoch 200{again}", lambda: long.predict(seen, "full"))
    many = repeated(
        synthetic_runs(min(DRAWN, args.finals), tasks=1, horizon=50, seed=4, metrics=["loss"]).prefix(10), args.finals
    )
    blocks = model.predict_in_blocks(many)
    _timed(f"forecast the finals of {args.finals} runs", lambda: sum(len(block.run_ids) for block in blocks))


def _counts(text: str) -> list[int]:
    return [_count(part) for part in text.split(",")]


def _count(text: str) -> int:
    if not text.strip().isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number of at least 1")
    return int(text)


def _timed(what: str, work: Callable[[], T]) -> T:
    began = time.perf_counter()
    result = work()
    seconds, most = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{what}: {seconds:.1f} s, {most:.2f} GB at most", flush=True)  # noqa: T201
    return result


if __name__ == "__main__":
    sys.exit(main())
