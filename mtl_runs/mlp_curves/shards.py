"""Finished runs on the disk: a small file each, so that an interruption costs one run; collected into one per task."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lcode.errors import DataNotFoundError
from mtl_runs.mlp_curves.perceptron import Curves
from mtl_runs.mlp_curves.sample import RunPlan

_CURVE = pa.list_(pa.float32())
_SCHEMA = pa.schema(
    [
        ("run", pa.string()),
        ("inputs", pa.int32()),
        ("widths", pa.list_(pa.int32())),
        ("batch_size", pa.int32()),
        ("lr", pa.float64()),
        ("momentum", pa.float64()),
        ("weight_decay", pa.float64()),
        ("dropout", pa.float64()),
        ("schedule", pa.list_(pa.float64())),
        ("test_loss", _CURVE),
        ("test_error", _CURVE),
        ("train_loss", _CURVE),
    ]
)
_CURVES = ("test_loss", "test_error", "train_loss")


def shard_path(folder: Path, task: str, seed: int, index: int) -> Path:
    """The file of one run."""
    return folder / f"{task}-seed{seed}" / f"{index:05d}.parquet"


def write_shard(path: Path, name: str, inputs: int, plan: RunPlan, curves: Curves) -> None:
    """Store a run.

    Args:
        path: of the shard; its folder is made if missing.
        name: of the run.
        inputs: number of inputs of the network.
        plan: its configuration.
        curves: what was measured.
    """
    row: dict[str, Any] = {"run": name, "inputs": inputs, "widths": list(plan.widths), "schedule": plan.rates.tolist()}
    row |= {key: getattr(plan, key) for key in ("batch_size", "lr", "momentum", "weight_decay", "dropout")}
    row |= {key: getattr(curves, key) for key in _CURVES}
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, [pa.Table.from_pylist([row], schema=_SCHEMA)])


def collect(folder: Path, target: Path, tasks: Iterable[str], *, seed: int, runs: int) -> dict[str, tuple[int, str]]:
    """Gather the shards of each task into `<task>.parquet`.

    Of an unfinished set, the runs before the first missing one are taken: the quick ones among those after it would
    make the sample a biased one.

    Args:
        folder: as given to `make_runs`.
        target: folder of the files, made if missing.
        tasks: which tasks.
        seed: as given to `make_runs`.
        runs: at most so many runs of each task.

    Returns:
        By task: number of runs, and sha256 of the file.

    Raises:
        DataNotFoundError: the first run of a task is not there.
    """
    target.mkdir(parents=True, exist_ok=True)
    collected = {}
    for task in tasks:
        shards: list[pa.Table] = []
        while len(shards) < runs and (path := shard_path(folder, task, seed, len(shards))).is_file():
            shards.append(pq.ParquetFile(path).read())
        if not shards:
            raise DataNotFoundError(f"there is no run of '{task}' with seed {seed} in {folder}; train some first")
        _write(path := target / f"{task}.parquet", shards)
        collected[task] = len(shards), hashlib.sha256(path.read_bytes()).hexdigest()
    return collected


def _write(path: Path, tables: list[pa.Table]) -> None:
    """The file appears complete or not at all; the same tables give the same bytes (of the same version of pyarrow)."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        pq.write_table(
            pa.concat_tables(tables).combine_chunks(),
            temporary,
            compression="zstd",
            compression_level=19,
            store_schema=False,
            use_dictionary=["schedule.list.element", "test_error.list.element"],
            column_encoding={f"{name}.list.element": "BYTE_STREAM_SPLIT" for name in ("test_loss", "train_loss")},
        )
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
