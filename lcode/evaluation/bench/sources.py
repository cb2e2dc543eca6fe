"""Where the runs of a bench come from: the benchmarks by name, or anybody's logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from lcode.benchmarks import BENCHMARKS, load_benchmark, load_mtl_curves
from lcode.decisions import DeltaM, References
from lcode.errors import UsageError
from lcode.forecasters.base import finished_runs
from lcode.readers import OnRepeat, Rates, read_logs
from lcode.table import Direction, RunTable

LEARNED = 0.97 * np.log(2)
"""A TaskSet run that ends below this loss has learned something: a guess between its two classes has ln 2."""


@dataclass(frozen=True)
class Source:
    """A collection of runs, by name.

    Attributes:
        name: of the benchmark, or the path of the logs as it was given.
        graphs: file of architecture graphs, for logs.
        directions: pairs of a metric's key and direction, for logs.
        logs: whether it is a path.
        horizon: planned last epoch of all runs of logs, if the user states it.
        on_repeat: see `lcode.read_logs`, for logs.
        rates: see `lcode.read_logs`, for logs.
    """

    name: str
    graphs: Path | None = None
    directions: tuple[tuple[str, Direction], ...] = ()
    logs: bool = False
    horizon: float | None = None
    on_repeat: OnRepeat = "error"
    rates: Rates = "plan"

    @property
    def group(self) -> str:
        """What it is reported together with: the benchmarks of one family."""
        return self.name if self.logs else self.name.partition("/")[0]

    @property
    def family(self) -> tuple[Source, ...]:
        """The other benchmarks of its family."""
        return tuple(s for s in map(Source, BENCHMARKS) if not self.logs and s.group == self.group and s != self)


@dataclass(frozen=True, eq=False)
class Problem:
    """What a source holds.

    Attributes:
        table: its finished runs.
        splits: fixed splits of the multi-task corpus (see `MtlCurves.splits`), for the runs of the table.
        pretrained_on: whether the shipped checkpoint learned from runs of it (see `MtlCurves.is_training_problem`).
        objective: relative gain over single-task references, where there are some.
        learned_below: a run that ends below this value has learned something; None: not known.
    """

    table: RunTable
    splits: pd.DataFrame | None = None
    pretrained_on: bool = False
    objective: DeltaM | None = None
    learned_below: float | None = None


def find_sources(
    words: Sequence[str],
    *,
    graphs: Path | None = None,
    directions: Mapping[str, Direction] | None = None,
    horizon: float | None = None,
    on_repeat: OnRepeat = "error",
    rates: Rates = "plan",
) -> tuple[Source, ...]:
    """The sources that words stand for: a benchmark, a family of benchmarks such as `taskset`, or a path of logs.

    Args:
        words: names and paths; each source is taken once.
        graphs: file of architecture graphs, for logs.
        directions: which way is better, for logs.
        horizon: planned last epoch of the runs, for logs.
        on_repeat: see `lcode.read_logs`, for logs.
        rates: see `lcode.read_logs`, for logs.

    Raises:
        UsageError: a word is none of these; the text lists the benchmarks.
    """
    found: dict[Source, None] = {}
    for word in words:
        named = [name for name in BENCHMARKS if name == word or name.startswith(f"{word}/")]
        if not named and not Path(word).exists():
            families = dict.fromkeys(name.partition("/")[0] for name in BENCHMARKS)
            raise UsageError(
                f"'{word}' is neither a file or folder of logs nor a benchmark; there are {', '.join(families)}, and "
                f"one of a family is {next((n for n in BENCHMARKS if '/' in n), '')}, for example"
            )
        stated = tuple((directions or {}).items())
        logs = Source(word, graphs, stated, logs=True, horizon=horizon, on_repeat=on_repeat, rates=rates)
        found |= dict.fromkeys(map(Source, named) if named else [logs])
    return tuple(found)


@lru_cache(maxsize=16)
def load_problem(source: Source) -> Problem:
    """Read a source; kept in memory, for many fits ask for it.

    Raises:
        DataNotFoundError: its files are not on this machine.
        InputError: logs that cannot be read as they stand.
    """
    if source.logs:
        table = read_logs(
            Path(source.name),
            graphs=source.graphs,
            directions=dict(source.directions) or None,
            horizon=source.horizon,
            on_repeat=source.on_repeat,
            rates=source.rates,
        )
        return Problem(finished_runs(table, at_least=0))
    if source.group != "mtl_curves":
        learned = LEARNED if source.group == "taskset" else None
        return Problem(finished_runs(load_benchmark(source.name), at_least=0), learned_below=learned)
    problem = source.name.partition("/")[2]
    curves = load_mtl_curves(problems=[problem])[problem]
    table = finished_runs(curves.table, at_least=0)
    splits, objective = curves.splits.loc[list(table.run_ids)], DeltaM(_references(curves.baseline))
    return Problem(table, splits, pretrained_on=curves.is_training_problem, objective=objective)


def _references(baseline: pd.DataFrame) -> References:
    """Single-task references by architecture; the mean over the architectures serves all others."""
    keyed = baseline.assign(key=baseline["task"] + "/" + baseline["metric"])
    wide = keyed.pivot(index="arch", columns="key", values="value")
    by_arch = {str(arch): _by_key(row.dropna()) for arch, row in wide.iterrows()}
    return References(_by_key(wide.mean()), by_arch, origin="each task alone on the same architecture")


def _by_key(values: pd.Series) -> dict[str, float]:
    return {str(key): float(value) for key, value in values.items()}
