"""Scores that are NaN in all runs from the beginning on were never measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lcode.readers.read import read_logs


def _write(folder: Path, rows: Sequence[dict[str, Any]]) -> None:
    folder.mkdir()
    (folder / "metrics.json").write_text("".join(json.dumps(row) + "\n" for row in rows))


def _rows(small: Sequence[float | None]) -> list[dict[str, Any]]:
    return [
        {"iteration": 20 * at + 19, "bbox/AP": 30.0 + at, "bbox/APs": float("nan") if one is None else one}
        for at, one in enumerate(small)
    ]


def test_they_are_left_out_and_nothing_has_diverged(tmp_path: Path) -> None:
    for name in ("a", "b"):
        _write(tmp_path / name, _rows([None] * 4))
    table = read_logs(tmp_path)
    assert [metric.key for metric in table.metrics] == ["bbox/AP"] and table.points["value"].notna().all()
    assert any("NaN in all runs" in note and "bbox/APs" in note for note in table.notes)


def test_one_value_in_one_run_tells_that_they_were_measured(tmp_path: Path) -> None:
    _write(tmp_path / "a", _rows([None] * 4))
    _write(tmp_path / "b", _rows([12.5, None, None, None]))
    assert {metric.key for metric in read_logs(tmp_path).metrics} == {"bbox/AP", "bbox/APs"}


@pytest.mark.parametrize("stated", [{"directions": {"bbox/APs": "max"}}, {"targets": ["bbox/AP", "bbox/APs"]}])
def test_what_the_user_names_stays(tmp_path: Path, stated: dict[str, Any]) -> None:
    _write(tmp_path / "a", _rows([None] * 4))
    assert "bbox/APs" in {metric.key for metric in read_logs(tmp_path, **stated).metrics}


@pytest.mark.parametrize("name", ["val_loss", "val_rmse"])
def test_a_loss_and_an_error_have_diverged(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.csv").write_text(f"epoch,{name},val_acc\n" + "".join(f"{e},nan,0.{e}\n" for e in range(1, 5)))
    assert {metric.key for metric in read_logs(tmp_path / "a.csv").metrics} == {name, "val_acc"}


@pytest.mark.parametrize("name", ["val_r2", "val_psnr", "val_auc", "val_map"])
def test_a_score_of_another_kind_and_one_that_is_measured_rarely_stay(tmp_path: Path, name: str) -> None:
    rows = "".join(f"{e},0.{e},0.{e},nan\n" for e in range(1, 5))
    (tmp_path / "a.csv").write_text(f"epoch,val_loss,val_acc,{name}\n{rows}")
    assert name in {metric.key for metric in read_logs(tmp_path / "a.csv").metrics}
