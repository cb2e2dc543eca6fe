"""A log that was rotated as it grew is one run; one that begins anew in each file is several."""

from __future__ import annotations

from pathlib import Path

from lcode.readers.read import read_logs


def lines(first: int, last: int, scale: int = 8) -> str:
    return "".join(f"INFO epoch={e} train_loss={9 / e:.3f} val_loss={scale / e:.3f}\n" for e in range(first, last + 1))


def test_parts_that_go_on_are_one_run(tmp_path: Path) -> None:
    for run, scale in (("a", 8), ("b", 7)):
        folder = tmp_path / run
        folder.mkdir()
        (folder / "train.log").write_text(lines(21, 30, scale))
        (folder / "train.log.1").write_text(lines(11, 20, scale))
        (folder / "train.log.10").write_text("Namespace(lr=0.1, epochs=40)\n" + lines(1, 10, scale))
    table = read_logs(tmp_path)
    assert table.run_ids == ("a", "b")
    for run, scale in (("a", 8), ("b", 7)):
        points = table.points[table.points["run"] == run]
        assert points["epoch"].tolist() == [*range(1, 31)]
        assert points["value"].tolist() == [float(f"{scale / e:.3f}") for e in range(1, 31)]
    assert table.runs["horizon"].tolist() == [40, 40] and table.configs["lr"].tolist() == [0.1, 0.1]
    assert any("'train.log' goes on where 'train.log.1' ended" in note for note in table.notes)


def test_a_log_that_is_set_aside_when_a_program_starts_is_another_run(tmp_path: Path) -> None:
    (tmp_path / "train.log").write_text(lines(1, 12, 5))
    (tmp_path / "train.log.1").write_text(lines(1, 20))
    (tmp_path / "train.log.2").write_text(lines(1, 20, 6))
    assert len(read_logs(tmp_path)) == 3


def test_compressed_parts_are_told_of(tmp_path: Path) -> None:
    (tmp_path / "train.log").write_text(lines(21, 30))
    (tmp_path / "train.log.1").write_text(lines(11, 20))
    (tmp_path / "train.log.2.gz").write_bytes(b"\x1f\x8b")
    told = [note for note in read_logs(tmp_path).notes if "compressed" in note]
    assert told == ["older parts of 'train.log' are compressed and not read: train.log.2.gz; unpack them with gunzip."]
