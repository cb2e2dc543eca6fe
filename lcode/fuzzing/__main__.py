"""Command: `python -m lcode.fuzzing --inputs 20000`."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from functools import partial

from lcode.errors import UsageError
from lcode.fuzzing.fuzz import Finding, fuzz
from lcode.fuzzing.targets import TARGETS, target_of

CHUNK = 500
"""Inputs that one process reads at a time."""

PROGRESS = 20.0
"""Seconds between two lines of progress."""


def main() -> int:
    """Fuzz the readers and print each kind of finding once; exit status 1 if there is any."""
    parser = argparse.ArgumentParser(prog="python -m lcode.fuzzing", description=__doc__)
    parser.add_argument("targets", nargs="*", help=f"or folders of logs; default: {', '.join(TARGETS)}")
    parser.add_argument("--inputs", type=int, default=1000, help="damaged inputs per target")
    parser.add_argument("--seed", type=int, default=0, help="decides how they are damaged")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes (default: one per core)")
    parser.add_argument("--traces", action="store_true", help="show the traceback of each kind of finding")
    args = parser.parse_intermixed_args()
    for name in args.targets:
        try:
            target_of(name)
        except UsageError as error:
            parser.error(str(error))
    total = 0
    jobs = min(args.jobs, -(-args.inputs // CHUNK))
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    with ProcessPoolExecutor(jobs, context) if jobs > 1 else nullcontext() as pool:
        for target in args.targets or TARGETS:
            began = time.perf_counter()
            findings = list(_findings(target, args.inputs, args.seed, pool))
            kinds = {(finding.place, finding.error.split(":")[0]): finding for finding in reversed(findings)}
            _say(
                f"{target}: {args.inputs} inputs, {len(findings)} findings of {len(kinds)} kinds, "
                f"{time.perf_counter() - began:.0f} s"
            )
            for finding in kinds.values():
                _say(f"  input {finding.index} at {finding.place}: {finding.error}")
                if args.traces:
                    _say(finding.trace)
            total += len(findings)
    return 1 if total else 0


def _findings(target: str, inputs: int, seed: int, pool: ProcessPoolExecutor | None) -> Iterator[Finding]:
    """What is found in so many inputs, with a line of progress now and then."""
    told = time.perf_counter()
    counts = [min(CHUNK, inputs - first) for first in range(0, inputs, CHUNK)]
    calls = [partial(fuzz, target, count, seed=seed, first=CHUNK * i) for i, count in enumerate(counts)]
    results: Sequence[Callable[[], list[Finding]]] = calls
    if pool is not None:
        results = [pool.submit(call).result for call in calls]
    for number, result in enumerate(results, start=1):
        yield from result()
        if number < len(results) and time.perf_counter() - told > PROGRESS:
            told = time.perf_counter()
            _say(f"  {target}: {number * CHUNK} of {inputs}")


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
