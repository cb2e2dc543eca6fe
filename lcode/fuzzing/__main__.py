"""Command: `python -m lcode.fuzzing --inputs 20000`."""

from __future__ import annotations

import argparse
import sys
import time

from lcode.fuzzing.fuzz import fuzz
from lcode.fuzzing.targets import TARGETS

CHUNK = 500
"""Inputs between two lines of progress."""


def main() -> int:
    """Fuzz the readers and print each kind of finding once; exit status 1 if there is any."""
    parser = argparse.ArgumentParser(prog="python -m lcode.fuzzing", description=__doc__)
    parser.add_argument("targets", nargs="*", help=f"default: all of {', '.join(TARGETS)}")
    parser.add_argument("--inputs", type=int, default=1000, help="damaged inputs per target")
    parser.add_argument("--seed", type=int, default=0, help="decides how they are damaged")
    parser.add_argument("--traces", action="store_true", help="show the traceback of each kind of finding")
    args = parser.parse_intermixed_args()
    unknown = [name for name in args.targets if name not in TARGETS]
    if unknown:
        parser.error(f"no target '{unknown[0]}'; there are: {', '.join(TARGETS)}")
    total = 0
    for target in args.targets or TARGETS:
        began, findings = time.perf_counter(), []
        for first in range(0, args.inputs, CHUNK):
            findings += fuzz(target, min(CHUNK, args.inputs - first), seed=args.seed, first=first)
        kinds = {(finding.place, finding.error.split(":")[0]): finding for finding in reversed(findings)}
        print(  # noqa: T201
            f"{target}: {args.inputs} inputs, {len(findings)} findings of {len(kinds)} kinds, "
            f"{time.perf_counter() - began:.0f} s",
            flush=True,
        )
        for finding in kinds.values():
            print(f"  input {finding.index} at {finding.place}: {finding.error}")  # noqa: T201
            if args.traces:
                print(finding.trace)  # noqa: T201
        total += len(findings)
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
