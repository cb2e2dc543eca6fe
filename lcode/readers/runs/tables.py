"""From tables as they lie in files to the runs of a log."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from lcode.errors import InputError
from lcode.readers.choices import Choices
from lcode.readers.part import LogPart
from lcode.readers.raw import RawTable
from lcode.readers.runs.appended import one_run_each
from lcode.readers.runs.curve_files import is_by_class, runs_of_curves
from lcode.readers.runs.curves_across import with_curves_as_columns
from lcode.readers.runs.epochs_across import with_epochs_as_rows
from lcode.readers.runs.foreign_names import with_usual_names
from lcode.readers.runs.own_outputs import is_own_output
from lcode.readers.runs.parts_of_runs import parts_of_curves, parts_of_runs
from lcode.readers.runs.planned_ends import ends_by_settings
from lcode.readers.runs.prefixed_runs import runs_by_prefix
from lcode.readers.runs.repeats import OnRepeat
from lcode.readers.runs.resumed import one_table, read_tables
from lcode.readers.runs.summary_rows import without_summary_rows
from lcode.readers.runs.table_of_runs import is_of_results, refuse_plans, with_settings_of_runs
from lcode.readers.runs.understood import Understood
from lcode.readers.understanding.column_words import EPOCHS, OTHER_RUN_NAMES
from lcode.readers.understanding.columns import Roles, settle_roles
from lcode.readers.understanding.layout import CONFIG, RESERVED, columns_of_value
from lcode.readers.understanding.parts_of_data import by_part
from lcode.readers.understanding.rates import is_rate
from lcode.readers.understanding.run_names import names_of, names_of_runs
from lcode.readers.understanding.several_names import with_joined_names
from lcode.table.reading import listed, with_purpose


def understood_tables(
    raws: Sequence[RawTable], root: Path, choices: Choices, stated: Collection[str], on_repeat: OnRepeat
) -> Understood:
    """The runs of tables: of one file, or of all files of a folder.

    A table of a folder that has no column of epochs is no log, and one without rows, as of a training that has only
    begun, holds nothing yet: they are left out with a remark if there are others.

    Args:
        raws: the tables.
        root: the file or folder that the user named.
        choices: what the user says of the columns.
        stated: curves that the user named as metrics.
        on_repeat: see `read_table`.

    Raises:
        InputError: none is a log, or one that cannot be read as it stands.
    """
    own = [raw.path.name for raw in raws if is_own_output(raw.columns)]
    raws = [raw for raw in raws if not is_own_output(raw.columns)]
    if not raws:
        raise InputError("was written by lcode and holds no run; name the logs instead", path=root)
    begun = [_as_rows(raw) for raw in raws if len(raw)]
    without_rows = [raw.path.name for raw in raws if not len(raw)] if begun else []
    raws, by_class = _without_classes(begun or raws)
    roles, refused = _roles_of(raws, choices, stated)
    if not roles:
        raise refused[0]
    results = [at for at, settled in roles.items() if is_of_results(raws[at], settled)]
    if len(results) == len(roles):
        refuse_plans([(raws[at], settled.axis) for at, settled in roles.items()])
        results = []
    readings = [at for at, settled in roles.items() if at not in results and _holds_no_curve(raws[at], settled)]
    readings = readings if len(readings) + len(results) < len(roles) else []
    roles = {at: settled for at, settled in roles.items() if at not in results and at not in readings}
    nameless = all(settled.run is None for settled in roles.values())
    tables = _applied(raws, roles, root, in_parts=nameless)
    tables, told = with_settings_of_runs(tables, [raw for at, raw in enumerate(raws) if at not in roles])
    part = read_tables(tables, on_repeat)
    of_settings = {raw.path for raw in told}
    skipped = [
        with_purpose(Path(str(error.path)).name)
        for error in refused
        if error.path is not None and Path(str(error.path)) not in of_settings
    ]
    of_results = [raws[at].path.name for at in results if raws[at].path not in of_settings]
    machine = list(dict.fromkeys(raws[at].path.name for at in readings))
    remarks = {
        f"settings of the runs are read from {listed([raw.path.name for raw in told])}.": told,
        f"no column counts epochs or steps, so not read: {', '.join(skipped)}.": skipped,
        f"a header and no rows yet, so not read: {listed(without_rows)}.": without_rows,
        f"of single classes, so not read beside the others: {listed(by_class)}; name the file to read it.": by_class,
        f"a row per run and none of the way there, so not read beside the others: {listed(of_results)}.": of_results,
        f"no curve, but clocks or readings of the machine, so not read beside the logs: {listed(machine)}.": machine,
        f"written by lcode, so not read beside the logs: {listed(own)}.": own,
    }
    part = replace(part, notes=(*part.notes, *(remark for remark, files in remarks.items() if files)))
    axes = {settled.axis for settled in roles.values()}
    if all(axis.strip().lower() in EPOCHS for axis in axes):
        part = _with_planned_ends(part)
    if nameless:  # a tool's own table: its user may not know each column
        part = replace(part, by_tools=frozenset(part.metrics))
    left_out = {name: why for settled in roles.values() for name, why in settled.left_out.items()}
    return Understood(part, tuple(dict.fromkeys(settled.axis for settled in roles.values())), left_out)


def _holds_no_curve(raw: RawTable, roles: Roles) -> bool:
    """Whether all columns but the counters are of a kind that is not read: the rows of such a table are no epochs."""
    others = raw.columns.keys() - {roles.run, roles.axis, roles.counter} - {*roles.config}
    return bool(roles.left_out) and others <= roles.left_out.keys()


def _with_planned_ends(part: LogPart) -> LogPart:
    """The runs, which count epochs, those without a horizon with the one that their settings state."""
    frame = part.runs
    configs = {str(run): part.configs.get(str(run), {}) for run in frame.index}
    planned = ends_by_settings(part, configs, EPOCHS[0], [False] * len(frame)) / part.epoch_unit
    stated = frame["horizon"].to_numpy(float)
    return replace(part, runs=frame.assign(horizon=np.where(np.isnan(stated), planned.round(), stated)))


def _as_rows(raw: RawTable) -> RawTable:
    """The table with a row per run and epoch, whatever else lay across its columns or its rows."""
    raw = without_summary_rows(_without_empty_rows(raw))
    raw = with_curves_as_columns(with_epochs_as_rows(with_usual_names(raw)))
    return with_joined_names(by_part(runs_by_prefix(raw)))


def _without_classes(raws: Sequence[RawTable]) -> tuple[Sequence[RawTable], list[str]]:
    """The tables without those of single classes, which lie beside the averages, and the names of these."""
    others = [raw for raw in raws if not is_by_class(raw)]
    return (others, [raw.path.name for raw in raws if is_by_class(raw)]) if others else (raws, [])


def _roles_of(
    raws: Sequence[RawTable], choices: Choices, stated: Collection[str]
) -> tuple[dict[int, Roles], list[InputError]]:
    """What the columns of each table are, by its place, and why others are no logs; like columns mean the same."""
    alike: dict[tuple[str, ...], list[int]] = {}
    for at, raw in enumerate(raws):
        alike.setdefault(tuple(raw.columns), []).append(at)
    roles: dict[int, Roles] = {}
    refused: list[InputError] = []
    for members in alike.values():
        together = [raws[at] for at in members]
        try:
            table = together[0] if len(together) == 1 else one_table(together)
            owner = np.repeat(np.arange(len(together)), [len(raw) for raw in together])
            settled = settle_roles(table, choices, files=owner, stated=stated)
        except InputError as error:
            refused.append(error)
        else:
            roles |= dict.fromkeys(members, settled)
    return dict(sorted(roles.items())), refused


def _applied(raws: Sequence[RawTable], roles: Mapping[int, Roles], root: Path, *, in_parts: bool) -> list[RawTable]:
    """The tables with the names of columns that every table has, one or several of a run.

    Args:
        raws: all tables.
        roles: what the columns of those are that are logs, by their place.
        root: the file or folder that the user named.
        in_parts: whether the files of a folder may be parts of one run.
    """
    files = {raws[at].path: at for at in roles}
    named = {path: raws[at] for path, at in files.items()}
    parts = None
    if in_parts:
        curves = runs_of_curves(named)
        parts = parts_of_runs(named) if curves is None else parts_of_curves(curves, named)
    if parts is None:
        names = names_of([raws[at].path for at in roles], root)
        applied = [settled.apply(raws[at], name) for (at, settled), name in zip(roles.items(), names, strict=True)]
        if len(applied) > 1:
            within = _named_within_files(applied, [settled.run for settled in roles.values()])
            applied = [
                _with_file(table, name) if table.inner_runs or within else table
                for table, name in zip(applied, names, strict=True)
            ]
        return [
            table if settled.run is not None else one_run_each(table, settled.axis)
            for table, settled in zip(applied, roles.values(), strict=True)
        ]
    names = names_of_runs([Path(run, "run") for run in parts.runs], root)
    tables = [
        one_table([_prefixed(roles[files[path]].apply(raws[files[path]], name), stem) for path, stem in stems.items()])
        for name, stems in zip(names, parts.runs.values(), strict=True)
    ]
    return [replace(tables[0], notes=(*tables[0].notes, *parts.notes)), *tables[1:]]


def _named_within_files(tables: Sequence[RawTable], columns: Sequence[str | None]) -> bool:
    """Whether the names of runs tell them apart in their files alone: a seed or a method comes again in each.

    Args:
        tables: with the columns `run` and `epoch`.
        columns: which column of its file names the runs of each.
    """
    if not all(column is not None and column.strip().lower() in OTHER_RUN_NAMES for column in columns):
        return False
    told = [
        [table.columns[name].to_pylist() for name in ("run", "epoch", *columns_of_value(table))] for table in tables
    ]
    epochs = [set(zip(*cells, strict=True)) for cells in told]
    return len(set().union(*epochs)) < sum(map(len, epochs))


def _with_file(table: RawTable, name: str) -> RawTable:
    """The table with the file's name before those of its runs."""
    run, names = table.names("run")
    cells = pa.array([f"{name}/{names[code]}" for code in run.tolist()], pa.string())
    return replace(table, columns={**table.columns, "run": pa.chunked_array([cells])})


def _without_empty_rows(raw: RawTable) -> RawTable:
    """The table without the rows in which nothing stands."""
    if not raw.columns or not all(column.null_count for column in raw.columns.values()):
        return raw
    filled = np.logical_or.reduce([column.is_valid().to_numpy() for column in raw.columns.values()])
    if filled.all() or not filled.any():
        return raw
    kept = raw.where(filled)
    return replace(kept, notes=(*raw.notes, f"{raw.path.name}: left out {(~filled).sum()} empty row(s)."))


def _prefixed(raw: RawTable, stem: str) -> RawTable:
    """The table of one task, or of one part of the data, with its curves named so."""
    if not stem:
        return raw
    kept = (*RESERVED, "step")
    return replace(
        raw,
        columns={
            name if name in kept or name.startswith(CONFIG) or is_rate(name) else f"{stem}/{name}": column
            for name, column in raw.columns.items()
        },
    )
