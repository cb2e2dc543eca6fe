"""A table as plain values and number arrays, for a checkpoint: nothing has to be unpickled to get it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lcode.graphs.file import graph_from_json
from lcode.table.metric import Metric
from lcode.table.schedule import Schedule
from lcode.table.table import RunTable

Arrays = Mapping[str, NDArray[Any]]

_FRAMES = ("points", "signals")


def pack(table: RunTable) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What `unpack` needs to make the table again, but for its notes: JSON values, and arrays by name."""
    arrays: dict[str, NDArray[Any]] = {}
    keys = {}
    for name in _FRAMES:
        frame = getattr(table, name)
        arrays[f"{name}.run"] = frame["run"].cat.codes.to_numpy(np.int32)
        arrays[f"{name}.metric"] = frame["metric"].cat.codes.to_numpy(np.int16)
        arrays[f"{name}.epoch"] = frame["epoch"].to_numpy(np.int32)
        arrays[f"{name}.value"] = frame["value"].to_numpy(np.float64)
        keys[name] = [str(key) for key in frame["metric"].cat.categories]
    plans = [run for run in table.run_ids if run in table.schedules]
    schedules = [table.schedules[run] for run in plans]
    arrays["schedules.length"] = np.array([len(plan.rates) for plan in schedules], dtype=np.int32)
    arrays["schedules.epoch"] = np.concatenate([np.zeros(0, np.int32), *(plan.epochs for plan in schedules)])
    arrays["schedules.value"] = np.concatenate([np.zeros(0), *(plan.rates for plan in schedules)])
    meta = {
        "runs": {name: [_plain(cell) for cell in table.runs[name]] for name in table.runs},
        "names": list(table.run_ids),
        "configs": {str(name): [_plain(cell) for cell in table.configs[name]] for name in table.configs},
        "metrics": [[m.task, m.name, m.direction] for m in table.metrics],
        "graphs": {name: graph.to_json() for name, graph in table.graphs.items()},
        "keys": keys,
        "planned": plans,
        "epoch_unit": table.epoch_unit,
    }
    return meta, arrays


def unpack(meta: Mapping[str, Any], arrays: Arrays) -> RunTable:
    """The inverse of `pack`."""
    index = pd.Index(meta["names"], name="run", dtype=object)
    frames = {}
    for name in _FRAMES:
        metric = np.array([*meta["keys"][name], ""], dtype=object)
        frames[name] = pd.DataFrame(
            {
                "run": index.to_numpy()[arrays[f"{name}.run"]],
                "epoch": arrays[f"{name}.epoch"].astype(np.int64),
                "metric": metric[arrays[f"{name}.metric"]],
                "value": arrays[f"{name}.value"].astype(np.float64),
            }
        )
    ends = np.cumsum(arrays["schedules.length"])
    rates = np.split(arrays["schedules.value"], ends[:-1]) if len(ends) else []
    if "schedules.epoch" in arrays:
        marks = np.split(arrays["schedules.epoch"].astype(np.int64), ends[:-1]) if len(ends) else []
        plans = [Schedule(*pair) for pair in zip(marks, rates, strict=True)]
    else:  # until version 0.1 a plan had a rate for each epoch
        plans = [Schedule.of(plan) for plan in rates]
    return RunTable.from_points(
        frames["points"],
        [Metric(task, name, direction) for task, name, direction in meta["metrics"]],
        runs=pd.DataFrame(meta["runs"], index=index),
        configs=pd.DataFrame(meta["configs"], index=index),
        graphs={name: graph_from_json(graph, where=name, path=None) for name, graph in meta["graphs"].items()},
        signals=frames["signals"],
        schedules=dict(zip(meta["planned"], plans, strict=True)),
        epoch_unit=meta.get("epoch_unit", 1.0),
    )


def _plain(cell: object) -> Any:
    """A cell as JSON: numbers, text, truth values; anything else as its text, a missing one as None."""
    if isinstance(cell, np.generic):
        cell = cell.item()
    if cell is None or (isinstance(cell, float) and not np.isfinite(cell)):
        return None
    return cell if isinstance(cell, int | float | str | bool) else str(cell)
