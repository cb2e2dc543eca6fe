"""Train multi-task networks with any balancer, many at once, and log every epoch."""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mtl_runs.balancing import Balance

# MKL's products otherwise depend in their last bits on where in memory a matrix lies, and with it on who stands beside
# a run in its population. Read when MKL is first used; where torch comes without MKL it means nothing.
os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")

_HOMES = {"Balance": "mtl_runs.balancing"}
"""Loaded when they are used: `mtl-runs --help` brings no torch."""

__all__ = ["Balance"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'mtl_runs' has no attribute '{name}'")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
