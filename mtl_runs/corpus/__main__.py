"""`python -m mtl_runs.corpus`: train the corpus, or a part of it. Called again, it goes on where it was."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from lcode.errors import LcodeError
from mtl_runs.corpus.make import choose, train_corpus
from mtl_runs.corpus.sample import corpus_entries


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; exit status 0: done, 2: bad usage, with one message on stderr."""
    parser = argparse.ArgumentParser(prog="python -m mtl_runs.corpus", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the run logs")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes; default: one per core")
    parser.add_argument("--only", nargs="+", default=(), metavar="NAME", help="these runs or problems only")
    parser.add_argument("--limit", type=int, help="of each problem, only the first so many runs and references")
    parser.add_argument("--seed", type=int, default=0, help="of the definition; the stored corpus has 0")
    given = parser.parse_args(arguments)
    try:
        entries = choose(corpus_entries(given.seed), given.only, given.limit)
        statuses = train_corpus(entries, given.out / "logs", workers=given.workers)
        counts = ", ".join(f"{n} {status}" for status, n in sorted(Counter(statuses.values()).items()))
        print(f"{len(statuses)} runs: {counts}")  # noqa: T201
    except (LcodeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
