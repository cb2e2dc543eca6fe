"""What stopping by forecasts saves and loses live, in sweeps that begin with nothing known.

`python -m mtl_runs.studies.live_stopping --out FOLDER` trains each sweep twice: every run to its end, and stopped by
the shipped model within the default budget of regret. A run is the same in both, number for number, so that the first
tells how the stopped ones would have ended. Called again, it goes on with the next sweep; one that was interrupted is
begun anew, for its time is to be of one piece. Prints a table, and leaves `sweeps.csv`, a row per sweep and way.
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
from lcode.decisions import architectures, final_values, make_objective
from lcode.errors import LcodeError
from lcode.files import replacing
from lcode.table import RunTable
from lcode.table.table import empty_points
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

WAYS = ("to the end", "stopping")

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
    statuses = Sweep(folder, workers=1, monitor=monitor).run(specs)
    wall, used = time.perf_counter() - began, np.subtract(_processor_seconds(), before).tolist()
    ended = [run for run, status in statuses.items() if status == "finished"]
    regret, share = lost(lcode.read_logs(folder_of(out, problem, seed, WAYS[0])), ended)
    trained = sum(max(epoch_lines(folder, spec.run), default=0) for spec in specs)
    return Row(problem, seed, way, trained, len(ended), wall, used[1], used[0], regret, share)


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
    """A line per problem, means over its seeds, in Markdown."""
    lines = [
        "| problem | epochs to the end | stopping | fewer | finished | wall, s | stopping | processor, s | stopping "
        "(of that forecasts) | regret, Δm points | ÷ (best − median) |",
        "|---|" + "---|" * 10,
    ]
    for problem, of in rows.groupby("problem", sort=False):
        mean = of.groupby("way")[["epochs", "finished", "wall", "training", "deciding", "regret", "share"]].mean()
        if not set(WAYS) <= set(mean.index):
            continue
        whole, cut = mean.loc[WAYS[0]], mean.loc[WAYS[1]]
        each = of[of["way"] == WAYS[1]]
        lines.append(
            f"| {problem} | {whole.epochs:.0f} | {cut.epochs:.0f} | {whole.epochs / cut.epochs:.1f}× | "
            f"{cut.finished:.1f} of {RUNS} | {whole.wall:.0f} | {cut.wall:.0f} | "
            f"{whole.training + whole.deciding:.0f} | {cut.training + cut.deciding:.0f} ({cut.deciding:.0f}) | "
            f"{', '.join(f'{regret:.2g}' for regret in each['regret'])} | "
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
