"""Polyaxon's files of one curve each."""

from __future__ import annotations

from pathlib import Path

from lcode.readers.read import read_logs


def _write(run: Path, epochs: int) -> None:
    folder = run / "events" / "metric"
    folder.mkdir(parents=True)
    for name in ("val_acc", "train_loss"):
        rows = "".join(f"{e}|2031-02-03T04:0{e}:00+00:00|{e / (e + epochs)}\n" for e in range(1, epochs + 1))
        (folder / f"{name}.plx").write_text(f"step|timestamp|metric\n{rows}")


def test_the_curves_of_a_folder_are_one_run(tmp_path: Path) -> None:
    _write(tmp_path / "a", 6)
    _write(tmp_path / "b", 3)
    table = read_logs(tmp_path)
    assert sorted(table.runs.index) == ["a", "b"] and [metric.key for metric in table.metrics] == ["val_acc"]
    assert table.points["value"].tolist()[:2] == [1 / 7, 2 / 8] and table.signals["metric"].nunique() == 1


def test_a_line_that_is_still_being_written_is_left_out(tmp_path: Path) -> None:
    _write(tmp_path / "a", 4)
    file = tmp_path / "a" / "events" / "metric" / "val_acc.plx"
    file.write_text(file.read_text() + "5|2031-")
    table = read_logs(tmp_path)
    assert len(table.points) == 4 and any("incomplete" in note for note in table.notes)
