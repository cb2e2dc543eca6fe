"""Which logs of a file or a folder are read, and which are left out beside them: all that wrote of runs, joined."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lcode.errors import InputError, explained
from lcode.files import check_path
from lcode.readers.choices import Choices
from lcode.readers.discover import Found, discover
from lcode.readers.formats import FORMATS
from lcode.readers.formats.file_beside import with_files_beside, with_settings_beside
from lcode.readers.loggers import GIVES_WAY, LAST_RESORT, LOGGERS
from lcode.readers.loggers.text_log import is_table
from lcode.readers.part import LogPart, join, with_distinct_names
from lcode.readers.raw import RawTable
from lcode.readers.remarks import between_remarks, class_remarks, unscored_remarks
from lcode.readers.run_logs import RUN_LOG, RunLogReader
from lcode.readers.run_logs.beside import beside_run_logs
from lcode.readers.runs.copies import without_copies
from lcode.readers.runs.doubled_curves import without_doubled
from lcode.readers.runs.gone_on import with_gone_on
from lcode.readers.runs.means_of_runs import without_means
from lcode.readers.runs.repeats import OnRepeat
from lcode.readers.runs.tables import understood_tables
from lcode.readers.runs.tested_behind import without_tests_behind
from lcode.readers.runs.tool_runs import understood_runs
from lcode.readers.runs.understood import Understood
from lcode.readers.understanding.curves import as_understood, settle_curves
from lcode.readers.understanding.how_often import HowOften
from lcode.readers.unreadable import no_logs
from lcode.table.reading import Reading, listed

SPARE = ("json", "yaml", "excel", "sqlite")
"""Formats of which much lies in a folder that is no log: read where nothing else is."""


def read_part(path: Path, choices: Choices, stated: Collection[str], on_repeat: OnRepeat) -> tuple[LogPart, Reading]:
    """The runs in a file or a folder, whatever wrote them, and how they were understood.

    Args:
        path: as the user named it.
        choices: what the user says of the columns.
        stated: curves that the user named as metrics.
        on_repeat: see `read_table`.

    Raises:
        InputError: nothing there can be read.
    """
    try:
        check_path(path)
        return _read_found(path, discover(path, {**FORMATS, RUN_LOG: RunLogReader()}), choices, stated, on_repeat)
    except OSError as error:
        raise InputError(f"cannot be read: {explained(error)}", path=error.filename or path) from error


def _read_found(
    path: Path, found: Found, choices: Choices, stated: Collection[str], on_repeat: OnRepeat
) -> tuple[LogPart, Reading]:
    """The runs of all logs that were found, and how they were understood."""
    formats, spare, notes = _formats(path, found)
    sources, told_of_sources = _sources(path, found, formats, spare, choices, stated, on_repeat)
    notes += [*told_of_sources, *_beside(path, found, sources)]
    understood, told = _joined(path, sources, notes, choices, stated)
    others = _without_tools(found)
    if not understood.points["value"].notna().any() and others is not None:
        # As when the last of several trainings in one folder was ended before its first evaluation.
        understood, other = _read_found(path, others, choices, stated, on_repeat)
        note = f"left out, since no curve of it that is to be scored holds a value: {', '.join(told.sources)}."
        return replace(understood, notes=(*understood.notes, note)), other
    return understood, told


def read_rows(
    raw: RawTable, path: Path, choices: Choices, stated: Collection[str], on_repeat: OnRepeat
) -> tuple[LogPart, Reading]:
    """The runs in some rows of a table, which are whole runs; see `read_part`.

    Raises:
        InputError: they cannot be read as they stand.
    """
    name = next(name for name, reader in FORMATS.items() if reader.sniff(raw.path))
    return _joined(path, {name: understood_tables([raw], path, choices, stated, on_repeat)}, [], choices, stated)


def _joined(
    path: Path, sources: Mapping[str, Understood], notes: Sequence[str], choices: Choices, stated: Collection[str]
) -> tuple[LogPart, Reading]:
    """The runs of all sources as one part, with its curves named as they are scored, and how it was understood.

    Args:
        path: as the user named it.
        sources: what wrote them -> the runs.
        notes: remarks so far.
        choices: what the user says of the columns.
        stated: curves that the user named as metrics.

    Raises:
        InputError: no curve is left to be scored.
    """
    parts, copies = without_copies({name: source.part for name, source in sources.items()})
    part, means = without_means(join(with_distinct_names(parts)))
    directed = {key for key, direction in part.metrics.items() if direction is not None}
    curves = settle_curves(part.metrics, choices, stated, HowOften.of(part), directed)
    curves = without_doubled(curves, part.points, stated)
    if not curves.scored:
        names = ", ".join(part.metrics)
        raise InputError(f"no curve is left to be scored; there are: {names}{choices.misfit(part.metrics)}", path=path)
    left_out = {key: why for source in sources.values() for key, why in source.left_out.items()}
    axis = tuple(dict.fromkeys(name for source in parts for name in sources[source].axis))
    told = Reading({name: len(part.runs) for name, part in parts.items()}, axis, {**left_out, **curves.left_out})
    part = without_tests_behind(part, curves)
    understood = as_understood(part, curves)
    remarks = (*unscored_remarks(part, curves), *class_remarks(curves), *between_remarks(part, curves, understood))
    return replace(understood, notes=(*part.notes, *notes, *copies, *means, *remarks)), told


def _formats(path: Path, found: Found) -> tuple[dict[str, list[Path]], dict[str, list[Path]], list[str]]:
    """The tables by format, those that are read only where there are no other logs, and remarks.

    Raises:
        InputError: there is nothing to be read, or tables of several formats.
    """
    formats, empty = _without_empty(found.of_formats)
    notes = [f"left out, since they hold nothing yet: {listed(empty)}."] if empty else []
    spare: dict[str, list[Path]] = {}
    if RUN_LOG in formats:
        notes += beside_run_logs(path, formats)
    for name in SPARE:
        if len(formats) + bool(set(found.of_tools) - {LAST_RESORT}) > 1 and name in formats:
            spare[name] = formats.pop(name)
    if len(formats) > 1:
        one, other, *_ = (paths[0].name for paths in formats.values())
        raise InputError(
            f"holds tables of several formats ({one}, {other}); read one file, or move one elsewhere", path=path
        )
    if not formats and not found.of_tools:
        raise found.unreadable[0] if found.unreadable else no_logs(path)
    if found.unreadable:
        names, why = listed([str(error.filename) for error in found.unreadable], 4), explained(found.unreadable[0])
        notes.append(f"not read, so that runs may be missing: {names}: {why}.")
    return formats, spare, notes


def _without_empty(formats: Mapping[str, Sequence[Path]]) -> tuple[dict[str, list[Path]], list[str]]:
    """The tables by format without empty files, as of runs that have just begun, and these files' names."""
    full = {name: [path for path in paths if path.stat().st_size] for name, paths in formats.items()}
    full = {name: paths for name, paths in full.items() if paths}
    if not full:
        return {name: [*paths] for name, paths in formats.items()}, []
    return full, [path.name for paths in formats.values() for path in paths if not path.stat().st_size]


def _beside(path: Path, found: Found, sources: Mapping[str, Understood]) -> Iterator[str]:
    """The remark on files in the folders of runs that are read, which another tool, or none, has written."""
    others = [f"{count} file(s) of {LOGGERS[tool].tool}" for tool, count in found.tools_beside.items()]
    if (found.beside or others) and any(LOGGERS[tool].tool in sources for tool in found.of_tools):
        names, tools = listed([file.name for file in found.beside]), [LOGGERS[tool].tool for tool in found.of_tools]
        beside = ", ".join([*others, *([names] if names else [])])
        yield f"{path.name}: in the folders of runs of {', '.join(tools)}, which are read, so not read: {beside}."


def _without_tools(found: Found) -> Found | None:
    """What there is to be read but the runs of tools; None where that is nothing, or all."""
    of_formats = {name: list(files) for name, files in found.of_formats.items()}
    for file in found.beside:
        name = next(name for name, reader in FORMATS.items() if reader.sniff(file))
        of_formats.setdefault(name, []).append(file)
    texts = {tool: files for tool, files in found.of_tools.items() if tool == LAST_RESORT}
    if len(texts) == len(found.of_tools) or not (texts or of_formats):
        return None
    return Found(texts, of_formats, unreadable=found.unreadable)


def _sources(
    path: Path,
    found: Found,
    formats: dict[str, list[Path]],
    spare: dict[str, list[Path]],
    choices: Choices,
    stated: Collection[str],
    on_repeat: OnRepeat,
) -> tuple[dict[str, Understood], list[str]]:
    """The runs by what wrote them, and remarks on files that were left out.

    A table beside a tool's runs may be of anything, so it is left out where it is no log; what a program printed is
    read only where nothing else tells of the training, and tables of any name where they tell of more runs.
    """
    sources: dict[str, Understood] = {}
    notes: list[str] = []
    refused: list[InputError] = []
    texts = found.of_tools.get(LAST_RESORT, [])
    for tool, paths in found.of_tools.items():
        if tool == GIVES_WAY and (len(found.of_tools) > 1 or formats):
            names = listed([file.name for file in paths])
            notes.append(f"{path.name}: beside logs of another format, so not read: {names}.")
        elif tool != LAST_RESORT:
            logger = LOGGERS[tool]
            try:
                source = understood_runs(list(logger.read(paths)), logger.tool, path, choices, stated)
                if not source.part.points["value"].notna().any():
                    raise InputError(f"holds no value yet of a run of {logger.tool}; read it later", path=path)
                sources[logger.tool] = source
            except InputError as error:  # such as a store without metrics: the other logs are there to be read
                refused.append(error)
                notes.append(f"left out: {error}")
    rest = _without_tools(found) if refused and not sources else None
    if rest is not None:  # then the tables in the folders of those runs are what there is
        formats, spare = {**rest.of_formats}, {}
    for name, paths in (formats | spare).items():
        if name in spare and sources:
            names = listed([file.name for file in paths])
            notes.append(f"{path.name}: beside logs of another format, so not read: {names}.")
            continue
        if name == RUN_LOG:
            sources[name] = Understood(RunLogReader().read(paths, on_repeat), ())
            continue
        try:
            raws, damaged = _loaded(name, paths)
            raws, resumed = with_gone_on(raws)
            sources[name] = understood_tables(with_files_beside(raws), path, choices, stated, on_repeat)
            notes += [*resumed, *(f"left out: {error}" for error in damaged)]
        except InputError as error:
            refused.append(error)
            notes.append(f"left out: {error}")
    if refused and not sources and not texts:
        raise refused[0]
    kept = texts
    if sources:
        tables = [file for file in texts if is_table(file)]
        # As many tables as runs, or fewer, are what the same trainings have told another logger.
        kept = tables if len(tables) > sum(len(source.part.runs) for source in sources.values()) else []
    if len(kept) < len(texts):
        names = listed([file.name for file in texts if file not in kept])
        notes.append(f"{path.name}: beside logs of another format, so not read: {names}.")
    if kept:
        logger = LOGGERS[LAST_RESORT]
        runs = with_settings_beside(list(logger.read(kept)))
        sources[logger.tool] = understood_runs(runs, logger.tool, path, choices, stated)
    return sources, notes


def _loaded(name: str, paths: Sequence[Path]) -> tuple[list[RawTable], list[InputError]]:
    """The tables of a format, and what is said of JSON and YAML files beside them that hold no table, as many do.

    Raises:
        InputError: a file that cannot be read, of a format in which tables are kept and nothing else.
    """
    raws, damaged = [], []
    for file in paths:
        try:
            raws.append(FORMATS[name].load(file))
        except InputError as error:
            if name not in ("json", "yaml") or len(paths) == 1:
                raise
            damaged.append(error)
    if not raws:
        raise damaged[0]
    return raws, damaged
