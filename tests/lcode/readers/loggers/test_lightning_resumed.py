"""Trainings that Lightning resumed into folders of their own."""

from __future__ import annotations

from pathlib import Path

from lcode.readers import read_logs


def write(folder: Path, version: int, epochs: range, *, lr: float = 0.1, value: float = 0.01) -> None:
    own = folder / f"version_{version}"
    own.mkdir(parents=True)
    (own / "hparams.yaml").write_text(f"lr: {lr}\nmax_epochs: 12\n")
    rows = "".join(f"{epoch},{10 * epoch + 9},{value * (epoch + 1):.4f}\n" for epoch in epochs)
    (own / "metrics.csv").write_text(f"epoch,step,val/miou\n{rows}")


def test_starts_of_one_training_are_a_run(tmp_path: Path) -> None:
    write(tmp_path / "logs", 0, range(6))
    write(tmp_path / "logs", 1, range(12), lr=0.2)
    write(tmp_path / "logs", 2, range(4, 9), value=0.02)  # from the checkpoint of epoch 3
    write(tmp_path / "logs", 10, range(9, 12), value=0.02)
    table = read_logs(tmp_path / "logs")
    assert table.run_ids == ("version_0", "version_1")
    first = table.points[table.points["run"] == "version_0"]
    assert first["epoch"].tolist() == [*range(12)]
    assert first["value"].tolist() == [0.01 * (e + 1) if e < 4 else 0.02 * (e + 1) for e in range(12)]
    assert table.runs["status"].tolist() == ["finished", "finished"]
    assert any("one training that was resumed: logs/version_0 and logs/version_2" in note for note in table.notes)


def test_starts_that_may_go_on_with_several_or_with_none_stay_runs(tmp_path: Path) -> None:
    write(tmp_path / "twice", 0, range(6))
    write(tmp_path / "twice", 1, range(6))  # another seed, perhaps
    write(tmp_path / "twice", 2, range(5, 12))
    assert len(read_logs(tmp_path / "twice")) == 3
    write(tmp_path / "gap", 0, range(3))
    write(tmp_path / "gap", 1, range(8, 12))
    assert len(read_logs(tmp_path / "gap")) == 2
