"""Files of made-up runs, and calls of the command that forecast them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from pyarrow import parquet

import lcode
from lcode.errors import UsageError
from lcode.evaluation import speed_of_files
from lcode.evaluation.speed import main
from lcode.evaluation.speed_of_files import measured, timed_forecast, write_runs


def test_the_same_count_leaves_the_same_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed_of_files, "CHUNK", 40)
    rows = [write_runs(tmp_path / name, 100) for name in ("a.parquet", "b.parquet")]
    table = pd.read_parquet(tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(table, pd.read_parquet(tmp_path / "b.parquet"))
    assert rows == [len(table)] * 2 and parquet.read_metadata(tmp_path / "a.parquet").num_row_groups == 3
    last = table.groupby("run")["epoch"].agg(["max", "size"])
    assert (last["max"] == last["size"]).all() and set(last["max"]) <= {3, 4, 5, 6, 7, 50}
    runs = lcode.read_logs(tmp_path / "a.parquet")
    assert len(runs) == 100 and len(runs.with_status("finished")) == 100 / 50
    assert [metric.key for metric in runs.metrics] == ["seg/loss", "depth/loss"]
    assert table["lr"].nunique() == 100 and table.groupby("run")["lr"].nunique().eq(1).all()


def test_every_file_has_a_line_with_its_deviation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    def call(logs: Path, out: Path) -> speed_of_files.Taken:
        asked.append(logs)
        out.touch()
        return speed_of_files.Taken(processor=len(asked), clock=2.0, memory=len(asked) * 10**9)

    monkeypatch.setattr(speed_of_files, "timed_forecast", call)
    lines = list(measured([500, 1000], 3, tmp_path))
    assert [path.name for path in asked] == ["500.parquet"] * 3 + ["1000.parquet"] * 3
    assert "2.0 ± 1.0 s of the processor, 4.00 ± 2.00 s per 1000 runs, 2.0 ± 0.0 s by" in lines[0]
    assert "5.0 ± 1.0 s of the processor, 5.00 ± 1.00 s per 1000 runs" in lines[1] and "6.00 GB" in lines[1]
    assert "±" not in next(measured([500], 1, tmp_path)) and not list(tmp_path.iterdir())


def test_the_command_is_called_in_a_process_of_its_own(tmp_path: Path) -> None:
    logs, out = tmp_path / "runs.parquet", tmp_path / "out.parquet"
    write_runs(logs, 60)
    taken = timed_forecast(logs, out)
    assert len(pd.read_parquet(out)) == 60 * 2
    assert taken.processor > 0 and taken.clock > 0 and 10**8 < taken.memory < 10**10
    with pytest.raises(UsageError, match="ended with status 2"):
        timed_forecast(tmp_path / "none.parquet", out)


def test_wrong_counts_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for given in (["--parquet", "10,x"], ["--parquet", "0"], ["--repeats", "0"]):
        with pytest.raises(SystemExit):
            main(given)
    assert "'x' is no whole number of at least 1" in capsys.readouterr().err
