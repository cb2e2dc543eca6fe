"""`python -m lcode.benchmarks`: list the benchmarks, or write one as a wide table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lcode.benchmarks import BENCHMARKS, export, load_benchmark
from lcode.errors import LcodeError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; exit status 0: done, 2: bad usage or missing files, with one message on stderr."""
    parser = argparse.ArgumentParser(prog="python -m lcode.benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="names and sources")
    writer = commands.add_parser("export", help="write a benchmark as a wide CSV table")
    writer.add_argument("name", help="as in `list`")
    writer.add_argument("path", type=Path, help="CSV file to write")
    given = parser.parse_args(arguments)
    try:
        if given.command == "export":
            table = load_benchmark(given.name)
            export(table, given.path)
            print(f"{given.path}: {len(table)} runs, {len(table.points)} points")  # noqa: T201
        else:
            for name, collection in BENCHMARKS.items():
                print(f"{name}  ({collection.source})")  # noqa: T201
    except (LcodeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
