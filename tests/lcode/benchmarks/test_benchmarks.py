from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lcode.benchmarks import BENCHMARKS, CurveCollection, export, load_benchmark
from lcode.benchmarks.__main__ import main
from lcode.benchmarks.collection import main_metric
from lcode.benchmarks.files import DataFile, cache_folder, find_file
from lcode.benchmarks.taskset import tame_runs
from lcode.errors import DataNotFoundError, InputError, UsageError

needs_data = pytest.mark.skipif(not os.environ.get("LCODE_DATA"), reason="LCODE_DATA names no folder with the curves")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("LCODE_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def collection(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> CurveCollection:
    """Three runs of four epochs, in a data folder of their own."""
    folder = empty_home / "data" / "tiny"
    folder.mkdir(parents=True)
    values = np.array([[4.0, 3, 2, 1], [4, 4, np.nan, 4], [8, 7, 6, 5]])
    curves = pd.DataFrame(
        {"run_id": np.repeat(range(3), 4), "epoch": np.tile(range(4), 3), "valid_loss": values.ravel()}
    )
    curves.to_parquet(folder / "tiny.parquet")
    pd.DataFrame({"run_id": [0, 1, 2], "lr": [0.1, 0.2, 0.3]}).to_csv(folder / "tiny.csv", index=False)
    monkeypatch.setenv("LCODE_DATA", str(empty_home / "data"))
    return CurveCollection(
        name="tiny",
        curves=DataFile("tiny/tiny.parquet", digest(folder / "tiny.parquet")),
        configs=DataFile("tiny/tiny.csv", digest(folder / "tiny.csv")),
        metric=main_metric("valid_loss"),
        rows=12,
        source="made up",
    )


def test_a_collection_becomes_a_table(collection: CurveCollection) -> None:
    table = collection.load()
    assert table.run_ids == ("0", "1", "2") and (table.runs["horizon"] == 3).all()
    assert table.curve("0", "valid_loss").values.tolist() == [4.0, 3.0, 2.0, 1.0]
    assert table.curve("1", "valid_loss").gaps == ((2, 2),)
    assert table.configs["lr"].tolist() == [0.1, 0.2, 0.3]


def test_a_filter_and_a_wrong_row_count(collection: CurveCollection) -> None:
    kept = CurveCollection(**{**vars(collection), "keep": lambda wide: wide.index[wide[3] < 4.5]})
    assert kept.load().run_ids == ("0", "1")
    with pytest.raises(InputError, match="12 rows, expected 13"):
        CurveCollection(**{**vars(collection), "rows": 13}).load()


def test_the_exported_table_holds_everything(collection: CurveCollection, tmp_path: Path) -> None:
    export(collection.load(), tmp_path / "out.csv")
    frame = pd.read_csv(tmp_path / "out.csv")
    assert list(frame) == ["run", "epoch", "valid_loss", "horizon", "status", "config.lr"]
    assert len(frame) == 12 and frame["valid_loss"].isna().sum() == 1 and (frame["status"] == "finished").all()
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == ["out.csv"]


def test_missing_files_say_where_they_were_looked_for(empty_home: Path) -> None:
    with pytest.raises(
        DataNotFoundError, match=r"looked for .*cache/lcode/.*LCODE_DATA is not set.*set LCODE_DATA to a"
    ):
        load_benchmark("cifar10_cnn")


def test_other_bytes_are_refused(collection: CurveCollection) -> None:
    file = DataFile(collection.curves.name, "0" * 64)
    with pytest.raises(
        DataNotFoundError, match=r"is not the file this benchmark was made for: .* expected 000000000000…"
    ):
        find_file(file)


def test_a_download_is_verified_and_cached(empty_home: Path) -> None:
    source = empty_home / "published.csv"
    source.write_text("run_id\n1\n")
    good = DataFile("x/published.csv", digest(source), source.as_uri())
    path = find_file(good)
    assert path == cache_folder() / "x/published.csv" and path.read_text() == source.read_text()
    source.unlink()
    assert find_file(good) == path
    bad = DataFile("x/other.csv", "0" * 64, path.as_uri())
    with pytest.raises(DataNotFoundError, match="is not the file"):
        find_file(bad)
    gone = DataFile("x/gone.csv", "0" * 64, source.as_uri())
    with pytest.raises(DataNotFoundError, match=r"could not fetch 'x/gone.csv'"):
        find_file(gone)
    assert [p.name for p in (cache_folder() / "x").iterdir()] == ["published.csv"]


def test_tame_runs_neither_blow_up_nor_diverge() -> None:
    calm = np.full((98, 3), 0.7) - np.linspace(0, 0.01, 98)[:, None]
    curves = pd.DataFrame(np.vstack([calm, [0.7, 5.0, 0.7], [0.7, np.inf, 0.7]]), columns=[0, 1, 2])
    assert 98 not in tame_runs(curves) and 99 not in tame_runs(curves) and len(tame_runs(curves)) >= 90


def test_a_wrong_name_lists_the_right_ones() -> None:
    with pytest.raises(UsageError, match="no benchmark 'cifar'; there are: cifar10_cnn, taskset/"):
        load_benchmark("cifar")


def test_the_command(empty_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0 and "cifar10_cnn" in capsys.readouterr().out
    assert main(["export", "cifar10_cnn", str(empty_home / "x.csv")]) == 2
    assert "not found" in capsys.readouterr().err and not (empty_home / "x.csv").exists()


@needs_data
def test_cifar10_cnn_as_published() -> None:
    table = load_benchmark("cifar10_cnn")
    assert len(table) == 265 and len(table.points) == 10_600 and (table.runs["horizon"] == 40).all()
    assert list(table.configs) == ["batch_size", "learning_rate", "n_units_1", "n_units_2", "n_units_3"]


@needs_data
@pytest.mark.parametrize("name", [name for name in BENCHMARKS if name.startswith("taskset/")])
def test_taskset_after_the_filter(name: str) -> None:
    table = load_benchmark(name)
    assert 500 <= len(table) < 900 and (table.runs["horizon"] == 50).all()
    assert np.isfinite(table.points["value"]).all() and table.points["value"].max() < 5
