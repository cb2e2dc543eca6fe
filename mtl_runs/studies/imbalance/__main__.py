"""`python -m mtl_runs.studies.imbalance`: train the study and record it. Called again, it goes on where it was."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lcode.errors import LcodeError
from mtl_runs.studies.imbalance.conduct import conduct
from mtl_runs.studies.imbalance.cost import COSTS, measure_costs
from mtl_runs.studies.imbalance.plan import STUDY
from mtl_runs.studies.imbalance.record import RECORD, collect, write_record
from mtl_runs.sweeps import Sweep


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; exit status 0: done, 2: bad usage, with one message on stderr."""
    parser = argparse.ArgumentParser(prog="python -m mtl_runs.studies.imbalance", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the run logs and of the tables")
    parser.add_argument("--workers", type=int, default=1, help="processes; default: 1")
    parser.add_argument("--only", nargs="+", metavar="PROBLEM", help="settings of these problems only")
    parser.add_argument("--seed", type=int, default=STUDY.seed, help="of weights and trainings; the recorded one has 0")
    given = parser.parse_args(arguments)
    settings = [setting for setting in STUDY.settings if given.only is None or setting.problem in given.only]
    if not settings:
        known = ", ".join(dict.fromkeys(setting.problem for setting in STUDY.settings))
        parser.error(f"--only: the study has the problems {known}")
    plan, logs = replace(STUDY, settings=settings, seed=given.seed), given.out / "logs"
    try:
        trials = conduct(plan, Sweep(logs, workers=given.workers), logs)
        # All choices are made: now the test split may be looked at.
        table = collect(plan, trials, logs, test=True)
        write_record(given.out / RECORD.name, table)
        measure_costs(plan).round(4).to_csv(given.out / COSTS.name, index=False)
    except (LcodeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    counts = Counter(table.drop_duplicates("run")["status"])
    print(f"{counts.total()} trainings: {', '.join(f'{n} {status}' for status, n in sorted(counts.items()))}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
