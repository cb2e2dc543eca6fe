"""Small logs, a model folder, and a way to call the command line in-process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from lcode.cli.commands import app
from lcode.cli.console import run_app
from lcode.table import RunTable

if TYPE_CHECKING:
    from lcode.forecasters.lcgode import LCGODEForecaster


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    status: int
    out: str
    err: str


Lcode = Callable[..., Done]


@pytest.fixture
def lcode_command(capsys: pytest.CaptureFixture[str]) -> Lcode:
    """Calls `lcode` with these arguments."""

    def call(*arguments: object) -> Done:
        capsys.readouterr()
        status = run_app(app, [str(argument) for argument in arguments], name="lcode")
        return Done(status, *capsys.readouterr())

    return call


@pytest.fixture
def quick_fits(monkeypatch: pytest.MonkeyPatch, brief_search: None) -> None:
    """Fits take a few steps."""
    from lcode.ensemble import training
    from lcode.network.loop import FitSettings

    monkeypatch.setattr(training, "settings_for", lambda runs, **_: FitSettings(steps=6, batch=8))


def wide(table: RunTable) -> pd.DataFrame:
    """The table as the wide CSV of the contract."""
    points = table.points.astype({"run": str, "metric": str})
    curves = points.pivot(index=["run", "epoch"], columns="metric", values="value")
    curves = curves[[metric.key for metric in table.metrics]].reset_index()
    settings = table.configs.add_prefix("config.").join(table.runs[["horizon", "status", "arch"]])
    return curves.merge(settings, left_on="run", right_index=True)


@pytest.fixture(scope="session")
def graphs_file(history: RunTable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The graphs of the family."""
    path = tmp_path_factory.mktemp("graphs") / "graphs.json"
    path.write_text(json.dumps({name: graph.to_json() for name, graph in history.graphs.items()}))
    return path


@pytest.fixture(scope="session")
def finished_logs(history: RunTable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty finished runs."""
    path = tmp_path_factory.mktemp("finished") / "runs.csv"
    wide(history).to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def running_logs(fresh: RunTable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight runs: six at epoch 4, one of which diverged, one at its first epoch, one finished."""
    cut = fresh.prefix(dict.fromkeys(fresh.run_ids[:7], 4) | {"n06": 1})
    frame = wide(cut)
    frame.loc[(frame["run"] == "n05") & (frame["epoch"] == 4), "seg/err"] = float("inf")
    path = tmp_path_factory.mktemp("running") / "runs.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def model_folder(small: LCGODEForecaster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small model, saved."""
    folder = tmp_path_factory.mktemp("model") / "model"
    small.save(folder)
    return folder
