"""Imbalance and gradient norms by backbone: `python -m mtl_runs.studies.backbones --out FOLDER`.

Three backbones on scenes, with random and with pretrained first weights, on four quantities of data: tasks alone, equal
weights, a grid of weights and inverse gradient norms. What there is is not trained again: called once more, it goes on.
Leaves the run logs and `results.csv`, a row per setting, way to weigh and seed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from lcode.files import replacing
from mtl_runs.studies.arms import conduct
from mtl_runs.studies.backbones.measure import with_imbalance
from mtl_runs.studies.backbones.plan import Plan
from mtl_runs.studies.backbones.report import by_kind, by_task, every_setting, how_they_go_together, what_changes
from mtl_runs.studies.command import run_study, tell


def study(plan: Plan, out: Path) -> str:
    """Train what is missing, setting by setting; the tables in Markdown.

    Args:
        plan: what is trained.
        out: folder of the logs and of `results.csv`.
    """
    problem, parts = plan.everything, []
    tasks = [task.name for task in problem.tasks]
    for number, setting in enumerate(plan.settings, start=1):
        started = time.monotonic()
        experiment = plan.experiment(setting, out)
        results = with_imbalance(conduct(experiment, out), tasks, out / experiment.name)
        weights = [
            " : ".join(map(str, experiment.arms[arm].candidates[chosen].balancer_settings.get("weights", ())))
            for arm, chosen in zip(results["arm"], results["chosen"], strict=True)
        ]
        results = results.assign(setting=setting.name, backbone=setting.backbone, start=setting.start, weights=weights)
        parts.append(results.assign(pictures=round(setting.share * plan.pictures)))
        tell(f"{number} of {len(plan.settings)} settings, {setting.name} in {time.monotonic() - started:.0f} s")
    table = pd.concat(parts, ignore_index=True)
    with replacing(out / "results.csv") as file:
        table.to_csv(file, index=False)
    directions = {metric.key: metric.direction for metric in problem.metrics}
    texts = [every_setting(table), by_kind(table), by_task(table, tasks), what_changes(table, directions)]
    return "\n\n".join([*texts, how_they_go_together(table, tasks)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; see `run_study`."""
    return run_study("backbones", __doc__, Plan(), study, arguments, seeds="what was chosen")


if __name__ == "__main__":
    sys.exit(main())
