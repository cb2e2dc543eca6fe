"""Runs without validation data among others that have some."""

from __future__ import annotations

from pathlib import Path

from lcode.readers import Choices, read_logs


def write(folder: Path, run: str, *parts: str) -> None:
    head = ["epoch", *(f"{part}/{metric}" for part in parts for metric in ("seg/loss", "depth/loss"))]
    rows = [[str(epoch), *(f"0.{9 - epoch}{len(run)}" for _ in head[1:])] for epoch in range(4)]
    (folder / f"{run}.csv").write_text("\n".join([",".join(row) for row in (head, *rows)]) + "\n")


def test_a_run_that_was_only_tested_has_no_score_beside_validated_ones_and_is_named(tmp_path: Path) -> None:
    for run in ("a", "bb"):
        write(tmp_path, run, "train", "val", "test")
    write(tmp_path, "tested", "train", "test")
    table = read_logs(tmp_path)
    assert [metric.key for metric in table.metrics] == ["seg/loss", "depth/loss"] and len(table) == 3
    assert set(table.points["run"]) == {"a", "bb"}
    (note,) = (note for note in table.notes if "no curve of" in note)
    assert "'tested'" in note and "--map 'test/{task}/{metric}'" in note
    mapped = read_logs(tmp_path, choices=Choices(map="test/{task}/{metric}"))
    assert set(mapped.points["run"]) == {"a", "bb", "tested"}
    assert not any("no curve of" in note for note in mapped.notes)


def test_where_nobody_has_validation_data_the_test_set_is_scored(tmp_path: Path) -> None:
    for run in ("a", "bb"):
        write(tmp_path, run, "train", "test")
    table = read_logs(tmp_path)
    assert set(table.points["run"]) == {"a", "bb"} and not any("no curve of" in note for note in table.notes)
