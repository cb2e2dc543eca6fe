"""Settings that a program prints before it trains."""

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
        "Namespace(lr=0.1, width={w}, optimizer='adam', epochs=9, data='/data/x', device=device(type='cuda'))",
        "2031-02-03 04:05:06,789 - INFO - args: Namespace(epochs=9, lr=0.1, optimizer='adam', width={w})",
        "Trial 0 params: {{'lr': 0.1, 'width': {w}, 'optimizer': 'adam', 'epochs': 9}}",
        "Hyper-parameters:\n=====\n  lr: 0.1\n  width: {w}\n  optimizer: adam\n  epochs: 9\n",
        "12:00:01 - INFO - Args:\n12:00:01 - INFO - \tlr: 0.1\n12:00:01 - INFO - \twidth: {w}\n"
        "12:00:01 - INFO - \toptimizer: adam\n12:00:01 - INFO - \tepochs: 9\n12:00:01 - INFO - ready",
        'Model config:\n{{\n  "lr": 0.1,\n  "width": {w},\n  "optimizer": "adam",\n  "epochs": 9\n}}',
        "[2031-02-03 04:05:06] [config] lr: 0.1\n[2031-02-03 04:05:06] [config] cost-weights:\n"
        "[2031-02-03 04:05:06] [config]   - 1\n[2031-02-03 04:05:06] [config] width: {w}\n"
        "[2031-02-03 04:05:06] [config] optimizer: adam\n[2031-02-03 04:05:06] [config] epochs: 9",
        "----------- arguments -----------\n  lr ............ 0.1\n  width ......... {w}\n  optimizer ..... adam\n"
        "  epochs ........ 9\n-------- end of arguments -------\n",
        '2031-02-03 04:05:06,789 P12 INFO {{\n    "lr": "0.1",\n    "width": "{w}",\n    "optimizer": "adam",\n'
        '    "epochs": "9",\n    "metrics": "[\'a\', \'b\']"\n}}',
        "Agent starting run with config:\n\tlr: 0.1\n\twidth: {w}\n\toptimizer: adam\n\tepochs: 9",
    ],
)
def test_printed_settings_are_those_of_the_run(tmp_path: Path, printed: str, read: Read) -> None:
    table = read(tmp_path, "out.log", "".join(f"{printed.format(w=width)}\n{EPOCHS}" for width in (32, 64)))
    config = table.configs
    assert config["lr"].tolist() == [0.1, 0.1] and config["width"].tolist() == [32, 64]
    assert config["optimizer"].tolist() == ["adam", "adam"] and "data" not in config
    assert table.runs["horizon"].tolist() == [9, 9]
    assert [metric.key for metric in table.metrics] == ["val_loss"] and not len(table.signals)


def test_settings_told_behind_a_trial_are_of_it_and_those_of_the_best_of_none(tmp_path: Path, read: Read) -> None:
    text = "".join(
        f"{EPOCHS}Trial {at} finished with value: 0.6 and parameters: {{'lr': {rate}, 'width': 8}}.\n"
        for at, rate in enumerate((0.1, 0.2))
    )
    table = read(tmp_path, "out.log", f"{text}Best config: {{'lr': 0.3, 'width': 9}}\n")
    assert table.configs["lr"].tolist() == [0.1, 0.2]


def test_settings_of_gin_and_what_they_plan(tmp_path: Path, read: Read) -> None:
    head = "src - INFO - gin-bound config values:\ntrain.max_n_epochs = 80\ntrain.batch_size = 4\n"
    table = read(tmp_path, "out.log", f"{head}{EPOCHS}")
    assert table.configs.loc["out"].to_dict() == {"train.max_n_epochs": 80, "train.batch_size": 4}
    assert table.runs["horizon"].tolist() == [80]


@pytest.mark.parametrize(
    "head",
    [
        "2031-02-03 04:05:06 - INFO: The hyperparameter list:\n2031-02-03 04:05:06 - INFO:   --width 8\n"
        "2031-02-03 04:05:06 - INFO:   --opt sgd\n",
        "wandb: Agent Starting Run: 4abc with config:\nwandb: \twidth: 8\nwandb: \topt: sgd\n",
    ],
)
def test_settings_behind_what_a_logger_begins_lines_with(tmp_path: Path, read: Read, head: str) -> None:
    table = read(tmp_path, "out.log", f"{head}wandb: Syncing run 4abc\n{EPOCHS}")
    assert table.configs.loc["out"].to_dict() == {"width": 8, "opt": "sgd"}


def test_groups_of_settings_have_their_names_before_them_and_values_below_are_curves(
    tmp_path: Path, read: Read
) -> None:
    head = "Config:\nmodel:\n  name: unet\n  width: 8\noptimizer:\n  name: sgd\n  lr: 0.1\n"
    table = read(
        tmp_path, "out.log", f"{head}\nThe config:\na: 1\nb: 2\nepoch 1\nval_loss: 0.9\nepoch 2\nval_loss: 0.5\n"
    )
    assert table.configs.loc["out"].to_dict() == {
        "model.name": "unet",
        "model.width": 8,
        "optimizer.name": "sgd",
        "optimizer.lr": 0.1,
        "a": 1,
        "b": 2,
    }
    assert table.points["value"].tolist() == [0.9, 0.5]


def test_settings_of_a_file_that_was_printed_with_its_comments_and_one_from_the_command_line(
    tmp_path: Path, read: Read
) -> None:
    printed = (
        "Overriding config with config/train.py:\n# train a small model\nlearning_rate = 0.1 # with small ones\n"
        "max_iters = 900\nOverriding: dropout = 0.2\nnumber of parameters: 10.65M\n"
    )
    losses = "".join(f"step {at}: train loss 2.5, val loss {3 - at / 900}\n" for at in (100, 200, 300))
    table = read(tmp_path, "out.log", printed + losses)
    assert table.configs[["learning_rate", "dropout"]].iloc[0].tolist() == [0.1, 0.2]
    assert table.runs["horizon"].tolist() == [900]


def test_how_marian_says_what_is_planned(tmp_path: Path, read: Read) -> None:
    table = read(tmp_path, "one.log", "[config] learn-rate: 0.1\n[config] after-epochs: 7\n" + EPOCHS)
    assert table.runs["horizon"].tolist() == [7]
    table = read(tmp_path, "one.log", "[config] learn-rate: 0.1\n[config] after-epochs: 0\n" + EPOCHS)
    assert table.runs["horizon"].tolist() == [3]  # endless
