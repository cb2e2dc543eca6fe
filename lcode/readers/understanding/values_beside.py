"""Tables with a value per row and a metric beside it in a column of its own: `epoch,task,loss,metric,value`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from lcode.readers.raw import RawTable, as_number
from lcode.readers.understanding.column_words import is_counter, why_left_out
from lcode.readers.understanding.layout import CONFIG, RESERVED, SIGNAL, columns_of_value
from lcode.readers.understanding.rates import is_rate
from lcode.table.metric_names import known_metric
from lcode.table.reading import listed


def with_rows_of_values(raw: RawTable) -> RawTable:
    """The table with a row for each value of such a column, below the row that it stands in.

    One that is written for lcode stays as it is: there the column is a mistake.
    """
    beside = (
        [] if raw.own_form or not columns_of_value(raw) else [name for name in raw.columns if _is_metric(raw, name)]
    )
    if not beside:
        return raw
    own = np.arange(len(raw))
    rows = [own, *(np.flatnonzero(raw.columns[name].is_valid().to_numpy()) for name in beside)]
    order = np.argsort(np.concatenate(rows), kind="stable")
    metrics = pa.concat_arrays(
        [
            raw.columns["metric"].cast(pa.string()).combine_chunks(),
            *(pa.array([name] * len(at), pa.string()) for name, at in zip(beside, rows[1:], strict=True)),
        ]
    )
    values = pa.concat_arrays(
        [
            raw.columns["value"].cast(pa.string()).combine_chunks(),
            *(raw.columns[name].drop_null().cast(pa.string()).combine_chunks() for name in beside),
        ]
    )
    kept = replace(raw, columns={name: cells for name, cells in raw.columns.items() if name not in beside})
    below = kept.in_order(np.concatenate(rows)[order])
    columns = {
        **below.columns,
        "metric": pa.chunked_array([metrics.take(pa.array(order))]),
        "value": pa.chunked_array([values.take(pa.array(order))]),
    }
    note = f"{raw.path.name}: beside the value of each row further ones are read, of {listed(beside)}."
    return replace(below, columns=columns, notes=(*raw.notes, note))


def _is_metric(raw: RawTable, name: str) -> bool:
    """Whether a column beside the value holds another one."""
    if name in (*RESERVED, *columns_of_value(raw), "value") or name.startswith((CONFIG, SIGNAL)):
        return False
    if is_counter(name) or is_rate(name) or why_left_out(name) is not None or known_metric(name) is None:
        return False
    cells = raw.columns[name].drop_null().unique()
    return len(cells) > 1 and all(as_number(cell) is not None for cell in cells.to_pylist())
