"""A training loop of somebody who knows nothing of us but `lcode.fit` and `lcode.Monitor`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

import lcode
from lcode.ensemble import context
from lcode.ensemble.at_cutoff import AtCutoff
from lcode.ensemble.base_model import Observed
from lcode.ensemble.registry import Learning
from lcode.forecasters.lcgode import LCGODEForecaster
from lcode.network.loop import FitSettings

EPOCHS = 15
OnEpoch = Callable[[int, dict[str, float]], bool]


def train(lr: float, seed: int, on_epoch: OnEpoch) -> None:
    """Two regressions on one trunk; ends early when told so."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(64, 4, generator=generator)
    targets = [torch.sin(x[:, :1] + x[:, 1:2]), x[:, 2:3] * x[:, 3:]]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        trunk, heads = nn.Sequential(nn.Linear(4, 16), nn.Tanh()), nn.ModuleList(nn.Linear(16, 1) for _ in range(2))
    optimizer = torch.optim.SGD([*trunk.parameters(), *heads.parameters()], lr=lr, momentum=0.9)
    for epoch in range(1, EPOCHS + 1):
        for batch in torch.randperm(64, generator=generator).split(16):
            features = trunk(x[batch])
            loss = sum(((head(features) - y[batch]) ** 2).mean() for head, y in zip(heads, targets, strict=True))
            optimizer.zero_grad()
            torch.as_tensor(loss).backward()
            optimizer.step()
        with torch.no_grad():
            errors = [float(((head(trunk(x)) - y) ** 2).mean()) for head, y in zip(heads, targets, strict=True)]
        if on_epoch(epoch, {"sum/mse": errors[0], "product/mse": errors[1]}):
            break


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve finished runs, logged as a wide table."""
    rows: list[dict[str, object]] = []
    for i, lr in enumerate(np.geomspace(1e-4, 0.05, 12)):

        def log(epoch: int, values: dict[str, float], run: str = f"h{i}", lr: float = float(lr)) -> bool:
            rows.append({"run": run, "epoch": epoch, "config.lr": lr, "horizon": EPOCHS, **values})
            return False

        train(float(lr), i, log)
    path = tmp_path_factory.mktemp("logs") / "history.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def test_the_hopeless_run_is_stopped_and_the_good_one_kept(logs: Path) -> None:
    table = lcode.read_logs(logs)
    model = LCGODEForecaster(settings=FitSettings(steps=150, batch=12), hidden=16, latent=4, members=3, nodes=4).fit(
        table
    )
    monitor = lcode.Monitor(model, history=table, objective="mean", min_epochs=3, keep=1)
    ends: dict[str, int] = {}
    for run, lr in (("good", 0.05), ("hopeless", 1e-4)):
        monitor.start(run, config={"lr": lr}, horizon=EPOCHS)

        def report(epoch: int, values: dict[str, float], run: str = run) -> bool:
            ends[run] = epoch
            verdict = monitor.report(run, epoch, values)
            return verdict.stop

        train(lr, 100, report)
    assert ends["good"] == EPOCHS
    assert 3 <= ends["hopeless"] < EPOCHS
    last = monitor.log[-1]
    assert last.stop and last.run == "hopeless" and last.reason


def test_what_a_report_makes_with_a_hundred_runs_in_the_history(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    epochs = np.arange(1, 21)
    points = pd.concat(
        pd.DataFrame({"run": f"r{i}", "epoch": epochs, "metric": metric, "value": level + 0.5 * epochs**-0.7})
        for i, level in enumerate(generator.uniform(0.1, 0.5, 100))
        for metric in ("seg/err", "depth/err")
    )
    configs = pd.DataFrame({"lr": generator.uniform(0, 1, 100)}, index=[f"r{i}" for i in range(100)])
    metrics = [lcode.Metric("seg", "err", "min"), lcode.Metric("depth", "err", "min")]
    history = lcode.RunTable.from_points(points, metrics, configs=configs)
    threads = torch.get_num_threads()
    model = LCGODEForecaster(settings=FitSettings(steps=2)).fit(history)

    made: list[int] = []  # what is learned at a cutoff is what takes long
    forecast: list[int] = []  # of so many runs at a time

    class Counted(AtCutoff):
        def __init__(self, given: Learning, *arguments: Any, **options: Any) -> None:
            made.append(given.history.cutoff)
            super().__init__(given, *arguments, **options)

        def quantiles(self, observed: Observed, epochs: NDArray[np.float64]) -> NDArray[np.float64]:
            forecast.append(len(observed))
            return super().quantiles(observed, epochs)

    monkeypatch.setattr(context, "AtCutoff", Counted)
    monitor = lcode.Monitor(model, history=history, objective="mean", min_epochs=3, keep=3, every=2, dry_run=True)
    decisions = 0
    for i in range(3):
        for epoch in range(1, 13):
            verdict = monitor.report(f"live{i}", epoch, {m.key: 0.5 + 0.2 / epoch for m in metrics})
            decisions += bool(verdict.forecast)
    assert torch.get_num_threads() == threads
    assert decisions >= 12
    assert len(made) == len(set(made))  # where one run was forecast, the next needs nothing new
    # Without a decision nothing is forecast; with one, live runs alone.
    assert len(forecast) <= decisions * 3 and max(forecast) <= 3
