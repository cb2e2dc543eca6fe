"""The command of a study that has a plan with seeds and epochs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lcode.errors import LcodeError


def run_study(
    name: str,
    description: str | None,
    plan: Any,
    study: Callable[[Any, Path], str],
    arguments: Sequence[str] | None,
    *,
    seeds: str,
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> int:
    """Parse the arguments, run the study and print its tables; exit status 0: done, 2: bad usage, with one message.

    Args:
        name: of the module under `mtl_runs.studies`.
        description: for `--help`.
        plan: a dataclass with the fields `seeds` and `epochs`, whose values are the defaults.
        study: trains what is missing of a plan, in a folder; gives the tables in Markdown.
        arguments: of the command line; None = those of the process.
        seeds: what is trained with them, for `--help`.
        options: other fields of the plan, tuples, that can be given: of each what argparse is told besides its name.
    """
    parser = argparse.ArgumentParser(prog=f"python -m mtl_runs.studies.{name}", description=description)
    count, epochs = len(plan.seeds), plan.epochs
    parser.add_argument("--out", type=Path, required=True, help="folder of the run logs and of the table")
    parser.add_argument("--seeds", type=int, default=count, help=f"that {seeds} is trained with; default: {count}")
    parser.add_argument("--epochs", type=int, default=epochs, help=f"of a training; default: {epochs}")
    for field, about in (options or {}).items():
        parser.add_argument(f"--{field}", nargs="+", default=getattr(plan, field), **about)
    given = parser.parse_args(arguments)
    if given.seeds < 2 or given.epochs < 1:
        parser.error("--seeds must be at least 2, for a deviation between them, and --epochs at least 1")
    try:
        given.out.mkdir(parents=True, exist_ok=True)
        asked = {field: tuple(getattr(given, field)) for field in options or {}}
        asked |= {"seeds": tuple(range(1, given.seeds + 1)), "epochs": given.epochs}
        print(study(replace(plan, **asked), given.out))  # noqa: T201
    except (LcodeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def tell(text: str) -> None:
    """Say on stderr how far a study is."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201
