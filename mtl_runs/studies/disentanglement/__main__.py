"""Does disentanglement of features predict Δm? `python -m mtl_runs.studies.disentanglement --out FOLDER`.

Eight problems, three networks each: tasks alone and five balancers. What there is is not trained again: called once
more, it goes on. Leaves the run logs and `results.csv`, a row per setting, seed and epoch that is asked about.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from lcode.files import replacing
from mtl_runs.studies.command import run_study, tell
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
        tell(f"{number} of {len(cells)} cells, {cell.name} in {time.monotonic() - started:.0f} s")
    table = pd.concat(parts, ignore_index=True)
    with replacing(out / "results.csv") as file:
        table.to_csv(file, index=False)
    return "\n\n".join([by_problem(table), predictions(table), beyond(table)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; see `run_study`."""
    return run_study("disentanglement", __doc__, Plan(), study, arguments, seeds="every setting")


if __name__ == "__main__":
    sys.exit(main())
