"""What stopping and pausing by forecasts save and lose live, in sweeps that begin with nothing known.

`python -m mtl_runs.studies.live_stopping --out FOLDER` trains each sweep three times: every run to its end; stopped by
the shipped model within the default budget of regret; and paused and gone on with within it, as
`mtl-runs sweep --engine suggest --regret '0.03 spread' --alpha 0.2` does. A run is the same in all, number for number,
so that the first tells how the others would have ended. Called again, it goes on with the next sweep; one that was
interrupted is begun anew, for its time is to be of one piece. Prints a table, and leaves `sweeps.csv`, a row per sweep
and way.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd

import lcode
from lcode.decisions import architectures, final_values, make_objective, thaw_rule
from lcode.errors import LcodeError
from lcode.files import replacing
from lcode.table import RunTable
from lcode.table.table import empty_points
from mtl_runs.cli.deciding import freeze_thaw
from mtl_runs.problems import make_problem
from mtl_runs.sweeps import Sweep, sample_runs
from mtl_runs.sweeps.conductor import RunMonitor
from mtl_runs.sweeps.logs import epoch_lines
from mtl_runs.sweeps.space import ARCHITECTURES, archs_for

PROBLEMS = ("tabular", "clicks", "waves")
"""Those that train fastest; chosen, as the seeds, before any of these sweeps had been trained."""

SEEDS = (0, 1, 2)

RUNS, EPOCHS = 64, 20

REGRET = "0.03 spread"
"""The default budget of `lcode.decisions.RegretRule`."""

ALPHA = 0.2
"""Chance with which pausing may lose more: that of the README's replays."""

AT_ONCE = 16
"""Runs that are gone on with together: a population of one process."""

WAYS = ("to the end", "stopping", "pausing")

TABLE = "sweeps.csv"


@dataclass(frozen=True)
class Row:
    """What one sweep came to.

    Attributes:
        problem: what was trained.
        seed: of the configurations and of the trainings.
        way: one of `WAYS`.
        epochs: trained, all runs together.
        finished: runs that were trained to their end.
        wall: seconds by the clock, from the first process to the last.
        training: seconds of the processor, of the processes that train.
        deciding: seconds of the processor, of the one that decides: reading, forecasting, learning.
        regret: best final Δm of all runs minus that of the best run that was trained to its end, in points.
        share: the same ÷ (best − median).
    """

    problem: str
    seed: int
    way: str
    epochs: int
    finished: int
    wall: float
    training: float
    deciding: float
    regret: float
    share: float


def sweep(problem: str, seed: int, way: str, out: Path, *, runs: int = RUNS, epochs: int = EPOCHS) -> Row:
    """Train one sweep and say what it came to; the one to the end comes first."""
    made = make_problem(problem)
    metrics, archs = made.metrics, archs_for(made, ARCHITECTURES)
    specs = sample_runs(problem, len(made.tasks), runs, horizon=epochs, seed=seed, archs=archs)
    folder = folder_of(out, problem, seed, way)
    shutil.rmtree(folder, ignore_errors=True)
    before, began = _processor_seconds(), time.perf_counter()
    monitor: RunMonitor | None = None
    if way == "stopping":
        history = RunTable.from_points(empty_points(), metrics)
        monitor = lcode.Monitor(lcode.load(), history=history, regret=REGRET)
    trained = Sweep(folder, workers=1, monitor=monitor)
    if way == "pausing":
        rule, whole = thaw_rule(REGRET, alpha=ALPHA), runs * epochs
        thawing = freeze_thaw(
            trained, folder / "none.csv", rule, budget=None, whole=whole, at_once=AT_ONCE, tell=lambda _: None
        )
        statuses = thawing.run(specs)
    else:
        statuses = trained.run(specs)
    wall, used = time.perf_counter() - began, np.subtract(_processor_seconds(), before).tolist()
    ended = [run for run, status in statuses.items() if status == "finished"]
    regret, share = lost(lcode.read_logs(folder_of(out, problem, seed, WAYS[0])), ended)
    reached = sum(max(epoch_lines(folder, spec.run), default=0) for spec in specs)
    return Row(problem, seed, way, reached, len(ended), wall, used[1], used[0], regret, share)


def lost(truth: RunTable, ended: Sequence[str]) -> tuple[float, float]:
    """Regret of having trained only these runs to the end, in points of Δm and as a share of best − median.

    Args:
        truth: all runs, trained to the end; their medians are the references.
        ended: names of those that were not stopped.
    """
    finals = final_values(truth)
    complete = np.isfinite(finals).all(1)
    delta_m = make_objective("delta_m", truth.metrics, population=finals[complete])
    scores = dict(zip(truth.run_ids, delta_m.score(finals, truth.metrics, architectures(truth)).tolist(), strict=True))
    known = [score for score in scores.values() if np.isfinite(score)]
    best = max(known)
    left = max((scores[run] for run in ended if np.isfinite(scores[run])), default=float(np.median(known)))
    return best - left, (best - left) / (best - float(np.median(known)))


def conduct(out: Path, problems: Sequence[str], seeds: Sequence[int]) -> pd.DataFrame:
    """Train what is missing, and hand over a row per sweep and way."""
    path = out / TABLE
    done = [Row(*row) for row in pd.read_csv(path).itertuples(index=False)] if path.exists() else []
    for seed in seeds:
        for problem in problems:
            for way in WAYS:
                if not any((row.problem, row.seed, row.way) == (problem, seed, way) for row in done):
                    done.append(sweep(problem, seed, way, out))
                    with replacing(path) as file:
                        _frame(done).to_csv(file, index=False)
    return _frame(done)


def folder_of(out: Path, problem: str, seed: int, way: str) -> Path:
    """Where the logs of a sweep are."""
    return out / f"{problem}-s{seed}-{way.replace(' ', '-')}"


def summary(rows: pd.DataFrame) -> str:
    """A line per problem and way, means over its seeds, in Markdown."""
    lines = [
        "| problem | | epochs | fewer | finished | wall, s | processor, s (of that forecasts) | regret, Δm points | "
        "÷ (best − median) |",
        "|---|" + "---|" * 8,
    ]
    for problem, of in rows.groupby("problem", sort=False):
        mean = of.groupby("way")[["epochs", "finished", "wall", "training", "deciding"]].mean()
        for way in [way for way in WAYS if way in mean.index]:
            one, each = mean.loc[way], of[of["way"] == way]
            lines.append(
                f"| {problem} | {way} | {one.epochs:.0f} | {mean.loc[WAYS[0]].epochs / one.epochs:.1f}× | "
                f"{one.finished:.1f} of {RUNS} | {one.wall:.0f} | {one.training + one.deciding:.0f} "
                f"({one.deciding:.0f}) | {', '.join(f'{regret:.2g}' for regret in each['regret'])} | "
                f"{', '.join(f'{share:.2g}' for share in each['share'])} |"
            )
    return "\n".join(lines)


def _frame(rows: Sequence[Row]) -> pd.DataFrame:
    return pd.DataFrame([asdict(row) for row in rows], columns=[field.name for field in fields(Row)])


def _processor_seconds() -> tuple[float, float]:
    """Of this process, and of those that it has started and that have ended."""
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime, others.ru_utime + others.ru_stime


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; exit status 0: done, 2: bad usage, with one message on stderr."""
    parser = argparse.ArgumentParser(prog="python -m mtl_runs.studies.live_stopping", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help=f"folder of the run logs and of {TABLE}")
    parser.add_argument("--problems", nargs="+", default=PROBLEMS, help=f"default: {' '.join(PROBLEMS)}")
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS, help=f"default: {' '.join(map(str, SEEDS))}")
    given = parser.parse_args(arguments)
    try:
        given.out.mkdir(parents=True, exist_ok=True)
        print(summary(conduct(given.out, given.problems, given.seeds)))  # noqa: T201
    except (LcodeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
