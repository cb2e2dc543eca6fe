"""The project's own corpus: 4,656 multi-task runs on 14 problems, and each task alone, 60 epochs each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lcode.benchmarks.files import DataFile, find_own_file
from lcode.errors import InputError, UsageError
from lcode.graphs import ArchGraph
from lcode.graphs.file import graph_from_json
from lcode.table import Metric, RunTable, split_key
from lcode.table.direction import as_direction
from lcode.table.run_rows import RUN_COLUMNS
from lcode.table.schedule import Schedule

FILES: Mapping[str, DataFile] = {
    "runs": DataFile("mtl_curves/runs.parquet", "34bbcebe354b1926ac7f8569446b809d147583dc3ddf91fed87a94d4b199ad03"),
    "curves": DataFile("mtl_curves/curves.parquet", "be299dd05020ca39dc8f38f24f3a2077f6424651b58ae51bcc2a6bd9959fd7ad"),
    "graphs": DataFile("mtl_curves/graphs.json", "c7ae1db59121d249c3e19f1b38b05fa94c4a093f767b9298ed303c66105e30a3"),
}
"""The corpus as it is shipped in `datasets/mtl_curves` of the repository."""

PROBLEMS = (
    "digits",
    "digits-scaled",
    "digits-pair",
    "fashion",
    "fashion-ink",
    "scenes",
    "scenes-fog",
    "cells",
    "tabular",
    "tabular-wide",
    "clicks",
    "particles",
    "particles-hot",
    "waves",
)

Part = Literal["train", "validation", "test"]

SPLITS = ("split", "arch_split", "problem_split")


@dataclass(frozen=True)
class MtlCurves:
    """The runs on one problem.

    Attributes:
        table: the multi-task runs, with configurations, seeds, schedules, architecture graphs and signals.
        references: the runs that train one task alone; a run has the metrics of its task only, and no graph.
        splits: indexed like `table.runs`. `configuration`: equal for runs that differ in the seed only; `split`:
            train, validation or test by configuration; `arch_split` and `problem_split`: train or test by
            architecture and by problem.
        baseline: references of Δm, columns `arch, task, metric, value`: each task alone on each architecture, at the
            best of three learning rates. `baseline.to_csv(path, index=False)` makes the file that commands take.
    """

    table: RunTable
    references: RunTable
    splits: pd.DataFrame
    baseline: pd.DataFrame

    @property
    def is_training_problem(self) -> bool:
        """Whether models may be pretrained on the problem's training runs; the others are held out as a whole."""
        return bool((self.splits["problem_split"] == "train").all())

    def part(self, part: Part, by: str = "split") -> RunTable:
        """The multi-task runs of one part of a split: `split`, `arch_split` or `problem_split`.

        Raises:
            UsageError: there is no such split.
        """
        if by not in SPLITS:
            raise UsageError(f"no split '{by}'; there are: {', '.join(SPLITS)}")
        return self.table.select(self.splits.index[self.splits[by] == part])


@dataclass(frozen=True)
class MtlCollection:
    """The multi-task runs on one problem, as a benchmark.

    Attributes:
        problem: name of the problem.
    """

    problem: str

    source: ClassVar[str] = "made with this project; datasets/mtl_curves"

    @property
    def name(self) -> str:
        """Name of the benchmark."""
        return f"mtl_curves/{self.problem}"

    @property
    def files(self) -> tuple[DataFile, ...]:
        """The files of all problems."""
        return tuple(FILES.values())

    def load(self) -> RunTable:
        """The multi-task runs; `load_mtl_curves` has references, splits and baselines as well.

        Raises:
            DataNotFoundError: the corpus is not on this machine.
        """
        return load_mtl_curves(problems=[self.problem])[self.problem].table


MTL_CURVES = {collection.name: collection for collection in map(MtlCollection, PROBLEMS)}
"""By name `mtl_curves/<problem>`."""


def load_mtl_curves(folder: Path | None = None, *, problems: Iterable[str] | None = None) -> dict[str, MtlCurves]:
    """The corpus by problem.

    Args:
        folder: holds `runs.parquet`, `curves.parquet` and `graphs.json`, as `python -m mtl_runs.corpus` writes them.
            None: the corpus that comes with the project, in `LCODE_DATA`, in the cache, or in the checkout.
        problems: load these only; None = all.

    Raises:
        DataNotFoundError: the files are nowhere, or those in `LCODE_DATA` or the cache have other bytes.
        InputError: the files hold none of the problems.
    """
    paths = {
        key: find_own_file(file) if folder is None else folder / Path(file.name).name for key, file in FILES.items()
    }
    wanted = None if problems is None else list(problems)
    filters = None if wanted is None else [("problem", "in", wanted)]
    runs = pq.read_table(paths["runs"], filters=filters)
    curves = pq.read_table(paths["curves"], filters=filters)
    missing = [problem for problem in wanted or () if problem not in set(runs["problem"].to_pylist())]
    if missing or not len(runs):
        raise InputError(f"holds no run of {missing[0] if missing else 'any problem'}", path=paths["runs"])
    graphs = json.loads(paths["graphs"].read_text(encoding="utf-8"))
    reader = _Reader(runs.to_pandas().set_index("run"), curves, _Graphs(graphs, paths["graphs"]))
    return {problem: reader.problem(problem) for problem in reader.runs["problem"].unique()}


class _Graphs:
    """Architecture graphs by digest, parsed when asked for."""

    def __init__(self, parsed: Mapping[str, object], path: Path) -> None:
        self._parsed, self._path = parsed, path
        self._made: dict[str, ArchGraph] = {}

    def __getitem__(self, digest: str) -> ArchGraph:
        if digest not in self._made:
            if digest not in self._parsed:
                raise InputError(f"has no graph '{digest}'; the files are not of one corpus", path=self._path)
            self._made[digest] = graph_from_json(self._parsed[digest], where=digest, path=self._path)
        return self._made[digest]


class _Reader:
    """Tables from the columns of the files, whose lines are sorted by problem, run and curve."""

    def __init__(self, runs: pd.DataFrame, curves: pa.Table, graphs: _Graphs) -> None:
        self.runs, self.graphs = runs, graphs
        values = curves["values"].combine_chunks()
        self.starts, self.lengths = values.offsets.to_numpy()[:-1], np.diff(values.offsets.to_numpy())
        self.values = values.values.to_numpy(zero_copy_only=False).astype(np.float64)
        self.names, self.directions = curves["metric"].to_numpy(), curves["direction"].to_numpy()
        self.is_metric = ~pd.isna(self.directions)
        self.run = runs.index.get_indexer(curves["run"].to_numpy())

    def problem(self, problem: str) -> MtlCurves:
        """The runs on one problem."""
        of_problem, single = (self.runs["problem"] == problem).to_numpy(), self.runs["single_task"].to_numpy(bool)
        table, references = self._table(of_problem & ~single), self._table(of_problem & single)
        splits = self.runs.loc[of_problem & ~single, ["configuration", *SPLITS]].set_axis(table.runs.index)
        best = self.runs.index[of_problem & self.runs["baseline"].to_numpy(bool)]
        return MtlCurves(table, references, splits, _baseline(references, best))

    def _table(self, chosen: NDArray[np.bool_]) -> RunTable:
        """The chosen runs as a table."""
        frame = self.runs[chosen]
        index = pd.Index(frame.index.astype(str), name="run", dtype=object)
        kinds = {"status": object, "arch": object, "seed": object, "horizon": np.int64}
        configs = (
            frame.filter(regex=r"^config\.").dropna(axis=1, how="all").rename(columns=lambda n: n.partition(".")[2])
        )
        mine = chosen[self.run]
        metrics = self._metrics(mine & self.is_metric)
        signals = [str(name) for name in pd.unique(self.names[mine & ~self.is_metric])]
        place = np.cumsum(chosen) - 1
        graphs = frame.dropna(subset="graph").set_index("arch")["graph"].to_dict()
        plans = zip(index, frame["schedule"], frame["config.lr"], strict=True)
        return RunTable(
            runs=frame[list(RUN_COLUMNS)].astype(kinds).set_axis(index),
            points=self._points(mine & self.is_metric, place, index, [metric.key for metric in metrics]),
            metrics=metrics,
            configs=configs.set_axis(index),
            graphs={str(arch): self.graphs[name] for arch, name in graphs.items()},
            signals=self._points(mine & ~self.is_metric, place, index, signals),
            schedules={run: Schedule.of(lr * np.asarray(share, dtype=np.float64)) for run, share, lr in plans},
        )

    def _metrics(self, rows: NDArray[np.bool_]) -> tuple[Metric, ...]:
        found = dict(zip(self.names[rows], self.directions[rows], strict=True))
        return tuple(Metric(*split_key(str(key)), as_direction(found[key], of=str(key))) for key in found)

    def _points(
        self, rows: NDArray[np.bool_], place: NDArray[np.int64], runs: pd.Index, keys: Sequence[str]
    ) -> pd.DataFrame:
        """The curves on these lines of the file, one point per epoch."""
        lengths, run = self.lengths[rows], place[self.run[rows]]
        ends = np.cumsum(lengths)
        epoch = np.arange(1, ends[-1] + 1 if len(ends) else 1) - np.repeat(ends - lengths, lengths)
        columns = pd.Index(list(keys), dtype=object)
        metric = columns.get_indexer(self.names[rows])
        return pd.DataFrame(
            {
                "run": pd.Categorical.from_codes(np.repeat(run, lengths), categories=runs.rename(None)),
                "epoch": epoch,
                "metric": pd.Categorical.from_codes(np.repeat(metric, lengths), categories=columns),
                "value": self.values[epoch - 1 + np.repeat(self.starts[rows], lengths)],
            }
        )


def _baseline(references: RunTable, best: pd.Index) -> pd.DataFrame:
    """The last values of the best references."""
    points = references.points
    ends = points[points["run"].isin(best)].drop_duplicates(["run", "metric"], keep="last")
    task, metric = zip(*map(split_key, ends["metric"].astype(str)), strict=True) if len(ends) else ((), ())
    arch = references.runs["arch"].reindex(ends["run"].astype(object)).to_numpy()
    return pd.DataFrame({"arch": arch, "task": task, "metric": metric, "value": ends["value"].to_numpy()})
