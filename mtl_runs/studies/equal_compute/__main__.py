"""What people do instead of forecasting, at equal compute: `python -m mtl_runs.studies.equal_compute --out FOLDER`.

Trains a pool of runs per problem once, replays each way to search on it with several draws of its runs, trains
populations, and prints tables. What there is is not made again: called once more, it goes on. Leaves
`searches.jsonl`, a line per search.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path

import pandas as pd

import lcode
from lcode.errors import LcodeError
from mtl_runs.studies.equal_compute.plan import Plan
from mtl_runs.studies.equal_compute.populations import PBT, SIZES, TRIED, train_population_of
from mtl_runs.studies.equal_compute.report import per_problem, same_runs, summary
from mtl_runs.studies.equal_compute.table import load_pool, train_pool
from mtl_runs.studies.equal_compute.ways import WAYS, Outcome, search

TABLE = "searches.jsonl"

BUDGET, RUNS = 16, 32
"""Trainings at which the problems are shown one by one, and runs that ways which stop some are compared on."""

Key = tuple[str, str, int, int]
"""Problem, way, draw, runs that it begins with."""


def conduct(plan: Plan, out: Path, *, draws: int, forecast_draws: int) -> pd.DataFrame:
    """Train and search what is missing, and hand over a row per search.

    Args:
        plan: what is trained.
        out: folder of everything.
        draws: of the ways that need no forecast.
        forecast_draws: of those that do, and of populations.
    """
    for problem in plan.problems:
        train_pool(plan, problem, out)
    pools = {problem: load_pool(plan, problem, out) for problem in plan.problems}
    model = cache(lcode.load)

    def run(problem: str, way: str, draw: int, runs: int) -> Outcome:
        if way == PBT:
            return train_population_of(plan, pools[problem], draw, runs - TRIED, out)
        return search(pools[problem], way, draw, runs, model() if WAYS[way].forecasts else None)

    path = out / TABLE
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    done = [Outcome(**json.loads(line)) for line in lines]
    known = {(one.problem, one.way, one.draw, one.runs) for one in done}
    for key in _searches(plan.problems, draws, forecast_draws):
        if key not in known:
            done.append(run(*key))
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(done[-1]), ensure_ascii=False) + "\n")
    return pd.DataFrame([asdict(one) for one in done])


def _searches(problems: Sequence[str], draws: int, forecast_draws: int) -> Iterator[Key]:
    """All searches, the quick ones first, the others draw by draw."""

    def of(draw: int, forecasts: bool) -> Iterator[Key]:
        for name, way in WAYS.items():
            if way.forecasts == forecasts:
                yield from ((problem, name, draw, runs) for problem in problems for runs in way.sizes)

    for draw in range(draws):
        yield from of(draw, False)
    for draw in range(forecast_draws):
        yield from ((problem, PBT, draw, TRIED + members) for problem in problems for members in SIZES)
        yield from of(draw, True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; exit status 0: done, 2: bad usage, with one message on stderr."""
    parser = argparse.ArgumentParser(prog="python -m mtl_runs.studies.equal_compute", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help=f"folder of the run logs and of {TABLE}")
    parser.add_argument("--draws", type=int, default=10, help="of which runs a search begins with; default: 10")
    parser.add_argument(
        "--forecast-draws",
        type=int,
        default=5,
        help="the same of searches by forecasts, and of populations; default: 5",
    )
    given = parser.parse_args(arguments)
    plan = Plan()
    try:
        given.out.mkdir(parents=True, exist_ok=True)
        outcomes = conduct(plan, given.out, draws=given.draws, forecast_draws=given.forecast_draws)
    except (LcodeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    print(summary(outcomes, plan.horizon))  # noqa: T201
    print(f"\n{same_runs(outcomes, plan.horizon, RUNS)}")  # noqa: T201
    print(f"\nAt {BUDGET} trainings:\n\n{per_problem(outcomes, plan.horizon, BUDGET)}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
