"""Does disentanglement of features predict Δm? `python -m mtl_runs.studies.disentanglement --out FOLDER`.

Eight problems, three networks each: tasks alone and five balancers. What there is is not trained again: called once
more, it goes on. Leaves the run logs and `results.csv`, a row per setting, seed and epoch that is asked about.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from lcode.errors import LcodeError
from lcode.files import replacing
from mtl_runs.studies.disentanglement.measure import conduct
from mtl_runs.studies.disentanglement.plan import Plan
from mtl_runs.studies.disentanglement.report import beyond, by_problem, predictions


def study(plan: Plan, out: Path) -> str:
    """Train what is missing, cell by cell; the tables in Markdown.

    Args:
        plan: what is trained.
        out: folder of the logs and of `results.csv`.
    """
    cells, parts = list(plan.cells), []
    for number, cell in enumerate(cells, start=1):
        started = time.monotonic()
        results = conduct(plan.experiment(cell), plan.looks, out)
        parts.append(results.assign(cell=cell.name, problem=cell.problem, arch=cell.arch))
        _tell(f"{number} of {len(cells)} cells, {cell.name} in {time.monotonic() - started:.0f} s")
    table = pd.concat(parts, ignore_index=True)
    with replacing(out / "results.csv") as file:
        table.to_csv(file, index=False)
    return "\n\n".join([by_problem(table), predictions(table), beyond(table)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; exit status 0: done, 2: bad usage, with one message on stderr."""
    parser = argparse.ArgumentParser(prog="python -m mtl_runs.studies.disentanglement", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the run logs and of the table")
    parser.add_argument("--seeds", type=int, default=3, help="that every setting is trained with; default: 3")
    parser.add_argument("--epochs", type=int, default=20, help="of a training; default: 20")
    given = parser.parse_args(arguments)
    if given.seeds < 2 or given.epochs < 1:
        parser.error("--seeds must be at least 2, for a deviation between them, and --epochs at least 1")
    try:
        given.out.mkdir(parents=True, exist_ok=True)
        print(study(replace(Plan(), seeds=tuple(range(1, given.seeds + 1)), epochs=given.epochs), given.out))  # noqa: T201
    except (LcodeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
