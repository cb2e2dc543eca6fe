"""Settings in lines that have no word for them: commands, heads of runs, dictionaries of nothing but settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.table.table import RunTable

Read = Callable[[Path, str, str], RunTable]

EPOCHS = "epoch 1 val_loss 0.9\nepoch 2 val_loss 0.7\nepoch 3 val_loss 0.6\n"


@pytest.mark.parametrize(
    "printed",
    [
        "+ srun python train.py --lr 0.1 --width {w} --epochs 9 --data /data/x",
        "$ CUDA_VISIBLE_DEVICES=0 python3 -m my.train --lr=0.1 --width={w} --epochs 9",
        "Command: /usr/bin/python -u train.py lr=0.1 width={w} trainer.max_epochs=9",
        "==== Run 1/10: lr=0.1 width={w} epochs=9 ====",
        "==== task 0: balancer=ew lr=0.1 width={w} epochs=9 ====",
        "----- lr=0.1, width={w}, epochs=9 -----",
        "2031-02-03 04:05:06 INFO ### Training with (lr=0.1, width={w}, epochs=9) ###",
        "2031-02-03 04:05:06 INFO Trial 3: lr=0.1, width={w}, epochs=9",
        "2031-02-03 04:05:06 | INFO | fairseq_cli.train | {{'_name': None, 'common': {{'seed': 1}}, "
        "'optimization': {{'max_epoch': 9, 'lr': 0.1}}, 'model': {{'width': {w}}}}}",
    ],
)
def test_they_are_those_of_the_run_below(tmp_path: Path, printed: str, read: Read) -> None:
    table = read(tmp_path, "out.log", "".join(f"{printed.format(w=width)}\n{EPOCHS}" for width in (32, 64)))
    config = {str(name).rpartition(".")[2]: values.tolist() for name, values in table.configs.items()}
    assert config["lr"] == [0.1, 0.1] and config["width"] == [32, 64] and "data" not in config
    assert table.runs["horizon"].tolist() == [9, 9]
    assert [metric.key for metric in table.metrics] == ["val_loss"] and not len(table.signals)


@pytest.mark.parametrize(
    "printed",
    [
        *("=== task 3: loss=0.3 acc=0.5 ===", "=== epoch 0: scale=0.1 warm=1 ===", "--- warm=1 ---", "=== a=1 | b=2"),
        *("Run 3: loss=0.3 acc=0.5", "saved by train.py", "fold 2: acc=0.7", "see train.py for what epochs=9 does"),
    ],
)
def test_what_is_measured_or_said_is_no_setting(tmp_path: Path, printed: str, read: Read) -> None:
    assert not len(read(tmp_path, "out.log", f"{printed}\n{EPOCHS}").configs.columns)


@pytest.mark.parametrize(
    "printed", ["Overriding: max_iters = 2000\nOverriding: lr = 0.01", "Hyperparameters: {'num_train_steps': 2000}"]
)
def test_one_that_says_what_is_planned_stands_alone(tmp_path: Path, printed: str, read: Read) -> None:
    steps = "".join(
        f"step {step}: train loss {9 / (step + 9):.4f}, val loss {8 / (step + 9):.4f}\n" for step in range(0, 900, 250)
    )
    table = read(tmp_path, "a.log", f"{printed}\n{steps}")
    end = 2000 if printed.startswith("Overriding") else 1750  # nanoGPT is known to measure after the last step
    assert table.runs["horizon"].tolist() == [end] and table.runs["status"].tolist() == ["running"]


def test_one_that_says_nothing_of_it_is_none(tmp_path: Path, read: Read) -> None:
    table = read(tmp_path, "a.log", f"config: {{'name': 'base'}}\n{EPOCHS}")
    assert not len(table.configs.columns)
