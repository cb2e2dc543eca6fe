"""Readers of the folders and files that other tools leave: one module per tool."""

from __future__ import annotations

from lcode.readers.loggers.base import Logged, Logger
from lcode.readers.loggers.optuna import OptunaReader
from lcode.readers.loggers.tensorboard import TensorBoardReader

LOGGERS: dict[str, Logger] = {
    "optuna": OptunaReader(),
    "tensorboard": TensorBoardReader(),
}
"""Reader by tool, in the order in which they are asked: of two tools that wrote into one folder the first is read."""

__all__ = ["LOGGERS", "Logged", "Logger"]
