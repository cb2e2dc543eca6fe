"""Trainings that Lightning resumed: each start has a folder `version_3` of its own, beside that of the start before."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from lcode.readers.logged.base import Logged


def with_resumed(runs: Sequence[Logged]) -> list[Logged]:
    """The runs, those of one training as one: of its epochs that come twice the later start's count.

    A start goes on with another one if it has its settings and its folder, begins later than with the first epoch, and
    no later than behind the other's last one; where several may have been meant it stays a run of its own.

    Args:
        runs: a version each, in the order of their numbers.
    """
    joined: list[Logged] = []
    for run in runs:
        begin = _epochs(run)[0]
        before = [at for at, other in enumerate(joined) if _may_go_on(other, run)] if begin > 0 else []
        if len(before) == 1:
            joined[before[0]] = _one(joined[before[0]], run, begin)
        else:
            joined.append(run)
    return joined


def _may_go_on(run: Logged, later: Logged) -> bool:
    first, last = _epochs(run)
    begin = _epochs(later)[0]
    beside = run.file.parent.parent == later.file.parent.parent and run.file.parent != later.file.parent
    alike = json.dumps(run.config, sort_keys=True, default=str) == json.dumps(later.config, sort_keys=True, default=str)
    return beside and alike and run.axis == later.axis == "epoch" and first < begin <= last + 1


def _epochs(run: Logged) -> tuple[float, float]:
    """The first and the last epoch of a run; -1 where it counts none."""
    cells = run.columns.get("epoch")
    if cells is None or not pa.types.is_integer(cells.type) or cells.null_count == len(cells):
        return -1.0, -1.0
    ends = pc.min_max(cells).as_py()
    return float(ends["min"]), float(ends["max"])


def _one(run: Logged, later: Logged, begin: float) -> Logged:
    """Two starts of a training as a run, which has the name of the first."""
    tables = [pa.table(dict(one.columns)) for one in (run, later)]
    kept = tables[0].filter(pc.fill_null(pc.less(tables[0]["epoch"], begin), True))
    whole = pa.concat_tables([kept, tables[1]], promote_options="permissive").combine_chunks()
    columns = {name: whole[name].combine_chunks() for name in whole.column_names}
    names = (f"{one.file.parent.parent.name}/{one.file.parent.name}" for one in (run, later))
    note = f"one training that was resumed: {' and '.join(names)}."
    return replace(later, file=run.file, columns=columns, lines=None, notes=(*run.notes, *later.notes, note))
