"""Sweeps from the command line, by whichever engine."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mtl_runs.cli.sweep import _tell
from mtl_runs.sweeps.engine import Train
from mtl_runs.sweeps.local import LocalCrew
from mtl_runs.sweeps.logs import epoch_lines


@pytest.fixture(autouse=True)
def no_processes(here: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine has its own tests; here it is enough that runs are trained."""
    monkeypatch.setattr(LocalCrew, "train", lambda self, jobs, **options: here(jobs, **options))


def test_a_sweep_of_chosen_balancers_ends_with_test_metrics(
    tmp_path: Path, call: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["sweep", "--runs", "2", "--epochs", "1", "--balancers", "gls,imtl_g", "--archs", "mlp-4x1"]
    assert call(*arguments, "--out", str(tmp_path), "--workers", "1", "--device", "cpu", "--test") == 0
    assert {path.stem.split("-")[1] for path in tmp_path.glob("*.jsonl")} == {"gls", "imtl_g"}
    assert (tmp_path / "test.csv").read_text().count("\n") == 1 + 2 * 3
    assert call(*arguments, "--out", str(tmp_path), "--engine", "slurm") == 2
    assert "engine must be one of local, ray, pbt, suggest; found 'slurm'" in capsys.readouterr().err
    assert call("sweep", "--balancers", "best", "--out", str(tmp_path)) == 2
    assert "no balancer 'best'; there are: equal" in capsys.readouterr().err


@pytest.mark.parametrize("engine", ["local", "pbt", "suggest"])
def test_a_sweep_logs_features_where_they_are_asked_for(engine: str, tmp_path: Path, call: Callable[..., int]) -> None:
    arguments = ["sweep", "--runs", "2", "--epochs", "2", "--balancers", "equal", "--archs", "mlp-4x1"]
    arguments += ["--engine", engine, "--workers", "1", "--device", "cpu", "--out", str(tmp_path)]
    if engine == "pbt":
        arguments += ["--exchange-every", "1"]
    assert call(*arguments, "--features") == 0
    logs = [epoch_lines(tmp_path, path.stem) for path in tmp_path.glob("*.jsonl")]
    lines = [line for log in logs for line in log.values()]
    assert lines and all("left|sum/disentanglement" in line["signals"] for line in lines)


def test_a_sweep_of_ones_own_networks_has_no_features(
    tmp_path: Path, call: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "my.py").write_text(
        """
from torch import nn, zeros
from mtl_runs.problems import Problem, Regression, Split

def make():
    data = Split(zeros(200, 3), {"mass": zeros(200, 1), "size": zeros(200, 1)})
    network = lambda: (nn.Linear(3, 4), {"mass": nn.Linear(4, 1), "size": nn.Linear(4, 1)})
    return Problem("", (Regression("mass", 1), Regression("size", 1)), data, data, data, network=network)
"""
    )
    arguments = ["--problem", f"{tmp_path / 'my.py'}:make", "--runs", "1", "--epochs", "1", "--archs", "own"]
    out = tmp_path / "runs"
    assert call("sweep", *arguments, "--features", "--single-task", "--device", "cpu", "--out", str(out)) == 2
    assert "leave features (--features) off, or choose another architecture than 'own'" in capsys.readouterr().err
    assert not out.exists()


def test_a_population_that_exchanges_loss_weights(
    tmp_path: Path, call: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["sweep", "--engine", "pbt", "--runs", "4", "--epochs", "3", "--exchange-every", "1", "--device", "cpu"]
    arguments += ["--archs", "mlp-4x1", "--workers", "1", "--out", str(tmp_path)]
    assert call(*arguments, "--single-task", "--test") == 0
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
        (["--exchange-share", "0.7"], "--exchange-share must be a share above 0 and up to 0.5; found 0.7"),
        (["--perturb", "0"], "--perturb must be a number above 0 and below 1; found 0.0"),
        (["--balancers", "fixed"], "--balancers fixed: the loss weights of a population are drawn, and exchanged"),
        (
            ["--balancers", "log"],
            "--balancers: balancer 'log' needs its setting 'of', which a population does not draw",
        ),
        (["--archs", "foo"], "--archs foo: no architecture 'foo'; write one of mlp-<width>x<depth>,"),
        (["--archs", ","], "--archs names no architecture, such as mlp-64x2; found ','"),
        (["--exchange-every", "40"], "the first exchange would be after epoch 40, but the runs end with epoch 40"),
    ],
)
def test_what_a_population_cannot_be(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    call: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call("sweep", "--engine", "pbt", *arguments, "--out", str(tmp_path / "out")) == 2
    err = capsys.readouterr().err
    assert err.startswith("mtl-runs: ")  # before any progress bar
    assert message in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("engine", ["local", "suggest"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--archs", "mlp-4x1,foo"], "--archs foo: no architecture 'foo'; write one of mlp-<width>x<depth>,"),
        (
            ["--archs", "cnn-8x2"],
            "--archs cnn-8x2: a cnn needs pictures [channels, height, width]; this problem's inputs",
        ),
        (["--archs", "own"], "--archs own: problem 'tabular' brings no network of its own; name another architecture,"),
        (["--archs", ""], "--archs names no architecture, such as mlp-64x2; found ''"),
        (
            ["--balancers", "equal,torchjd"],
            "--balancers: balancer 'torchjd' needs its setting 'name', which a sweep does",
        ),
        (
            ["--balancers", "pivrg"],
            "--balancers: balancer 'pivrg' needs its setting 'reference', which a sweep does not",
        ),
    ],
)
def test_what_a_sample_cannot_be_drawn_from(
    arguments: list[str],
    message: str,
    engine: str,
    tmp_path: Path,
    call: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = ["sweep", "--problem", "tabular", "--engine", engine, "--out", str(tmp_path / "out"), *arguments]
    assert call(*asked) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"mtl-runs: {message}")
    assert not (tmp_path / "out").exists()


def test_sweep_with_baselines(tmp_path: Path, call: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["sweep", "--runs", "5", "--first", "1", "--epochs", "1", "--seed", "3", "--out", str(tmp_path)]
    assert call(*arguments, "--workers", "1", "--single-task", "--device", "cpu") == 0
    assert capsys.readouterr().out == f"1 runs in {tmp_path}: 1 finished\n"
    assert len(list(tmp_path.glob("*.jsonl"))) == 1
    assert len(list((tmp_path / "single-task").glob("*.jsonl"))) == 3
    assert (tmp_path / "baseline.csv").read_text().startswith("arch,task,metric,value\n")
    assert call(*arguments, "--epochs", "2", "--device", "cpu") == 2
    assert "horizon: 1 in the log, 2 now" in capsys.readouterr().err


@pytest.mark.slow
def test_a_sweep_by_what_is_worth_training_next(
    tmp_path: Path, call: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "runs"
    arguments = ["sweep", "--problem", "digits", "--runs", "5", "--epochs", "6", "--archs", "mlp-16x1"]
    arguments += ["--balancers", "equal", "--workers", "1", "--out", str(out), "--engine", "suggest", "--budget"]
    for budget in ("8", "12"):
        assert call(*arguments, budget) == 0
        told = capsys.readouterr().out
        lines = [json.loads(line) for path in out.glob("*.jsonl") for line in path.read_text().splitlines()]
        assert sum(line["type"] == "epoch" for line in lines) == int(budget) and "5 runs in" in told


@pytest.mark.slow
def test_a_sweep_that_ends_when_hardly_more_than_its_budget_of_regret_is_lost(
    tmp_path: Path, call: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "runs"
    arguments = ["sweep", "--problem", "digits", "--runs", "6", "--epochs", "6", "--archs", "mlp-16x1"]
    arguments += ["--balancers", "equal", "--workers", "1", "--out", str(out), "--engine", "suggest"]
    arguments += ["--regret", "1 spread", "--alpha", "0.5", "--keep", "2"]
    assert call(*arguments) == 0
    told = capsys.readouterr()
    assert "6 runs in" in told.out and "no run must go on: more than" in told.err
    epochs = {path.stem: path.read_text().count('"type":"epoch"') for path in out.glob("*.jsonl")}
    assert min(epochs.values()) == 2 and list(epochs.values()).count(6) >= 2
    assert call(*arguments) == 0  # nothing is left to be trained
    assert epochs == {path.stem: path.read_text().count('"type":"epoch"') for path in out.glob("*.jsonl")}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--engine", "suggest", "--keep", "2"], "--keep belongs to a budget of regret: add --regret"),
        (["--engine", "suggest", "--regret", "much"], "regret is 'much'"),
        (["--engine", "suggest", "--stop-with", "shipped"], "leave out --stop-with"),
        (["--regret", "0.5"], "--regret says how runs are stopped, and none is: add --stop-with shipped, or leave it"),
        (["--keep", "5", "--min-epochs", "3"], "--keep says how runs are stopped"),
        (["--budget", "10"], "is for --engine suggest"),
    ],
)
def test_what_is_suggested_is_never_stopped(
    options: list[str],
    message: str,
    tmp_path: Path,
    call: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call("sweep", *options, "--out", str(tmp_path / "out")) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("engine", ["local", "pbt", "suggest"])
def test_every_engine_trains_on_ray_and_names_the_extra_that_it_needs(
    engine: str,
    tmp_path: Path,
    call: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    arguments = ["--problem", "tabular", "--runs", "4", "--device", "cpu", "--out", str(tmp_path / "out")]
    for spelling in (["--engine", engine, "--on", "ray"], ["--engine", "ray"]):
        assert call("sweep", *spelling, *arguments) == 2
        assert "pip install 'lcode[ray]'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--on", "slurm"], "--on must be one of local, ray; found 'slurm'"),
        (["--engine", "ray", "--on", "local"], "--engine ray trains on Ray: leave out --on local, or --engine ray"),
    ],
)
def test_where_a_sweep_cannot_train(
    options: list[str], message: str, tmp_path: Path, call: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("sweep", *options, "--out", str(tmp_path / "out")) == 2
    assert message in capsys.readouterr().err


def test_runs_of_another_problem_in_the_folder_are_refused(
    tmp_path: Path, call: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["sweep", "--runs", "1", "--epochs", "1", "--balancers", "equal", "--out", str(tmp_path)]
    assert call(*arguments, "--archs", "mlp-4x1", "--workers", "1", "--device", "cpu") == 0
    assert call(*arguments, "--problem", "tabular") == 2
    assert "holds runs of 'digits', such as r0000-equal-mlp-4x1.jsonl; choose another --out" in capsys.readouterr().err


def test_failed_runs_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "r1.jsonl").write_text('{"type":"header"}\n{"type":"end","status":"failed","reason":"diverged"}\n')
    _tell({"r0": "finished", "r1": "failed"}, tmp_path)
    assert capsys.readouterr().out.splitlines()[1:] == ["  failed: r1 (diverged)"]
