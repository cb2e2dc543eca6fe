"""Histories in YAML, and the settings that most of its files hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from lcode.errors import InputError
from lcode.readers import read_logs


@pytest.mark.parametrize(
    "text",
    [
        "train_loss:\n- 4.0\n- 3.0\n- 2.0\nval_loss:\n- 3.5\n- 2.5\n- 1.5\n",
        "val_loss: [3.5, 2.5, 1.5]\nname: a\n",
        "- epoch: 1\n  val_loss: 3.5\n- epoch: 2\n  val_loss: 2.5\n- epoch: 3\n  val_loss: 1.5\n",
        "1:\n  val_loss: 3.5\n2:\n  val_loss: 2.5\n3:\n  val_loss: 1.5\n",
    ],
)
def test_histories(tmp_path: Path, text: str) -> None:
    (tmp_path / "history.yaml").write_text(text)
    table = read_logs(tmp_path / "history.yaml")
    assert [metric.key for metric in table.metrics] == ["val_loss"]
    assert table.points["value"].tolist() == [3.5, 2.5, 1.5] and table.points["epoch"].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "text", ["lr: 0.1\nbetas: [0.9, 0.99, 0.5]\n", "iou_labels: [0, -1, 1]\n", "epochs: 9\nloss: l1\n"]
)
def test_settings_are_no_history(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(InputError, match="settings"):
        read_logs(tmp_path / "a.yaml")


def test_objects_of_python_are_not_made(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("val_loss: [3.5, 2.5, 1.5]\nx: !!python/object/apply:os.getcwd []\n")
    with pytest.raises(InputError, match="plain numbers"):
        read_logs(tmp_path / "a.yaml")


def test_names_for_names_for_names_are_refused(tmp_path: Path) -> None:
    names = "".join(f"n{at}: &n{at} [{', '.join([f'*n{at - 1}'] * 9)}]\n" for at in range(1, 9))
    (tmp_path / "a.yaml").write_text(f"val_loss: [3.5, 2.5, 1.5]\nn0: &n0 [1, 1]\n{names}")
    with pytest.raises(InputError, match="repeats too often"):
        read_logs(tmp_path / "a.yaml")


def test_a_document_per_epoch(tmp_path: Path) -> None:
    told = [f"---\nepoch: {epoch}\ntrain_loss: {4.0 - epoch}\nval_loss: {4.5 - epoch}\n" for epoch in (1, 2, 3)]
    (tmp_path / "a.yaml").write_text("lr: 0.1\n" + "".join(told) + "---\n")
    table = read_logs(tmp_path / "a.yaml")
    assert [metric.key for metric in table.metrics] == ["val_loss"] and table.points["value"].tolist() == [
        3.5,
        2.5,
        1.5,
    ]
