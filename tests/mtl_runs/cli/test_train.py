"""One run from the command line."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mtl_runs.sweeps.logs import epoch_lines


def test_train_and_resume(tmp_path: Path, call: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["train", "--arch", "mlp-8x1", "--balancer", "cagrad", "--set", "c=0.3", "--epochs", "2"]
    arguments += ["--loss-weights", "sum=0.1", "--out", str(tmp_path), "--run", "mine", "--device", "cpu"]
    assert call(*arguments) == 0
    out = capsys.readouterr().out
    assert "epoch    2/2  left/err 0." in out
    assert f"finished at epoch 2: {tmp_path / 'mine.jsonl'}" in out
    header = json.loads((tmp_path / "mine.jsonl").read_text().splitlines()[0])
    assert header["config"]["cagrad.c"] == 0.3
    assert header["config"]["weight.sum"] == 0.1
    assert call(*arguments) == 0


def test_a_problem_and_a_network_of_ones_own(
    tmp_path: Path, call: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "my.py").write_text(
        """
from torch import nn, zeros
from mtl_runs.problems import Problem, Regression, Split

def make():
    data = Split(zeros(8, 3), {"mass": zeros(8, 1), "size": zeros(8, 1)})
    network = lambda: (nn.Linear(3, 4), {"mass": nn.Linear(4, 1), "size": nn.Linear(4, 1)})
    return Problem("", (Regression("mass", 1), Regression("size", 1)), data, data, data, network=network)
"""
    )
    arguments = ["--problem", f"{tmp_path / 'my.py'}:make", "--epochs", "1", "--batch-size", "4", "--device", "cpu"]
    assert call("train", *arguments, "--test", "--out", str(tmp_path / "runs")) == 0
    assert f"finished at epoch 1: {tmp_path / 'runs' / 'equal-own-s0.jsonl'}" in capsys.readouterr().out
    assert call("train", *arguments, "--arch", "mlp-4x1", "--out", str(tmp_path / "runs")) == 0
    assert call("train", *arguments, "--features", "--run", "b", "--out", str(tmp_path / "runs")) == 2
    assert "leave features (--features) off, or choose another architecture than 'own'" in capsys.readouterr().err
    assert not (tmp_path / "runs" / "b.jsonl").exists()
    assert call("train", "--arch", "own", "--epochs", "1", "--out", str(tmp_path / "runs")) == 2
    assert "problem 'digits' brings no network of its own" in capsys.readouterr().err


def test_fixed_weights_on_the_command_line(tmp_path: Path, call: Callable[..., int]) -> None:
    arguments = ["--balancer", "fixed", "--set", "weights=1,1,2", "--arch", "mlp-8x1", "--epochs", "1"]
    assert call("train", *arguments, "--out", str(tmp_path), "--device", "cpu") == 0
    header = json.loads((tmp_path / "fixed-mlp-8x1-s0.jsonl").read_text().splitlines()[0])
    assert header["config"]["weight.sum"] == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--problem", "digit"], "no problem 'digit'; there are: digits"),
        (["--arch", "vit-3x3"], "no architecture 'vit-3x3'; write one of mlp-"),
        (["--balancer", "nash"], "no balancer 'nash'; there are: equal, fixed"),
        (["--set", "c"], "a setting is written name=value, such as c=0.4; found 'c'"),
        (["--balancer", "mgda", "--set", "c=1"], "balancer 'mgda' has no setting 'c'"),
        (["--loss-weights", "1,2,3"], "loss weights are written task=weight, such as left=1,sum=0.5; found '1,2,3'"),
        (["--loss-weights", "top=1"], "no task 'top'; there are: left, right, sum"),
        (["--loss-weights", "sum=x"], "the loss weight of 'sum' must be a number of at least 0; found 'x'"),
        (["--device", "tpu"], "device must be auto, cpu or cuda; found 'tpu'"),
        (["--task", "top"], "problem 'digits' has no task 'top'"),
        (["--schedule", "linear"], "schedule must be one of constant, cosine, step"),
        (["--run", "a/b"], "run name 'a/b' cannot be a file name"),
        (
            ["--features", "--task", "sum"],
            "is between two tasks: leave features (--features) off where one is trained alone",
        ),
    ],
)
def test_mistakes_get_one_clear_message(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    call: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call("train", *arguments, "--out", str(tmp_path / "out")) == 2
    err = capsys.readouterr().err
    assert err.startswith("mtl-runs: ")
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_full_disk_ends_a_training_with_one_message_and_it_goes_on_later(
    tmp_path: Path, call: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write, calls = os.write, 0

    def full_disk(handle: int, data: bytes) -> int:
        nonlocal calls
        calls += data.startswith(b'{"type":"epoch"')
        if calls == 2 and data.startswith(b'{"type":"epoch"'):
            write(handle, data[:10])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(handle, data)

    arguments = ["train", "--arch", "mlp-4x1", "--epochs", "3", "--out", str(tmp_path), "--run", "a", "--device", "cpu"]
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full_disk)
        assert call(*arguments) == 2
    err = capsys.readouterr().err
    assert "a.jsonl: No space left on device" in err and "free some space" in err and "Traceback" not in err
    assert (tmp_path / "a.jsonl").read_bytes().count(b"\n") == 2
    assert call(*arguments) == 0
    assert "finished at epoch 3" in capsys.readouterr().out


def test_features_are_logged_where_they_are_asked_for_and_go_on_after_an_interruption(
    tmp_path: Path, call: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["train", "--arch", "mlp-8x1", "--epochs", "8", "--lr", "0.01", "--run", "a", "--device", "cpu"]
    assert call(*arguments, "--features", "--out", str(tmp_path / "whole")) == 0
    whole = epoch_lines(tmp_path / "whole", "a")
    pairs = [f"{pair}/disentanglement" for pair in ("left|right", "left|sum", "right|sum")]
    assert all(0 < line["signals"][pair] < 1 for line in whole.values() for pair in pairs)

    write = os.write

    def full_disk(handle: int, data: bytes) -> int:
        if data.startswith(b'{"type":"epoch","epoch":7,'):
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(handle, data)

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full_disk)
        assert call(*arguments, "--features", "--out", str(tmp_path / "broken")) == 2
    assert max(epoch_lines(tmp_path / "broken", "a")) == 6
    assert call(*arguments, "--features", "--out", str(tmp_path / "broken")) == 0
    broken = epoch_lines(tmp_path / "broken", "a")
    assert {e: line["signals"] for e, line in broken.items()} == {e: line["signals"] for e, line in whole.items()}


def test_without_being_asked_for_features_they_are_not_logged(tmp_path: Path, call: Callable[..., int]) -> None:
    arguments = ["train", "--arch", "mlp-4x1", "--epochs", "1", "--run", "a", "--device", "cpu", "--out", str(tmp_path)]
    assert call(*arguments) == 0
    assert "disentanglement" not in (tmp_path / "a.jsonl").read_text()


def test_methods_around_a_balancer(tmp_path: Path, call: Callable[..., int]) -> None:
    arguments = [
        "--arch",
        "mlp-4x1",
        "--epochs",
        "1",
        "--flat-radius",
        "0.01",
        "--auto-lr",
        "5",
        "--out",
        str(tmp_path),
    ]
    assert call("train", *arguments, "--run", "a", "--device", "cpu", "--test") == 0
    header = json.loads((tmp_path / "a.jsonl").read_text().splitlines()[0])
    assert (header["config"]["flat_radius"], header["config"]["auto_lr"]) == (0.01, 5)
