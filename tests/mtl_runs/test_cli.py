from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lcode.errors import DataNotFoundError
from mtl_runs import cli, problems
from mtl_runs.problems import Problem


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Exit status of `mtl-runs` with these arguments."""
    monkeypatch.setattr(sys, "argv", ["mtl-runs", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def test_help_is_light() -> None:
    code = (
        "import sys; from mtl_runs.cli import app; from typer.testing import CliRunner; "
        "assert CliRunner().invoke(app, ['sweep', '--help']).exit_code == 0; "
        "assert not {'torch', 'pandas', 'sklearn'} & set(sys.modules), 'heavy import'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_train_and_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["train", "--arch", "mlp-8x1", "--balancer", "cagrad", "--set", "c=0.3", "--epochs", "2"]
    arguments += ["--loss-weights", "sum=0.1", "--out", str(tmp_path), "--run", "mine", "--device", "cpu"]
    assert call(monkeypatch, *arguments) == 0
    out = capsys.readouterr().out
    assert "epoch    2/2  left/err 0." in out
    assert f"finished at epoch 2: {tmp_path / 'mine.jsonl'}" in out
    header = json.loads((tmp_path / "mine.jsonl").read_text().splitlines()[0])
    assert header["config"]["cagrad.c"] == 0.3
    assert header["config"]["weight.sum"] == 0.1
    assert call(monkeypatch, *arguments) == 0


def test_a_problem_and_a_network_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
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
    assert call(monkeypatch, "train", *arguments, "--test", "--out", str(tmp_path / "runs")) == 0
    assert f"finished at epoch 1: {tmp_path / 'runs' / 'equal-own-s0.jsonl'}" in capsys.readouterr().out
    assert call(monkeypatch, "train", *arguments, "--arch", "mlp-4x1", "--out", str(tmp_path / "runs")) == 0
    assert call(monkeypatch, "train", "--arch", "own", "--epochs", "1", "--out", str(tmp_path / "runs")) == 2
    assert "problem 'digits' brings no network of its own" in capsys.readouterr().err


def test_fixed_weights_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["--balancer", "fixed", "--set", "weights=1,1,2", "--arch", "mlp-8x1", "--epochs", "1"]
    assert call(monkeypatch, "train", *arguments, "--out", str(tmp_path), "--device", "cpu") == 0
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
        (["--loss-weights", "top=1"], "no task 'top'; there are: left, right, sum"),
        (["--loss-weights", "sum=x"], "the loss weight of 'sum' must be a number of at least 0; found 'x'"),
        (["--device", "tpu"], "device must be auto, cpu or cuda; found 'tpu'"),
        (["--task", "top"], "problem 'digits' has no task 'top'"),
        (["--schedule", "linear"], "schedule must be one of constant, cosine, step"),
        (["--run", "a/b"], "run name 'a/b' cannot be a file name"),
    ],
)
def test_mistakes_get_one_clear_message(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call(monkeypatch, "train", *arguments, "--out", str(tmp_path / "out")) == 2
    err = capsys.readouterr().err
    assert err.startswith("mtl-runs: ")
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["train", "sweep"])
def test_a_folder_that_cannot_be_made_is_no_bug(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("a file")
    options = ["--runs", "1", "--workers", "1", "--archs", "mlp-4x1"] if command == "sweep" else ["--arch", "mlp-4x1"]
    assert call(monkeypatch, command, *options, "--epochs", "1", "--out", str(tmp_path / "out"), "--device", "cpu") == 2
    err = capsys.readouterr().err
    assert "mtl-runs: " in err and "give another path" in err and "Traceback" not in err
    assert (tmp_path / "out").read_text() == "a file"


def test_a_full_disk_ends_a_training_with_one_message_and_it_goes_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
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
        assert call(monkeypatch, *arguments) == 2
    err = capsys.readouterr().err
    assert "a.jsonl: No space left on device" in err and "free some space" in err and "Traceback" not in err
    assert (tmp_path / "a.jsonl").read_bytes().count(b"\n") == 2
    assert call(monkeypatch, *arguments) == 0
    assert "finished at epoch 3" in capsys.readouterr().out


def test_lists(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, "problems") == 0
    assert "digits: left/err (min), right/err (min), sum/rmse (min); 2500 / 1500 / 1500" in capsys.readouterr().out
    assert call(monkeypatch, "balancers") == 0
    out = capsys.readouterr().out
    assert "cagrad(c=0.4, rescale=1)\n    CAGrad (Liu et al., NeurIPS 2021" in out
    assert call(monkeypatch, "architectures") == 0
    assert "mmoe-<width>x<depth>e<experts>\n" in capsys.readouterr().out


def test_a_problem_without_its_data_is_listed_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing() -> Problem:
        raise DataNotFoundError("its pictures are missing; install them")

    monkeypatch.setattr(problems, "PROBLEMS", {"digits": problems.PROBLEMS["digits"], "fashion": missing})
    assert call(monkeypatch, "problems") == 0
    out = capsys.readouterr().out
    assert "fashion: its pictures are missing; install them\n" in out
    assert "nyuv2:FOLDER: " in out


def test_a_sweep_of_chosen_balancers_ends_with_test_metrics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["sweep", "--runs", "2", "--epochs", "1", "--balancers", "gls,imtl_g", "--archs", "mlp-4x1"]
    assert call(monkeypatch, *arguments, "--out", str(tmp_path), "--workers", "1", "--device", "cpu", "--test") == 0
    assert {path.stem.split("-")[1] for path in tmp_path.glob("*.jsonl")} == {"gls", "imtl_g"}
    assert (tmp_path / "test.csv").read_text().count("\n") == 1 + 2 * 3
    assert call(monkeypatch, *arguments, "--out", str(tmp_path), "--engine", "slurm") == 2
    assert "engine must be one of local, ray, pbt, suggest; found 'slurm'" in capsys.readouterr().err
    assert call(monkeypatch, "sweep", "--balancers", "best", "--out", str(tmp_path)) == 2
    assert "no balancer 'best'; there are: equal" in capsys.readouterr().err


def test_a_population_that_exchanges_loss_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["sweep", "--engine", "pbt", "--runs", "4", "--epochs", "3", "--exchange-every", "1", "--device", "cpu"]
    arguments += ["--archs", "mlp-4x1", "--workers", "1", "--out", str(tmp_path)]
    assert call(monkeypatch, *arguments, "--single-task", "--test") == 0
    first, best, *schedule, tested = capsys.readouterr().out.splitlines()
    assert first == f"4 runs in {tmp_path}: 4 finished"
    assert re.fullmatch(
        r"best on validation data: m0\d-equal-mlp-4x1 \(Δm [+-][\d.]+ % over the single-task baselines\); its .*", best
    )
    assert re.match(r"  epochs 1-\d: left [\d.]+  right [\d.]+  sum [\d.]+  \(m0\d-equal-mlp-4x1\)", schedule[0])
    assert tested == f"test metrics of the finished runs: {tmp_path / 'test.csv'}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--archs", "mlp-4x1,cnn-8x2"],
            "so they have one architecture; name one, not 2 (mlp-4x1, cnn-8x2), or",
        ),
        (["--balancers", "equal,mgda"], "so they have one balancer; name one, not 2 (equal, mgda), or choose another"),
        (["--balancers", "nash"], "no balancer 'nash'; there are: equal"),
        (["--first", "3"], "the runs of a population depend on each other: leave out --first and --stop-with"),
        (["--stop-with", "shipped"], "depend on each other: leave out --first and --stop-with"),
        (["--exchange-share", "0.7"], "the quantile of an exchange must be a share above 0 and up to 0.5; found 0.7"),
        (["--perturb", "0"], "the perturbation of an exchange must be a number above 0 and below 1; found 0.0"),
        (["--exchange-every", "40"], "the first exchange would be after epoch 40, but the runs end with epoch 40"),
    ],
)
def test_what_a_population_cannot_be(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call(monkeypatch, "sweep", "--engine", "pbt", *arguments, "--out", str(tmp_path / "out")) == 2
    err = capsys.readouterr().err
    assert err.startswith("mtl-runs: ")
    assert message in err
    assert not (tmp_path / "out").exists()


def test_methods_around_a_balancer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
    assert call(monkeypatch, "train", *arguments, "--run", "a", "--device", "cpu", "--test") == 0
    header = json.loads((tmp_path / "a.jsonl").read_text().splitlines()[0])
    assert (header["config"]["flat_radius"], header["config"]["auto_lr"]) == (0.01, 5)


def test_sweep_with_baselines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["sweep", "--runs", "5", "--first", "1", "--epochs", "1", "--seed", "3", "--out", str(tmp_path)]
    assert call(monkeypatch, *arguments, "--workers", "1", "--single-task", "--device", "cpu") == 0
    assert capsys.readouterr().out == f"1 runs in {tmp_path}: 1 finished\n"
    assert len(list(tmp_path.glob("*.jsonl"))) == 1
    assert len(list((tmp_path / "single-task").glob("*.jsonl"))) == 3
    assert (tmp_path / "baseline.csv").read_text().startswith("arch,task,metric,value\n")
    assert call(monkeypatch, *arguments, "--epochs", "2", "--device", "cpu") == 2
    assert "horizon: 1 in the log, 2 now" in capsys.readouterr().err


@pytest.mark.slow
def test_a_sweep_by_what_is_worth_training_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "runs"
    arguments = ["sweep", "--problem", "digits", "--runs", "5", "--epochs", "6", "--archs", "mlp-16x1"]
    arguments += ["--balancers", "equal", "--workers", "1", "--out", str(out), "--engine", "suggest", "--budget"]
    for budget in ("8", "12"):
        assert call(monkeypatch, *arguments, budget) == 0
        told = capsys.readouterr().out
        lines = [json.loads(line) for path in out.glob("*.jsonl") for line in path.read_text().splitlines()]
        assert sum(line["type"] == "epoch" for line in lines) == int(budget) and "5 runs in" in told


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--engine", "suggest", "--stop-with", "shipped"], "leave out --stop-with"),
        (["--budget", "10"], "is for --engine suggest"),
    ],
)
def test_what_is_suggested_is_never_stopped(
    options: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call(monkeypatch, "sweep", *options, "--out", str(tmp_path / "out")) == 2
    assert message in capsys.readouterr().err
