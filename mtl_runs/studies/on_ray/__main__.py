"""What training on Ray costs and what a kill loses: `python -m mtl_runs.studies.on_ray --out FOLDER`.

Trains a small sweep on one and two workers, by the local engine and by Ray on this machine, kills one of Ray's workers
in the middle, holds the logs against each other, and asks a monitor from each. What there is is not measured again:
called once more, it goes on. Leaves the logs, `sweeps.csv` and `decisions.csv`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from lcode.files import replacing
from mtl_runs.studies.command import run_study, tell
from mtl_runs.studies.on_ray import measure
from mtl_runs.studies.on_ray.plan import Plan
from mtl_runs.studies.on_ray.report import table


def study(plan: Plan, out: Path) -> str:
    """Measure what is missing; the table in Markdown.

    Args:
        plan: what is trained.
        out: folder of the logs and tables, all of one plan.
    """
    sweeps, decisions = _Rows(out / "sweeps.csv"), _Rows(out / "decisions.csv")
    for seed in plan.seeds:
        for way in plan.ways:
            sweeps.add({"way": str(way), "seed": seed}, partial(measure.trained, plan, out, way, seed))
        decisions.add({"seed": seed}, partial(measure.asked, plan, out, seed))
    return table(plan, sweeps.of(plan.seeds), decisions.of(plan.seeds))


class _Rows:
    """A table in a file, which grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[Any] = pd.read_csv(path).to_dict("records") if path.exists() else []

    def add(self, key: dict[str, Any], make: Callable[[], Sequence[Any]]) -> None:
        """Make the rows with this key, unless there are some."""
        if any(all(row[name] == value for name, value in key.items()) for row in self.rows):
            return
        self.rows += map(asdict, make())
        with replacing(self.path) as file:
            pd.DataFrame(self.rows).to_csv(file, index=False)
        tell(f"{self.path.stem}: {', '.join(f'{name} {value}' for name, value in key.items())}")

    def of(self, seeds: Sequence[int]) -> pd.DataFrame:
        """The rows of these seeds."""
        frame = pd.DataFrame(self.rows)
        return frame[frame["seed"].isin(seeds)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; see `run_study`."""
    return run_study("on_ray", __doc__, Plan(), study, arguments, seeds="every sweep")


if __name__ == "__main__":
    sys.exit(main())
