"""A row of settings above the epochs is the configuration of their run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from lcode.errors import InputError
from lcode.readers import read_logs

SETTINGS = {"lr": 0.1, "optim": {"name": "adam"}, "epochs": 50}


def write(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def epochs(**more: Any) -> list[dict[str, Any]]:
    return [{**more, "epoch": e, "val_miou": e / 10 + len(str(more)) / 100} for e in range(1, 6)]


@pytest.mark.parametrize(
    "head",
    [
        {"event": "start", "config": SETTINGS},
        {"type": "header", "hparams": SETTINGS, "version": "1.0"},
        {"args": SETTINGS, "time": "2026-01-01"},
        {"lr": 0.1, "optim.name": "adam", "epochs": 50, "event": "start"},
    ],
)
def test_of_one_run(tmp_path: Path, head: dict[str, Any]) -> None:
    table = read_logs(write(tmp_path / "a.jsonl", [head, *epochs(), {"event": "end", "best_miou": 0.7}]))
    assert table.configs.iloc[0].to_dict() == {"lr": 0.1, "optim.name": "adam"} and len(table.points) == 5
    assert table.runs["horizon"].tolist() == [50]
    assert "a.jsonl: the settings of a run are those in lines 1." in table.notes
    assert "a.jsonl: left out, since they count no epoch or step: lines 7." in table.notes


def test_of_several_runs_one_below_another_or_by_their_names(tmp_path: Path) -> None:
    heads = [{"config": {"lr": rate}} for rate in (0.1, 0.2)]
    table = read_logs(write(tmp_path / "a.jsonl", [heads[0], *epochs(), heads[1], *epochs()]))
    assert table.configs["lr"].tolist() == [0.1, 0.2]
    named = [{"run": run, **head} for run, head in zip("xy", heads, strict=True)]
    table = read_logs(write(tmp_path / "b.jsonl", [*named, *epochs(run="y"), *epochs(run="x")]))
    assert table.configs["lr"].to_dict() == {"x": 0.1, "y": 0.2}
    table = read_logs(write(tmp_path / "c.jsonl", [named[0], *epochs(), named[1], *epochs()]))
    assert table.configs["lr"].to_dict() == {"x": 0.1, "y": 0.2}


def test_in_a_list_of_json_and_an_epoch_as_its_type(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([{"config": SETTINGS}, *epochs()]))
    assert read_logs(tmp_path / "a.json").configs["lr"].tolist() == [0.1]
    assert len(read_logs(write(tmp_path / "a.jsonl", epochs(type="epoch"))).points) == 5


def test_candidates_and_damaged_run_logs_stay_what_they_are(tmp_path: Path) -> None:
    rows = [{"run": "a", "epoch": 1, "acc": 0.1, "horizon": 9, "config.lr": 0.1}, {"run": "b", "config.lr": 0.2}]
    table = read_logs(write(tmp_path / "a.jsonl", rows))
    assert table.run_ids == ("a", "b") and table.configs["lr"].tolist() == [0.1, 0.2]
    head = {"type": "header", "version": 9, "run": "a", "config": {"lr": 0.1}}
    with pytest.raises(InputError, match="run log of version 9"):
        read_logs(write(tmp_path / "b.jsonl", [head, *epochs()]))


def test_settings_behind_or_amid_the_epochs_begin_no_run(tmp_path: Path) -> None:
    def row(epoch: int) -> dict[str, Any]:
        return {"epoch": epoch, "val_loss": 1 / epoch}

    amid = [{"event": "start", "config": {"lr": 0.1}}, *map(row, range(1, 5))]
    amid += [{"event": "update", "config": {"lr": 0.01}}, *map(row, range(5, 9))]
    behind = [one for lr in (0.1, 0.01) for one in (*map(row, range(1, 6)), {"event": "done", "config": {"lr": lr}})]
    for name, rows in (("amid", amid), ("behind", behind)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
    table = read_logs(tmp_path / "amid.jsonl")
    assert len(table) == 1 and table.configs["lr"].tolist() == [0.1]
    assert "lr" not in read_logs(tmp_path / "behind.jsonl").configs
