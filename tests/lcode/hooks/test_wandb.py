"""Runs of W&B, offline: they end by their own loop, and their summaries say why."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
import wandb

from lcode.errors import UsageError
from lcode.forecasters.base import Forecaster
from lcode.hooks import Monitor
from lcode.hooks.wandb import WandbRun
from lcode.readers import read_logs

SETTINGS: dict[str, Any] = {
    "mode": "offline",
    "settings": wandb.Settings(silent=True, console="off", x_disable_stats=True),
}


def test_a_run_leaves_its_loop_and_says_why(tmp_path: Path, trend: Forecaster, monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[dict[str, Any]] = []
    with wandb.init(project="p", id="a17", dir=tmp_path, config={"lr": 0.1, "tags": ["x"]}, **SETTINGS) as run:
        watch = WandbRun({"val/acc": "max"}, 30, sweep=tmp_path / "runs", model=trend, min_epochs=3, min_delta=0.02)
        log = run.log

        def listen(row: dict[str, Any]) -> None:
            logged.append(row)
            log(row)

        monkeypatch.setattr(run, "log", listen)
        for epoch in range(1, 31):
            if watch.log(epoch, {"val/acc": 0.1 * min(epoch, 5), "train/loss": 0.3}):
                break
        watch.finish()
        said = dict(run.summary)
    assert epoch == 6 and said["lcode/kind"] == "nothing to gain" and said["lcode/saved_epochs"] == 24
    assert said["lcode/reason"].startswith("P(better than its best so far, until epoch 30): val/acc 0.0")
    assert logged[0] == {"epoch": 1, "val/acc": 0.1, "train/loss": 0.3}
    assert logged[-1]["lcode/val/acc"] == pytest.approx(0.5)
    table = read_logs(tmp_path / "runs")
    assert table.run_ids == ("a17",) and table.configs.loc["a17"].to_dict() == {"lr": 0.1}


def test_a_beaten_run_is_read_as_stopped_and_its_forecasts_as_no_metrics(tmp_path: Path, trend: Forecaster) -> None:
    reached = {"good": [0.1 * epoch for epoch in range(1, 7)], "bad": [0.01] * 6, "flat": [0.7] * 6}
    others = Monitor(trend, objective="mean", keep=0, min_epochs=3)
    for name, values in reached.items():
        with wandb.init(project="p", id=name, dir=tmp_path, **SETTINGS):
            watch = WandbRun({"val/acc": "max"}, 6, sweep=others, min_delta=0.02)
            for epoch, value in enumerate(values, start=1):
                if watch.log(epoch, {"val/acc": value}):
                    break
            assert watch.stopper.decision is not None
            assert watch.stopper.decision.kind == {"good": "finished", "bad": "beaten", "flat": "nothing to gain"}[name]
    table = read_logs(tmp_path / "wandb")
    assert [metric.key for metric in table.metrics] == ["val/acc"]
    assert table.runs["status"].to_dict() == {"good": "finished", "bad": "stopped", "flat": "finished"}


def test_without_a_run_it_says_how_to_begin_one() -> None:
    with pytest.raises(UsageError, match=r"no run of W&B has begun; call wandb.init\(\) first"):
        WandbRun("loss", 9)


def test_a_run_that_raises_has_failed(tmp_path: Path, trend: Forecaster) -> None:
    others = Monitor(trend)
    for name, error in (("crashed", RuntimeError), ("interrupted", KeyboardInterrupt), ("left", None)):
        with (
            wandb.init(project="p", id=name, dir=tmp_path, **SETTINGS),
            contextlib.suppress(RuntimeError, KeyboardInterrupt),
            WandbRun({"val/acc": "max"}, 6, sweep=others) as watch,
        ):
            watch.log(1, {"val/acc": 0.1})
            if error is not None:
                raise error
    told = [others.status(name) for name in ("crashed", "interrupted", "left")]
    assert told == ["failed", "running", "finished"]
