"""Tables in SQLite databases of one's own: a row per epoch, or per value (`run, epoch, name, value`).

Databases of tools, such as Optuna's and MLflow's, are read by their own loggers, which are asked first.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lcode.errors import InputError
from lcode.readers.formats.rows import rows_to_table
from lcode.readers.formats.several_runs import one_table_of_runs
from lcode.readers.logged.lines import head_of
from lcode.readers.loggers.database import SQLITE_MAGIC, database
from lcode.readers.raw import RawTable
from lcode.readers.runs.table_of_runs import with_settings_of_runs
from lcode.readers.understanding.column_words import RUN_NAMES, is_counter, plain_name
from lcode.readers.understanding.layout import is_long
from lcode.table.metric_names import known_metric
from lcode.table.metric_words import SPLITS

if TYPE_CHECKING:
    import sqlite3

_METRICS = ("name", "key", "tag", "metric_name", "metric_key")
"""What the column beside `value` may be called that says what was measured."""

_MOST_ROWS = 20_000_000
"""Rows of a database that are read."""


class SqliteFormat:
    """Reads wide and long tables from `.db`, `.sqlite` and `.sqlite3` files, and leaves these as they are."""

    suffixes = (".db", ".sqlite", ".sqlite3", ".db3")

    def sniff(self, path: Path) -> bool:
        """Whether the file is a database with a table in which something is counted, or one that cannot be read."""
        if path.suffix.lower() not in self.suffixes or head_of(path, len(SQLITE_MAGIC)) != SQLITE_MAGIC:
            return False
        try:
            with database(path, "SQLite") as base:
                return any(any(map(is_counter, names)) for names in _columns(base).values())
        except InputError:
            return True  # it is told of where it is loaded
        except OSError:
            return False

    def load(self, path: Path) -> RawTable:
        """The cells of the tables that hold curves, with the settings of their runs in others that have a row of each.

        Raises:
            InputError: the database is damaged or locked, or no table of it holds curves.
        """
        with database(path, "SQLite") as base:
            base.text_factory = lambda text: text.decode("utf-8", "replace")
            tables = {name: _table(path, base, name, columns) for name, columns in _columns(base).items()}
        curves = {name: raw for name, raw in tables.items() if raw is not None and _holds_curves(raw)}
        if not curves:
            names = ", ".join(tables)
            raise InputError(
                f"is a database without curves (tables: {names}); a table of runs has a column 'epoch' and one per "
                "curve, or the columns run, epoch, metric, value",
                path=path,
            )
        others = [raw for name, raw in tables.items() if raw is not None and name not in curves]
        (only, *more) = [_of_part(name, raw) for name, raw in curves.items()]
        whole = one_table_of_runs(dict(zip(curves, [only, *more], strict=True))) if more else only
        if frozenset(RUN_NAMES).isdisjoint(map(plain_name, whole.columns)):
            return whole
        run = next(name for name in whole.columns if plain_name(name) in RUN_NAMES)
        named = RawTable(path, {"run": whole.columns[run]}, whole.line_of)
        (described,), _ = with_settings_of_runs([named], others)
        settings = {name: cells for name, cells in described.columns.items() if name != "run"}
        return RawTable(path, {**whole.columns, **settings}, whole.line_of, notes=whole.notes)


def _columns(base: sqlite3.Connection) -> dict[str, list[str]]:
    """The columns of each table of somebody's own."""
    tables = [name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    own = [name for name in tables if isinstance(name, str) and not name.startswith("sqlite_")]
    return {name: [str(row[1]) for row in base.execute(f"PRAGMA table_info({_quoted(name)})")] for name in own}


def _table(path: Path, base: sqlite3.Connection, name: str, columns: list[str]) -> RawTable | None:
    """The cells of a table, in the order in which they were written; None where it holds none."""
    names = _named(columns)
    with closing(base.execute(f"SELECT * FROM {_quoted(name)} LIMIT {_MOST_ROWS}")) as found:
        rows: list[dict[str, Any]] = [dict(zip(names, map(_plain, row), strict=True)) for row in found]
    return rows_to_table(path, rows, list(range(1, len(rows) + 1))) if rows and names else None


def _named(columns: list[str]) -> list[str]:
    """The names of the columns, with `metric` for that which says what a `value` is."""
    lower = [name.strip().lower() for name in columns]
    said = next((word for word in _METRICS if word in lower), None)
    if "value" not in lower or "metric" in lower or said is None:
        return columns
    names = {said: "metric", "value": "value"}
    return [names.get(one, name) for one, name in zip(lower, columns, strict=True)]


def _holds_curves(raw: RawTable) -> bool:
    """Whether something is counted and measured in a table."""
    measured = is_long(raw) or any(known_metric(name) is not None for name in raw.columns)
    return measured and any(map(is_counter, raw.columns))


def _of_part(name: str, raw: RawTable) -> RawTable:
    """The table with its curves named after the part of the data that its own name says: `val`, `train_metrics`."""
    split = next((word for word in name.lower().split("_") if word in SPLITS), None)
    if split is None or is_long(raw):
        return raw
    named = {one: f"{split}/{one}" for one in raw.columns if known_metric(one) is not None and not is_counter(one)}
    columns = {named.get(one, one): cells for one, cells in raw.columns.items()}
    return RawTable(raw.path, columns, raw.line_of, notes=raw.notes)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _plain(cell: Any) -> Any:
    return cell if cell is None or isinstance(cell, (int, float, str)) else None
