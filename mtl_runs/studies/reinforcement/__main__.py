"""Balancers in multi-task reinforcement learning: `python -m mtl_runs.studies.reinforcement --out FOLDER`.

One policy learns ten control tasks under eight balancers, in two units of the rewards; beside it each task alone. Other
worlds, such as Meta-World's, and fewer balancers are options. What there is is not trained again: called once more, it
goes on. Leaves logs, `results.csv` and, where runs are many, tables of rankings.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import Any

import pandas as pd

from lcode.files import replacing
from mtl_runs.balancers import BALANCERS
from mtl_runs.control import WORLDS
from mtl_runs.studies.command import run_study, tell
from mtl_runs.studies.reinforcement import forecasts, measure, report
from mtl_runs.studies.reinforcement.plan import Plan


def study(plan: Plan, out: Path) -> str:
    """Train what is missing and rank it early; the tables in Markdown.

    Args:
        plan: what is trained.
        out: folder of the logs and tables.
    """
    results = measure.conduct(plan, out, tell)
    _keep(results, out / "results.csv")
    names = [group.name for group in plan.alone]
    tables = [report.balancers(results, plan.balancers[0]), report.tasks(results, names)]
    looks = sorted({ceil(plan.epochs / share) for share in (20, 10, 4, 2)})
    splits = range(forecasts.SPLITS)
    many = [world for world in plan.worlds if len(list((out / world).glob("*.jsonl"))) >= 2 * forecasts.FINISHED]
    if many:
        ranked = pd.concat([_ranked(out, world, looks, split) for world in many for split in splits])
        tables.append(report.rankings(ranked))
    return "\n\n".join(tables)


def _ranked(out: Path, world: str, looks: Sequence[int], split: int) -> pd.DataFrame:
    """One draw's rankings, which are made once for so many runs and kept."""
    path = out / f"rankings-{world}-{len(list((out / world).glob('*.jsonl')))}-{split}.csv"
    if not path.exists():
        _keep(forecasts.conduct(out / world, looks, split).assign(world=world, split=split), path)
        tell(f"{world}: ranked, {split + 1} of {forecasts.SPLITS} times")
    return pd.read_csv(path)


def _keep(table: pd.DataFrame, path: Path) -> None:
    with replacing(path) as file:
        table.to_csv(file, index=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; see `run_study`."""
    options: dict[str, dict[str, Any]] = {
        "worlds": {"choices": WORLDS, "help": "that are learned in, of the same tasks; default: the ten control tasks"},
        "balancers": {"choices": BALANCERS, "metavar": "NAME", "help": "the first is what all are held against"},
        "rates": {"type": float, "metavar": "RATE", "help": "learning rates to choose from; of one none is chosen"},
        "choosing": {"type": int, "metavar": "SEED", "help": "seeds of the trainings by which a rate is chosen"},
    }
    return run_study("reinforcement", __doc__, Plan(), study, arguments, seeds="every balancer", options=options)


if __name__ == "__main__":
    sys.exit(main())
