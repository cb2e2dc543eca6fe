"""Databases in which somebody keeps the curves of runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lcode.errors import InputError
from lcode.readers import read_logs

LONG = (
    "CREATE TABLE metrics (id INTEGER PRIMARY KEY, run_id INTEGER, epoch INTEGER, {} TEXT, value REAL, timestamp TEXT)"
)


def write(path: Path, *tables: tuple[str, Sequence[tuple[Any, ...]]]) -> bytes:
    with closing(sqlite3.connect(path)) as base:
        for create, rows in tables:
            base.execute(create)
            for row in rows:
                base.execute(f"INSERT INTO {create.split()[2]} VALUES ({', '.join('?' * len(row))})", row)
        base.commit()
    return path.read_bytes()


@pytest.mark.parametrize("name", ["name", "key", "metric", "tag"])
def test_a_row_per_value_and_the_settings_of_the_runs_in_a_table_of_their_own(tmp_path: Path, name: str) -> None:
    runs = ("CREATE TABLE runs (id INTEGER, name TEXT, lr REAL, epochs INTEGER)", [(1, "a", 0.1, 9), (2, "b", 0.2, 9)])
    values = [(run, e, key, e / 10 + run) for run in (1, 2) for e in (1, 2, 3) for key in ("seg/miou", "depth/rmse")]
    rows = [(at, *value, "2026-01-01 10:00") for at, value in enumerate(values)]
    before = write(tmp_path / "runs.db", runs, (LONG.format(name), rows))
    table = read_logs(tmp_path)
    assert table.run_ids == ("1", "2") and [metric.key for metric in table.metrics] == ["seg/miou", "depth/rmse"]
    assert table.curve("2", "seg/miou").values.tolist() == [2.1, 2.2, 2.3]
    assert table.configs["lr"].tolist() == [0.1, 0.2] and table.runs["horizon"].tolist() == [9, 9]
    assert (tmp_path / "runs.db").read_bytes() == before and len([*tmp_path.iterdir()]) == 1


def test_a_column_per_curve_in_a_table_per_part_of_the_data(tmp_path: Path) -> None:
    rows = [("a", e, e / 10) for e in (1, 2, 3)]
    train = ("CREATE TABLE train (run TEXT, epoch INTEGER, loss REAL)", rows)
    write(tmp_path / "x.sqlite", train, ("CREATE TABLE val_metrics (run TEXT, epoch INTEGER, acc REAL)", rows))
    table = read_logs(tmp_path / "x.sqlite")
    assert [metric.key for metric in table.metrics] == ["acc"] and set(table.signals["metric"]) == {"train/loss"}


def test_databases_of_something_else_and_damaged_ones_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.db", ("CREATE TABLE metrics (run TEXT, epoch INTEGER, acc REAL)", []))
    with pytest.raises(InputError, match=r"a\.db: is a database without curves \(tables: metrics\).*column 'epoch'"):
        read_logs(tmp_path / "a.db")
    (tmp_path / "other").mkdir()
    write(tmp_path / "other" / "b.db", ("CREATE TABLE users (id INTEGER, name TEXT)", [(1, "x")]))
    with pytest.raises(InputError, match="holds no logs"):
        read_logs(tmp_path / "other")
    rows = [(f"run {at}", e, e / 10) for at in range(99) for e in range(1, 99)]
    whole = write(tmp_path / "c.db", ("CREATE TABLE log (run TEXT, epoch INTEGER, acc REAL)", rows))
    (tmp_path / "c.db").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"c\.db: is read as a file of SQLite, but the database cannot be read"):
        read_logs(tmp_path / "c.db")


def test_beside_other_logs_it_is_told_of(tmp_path: Path) -> None:
    write(tmp_path / "a.db", ("CREATE TABLE log (epoch INTEGER, acc REAL)", [(1, 0.1), (2, 0.2)]))
    (tmp_path / "log.csv").write_text("epoch,val_acc\n1,0.3\n2,0.4\n")
    table = read_logs(tmp_path)
    assert table.points["value"].tolist() == [0.3, 0.4] and any("not read: a.db" in note for note in table.notes)
