"""Writes the fixtures of MLflow with the real library: `pip install mlflow`, then `python write_mlflow.py FOLDER`."""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path

from mlflow.entities import Metric
from mlflow.tracking import MlflowClient

TABLES = ("experiments", "runs", "metrics", "params", "tags", "latest_metrics", "alembic_version")
"""A database has fifty tables, most of them empty: these are kept."""


def fill(client: MlflowClient) -> None:
    experiment = client.create_experiment("mtl", artifact_location="mlflow-artifacts:/1")
    first = ""
    for number, ending in enumerate(("FINISHED", "FAILED", "KILLED", "", "deleted")):
        tags = {"mlflow.runName": "größe 1" if number == 0 else "trial"}
        if number == 2:
            tags["mlflow.parentRunId"] = first
        run = client.create_run(experiment, tags=tags).info.run_id
        first = first or run
        client.log_param(run, "lr", 0.1 / (number + 1))
        client.log_param(run, "model/width", 64)
        for step in range(4):
            values = {"val/seg/loss": 1 / (step + 1), "val_depth_acc": (0.5, float("nan"), float("inf"), -3.5)[step]}
            # One after the other, as training loops log.
            metrics = [Metric(key, value, 1000 * step + i, step) for i, (key, value) in enumerate(values.items())]
            client.log_batch(run, metrics=metrics)
        client.log_metric(run, "summary", 7.5, timestamp=5000)
        if ending == "deleted":
            client.delete_run(run)
        elif ending:
            client.set_terminated(run, ending)
    client.create_run(experiment, tags={"mlflow.runName": "no metric"})


def main(folder: Path) -> None:
    os.environ.update(MLFLOW_ALLOW_FILE_STORE="true", MLFLOW_DISABLE_TELEMETRY="true")
    fill(MlflowClient(f"file:{folder / 'mlruns'}"))
    path = folder / "mlflow.db"
    fill(MlflowClient(f"sqlite:///{path}"))
    with sqlite3.connect(path) as base:
        base.execute("DELETE FROM experiments WHERE experiment_id = 0")  # names a folder of this machine
        for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            if name not in TABLES:
                base.execute(f'DROP TABLE "{name}"')
        for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql NOT NULL").fetchall():
            base.execute(f'DROP INDEX "{name}"')
    base.execute("PRAGMA page_size = 512")
    base.execute("VACUUM")
    base.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
