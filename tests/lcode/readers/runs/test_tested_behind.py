"""A test behind the last epoch of a training is none of its epochs, in the logs of any tool."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from torch.utils.tensorboard import SummaryWriter

from lcode.readers import read_logs


def score(run: int, epoch: int) -> float:
    return round(epoch / (epoch + 9 + run), 6)


def rows(run: int, epochs: range, ended: bool) -> str:
    told = "".join(f"{epoch},{score(run, epoch)},\n" for epoch in epochs)
    return f"epoch,val_acc,test_acc\n{told}" + (f"{epochs.stop},,0.8\n" if ended else "")


def lightning(folder: Path, run: int, epochs: range, ended: bool) -> None:
    place = folder / f"version_{run}"
    place.mkdir()
    lines = rows(run, epochs, ended).splitlines()
    told = [f"{'step' if at == 0 else at * 10},{line}" for at, line in enumerate(lines)]
    (place / "metrics.csv").write_text("\n".join(told) + "\n")
    (place / "hparams.yaml").write_text("max_epochs: 30\n")


def table(folder: Path, run: int, epochs: range, ended: bool) -> None:
    place = folder / str(run)
    place.mkdir()
    (place / "log.csv").write_text(rows(run, epochs, ended))
    (place / "config.json").write_text(json.dumps({"epochs": 30}))


def tensorboard(folder: Path, run: int, epochs: range, ended: bool) -> None:
    with SummaryWriter(str(folder / str(run))) as writer:
        writer.add_hparams({"epochs": 30}, {"hp_metric": -1.0}, run_name=".")
        for epoch in epochs:
            writer.add_scalar("val/acc", score(run, epoch), epoch)
        if ended:
            writer.add_scalar("test/acc", 0.8, epochs.stop)


@pytest.mark.parametrize(
    ("write", "first"), [(lightning, 0), (table, 0), (table, 1), (tensorboard, 0), (tensorboard, 1)]
)
def test_a_test_behind_the_training_is_no_epoch(
    tmp_path: Path, write: Callable[[Path, int, range, bool], None], first: int
) -> None:
    for run in range(3):
        write(tmp_path, run, range(first, first + 30), True)
    write(tmp_path, 3, range(first, 12), False)
    found = read_logs(tmp_path)
    assert found.runs["status"].tolist() == ["finished"] * 3 + ["running"]
    assert found.runs["horizon"].tolist() == [29 + first] * 4
    assert not any("went on beyond" in note for note in found.notes)


def test_a_test_of_each_epoch_says_no_less_of_the_others(tmp_path: Path) -> None:
    told = "".join(f"{epoch},{score(0, epoch)},{score(1, epoch)}\n" for epoch in range(1, 9))
    (tmp_path / "log.csv").write_text(f"epoch,val_acc,test_acc\n{told}9,,0.7\n")
    found = read_logs(tmp_path, horizon=20)
    assert found.runs["horizon"].tolist() == [20] and found.points["epoch"].max() == 8
