"""`python -m mtl_runs.mlp_curves`: train perceptrons on two tables, store their curves. Called again, it goes on."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lcode.errors import LcodeError
from mtl_runs.mlp_curves.make import MadeRun, make_runs
from mtl_runs.mlp_curves.shards import collect
from mtl_runs.mlp_curves.tables import TABLES


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; exit status 0: done, 2: bad usage or missing files, with one message on stderr."""
    parser = argparse.ArgumentParser(prog="python -m mtl_runs.mlp_curves", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder that keeps a file per run")
    parser.add_argument("--runs", type=_count, default=500, help="of each task; default: 500")
    parser.add_argument("--tasks", nargs="+", choices=list(TABLES), default=list(TABLES), help="default: all")
    parser.add_argument("--seed", type=int, default=0, help="of everything random; the stored curves have 0")
    parser.add_argument("--workers", type=_count, default=1, help="processes, one thread each; default: 1")
    parser.add_argument(
        "--collect", type=Path, metavar="TARGET", help="train nothing; write <task>.parquet of the stored runs here"
    )
    given = parser.parse_args(arguments)
    try:
        if given.collect is None:
            made = make_runs(
                given.out, given.tasks, runs=given.runs, seed=given.seed, workers=given.workers, listener=_tell
            )
            print(f"{given.out}: {made} runs trained, {given.runs} of each task there")  # noqa: T201
        else:
            found = collect(given.out, given.collect, given.tasks, seed=given.seed, runs=given.runs)
            for task, (runs, digest) in found.items():
                print(f"{digest}  {given.collect / task}.parquet  {runs} runs")  # noqa: T201
    except (LcodeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _tell(run: MadeRun, done: int, of: int) -> None:
    end = "diverged" if run.last != run.last else f"last test loss {run.last:.4g}"
    print(f"{done}/{of}  {run.name}  {run.seconds:.1f} s  {end}", flush=True)  # noqa: T201


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
