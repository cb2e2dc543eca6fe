"""Wrote the storages beside it, with Optuna 5.0: `python write.py FOLDER [RUNS] [EPOCHS]`."""

from __future__ import annotations

import math
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend


def objective(trial: optuna.Trial, epochs: int) -> float:
    """A training of two tasks by formula; the mean is reported, the tasks' curves are user attributes."""
    lr = trial.suggest_float("lr", 1e-4, 1e-1, log=True)
    layers = trial.suggest_int("layers", 1, 4)
    balancer = trial.suggest_categorical("balancer", ["equal", "pcgrad", None])
    best = 0.9 - 0.05 * abs(math.log10(lr) + 2.5) + 0.01 * layers - (0.02 if balancer is None else 0)
    miou: list[float] = []
    error: list[float] = []
    for epoch in range(1, epochs + 1):
        left = math.exp(-epoch / 6) * (1 + 0.05 * math.sin(7 * trial.number + 3 * epoch))
        miou.append(round(best - 0.6 * left, 5))
        error.append(round(1 - best + 0.9 * left, 5))
        value = math.nan if trial.number == 3 and epoch == 2 else (miou[-1] + 1 - error[-1]) / 2
        trial.set_user_attr("seg/miou", miou)
        trial.set_user_attr("depth/abs_err", error)
        trial.report(value, epoch)
        if trial.number == 4 and epoch == 1:
            raise RuntimeError("out of memory")
        if trial.should_prune():
            raise optuna.TrialPruned
    trial.set_user_attr("gpu", "A100")
    return value


def write(folder: Path, runs: int, epochs: int) -> None:
    """The same study in both storages, with a trial that waits."""
    folder.mkdir(parents=True, exist_ok=True)
    journal = JournalStorage(JournalFileBackend(str(folder / "journal.log")))
    for storage in (f"sqlite:///{folder / 'study.db'}", journal):
        study = optuna.create_study(
            storage=storage,
            study_name="größe",
            direction="maximize",
            sampler=optuna.samplers.RandomSampler(seed=0),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=2),
        )
        study.set_metric_names(["mean"])
        study.optimize(lambda trial: objective(trial, epochs), n_trials=runs, catch=(RuntimeError,))
        study.enqueue_trial({"lr": 0.01, "layers": 2, "balancer": "pcgrad"})
    with closing(sqlite3.connect(folder / "study.db")) as base:
        base.executescript("PRAGMA page_size = 512; VACUUM")  # a fifth of the size


if __name__ == "__main__":
    out, *sizes = sys.argv[1:]
    write(Path(out), *(int(size) for size in sizes or (6, 4)))
