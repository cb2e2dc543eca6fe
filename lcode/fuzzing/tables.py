"""Damaged Parquet files: columns of types that nobody expects, besides damaged bytes."""

from __future__ import annotations

import datetime
import decimal
import io
from collections.abc import Callable
from random import Random

import pyarrow as pa
from pyarrow import parquet

_FAR = 2**62

COLUMNS: tuple[Callable[[int], pa.Array], ...] = (
    lambda n: pa.nulls(n),
    lambda n: pa.array([None] * n, pa.string()),
    lambda n: pa.array([True, False, None] * n, pa.bool_())[:n],
    lambda n: pa.array([[1.0, None]] * n),
    lambda n: pa.array([[]] * n, pa.list_(pa.string())),
    lambda n: pa.array([{"a": 1, "b": None}] * n),
    lambda n: pa.array([[("a", 1)]] * n, pa.map_(pa.string(), pa.int8())),
    lambda n: pa.array([datetime.date(1, 1, 1)] * n),
    lambda n: pa.array([2**31 - 1] * n, pa.date32()),
    lambda n: pa.array([_FAR // 1000] * n, pa.timestamp("s")),
    lambda n: pa.array([-_FAR] * n, pa.timestamp("ns")),
    lambda n: pa.array([_FAR] * n, pa.timestamp("us", "Europe/Berlin")),
    lambda n: pa.array([_FAR] * n, pa.duration("ms")),
    lambda n: pa.array([datetime.time(23, 59)] * n),
    lambda n: pa.array([b"\xff\xfe"] * n),
    lambda n: pa.array([b"ab"] * n, pa.binary(2)),
    lambda n: pa.array([2**64 - 1 - i for i in range(n)], pa.uint64()),
    lambda n: pa.array([2**53 + i for i in range(n)], pa.int64()),
    lambda n: pa.array([-(2**63)] * n, pa.int64()),
    lambda n: pa.array([decimal.Decimal("1.10")] * n),
    lambda n: pa.array([decimal.Decimal("9" * 60)] * n, pa.decimal256(60, 0)),
    lambda n: pa.array([1.5] * n, pa.float16()),
    lambda n: pa.array([float("nan"), None, float("inf")] * n, pa.float32())[:n],
    lambda n: pa.array(["x" * 300] * n, pa.large_string()),
    lambda n: pa.array(["a", None, "b"] * n).dictionary_encode()[:n],
    lambda n: pa.array(["é😀", "\x00", ""] * n)[:n],
    lambda n: pa.Array.from_buffers(
        pa.string(), n, [None, pa.array(range(n + 1), pa.int32()).buffers()[1], pa.py_buffer(b"\xff" * n)]
    ),
)
"""Columns of so many rows."""

NAMES = ("run", "epoch", "status", "horizon", "arch", "seed", "lr", "seconds", "acc", "seg/miou", "config.x", "metric",
         "value", "task", "", " ", "x" * 300, "é", "__index_level_0__")  # fmt: skip


def damaged_table(rng: Random, data: bytes) -> bytes:
    """A column replaced by one of another type, renamed, lost or added; rows lost or doubled.

    Args:
        rng: where chance comes from.
        data: a Parquet file.
    """
    try:
        table = parquet.ParquetFile(io.BytesIO(data)).read()
    except (pa.ArrowException, OSError, ValueError):
        return data
    i = rng.randrange(table.num_columns) if table.num_columns else 0
    kind = rng.randrange(6)
    if kind < 3 and table.num_columns:
        table = table.set_column(i, table.column_names[i], rng.choice(COLUMNS)(table.num_rows))
    elif kind == 3:
        table = table.append_column(rng.choice(NAMES), rng.choice(COLUMNS)(table.num_rows))
    elif kind == 4 and table.num_columns:
        names = list(table.column_names)
        names[i] = rng.choice(NAMES)
        table = table.rename_columns(names)
    elif table.num_columns:
        table = rng.choice((table.slice(rng.randrange(table.num_rows + 1)), pa.concat_tables([table] * 3),
                            table.remove_column(i)))  # fmt: skip
    return parquet_bytes(table)


def parquet_bytes(table: pa.Table) -> bytes:
    """A table as a Parquet file."""
    buffer = io.BytesIO()
    parquet.write_table(table, buffer)
    return buffer.getvalue()
