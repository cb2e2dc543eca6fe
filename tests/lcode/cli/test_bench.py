from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

Lcode = Callable[..., Any]
FEW = ("--forecasters", "last,drift,trees", "--prefixes", "2e,0.5", "--train", "all,0", "--seeds", 2)


def test_logs_to_a_table_and_on_from_there(
    lcode_command: Lcode, finished_logs: Path, graphs_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "deep" / "bench"
    done = lcode_command("bench", finished_logs, "--graphs", graphs_file, "--out", folder, *FEW)
    assert done.status == 0, done.err
    frame = pd.read_parquet(folder / "results.parquet")
    # Two metrics, two prefixes, two seeds; trees need runs to learn from.
    assert len(frame) == 2 * 2 * 2 * (3 + 2) and set(frame["metric"]) == {"seg/err", "depth/miou"}
    report = (folder / "report.md").read_text(encoding="utf-8")
    assert "| 2 epochs | last |" in report and "MAPE ÷ trees" in report and "MAPE ÷ last" in report
    assert "trees" in done.out and "direction inferred" in done.err and "report.md" in done.err
    again = lcode_command("bench", finished_logs, "--graphs", graphs_file, "--out", folder, *FEW)
    assert again.status == 0 and again.out == done.out
    pd.testing.assert_frame_equal(frame, pd.read_parquet(folder / "results.parquet"))
    (folder / "report.md").unlink()
    anew = lcode_command("bench", "--out", folder, "--reference", "drift")
    assert anew.status == 0 and "MAPE ÷ drift" in (folder / "report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ("nothing-here",),
            "'nothing-here' is neither a file or folder of logs nor a benchmark; there are cifar10_cnn",
        ),
        ((), "holds no results; name a source"),
        (("LOGS", "--forecasters", "last", "--train", "500"), "nothing could be measured, for the reasons above"),
        (("LOGS", "--forecasters", "x"), "no forecaster 'x'; there are: lcode"),
        (("LOGS", "--forecasters", "last", "--prefixes", "5"), "no prefix '5'; write a number of epochs as 5e"),
        (("LOGS", "--forecasters", "last", "--train", "some"), "no number of training runs 'some'"),
        (("LOGS", "--forecasters", "last", "--protocol", "x"), "no protocol 'x'; there are: by-run"),
        (("LOGS", "--forecasters", "last", "--protocol", "by-arch"), "it has no fixed splits"),
    ],
)
def test_what_makes_no_sense_is_said(
    lcode_command: Lcode, finished_logs: Path, tmp_path: Path, arguments: tuple[str, ...], expected: str
) -> None:
    given = [str(finished_logs) if word == "LOGS" else word for word in arguments]
    done = lcode_command("bench", *given, "--out", tmp_path / "bench")
    assert done.status == 2 and expected in " ".join(done.err.split())
    assert not list(tmp_path.rglob("*.parquet")) and not list(tmp_path.rglob("report.md"))


def test_too_few_runs_to_test_are_told_of(lcode_command: Lcode, finished_logs: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(finished_logs)
    few = tmp_path / "few.csv"
    frame[frame["run"].isin(frame["run"].unique()[:9])].to_csv(few, index=False)
    done = lcode_command("bench", few, "--forecasters", "last", "--train", "0", "--out", tmp_path / "bench")
    assert done.status == 2 and "of the finished runs are left to test, and it takes 4" in done.err
    assert "nothing could be measured" in done.err
