"""One content, many spellings: every format gives the same table."""

from __future__ import annotations

import json
import math
import sqlite3
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from lcode.readers import read_logs
from lcode.readers.discover import Sniffer
from lcode.readers.formats import FORMATS
from lcode.readers.run_logs import RunLogReader
from lcode.table import Metric, RunTable
from lcode.table.runlog import RunHeader, RunLogWriter

KEYS = ("seg/miou", "depth/abs_err", "acc")
METRICS = (Metric("seg", "miou", "max"), Metric("depth", "abs_err", "min"), Metric("main", "acc", "max"))


@dataclass(frozen=True)
class Content:
    """One run: horizon, configuration, and epoch -> values, learning rate and seconds."""

    run: str
    horizon: int
    config: Mapping[str, Any]
    epochs: Mapping[int, tuple[Mapping[str, float], float, float]]


def rows_of(contents: Sequence[Content], *, long: bool) -> list[dict[str, Any]]:
    rows = []
    for content in contents:
        fixed = {"horizon": content.horizon, "status": "running", "arch": "mlp", "seed": 3}
        fixed |= {f"config.{name}": value for name, value in content.config.items()}
        for epoch, (values, lr, seconds) in content.epochs.items():
            start = {"run": content.run, "epoch": epoch}
            end = {"lr": lr, "seconds": seconds} | fixed
            if not long:
                rows.append(start | {key: values.get(key) for key in KEYS} | end)
                continue
            for metric in METRICS:
                if metric.key in values:
                    task = None if metric.task == "main" else metric.task
                    cell = {"task": task, "metric": metric.name, "value": values[metric.key]}
                    rows.append(start | cell | end)
    return rows


def cell(value: object) -> str:
    return "" if value is None else str(value)


def write_csv(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    lines = [",".join(rows[0]), *(",".join(cell(value) for value in row.values()) for row in rows)]
    path.write_text("\n".join(lines) + "\n")


def write_jsonl(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_parquet(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.Table.from_pylist(list(rows)), path)


def write_sqlite(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    names = list(rows[0])
    with closing(sqlite3.connect(path)) as base:
        base.execute(f"CREATE TABLE log ({', '.join(json.dumps(name) for name in names)})")
        base.executemany(f"INSERT INTO log VALUES ({', '.join('?' * len(names))})", map(_of_sqlite, rows))
        base.commit()


def _of_sqlite(row: Mapping[str, Any]) -> list[Any]:
    """The cells of a row: SQLite takes NaN for null."""
    return ["nan" if isinstance(value, float) and math.isnan(value) else value for value in row.values()]


def write_run_logs(contents: Sequence[Content], folder: Path) -> None:
    for content in contents:
        header = RunHeader(content.run, content.horizon, METRICS, content.config, seed=3, arch="mlp")
        with RunLogWriter(folder, header) as log:
            for epoch, (values, lr, seconds) in sorted(content.epochs.items()):
                log.epoch(epoch, values, lr=lr, seconds=seconds)


def assert_same(one: RunTable, other: RunTable) -> None:
    assert sorted(one.metrics) == sorted(other.metrics)
    assert_frame_equal(one.runs, other.runs)
    assert_frame_equal(one.configs, other.configs)
    for left, right in ((one.points, other.points), (one.signals, other.signals)):
        keys = ["run", "metric", "epoch"]
        mine, theirs = (frame.astype({"run": str, "metric": str}) for frame in (left, right))
        assert_frame_equal(mine.sort_values(keys, ignore_index=True), theirs.sort_values(keys, ignore_index=True))


values = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([math.nan, math.inf, -math.inf]))
measured = st.fixed_dictionaries({"acc": values}, optional=dict.fromkeys(KEYS[:2], values))
epochs = st.dictionaries(
    st.integers(1, 30), st.tuples(measured, st.floats(1e-6, 1), st.floats(0.1, 9)), min_size=1, max_size=5
)
configs = st.fixed_dictionaries({"lr": st.floats(1e-4, 1), "width": st.integers(1, 512), "opt": st.sampled_from("ab")})


def test_every_format_knows_its_own_files_only(tmp_path: Path) -> None:
    RunLogWriter(tmp_path, RunHeader("a", 3, METRICS)).close()
    (tmp_path / "b.jsonl").write_text('{"run": "a", "epoch": 1, "acc": 1}\n')
    (tmp_path / "c.csv").write_text("run,epoch,acc\n")
    (tmp_path / "d.parquet").write_bytes(b"PAR1")
    (tmp_path / "e.json").write_text('[{"run": "a"}]')
    (tmp_path / "f.xlsx").write_bytes(b"PK")
    (tmp_path / "g.yaml").write_text("acc:\n- 0.5\n- 0.6\n- 0.7\n")
    write_sqlite([{"run": "a", "epoch": 1, "acc": 1}], tmp_path / "h.db")
    mine = {
        "run-log": "a.jsonl",
        "jsonl": "b.jsonl",
        "csv": "c.csv",
        "parquet": "d.parquet",
        "json": "e.json",
        "excel": "f.xlsx",
        "yaml": "g.yaml",
        "sqlite": "h.db",
    }
    formats: dict[str, Sniffer] = {**FORMATS, "run-log": RunLogReader()}
    for name, reader in formats.items():
        assert [file for file in sorted(mine.values()) if reader.sniff(tmp_path / file)] == [mine[name]]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(epochs, configs), min_size=1, max_size=3, unique_by=lambda run: run[1]["width"]))
def test_every_format_reads_the_same_table(drawn: list[tuple[dict[int, Any], dict[str, Any]]]) -> None:
    contents = [Content(f"r{i}", 40, dict(sorted(config.items())), found) for i, (found, config) in enumerate(drawn)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_run_logs(contents, folder / "logs")
        expected = _measured_only(read_logs(folder / "logs"))
        directions = {metric.key: metric.direction for metric in expected.metrics}
        for long in (False, True):
            rows = rows_of(contents, long=long)
            for ending, write in {
                "csv": write_csv,
                "jsonl": write_jsonl,
                "parquet": write_parquet,
                "db": write_sqlite,
            }.items():
                path = folder / f"{long}.{ending}"
                write(rows, path)
                assert_same(read_logs(path, directions=directions), expected)


def _measured_only(table: RunTable) -> RunTable:
    """A header promises metrics; a table only has those that were measured."""
    known = set(table.points["metric"].astype(str))
    return RunTable.from_points(
        table.points,
        [metric for metric in table.metrics if metric.key in known],
        runs=table.runs,
        configs=table.configs,
        signals=table.signals,
    )


def test_pandas_tables_read_alike_with_missing_cells_and_categories(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"run": [7.0, 7.0, 8.0], "epoch": [1, 2, 1], "acc": [0.1, None, 0.3], "config.opt": ["a", "a", "b"]}
    )
    frame["config.opt"] = frame["config.opt"].astype("category")
    frame.set_index("run").to_parquet(tmp_path / "x.parquet")
    table = read_logs(tmp_path / "x.parquet")
    assert table.run_ids == ("7", "8")
    assert table.configs["opt"].tolist() == ["a", "b"]
    frame.assign(run=["7", "7", "8"]).to_csv(tmp_path / "x.csv", index=False)
    assert_same(read_logs(tmp_path / "x.csv"), table)


def test_tables_of_a_folder_are_joined(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("run,epoch,seg/miou,config.opt\na,1,0.5,1\n")
    (tmp_path / "b.csv").write_text("run,epoch,depth/err,config.opt\nb,1,0.5,sgd\n")
    table = read_logs(tmp_path)
    assert table.run_ids == ("a", "b")
    assert [metric.key for metric in table.metrics] == ["seg/miou", "depth/err"]
    assert table.configs["opt"].tolist() == ["1", "sgd"]


@pytest.mark.parametrize("name", ["é", "a b", "1e3", "007", "True", "nan"])
def test_run_names_stay_as_they_are(name: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(f"run,epoch,acc\n{name},1,0.5\n", encoding="utf-8")
    assert read_logs(tmp_path / "x.csv").run_ids == (name,)
