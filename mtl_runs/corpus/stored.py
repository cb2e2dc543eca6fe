"""The corpus as it is stored: two Parquet files and the architecture graphs, a few MB for thousands of runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lcode.errors import DataNotFoundError

RUNS, CURVES, GRAPHS = "runs.parquet", "curves.parquet", "graphs.json"

STORED = Path(__file__).parents[2] / "datasets" / "mtl_curves"
"""Where the corpus lies in a checkout."""

CONFIG = "config."
"""Beginning of the columns of `runs.parquet` that are hyper-parameters."""

SIGNAL_BITS = 10
"""Bits of a signal's mantissa that are kept: an error of at most 0.05 %."""

COSINE_STEP = 2.0**-10
"""Cosines are rounded to multiples of this."""

_ENCODING: Mapping[str, Any] = {"compression": "zstd", "compression_level": 19, "store_schema": False}


@dataclass(frozen=True)
class StoredRun:
    """One run with its curves.

    Attributes:
        row: its line of `runs.parquet`: `run`, `problem`, …, with one entry `config.<name>` per hyper-parameter.
        metrics: metric key -> value at the epochs 1, 2, …, float32; NaN where the run diverged.
        signals: signal -> the same, rounded.
        directions: metric key -> `min` or `max`.
    """

    row: Mapping[str, Any]
    metrics: Mapping[str, NDArray[np.float32]]
    signals: Mapping[str, NDArray[np.float32]]
    directions: Mapping[str, str]


def rounded_signal(name: str, values: Sequence[float]) -> NDArray[np.float32]:
    """A signal as float32 with few significant bits: noise beyond the third digit would be most of the file."""
    exact = np.asarray(values, dtype=np.float32)
    if name.endswith("/cosine"):
        return (np.round(exact / COSINE_STEP) * COSINE_STEP).astype(np.float32)
    dropped = 23 - SIGNAL_BITS
    bits = exact.view(np.uint32)
    # To the nearest, ties to even; a carry into the exponent is what rounding up to the next power of two means.
    bits = bits + np.uint32((1 << (dropped - 1)) - 1) + ((bits >> np.uint32(dropped)) & np.uint32(1))
    bits &= np.uint32((0xFFFFFFFF << dropped) & 0xFFFFFFFF)
    return np.where(np.isfinite(exact), bits.view(np.float32), exact)


def write_stored(folder: Path, runs: Sequence[StoredRun], graphs: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the three files; the same runs give the same bytes (of the same version of pyarrow).

    Args:
        folder: made if missing.
        runs: those of a problem together.
        graphs: digest of a graph -> the graph as JSON.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / RUNS, lambda path: pq.write_table(_run_table(runs), path, **_ENCODING))
    _write(folder / CURVES, lambda path: _write_curves(path, runs))
    lines = ",\n".join(f"{json.dumps(name)}:{json.dumps(graphs[name], separators=(',', ':'))}" for name in graphs)
    _write(folder / GRAPHS, lambda path: path.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8"))


def read_runs(folder: Path) -> pd.DataFrame:
    """`runs.parquet`, indexed by run.

    Raises:
        DataNotFoundError: it is not there.
    """
    return _table(folder, RUNS).to_pandas().set_index("run")


def read_curves(folder: Path) -> Iterator[tuple[str, str, str | None, NDArray[np.float32]]]:
    """`curves.parquet` line by line: run, metric or signal, direction (None: a signal), values at epoch 1, 2, ….

    Raises:
        DataNotFoundError: it is not there.
    """
    table = _table(folder, CURVES)
    values = table["values"].combine_chunks()
    offsets, flat = values.offsets.to_numpy(), values.values.to_numpy(zero_copy_only=False)
    names = (table[name].to_pylist() for name in ("run", "metric", "direction"))
    for run, metric, direction, start, end in zip(*names, offsets[:-1], offsets[1:], strict=True):
        yield run, metric, direction, flat[start:end]


def _table(folder: Path, name: str) -> pa.Table:
    path = folder / name
    if not path.is_file():
        raise DataNotFoundError(f"there is no {path}; collect a corpus there with `python -m mtl_runs.corpus`")
    return pq.ParquetFile(path).read()


def _run_table(runs: Iterable[StoredRun]) -> pa.Table:
    rows = [run.row for run in runs]
    names = list(dict.fromkeys(name for row in rows for name in row))
    # What describes a run comes first, then the hyper-parameters of all problems.
    names.sort(key=lambda name: name.startswith(CONFIG))
    return pa.table({name: pa.array([row.get(name) for row in rows]) for name in names})


_SCHEMA = pa.schema(
    [
        ("problem", pa.string()),
        ("run", pa.string()),
        ("metric", pa.string()),
        ("direction", pa.string()),
        ("values", pa.list_(pa.float32())),
    ]
)


def _write_curves(path: Path, runs: Iterable[StoredRun]) -> None:
    """Two row groups a problem: its metrics, then its signals, whose bits look quite different."""
    with pq.ParquetWriter(
        path,
        _SCHEMA,
        **_ENCODING,
        use_dictionary=["problem", "run", "metric", "direction"],
        column_encoding={"values.list.element": "BYTE_STREAM_SPLIT"},
    ) as writer:
        for problem, group in groupby(runs, key=lambda run: run.row["problem"]):
            members = list(group)
            for kind in ("metrics", "signals"):
                curves = [
                    (run.row["run"], name, run.directions.get(name), values)
                    for run in members
                    for name, values in getattr(run, kind).items()
                ]
                if curves:
                    writer.write_table(_curve_table(problem, curves), row_group_size=len(curves))


def _curve_table(problem: str, curves: Sequence[tuple[str, str, str | None, NDArray[np.float32]]]) -> pa.Table:
    names, metrics, directions, values = zip(*curves, strict=True)
    offsets = np.cumsum([0, *map(len, values)]).astype(np.int32)
    lists = pa.ListArray.from_arrays(pa.array(offsets), pa.array(np.concatenate(values), pa.float32()))
    columns = [pa.array([problem] * len(curves)), pa.array(names), pa.array(metrics)]
    return pa.table([*columns, pa.array(directions, pa.string()), lists], schema=_SCHEMA)


def _write(path: Path, write: Callable[[Path], object]) -> None:
    """The file appears complete or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
