"""Optuna storages: SQLite databases and journal files, without Optuna.

Tables and operations as of Optuna 2.0 to 5.0 (`optuna/storages/_rdb/models.py`, `optuna/storages/journal`).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lcode.json_text import parse_json
from lcode.readers.logged.base import Logged
from lcode.readers.logged.lines import first_object, head_of, json_objects, refused
from lcode.readers.logged.several import sound_runs
from lcode.readers.loggers.database import SQLITE_MAGIC, database, tables_of
from lcode.readers.loggers.optuna_trials import METRIC_NAMES, TOOL, Study, Trial, direction_of, param_of, runs_of

if TYPE_CHECKING:
    import sqlite3

TABLES = {"studies", "trials", "trial_params", "trial_intermediate_values"}
"""Tables by which a database is known as Optuna's."""

_NUMBERED = ("RUNNING", "COMPLETE", "PRUNED", "FAIL", "WAITING")
"""A trial's state by its number in a journal."""


class OptunaReader:
    """Reads the trials of studies."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether the file is a database with Optuna's tables, or a journal."""
        beginning = head_of(path, len(SQLITE_MAGIC))
        if beginning == SQLITE_MAGIC:
            return tables_of(path) >= TABLES
        return beginning[:1] == b"{" and {"op_code", "worker_id"} <= first_object(path).keys()

    def owns(self, path: Path) -> Path:
        """The storage alone: what lies beside it may be anything."""
        return path

    def read(self, paths: Sequence[Path]) -> list[Logged]:
        """The trials of these storages.

        Raises:
            InputError: they are damaged, or no trial has reported anything.
        """
        return sound_runs(paths, _trials_in)


def _trials_in(path: Path) -> list[Logged]:
    if head_of(path, len(SQLITE_MAGIC)) != SQLITE_MAGIC:
        journal = json_objects(path, TOOL, every_line=True)
        return runs_of(path, _replayed(path, journal.rows, journal.lines), journal.notes)
    return runs_of(path, _database(path))


def _database(path: Path) -> list[Study]:
    """The studies of a database.

    Raises:
        InputError: it is damaged, or locked.
    """
    tables = tables_of(path)
    with database(path, TOOL) as base:
        studies = {at: Study(str(name), []) for at, name in base.execute("SELECT study_id, study_name FROM studies")}
        if "study_directions" in tables:
            ways = base.execute("SELECT study_id, direction FROM study_directions ORDER BY study_id, objective")
            for study, way in ways:
                studies[study].directions.append(direction_of(way))
        named = "SELECT study_id, value_json FROM study_system_attributes WHERE key = ?"
        for study, value in base.execute(named, (METRIC_NAMES,)) if "study_system_attributes" in tables else ():
            studies[study].metric_names = _names(parse_json(value))
        trials: dict[int, Trial] = {}
        for at, study, state in base.execute("SELECT trial_id, study_id, state FROM trials ORDER BY trial_id"):
            trials[at] = Trial(len(studies[study].trials), state)
            studies[study].trials.append(trials[at])
        for at, name, value, distribution in base.execute(
            "SELECT trial_id, param_name, param_value, distribution_json FROM trial_params ORDER BY param_id"
        ):
            trials[at].params[str(name)] = param_of(value, distribution)
        for at, step, value, kind in base.execute(_reports_query(base)):
            trials[at].reports[int(step)] = _reported(value, kind)
        attributes = "SELECT trial_id, key, value_json FROM trial_user_attributes"
        for at, name, value in base.execute(attributes) if "trial_user_attributes" in tables else ():
            trials[at].attrs[str(name)] = parse_json(value)
    return list(studies.values())


def _reports_query(base: sqlite3.Connection) -> str:
    columns = {row[1] for row in base.execute("PRAGMA table_info(trial_intermediate_values)")}
    kind = "intermediate_value_type" if "intermediate_value_type" in columns else "NULL"  # up to Optuna 2
    return f"SELECT trial_id, step, intermediate_value, {kind} FROM trial_intermediate_values"


def _reported(value: float | None, kind: str | None) -> float:
    """A reported value: SQL databases have no NaN, and not all have infinities."""
    if kind in ("INF_POS", "INF_NEG"):
        return math.inf if kind == "INF_POS" else -math.inf
    if value is None:
        return math.nan
    number = float(value)
    return number if abs(number) < sys.float_info.max else math.copysign(math.inf, number)


def _names(value: Any) -> list[str] | None:
    return [str(name) for name in value] if isinstance(value, list) else None


def _replayed(path: Path, operations: Sequence[Mapping[str, Any]], lines: Sequence[int]) -> list[Study]:
    """The studies after all operations of a journal; studies and trials are numbered in the order of creation.

    Raises:
        InputError: an operation lacks something, or means a trial that no earlier one has made.
    """
    studies: dict[int, Study] = {}
    trials: list[Trial] = []
    made = 0
    for operation, line in zip(operations, lines, strict=True):
        try:
            if operation["op_code"] == 0:
                # Two workers may ask for one study at a time; the second is given the first one's.
                if all(study.name != operation["study_name"] for study in studies.values()):
                    ways = [direction_of(way) for way in operation["directions"]]
                    studies[made] = Study(str(operation["study_name"]), ways)
                    made += 1
            else:
                _apply(operation, studies, trials)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise refused(path, TOOL, f"this operation cannot be followed ({error!r})", line) from error
    return list(studies.values())


def _apply(operation: Mapping[str, Any], studies: dict[int, Study], trials: list[Trial]) -> None:
    code = operation["op_code"]
    if code in (1, 2, 3, 4) and operation["study_id"] not in studies:
        return  # another worker has deleted it
    if code == 1:
        del studies[operation["study_id"]]
    elif code == 3 and METRIC_NAMES in operation["system_attr"]:
        studies[operation["study_id"]].metric_names = _names(operation["system_attr"][METRIC_NAMES])
    elif code == 4:
        study = studies[operation["study_id"]]
        trial = Trial(
            number=len(study.trials),
            state=_NUMBERED[operation.get("state", 0)],
            params={
                name: param_of(value, operation["distributions"][name])
                for name, value in operation.get("params", {}).items()
            },
            reports={int(step): _or_nan(value) for step, value in operation.get("intermediate_values", {}).items()},
            attrs=dict(operation.get("user_attrs", {})),
        )
        study.trials.append(trial)
        trials.append(trial)
    elif code in (5, 6, 7, 8):
        trial = trials[operation["trial_id"]]
        if trial.state in ("COMPLETE", "PRUNED", "FAIL"):
            return  # Optuna ignores what comes after the end
        if code == 5:
            trial.params[operation["param_name"]] = param_of(
                operation["param_value_internal"], operation["distribution"]
            )
        elif code == 6:
            trial.state = _NUMBERED[operation["state"]]
        elif code == 7:
            trial.reports[int(operation["step"])] = _or_nan(operation["intermediate_value"])
        else:
            trial.attrs.update(operation["user_attr"])


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else float(value)
