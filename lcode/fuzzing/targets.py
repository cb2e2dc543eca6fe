"""What is fuzzed: a reader, valid inputs for it, and the ways in which they are damaged."""

from __future__ import annotations

import csv
import io
import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pyarrow as pa
from pyarrow import csv as arrow_csv

from lcode.decisions.references import read_baseline
from lcode.errors import UsageError
from lcode.fuzzing.mutations import Mutation, damaged_by_kind, damaged_bytes, damaged_cells, damaged_json, damaged_lines
from lcode.fuzzing.tables import damaged_table, parquet_bytes
from lcode.graphs.file import read_graphs
from lcode.readers import read_logs
from lcode.table import Metric, RunTable
from lcode.table.runlog import RunHeader, RunLogWriter

METRICS = (Metric("seg", "miou", "max"), Metric("depth", "err", "min"))
RUNS, EPOCHS = 6, 5

_GRAPH = {
    "nodes": [
        {"op": "input"},
        {"op": "conv", "params": 9, "out_size": 4, "flops": 36},
        {"op": "x", "role": "head:seg"},
    ],
    "edges": [[0, 1], [1, 2]],
}


@dataclass(frozen=True)
class Target:
    """One reader.

    Attributes:
        files: valid input, content by file name.
        mutations: ways to damage one of the files, each as likely as the others.
        read: reads the folder that holds them.
    """

    files: Callable[[], Mapping[str, bytes]]
    mutations: tuple[Mutation, ...]
    read: Callable[[Path], object]


def _value(run: int, epoch: int, metric: int) -> float:
    """A curve that falls, or one minus it."""
    error = 0.2 + 0.05 * run + 0.5 / epoch
    return round(error if metric else 1 - error, 6)


@cache
def _wide() -> dict[str, bytes]:
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("run", "epoch", *(m.key for m in METRICS), "lr", "seconds", "horizon", "status", "arch", "seed",
                   "config.width", "config.opt"))  # fmt: skip
    for run in range(RUNS):
        for epoch in range(1, EPOCHS + 1):
            values = (_value(run, epoch, 0), _value(run, epoch, 1))
            rows.writerow((f"r{run}", epoch, *values, 0.1, 1.5, EPOCHS, "finished", "net", run, 8 * run, "sgd"))
    return {"runs.csv": text.getvalue().encode()}


@cache
def _long() -> dict[str, bytes]:
    lines = [
        f"r{run},{epoch},{metric.task},{metric.name},{_value(run, epoch, i)},{run / 8}"
        for run in range(RUNS)
        for epoch in range(1, EPOCHS + 1)
        for i, metric in enumerate(METRICS)
    ]
    return {"runs.csv": "\n".join(["run,epoch,task,metric,value,config.x", *lines, ""]).encode()}


def _table(content: bytes) -> pa.Table:
    return arrow_csv.read_csv(io.BytesIO(content))


@cache
def _parquet() -> dict[str, bytes]:
    return {"runs.parquet": parquet_bytes(_table(_wide()["runs.csv"]))}


@cache
def _long_parquet() -> dict[str, bytes]:
    return {"runs.parquet": parquet_bytes(_table(_long()["runs.csv"]))}


@cache
def _jsonl() -> dict[str, bytes]:
    rows = _table(_wide()["runs.csv"]).to_pylist()
    return {"runs.jsonl": "".join(json.dumps(row) + "\n" for row in rows).encode()}


@cache
def _resumed() -> dict[str, bytes]:
    """The runs cut into two files, after the second epoch."""
    lines = _jsonl()["runs.jsonl"].splitlines(keepends=True)
    early = [json.loads(line)["epoch"] <= 2 for line in lines]
    return {
        f"{name}.jsonl": b"".join(line for line, is_early in zip(lines, early, strict=True) if is_early == wanted)
        for name, wanted in (("one", True), ("two", False))
    }


@cache
def _run_logs() -> dict[str, bytes]:
    from lcode.graphs.file import graph_from_json

    with TemporaryDirectory() as name:
        for run in range(3):
            header = RunHeader(
                f"r{run}", EPOCHS, METRICS, {"lr": 0.1, "opt": "sgd", "on": True, "none": None}, "toy", run, "net",
                graph_from_json(_GRAPH, where="net"), [0.1] * EPOCHS,
            )  # fmt: skip
            with RunLogWriter(Path(name), header) as log:
                for epoch in range(1, EPOCHS + 1):
                    values = {metric.key: _value(run, epoch, i) for i, metric in enumerate(METRICS)}
                    log.epoch(epoch, values, signals={"seg|depth/cosine": 0.1}, lr=0.1, seconds=1.5)
                log.end("finished")
        return {path.name: path.read_bytes() for path in sorted(Path(name).iterdir())}


@cache
def _graphs() -> dict[str, bytes]:
    return {"graphs.json": json.dumps({"net": _GRAPH, "other": _GRAPH}, indent=1).encode()}


@cache
def _baseline() -> dict[str, bytes]:
    return {
        "baseline.csv": b"arch,task,metric,value\nnet,seg,miou,0.5\nnet,depth,err,0.3\n,seg,miou,0.4\n,depth,err,1\n"
    }


@cache
def _model() -> dict[str, bytes]:
    """A small model of everything that a model can hold."""
    from lcode.forecasters.lcgode import LCGODEForecaster
    from lcode.network.loop import FitSettings

    with TemporaryDirectory() as name:
        logs = Path(name) / "runs.csv"
        logs.write_bytes(_wide()["runs.csv"])
        settings = FitSettings(steps=2, batch=4)
        model = LCGODEForecaster(settings=settings, hidden=8, latent=2, members=2, nodes=2).fit(read_logs(logs))
        model.save(Path(name) / "model")
        return {path.name: path.read_bytes() for path in (Path(name) / "model").iterdir()}


def _resealed(rng: Random, data: bytes) -> bytes:
    """An edited description with the digest of what it says now: who tampers with a model can compute it."""
    from lcode.ensemble.checkpoint import description_digest

    edited = damaged_json(rng, data)
    try:
        meta = {key: value for key, value in json.loads(edited).items() if key != "description_sha256"}
        return json.dumps({**meta, "description_sha256": description_digest(meta)}).encode()
    except (ValueError, AttributeError, RecursionError):
        return edited


def _logs(name: str) -> Callable[[Path], RunTable]:
    def read(folder: Path) -> RunTable:
        table = read_logs(folder / name)
        # What was read can be written.
        json.dumps([table.run_ids, [m.key for m in table.metrics], table.notes], ensure_ascii=False).encode()
        table.configs.to_csv().encode()
        return table

    return read


def _load(folder: Path) -> object:
    from lcode.forecasters.lcgode import LCGODEForecaster

    with warnings.catch_warnings():
        # Absurd numbers in a description overflow, and torch-geometric warns when it is imported.
        warnings.simplefilter("ignore")
        return LCGODEForecaster.load(folder)


_CSV = (damaged_bytes, damaged_lines, damaged_cells, damaged_cells)
_JSON = (damaged_bytes, damaged_lines, damaged_json, damaged_json)

TARGETS: dict[str, Target] = {
    "wide-csv": Target(_wide, _CSV, _logs("runs.csv")),
    "long-csv": Target(_long, _CSV, _logs("runs.csv")),
    "wide-parquet": Target(_parquet, (damaged_bytes, damaged_table, damaged_table), _logs("runs.parquet")),
    "long-parquet": Target(_long_parquet, (damaged_bytes, damaged_table, damaged_table), _logs("runs.parquet")),
    "jsonl": Target(_jsonl, _JSON, _logs("runs.jsonl")),
    "resumed": Target(_resumed, _JSON, _logs(".")),
    "run-logs": Target(_run_logs, _JSON, _logs(".")),
    "graphs": Target(_graphs, (damaged_bytes, damaged_json), lambda folder: read_graphs(folder / "graphs.json")),
    "baseline": Target(_baseline, _CSV, lambda folder: read_baseline(folder / "baseline.csv", METRICS)),
    "model": Target(_model, (damaged_bytes, damaged_json, _resealed), _load),
}
"""What is fuzzed, by name."""


def target_of(name: str) -> Target:
    """The target of that name, or, where the name is a folder's, the logs in it, such as a tool has written them.

    Raises:
        UsageError: it is neither, or the folder is empty.
    """
    if name in TARGETS:
        return TARGETS[name]
    folder = Path(name)
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".py"
    }
    if not files:
        raise UsageError(f"no target and no folder of logs '{name}'; targets are: {', '.join(TARGETS)}")
    return Target(lambda: files, (damaged_by_kind,), _logs("."))
