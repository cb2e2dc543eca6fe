"""LOGS on the command line: what was understood is said first, and can be changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lcode.cli import run_app
from lcode.cli.commands import app


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three runs of another tool's kind: a file each, counters, clocks, training and validation."""
    for run, scale in (("a", 1.0), ("b", 0.9), ("c", 0.8)):
        last = 4 if run == "c" else 8
        rows = [
            f"{e},{100 * e},{1.5 * e},{scale / (e + 1):.4f},{scale * 1.1 / (e + 1):.4f},{1 - scale / (e + 2):.4f},adam"
            for e in range(last)
        ]
        (tmp_path / "logs" / run).mkdir(parents=True)
        head = "epoch,step,elapsed,train/loss,val/seg_loss,val/depth_acc,optimizer"
        (tmp_path / "logs" / run / "metrics.csv").write_text("\n".join([head, *rows, ""]))
    return tmp_path / "logs"


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = run_app(app, [str(argument) for argument in arguments], name="lcode")
    done = capsys.readouterr()
    return status, done.out, done.err


def test_every_command_says_what_it_understood(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = call(capsys, "predict", folder)
    assert status == 0
    assert err.startswith("read 3 runs of tables: 2 tasks, epochs 0–7 (horizon 7, assumed), 1 running, 2 finished")
    assert "scored: seg/loss ↓, depth/acc ↑" in err and "signals: train/loss" in err
    assert "configuration: optimizer" in err and "step (counter), elapsed (clock)" in err and "--only" in err
    assert all(run in out for run in "abc") and "seg/loss" in out


def test_choices_change_it_and_are_kept(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = tmp_path / "mapping.json"
    status, out, err = call(capsys, "inspect", folder, "--only", "seg/*", "--epoch", "step", "--save", saved)
    assert status == 0 and "step 0–700" in err and "scored: seg/loss ↓\n" in err and "running" in out
    assert json.loads(saved.read_text())["only"] == ["seg/*"]
    assert "odd: end sooner than others" in out and "'c'" in out
    status, _, err = call(capsys, "rank", folder, "--mapping", saved)
    assert status == 0 and "step 0–700" in err and "scored: seg/loss ↓\n" in err
    status, _, err = call(capsys, "rank", folder, "--mapping", saved, "--only", "depth/*")
    assert status == 0 and "scored: depth/acc ↑\n" in err


def test_a_table_that_says_everything_itself_needs_no_advice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "runs.csv").write_text("run,epoch,horizon,err\na,1,9,0.5\na,2,9,0.4\n")
    _, _, err = call(capsys, "predict", tmp_path / "runs.csv")
    assert err.startswith("read 1 run of tables: 1 task, epochs 1–2 (horizon 9), 1 running\n") and "--only" not in err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--epoch", "when"], "no column 'when'"),
        (["--map", "val/{task}"], "must hold {metric}"),
        (["--mapping", "none.json"], "is no mapping file"),
        (["--only", "nothing/*"], "no curve is left to be scored"),
    ],
)
def test_choices_that_make_no_sense(
    folder: Path, arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = call(capsys, "rank", folder, *arguments)
    assert status == 2 and not out and expected in err and "Traceback" not in err
