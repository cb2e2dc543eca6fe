"""A table too long for memory is forecast in blocks: the file is that of the table read at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lcode.cli.console import INTERRUPTED
from lcode.cli.parts_beside import PartsBeside
from lcode.forecast import Forecast
from lcode.forecasters.lcgode import LCGODEForecaster
from lcode.readers.long import LongTable

Lcode = Callable[..., Any]
Predict = Callable[..., Any]


@pytest.fixture
def logs(running_logs: Path, tmp_path: Path) -> Path:
    """Eight runs that have not finished, as Parquet."""
    path = tmp_path / "runs.parquet"
    pd.read_csv(running_logs).to_parquet(path)
    return path


@pytest.fixture
def predict(lcode_command: Lcode, logs: Path, model_folder: Path, tmp_path: Path) -> Predict:
    """Forecasts into a file of this name, with further options."""

    def call(name: str, *options: str) -> Any:
        return lcode_command("predict", logs, "--model", model_folder, "--out", tmp_path / name, *options)

    return call


@pytest.fixture
def whole(predict: Predict, tmp_path: Path) -> pd.DataFrame:
    """The forecasts of the table read at once."""
    assert predict("whole.csv").status == 0
    return pd.read_csv(tmp_path / "whole.csv")


@pytest.fixture
def blocks_of_few_rows(whole: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on every table is a long one."""
    monkeypatch.setattr("lcode.readers.long.LongTable.open", partial(LongTable.open, cells=1, rows=9))


def left(folder: Path) -> list[str]:
    """Names of what is there beside the logs and the whole table's forecasts."""
    known = {"whole.csv", "runs.parquet"}
    return sorted(path.name for path in folder.iterdir() if path.name not in known and "out" in path.name)


@pytest.mark.usefixtures("blocks_of_few_rows")
@pytest.mark.parametrize("layout", ["by run", "by epoch", "a folder of parts"])
def test_in_blocks_or_at_once(layout: str, predict: Predict, logs: Path, tmp_path: Path, whole: pd.DataFrame) -> None:
    table = pd.read_parquet(logs)
    if layout == "by epoch":
        table.sort_values("epoch", kind="stable").to_parquet(logs)
    elif layout == "a folder of parts":
        logs.unlink()
        logs.mkdir()
        for begin in range(0, len(table), 20):
            table.iloc[begin : begin + 20].to_parquet(logs / f"part-{begin:03d}.parquet")
    for name in ("out.csv", "out.parquet"):
        done = predict(name)
        assert done.status == 0 and "read 8 runs of tables: 2 tasks" in done.err and "of 8 runs written" in done.err
    found = pd.read_csv(tmp_path / "out.csv")
    pd.testing.assert_frame_equal(found, whole, rtol=1e-4)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "out.parquet"), found, rtol=1e-7, check_dtype=False)
    assert left(tmp_path) == ["out.csv", "out.parquet"]


@pytest.mark.usefixtures("blocks_of_few_rows")
def test_an_interrupted_call_goes_on(
    predict: Predict, logs: Path, tmp_path: Path, whole: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def counted(forecaster: LCGODEForecaster, *given: Any) -> Iterator[Forecast]:
        if len(made) in until:
            raise KeyboardInterrupt
        for forecast in forecast_in_blocks(forecaster, *given):
            made.extend(forecast.run_ids)
            yield forecast

    forecast_in_blocks = LCGODEForecaster.predict_in_blocks
    monkeypatch.setattr(LCGODEForecaster, "predict_in_blocks", counted)
    until = range(4, 8)
    assert predict("out.csv").status == INTERRUPTED
    assert left(tmp_path) == [".out.csv.parts"] and 4 <= len(made) < 8
    until = range(0)
    done = predict("out.csv")
    assert done.status == 0 and "are there from an earlier call" in done.err
    assert sorted(made) == sorted(whole["run"].unique()) and left(tmp_path) == ["out.csv"]
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "out.csv"), whole, rtol=1e-4)


@pytest.mark.usefixtures("blocks_of_few_rows")
@pytest.mark.parametrize("change", ["logs", "options"])
def test_what_is_left_of_another_call_does_not_count(
    change: str, predict: Predict, logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(parts: PartsBeside) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(PartsBeside, "finish", interrupted)
        assert predict("out.csv").status == INTERRUPTED
    if change == "logs":
        pd.read_parquet(logs).assign(horizon=20).to_parquet(logs)
    done = predict("out.csv", *(["--full"] if change == "options" else []))
    assert done.status == 0 and "earlier call" not in done.err and left(tmp_path) == ["out.csv"]
    found = pd.read_csv(tmp_path / "out.csv")
    assert (found["epoch"] == 20).all() if change == "logs" else len(found) > 16
