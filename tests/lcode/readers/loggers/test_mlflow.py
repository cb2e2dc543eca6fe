"""MLflow's two stores as the library has written them (`write_mlflow.py`), growing and damaged."""

from __future__ import annotations

import math
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.errors import InputError
from lcode.readers.loggers import LOGGERS, Logged
from lcode.readers.read import read_logs

DATA = Path(__file__).parent / "data" / "mlflow"

reader = LOGGERS["mlflow"]


def read(folder: Path) -> list[Logged]:
    return list(reader.read([path for path in sorted(folder.rglob("*")) if reader.sniff(path)]))


@pytest.fixture(params=["database", "files"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    shutil.copytree(DATA / request.param, folder)
    return folder


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return Path(shutil.copy(DATA / "database" / "mlflow.db", tmp_path / "any name.sqlite"))


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """The folders of the runs that have metrics and are not deleted."""
    shutil.copytree(DATA / "files", tmp_path, dirs_exist_ok=True)
    return [run.file.parent for run in read(tmp_path)]


def change(database: Path, statement: str) -> None:
    base = sqlite3.connect(database)
    base.execute(statement)
    base.commit()
    base.close()


def test_what_the_library_has_written(store: Path) -> None:
    runs = read(store)
    # Deleted ones, and those without a metric, are left out; runs named alike are told apart.
    parts = [run.run.rpartition("/") for run in runs]
    assert [name for *_, name in parts] == ["größe 1", "trial", "trial", "trial"]
    assert parts[0][0] == "" and parts[2][0] == "größe 1"  # the run that the third is part of
    assert [run.status for run in runs] == ["finished", "failed", "stopped", None]
    assert runs[1].config == {"lr": "0.05", "model/width": "64"}
    run = runs[0]
    assert run.axis == "step" and run.notes == () and {*run.columns} == {
        "step", "wall_time", "val/seg/loss", "val_depth_acc", "summary"
    }  # fmt: skip
    assert run.columns["step"].to_pylist() == [0, 1, 2, 3]
    assert run.columns["val/seg/loss"].to_pylist() == [1, 0.5, 1 / 3, 0.25]
    depth = run.columns["val_depth_acc"].to_pylist()
    assert (depth[0], depth[2:]) == (0.5, [math.inf, -3.5]) and math.isnan(depth[1])
    assert run.columns["summary"].to_pylist() == [7.5, None, None, None]
    assert run.columns["wall_time"].to_pylist() == [5, 1.001, 2.001, 3.001]


def test_a_store_belongs_to_its_runs_alone(database: Path, files: list[Path]) -> None:
    assert reader.owns(database) == database
    assert reader.owns(files[0] / "meta.yaml") == files[0]
    assert not reader.sniff(files[0].parent / "meta.yaml")  # the experiment's


def test_minus_infinity_comes_back(database: Path) -> None:
    change(database, "UPDATE metrics SET value = -1.7976931348623157e308 WHERE key = 'val_depth_acc' AND step = 2")
    assert read(database.parent)[0].columns["val_depth_acc"][2].as_py() == -math.inf


def test_a_resumed_run_has_rows_for_the_steps_that_come_again(database: Path, files: list[Path]) -> None:
    run = read(database.parent)[0]
    base = sqlite3.connect(database)
    (id,) = base.execute("SELECT run_uuid FROM runs WHERE name = 'größe 1'").fetchone()
    for step in (2, 3):
        base.execute("INSERT INTO metrics VALUES ('val/seg/loss', ?, ?, ?, ?, 0)", (9.0 + step, 9000 + step, id, step))
    base.commit()
    base.close()
    with (files[0] / "metrics" / "val" / "seg" / "loss").open("a") as file:
        file.write("9002 11.0 2\n9003 12.0 3\n")
    again = [run for run in read(database.parent) if run.run.endswith("größe 1")]
    assert len(again) == 2 and run.status == "finished"
    for run in again:
        assert run.columns["step"].to_pylist() == [0, 1, 2, 3, 2, 3]
        assert run.columns["val/seg/loss"].to_pylist()[4:] == [11, 12]


def test_a_database_is_read_while_it_is_written(database: Path) -> None:
    writer = sqlite3.connect(database, isolation_level=None)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("DELETE FROM metrics WHERE step = 3")  # in the log beside the file only
    assert os.path.getsize(f"{database}-wal")
    assert read(database.parent)[0].columns["step"].to_pylist() == [0, 1, 2]
    writer.close()


def test_huge_steps_and_thousands_of_metrics(files: list[Path]) -> None:
    for i in range(2000):
        (files[0] / "metrics" / f"layer {i}").write_text(f"1 0.5 {2**62}\n2 0.25 {2**62 + 1}\n")
    run = read(files[0].parents[1])[0]
    assert run.columns["step"].to_pylist()[-2:] == [2**62, 2**62 + 1] and len(run.columns) == 2005


TORN: dict[str, tuple[str, list[float]]] = {
    "a torn line": ("1 0.5 0\n2 0.25 1\n3 0.1", [0.5, 0.25]),
    "text in the middle": ("1 0.5 0\nnonsense\n2 0.25 1\n", [0.5, 0.25]),
    "zero bytes": ("1 0.5 0\n2 0.25 1\n\0\0\0\0\n", [0.5, 0.25]),
    "a step beyond integers": (f"1 0.5 0\n2 0.25 1\n3 1 {10**30}\n", [0.5, 0.25]),
}


@pytest.mark.parametrize("kind", TORN)
def test_torn_lines_of_a_metric_are_left_out(files: list[Path], kind: str) -> None:
    text, expected = TORN[kind]
    (files[0] / "metrics" / "new").write_text(text)
    run = read(files[0].parents[1])[0]
    assert run.columns["new"].drop_null().to_pylist() == expected
    assert len(run.notes) == 1 and "1 torn line" in run.notes[0]


def test_lines_of_the_first_and_of_the_latest_versions(files: list[Path]) -> None:
    (files[0] / "metrics" / "old").write_text("1 0.5\n")
    (files[0] / "metrics" / "new").write_text("1 0.5 3 dataset 1a2b\n")
    run = read(files[0].parents[1])[0]
    assert run.columns["old"][0].as_py() == run.columns["new"][3].as_py() == 0.5 and run.notes == ()


def cut(database: Path) -> None:
    database.write_bytes(database.read_bytes()[:9000])


def overwritten(database: Path) -> None:
    database.write_bytes(database.read_bytes()[:4096] + bytes(database.stat().st_size - 4096))


DAMAGED: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "zero bytes": lambda path: path.write_bytes(bytes(5000)),
    "no database": lambda path: path.write_bytes(b"epoch,loss\n"),
    "cut": cut,
    "overwritten": overwritten,
    "text": lambda path: change(path, "UPDATE metrics SET value = 'many'"),
    "old": lambda path: change(path, "ALTER TABLE metrics RENAME COLUMN is_nan TO other"),
    "deleted": lambda path: change(path, "UPDATE runs SET lifecycle_stage = 'deleted'"),
    "no metric": lambda path: change(path, "DELETE FROM metrics"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_database_is_refused(database: Path, kind: str) -> None:
    DAMAGED[kind](database)
    database = database.rename(database.with_name("mlflow.db"))
    assert reader.sniff(database)
    with pytest.raises(InputError, match="MLflow") as caught:
        list(reader.read([database]))
    assert database.name in str(caught.value)


@pytest.mark.parametrize("text", ["- 1\nlifecycle_stage: run_id:", "lifecycle_stage: [\nrun_id: ", "a: \0\nrun_id:"])
def test_a_damaged_description_costs_its_run_and_no_more(files: list[Path], text: str) -> None:
    path = files[0] / "meta.yaml"
    path.write_text("run_id: x\nlifecycle_stage: active\n" + text)
    assert reader.sniff(path)
    runs = read(files[0].parents[1])
    assert len(runs) == 3 and any("MLflow" in note and path.parent.name in note for note in runs[-1].notes)
    with pytest.raises(InputError, match="MLflow"):
        list(reader.read([path]))


@pytest.mark.parametrize("content", [b"", b"\0" * 200, b"SQLite format 3\0", b"SQLite format 3\0" + b"x" * 5000])
def test_files_that_are_none_of_its(tmp_path: Path, content: bytes) -> None:
    for name in ("runs.db", "meta.yaml"):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "mlflow.db").mkdir()
    change(tmp_path / "other.db", "CREATE TABLE runs (a)")
    assert not any(reader.sniff(path) for path in tmp_path.rglob("*"))


@pytest.mark.parametrize(("steps", "horizon"), [(range(8), 99), (range(0, 80, 10), 70)], ids=["epochs", "steps"])
def test_planned_epochs_are_the_horizon_where_steps_are_epochs(tmp_path: Path, steps: range, horizon: int) -> None:
    run = tmp_path / "mlruns" / "1" / ("0" * 32)
    (run / "params").mkdir(parents=True)
    (run / "metrics").mkdir()
    (run / "meta.yaml").write_text(
        "end_time: null\nexperiment_id: '1'\nlifecycle_stage: active\nrun_name: a\nstart_time: 170000\nstatus: 1\n"
        f"run_id: {'0' * 32}\nrun_uuid: {'0' * 32}\n"
    )
    (run / "params" / "epochs").write_text("100")
    (run / "metrics" / "val_acc").write_text("".join(f"1700000000000 0.5 {step}\n" for step in steps))
    assert read_logs(tmp_path).runs["horizon"].tolist() == [horizon]


def test_a_loss_of_steps_beside_a_score_of_epochs_is_put_at_the_epochs(tmp_path: Path) -> None:
    for number, length in ((0, 30), (1, 12)):
        run = tmp_path / "mlruns" / "1" / (str(number) * 32)
        (run / "params").mkdir(parents=True)
        (run / "metrics").mkdir()
        (run / "meta.yaml").write_text(
            "end_time: null\nexperiment_id: '1'\nlifecycle_stage: active\nrun_name: a\nstart_time: 170000\nstatus: 1\n"
            f"run_id: {str(number) * 32}\nrun_uuid: {str(number) * 32}\n"
        )
        (run / "params" / "epochs").write_text("60")
        told = [(epoch / (epoch + 9 + number), epoch, 1000 * epoch + 999) for epoch in range(length)]
        losses = [(1 / (1 + step), step, 10 * step) for step in range(100 * length)]
        for name, rows in (("val_acc", told), ("train_loss", losses)):
            (run / "metrics" / name).write_text("".join(f"{time} {value} {step}\n" for value, step, time in rows))
    table = read_logs(tmp_path)
    assert table.runs["horizon"].tolist() == [59, 59] and set(table.runs["status"]) == {"running"}
    assert table.points["epoch"].max() == 29 and len(table.signals) == 42
