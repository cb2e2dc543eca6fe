"""`python -m mtl_runs.corpus`: train the corpus, or a part of it, and store it. Called again, it goes on."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from lcode.errors import LcodeError
from mtl_runs.corpus.check import differences
from mtl_runs.corpus.collect import collect
from mtl_runs.corpus.make import choose, train_corpus
from mtl_runs.corpus.sample import corpus_entries
from mtl_runs.corpus.stored import RUNS, STORED


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        Exit status. 0: done; 1: a run of `--only` is not the stored one; 2: bad usage, with one message on stderr.
    """
    parser = argparse.ArgumentParser(prog="python -m mtl_runs.corpus", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder; the run logs go to its subfolder logs")
    parser.add_argument("--target", type=Path, help="folder of the Parquet files; default: --out")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes; default: one per core")
    parser.add_argument(
        "--only", nargs="+", default=(), metavar="NAME", help="these runs or problems only, compared with --stored"
    )
    parser.add_argument("--limit", type=int, help="of each problem, only the first so many runs and references")
    parser.add_argument("--seed", type=int, default=0, help="of the definition; the stored corpus has 0")
    parser.add_argument("--collect-only", action="store_true", help="train nothing; store the runs that are over")
    parser.add_argument("--stored", type=Path, default=STORED, help="folder of the corpus that --only compares with")
    given = parser.parse_args(arguments)
    logs, target = given.out / "logs", given.target or given.out
    try:
        entries = corpus_entries(given.seed)
        chosen = choose(entries, given.only, given.limit)
        if not given.collect_only:
            counts = Counter(train_corpus(chosen, logs, workers=given.workers).values())
            text = ", ".join(f"{n} {status}" for status, n in sorted(counts.items()))
            print(f"{counts.total()} runs: {text}")  # noqa: T201
        differing = 0
        if given.only and (given.stored / RUNS).is_file():
            found = differences(chosen, logs, given.stored)
            for run, difference in found.items():
                if difference is not None:
                    print(f"{run}: differs from the stored run: {difference}")  # noqa: T201
            differing = sum(difference is not None for difference in found.values())
            print(f"{len(found) - differing} of {len(found)} runs equal the stored ones bit for bit (float32)")  # noqa: T201
        stored = collect(entries, logs, target)
        print(f"{target}: {stored.runs} runs, {stored.missing} missing, {stored.size / 1e6:.2f} MB")  # noqa: T201
        for name, digest in stored.checksums.items():
            print(f"{digest}  {name}")  # noqa: T201
    except (LcodeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
