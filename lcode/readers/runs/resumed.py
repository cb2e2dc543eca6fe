"""What several files tell of one run is read as if it stood in one: it was resumed, or each has other curves of it.

Of a run that was resumed the file that begins at the later epoch is the later one, whatever the files are called.
Epochs that both have are repeats like those within a file (`lcode.readers.runs.repeats`); curves and configuration must
be the same, for a resume changes neither. Files without a common curve over the same epochs, such as one per metric,
are put side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lcode.errors import InputError
from lcode.readers.part import LogPart, join
from lcode.readers.raw import RawTable
from lcode.readers.runs.repeats import OnRepeat
from lcode.readers.runs.table_part import read_table
from lcode.readers.stacked import one_below_another
from lcode.table.reading import listed

NAMED = 3
"""So many resumed runs are named; of the others their number is told."""


def read_tables(raws: Iterable[RawTable], on_repeat: OnRepeat = "error") -> LogPart:
    """The runs of several table files; files that share runs are read as one table.

    Raises:
        InputError: a file that cannot be read as it stands, or two that contradict each other on a run, both named.
    """
    read = [read_table(raw, on_repeat) for raw in raws]
    files_of: dict[str, list[int]] = {}
    for at, (part, _) in enumerate(read):
        for run in part.sources:
            files_of.setdefault(run, []).append(at)
    shared = {run: files for run, files in files_of.items() if len(files) > 1}
    group = list(range(len(read)))  # the first file that each is read together with
    for files in shared.values():
        first = min(group[at] for at in files)
        joined = {group[at] for at in files}
        group = [first if one in joined else one for one in group]
    parts = []
    for first in sorted(set(group)):
        members = [at for at, one in enumerate(group) if one == first]
        if len(members) == 1:
            parts.append(read[members[0]][0])
            continue
        runs = [run for run, files in shared.items() if files[0] in members]
        of_members = [read[at] for at in members]
        # In a table that is written for lcode one run with other curves elsewhere is a slip.
        own_form = any(raw.own_form for _, raw in of_members)
        if not own_form and _are_beside(runs, [part for part, _ in of_members]):
            raws_beside = [raw for _, raw in of_members]
            part, _ = read_table(_side_by_side(raws_beside), on_repeat)
            paths = listed([raw.path.name for raw in raws_beside])
            parts.append(replace(part, notes=(*part.notes, f"curves of the same runs are put together from {paths}.")))
            continue
        _check_curves(runs[0], [part for part, _ in of_members])
        begins = {at: read[at][0].runs["first"].reindex(runs).min() * read[at][0].epoch_unit for at in members}
        ordered = [read[at][1] for at in sorted(members, key=lambda at: (begins[at], at))]
        part, _ = read_table(one_table(ordered), on_repeat)
        parts.append(replace(part, notes=(*part.notes, resumed_note(runs, [raw.path for raw in ordered]))))
    return join(parts)


def _are_beside(runs: Sequence[str], parts: Sequence[LogPart]) -> bool:
    """Whether files hold other curves each of runs that they share, over the same epochs.

    One that begins where another ends went on under other names, which is a slip.
    """
    curves = [set(part.metrics) for part in parts]
    if len(set().union(*curves)) < sum(map(len, curves)) or not all(curves):
        return False
    spans = [
        (frame["first"].to_numpy(float) * part.epoch_unit, frame["last"].to_numpy(float) * part.epoch_unit)
        for part in parts
        for frame in [part.runs.reindex(list(runs))]
    ]
    first, last = zip(*spans, strict=True)
    return not (np.fmax.reduce(first) > np.fmin.reduce(last)).any()


def _side_by_side(raws: Sequence[RawTable]) -> RawTable:
    """The rows of several tables by run and epoch, so that none seems to begin anew in the next file."""
    table = one_table(raws)
    run, _ = table.names("run")
    epochs, _ = table.numbers("epoch", remedy="an epoch is a number")
    order = np.lexsort((epochs, run))
    return replace(
        table,
        columns={name: column.take(pa.array(order)) for name, column in table.columns.items()},
        line_of=lambda row: table.line_of(int(order[row])),
        file_of=lambda row: table.file(int(order[row])),
    )


def _check_curves(run: str, parts: Sequence[LogPart]) -> None:
    """Refuse files that measure other things; `run` is in the first of them and in another."""
    one = parts[0]
    for other in parts[1:]:
        if set(one.metrics) != set(other.metrics):
            first, second = next(iter(one.sources.values())), next(iter(other.sources.values()))
            lacks = [
                f"{', '.join(sorted(set(more.metrics) - set(less.metrics)))} only in {path}"
                for more, less, path in ((one, other, first), (other, one, second))
                if set(more.metrics) - set(less.metrics)
            ]
            raise InputError(
                f"shares runs such as '{run}' with {first}, but not the curves ({'; '.join(lacks)}); a run that was "
                "resumed has the same curves in both files, so correct the columns of one, or rename its runs",
                path=second,
            )


def one_table(raws: Sequence[RawTable]) -> RawTable:
    """The tables one below the other; what a run's last file says of its status counts."""
    table = one_below_another(raws)
    if "status" not in table.columns:
        return table
    run, runs = table.names("run")
    file = np.repeat(np.arange(len(raws)), [len(raw) for raw in raws])
    last = np.zeros(len(runs), dtype=np.int64)
    last[run] = file  # the last assignment stays
    status = pc.if_else(pa.array(file == last[run]), table.columns["status"].combine_chunks(), None)
    return replace(table, columns={**table.columns, "status": pa.chunked_array([status])})


def resumed_note(runs: Sequence[str], paths: Sequence[Path]) -> str:
    """The remark on runs that several files tell of."""
    who = f"run '{runs[0]}' is" if len(runs) == 1 else f"{len(runs)} runs ({', '.join(runs[:NAMED])}, …) are"
    return f"{who} in several files, read as resumed from one to the next: {', '.join(path.name for path in paths)}."
