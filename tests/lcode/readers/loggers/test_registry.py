"""The registry of readers: cheap to import, and asked in an order that matters."""

from __future__ import annotations

import subprocess
import sys

from lcode.readers.loggers import LOGGERS

HEAVY = ("tensorboard", "wandb", "mlflow", "google.protobuf", "yaml", "sqlite3", "torch", "sklearn")


def test_looking_for_logs_loads_no_tools_package() -> None:
    code = f"import sys, lcode.readers.loggers; print([m for m in {HEAVY} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_what_writes_event_files_beside_its_own_logs_is_asked_before_tensorboard() -> None:
    order = list(LOGGERS)
    for tool in ("lightning", "huggingface", "wandb", "ray-tune", "stable-baselines3", "ultralytics", "mmengine"):
        assert order.index(tool) < order.index("tensorboard")
