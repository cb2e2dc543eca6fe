"""From the run logs of the corpus to its stored form."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from lcode.errors import InputError, UsageError
from lcode.table.log_lines import is_complete_line
from mtl_runs.corpus.sample import Entry
from mtl_runs.corpus.space import PLANS
from mtl_runs.corpus.stored import CONFIG, CURVES, GRAPHS, RUNS, StoredRun, read_runs, rounded_signal, write_stored


@dataclass(frozen=True)
class Collected:
    """What was stored.

    Attributes:
        runs: how many runs.
        missing: how many runs of the definition are not over yet, or have no log.
        checksums: file name -> sha256.
        size: of the files together, in bytes.
    """

    runs: int
    missing: int
    checksums: Mapping[str, str]
    size: int


def collect(entries: Sequence[Entry], logs: Path, target: Path) -> Collected:
    """Store the runs that are over.

    Args:
        entries: of the whole corpus; their order is that of the stored runs.
        logs: folder of the run logs.
        target: folder of the three files.

    Raises:
        UsageError: no run is over, a log is that of another run, or the target holds more runs than would be stored.
        InputError: a damaged log.
    """
    runs, graphs = [], {}
    for entry in entries:
        run = read_run(logs / f"{entry.spec.run}.jsonl", entry)
        if run is not None:
            runs.append(run[0])
            if not entry.single:
                graphs[run[0].row["graph"]] = run[1]
    if not runs:
        raise UsageError(f"no run of the corpus is over in {logs}; train it first")
    n_stored = len(read_runs(target)) if (target / RUNS).is_file() else 0
    if n_stored > len(runs):
        raise UsageError(
            f"{target} holds {n_stored} runs, but only {len(runs)} are over in {logs}; choose another target, or "
            "remove what is there"
        )
    write_stored(target, _with_baselines(runs), dict(sorted(graphs.items())))
    files = {name: (target / name).read_bytes() for name in (RUNS, CURVES, GRAPHS)}
    return Collected(
        len(runs),
        len(entries) - len(runs),
        {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        sum(map(len, files.values())),
    )


def read_run(path: Path, entry: Entry) -> tuple[StoredRun, Mapping[str, Any]] | None:
    """A run with its curves, and its architecture graph as JSON; None if it is not over or has no log.

    Raises:
        UsageError: the log is that of another run.
        InputError: a damaged log.
    """
    lines = path.read_bytes().splitlines() if path.is_file() else []
    if not lines or not is_complete_line(lines[-1]):
        return None
    try:
        end = json.loads(lines[-1])
        if end["type"] != "end" or end["status"] == "running":
            return None
        header, *entries = json.loads(b"[" + b",".join(lines) + b"]")
        epochs = [line for line in entries if line["type"] == "epoch"]
        if [line["epoch"] for line in epochs] != list(range(1, len(epochs) + 1)):
            raise InputError("does not have the epochs 1, 2, … one after the other; train the run again", path=path)
        _check_header(path, header, entry)
        directions = {f"{metric['task']}/{metric['name']}": metric["direction"] for metric in header["metrics"]}
        curves = {
            kind: {name: [line[kind][name] for line in epochs] for name in epochs[0][kind]}
            for kind in ("values", "signals")
        }
        graph = header["graph"]
        row = _row(header, end, len(epochs), entry)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise InputError(f"is no run log of the trainer ({error}); train the run again", path=path) from error
    # Float32 holds what can be told apart, and any two runs with the same bits have the same bits there as well.
    metrics = {key: np.asarray(curves["values"][key], dtype=np.float32) for key in directions}
    signals = {name: rounded_signal(name, values) for name, values in curves["signals"].items()}
    return StoredRun(row, metrics, signals, directions), graph


def _row(header: Mapping[str, Any], end: Mapping[str, Any], n_epochs: int, entry: Entry) -> dict[str, Any]:
    spec = entry.spec
    shares = np.asarray(header["schedule"]) / spec.config.lr
    return {
        "run": spec.run,
        "problem": spec.problem,
        "arch": spec.config.arch,
        # An architecture has another graph for each task alone; nobody reads those.
        "graph": None if entry.single else _digest(header["graph"]),
        "seed": spec.seed,
        "status": end["status"],
        "horizon": spec.horizon,
        "last_epoch": n_epochs,
        "single_task": entry.single,
        "baseline": False,
        "tasks": ",".join(_tasks(entry)),
        "configuration": entry.configuration,
        "split": entry.split,
        "arch_split": entry.arch_split,
        "problem_split": entry.problem_split,
        "schedule": [float(share) for share in shares.astype(np.float32)],
        **{CONFIG + name: value for name, value in header["config"].items()},
    }


def _tasks(entry: Entry) -> Sequence[str]:
    return entry.spec.config.tasks or PLANS[entry.spec.problem].tasks


def _check_header(path: Path, header: Mapping[str, Any], entry: Entry) -> None:
    """Refuse the log of a run of the same name with another definition."""
    spec = entry.spec
    expected = {
        "run": spec.run,
        "problem": spec.problem,
        "seed": spec.seed,
        "horizon": spec.horizon,
        "arch": spec.config.arch,
        "config": spec.config.for_log(_tasks(entry)),
    }
    for name, value in json.loads(json.dumps(expected)).items():
        if header.get(name) != value:
            raise UsageError(
                f"{path} is the log of another run: its {name} is {header.get(name)}, in the corpus it is {value}; "
                "remove it and train the run again"
            )


def _digest(graph: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(graph, sort_keys=True).encode()).hexdigest()[:16]


def _with_baselines(runs: Iterable[StoredRun]) -> list[StoredRun]:
    """The runs, the best reference of each task on each architecture marked."""
    marked = []
    for _, group in groupby(runs, key=lambda run: (run.row["problem"], run.row["single_task"])):
        members = list(group)
        best: dict[tuple[str, str], StoredRun] = {}
        for run in members:
            if run.row["single_task"] and run.row["status"] == "finished":
                place = (run.row["arch"], run.row["tasks"])
                if place not in best or _end(run) < _end(best[place]):
                    best[place] = run
        chosen = {run.row["run"] for run in best.values()}
        marked += [replace(run, row={**run.row, "baseline": run.row["run"] in chosen}) for run in members]
    return marked


def _end(run: StoredRun) -> float:
    """The last value of the run's first metric, the smaller the better."""
    key, direction = next(iter(run.directions.items()))
    value = float(run.metrics[key][-1])
    return value if direction == "min" else -value
