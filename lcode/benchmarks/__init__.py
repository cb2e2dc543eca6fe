"""Collections of learning curves as tables of runs. The files of published ones are not shipped."""

from __future__ import annotations

from lcode.benchmarks.cifar10_cnn import CIFAR10_CNN
from lcode.benchmarks.collection import CurveCollection
from lcode.benchmarks.export import export, wide_frame
from lcode.benchmarks.mlp_curves import MLP_CURVES, MlpCollection
from lcode.benchmarks.mtl_curves import MTL_CURVES, MtlCollection, MtlCurves, load_mtl_curves
from lcode.benchmarks.taskset import TASKSET
from lcode.errors import UsageError
from lcode.table import RunTable

BENCHMARKS: dict[str, CurveCollection | MlpCollection | MtlCollection] = {
    CIFAR10_CNN.name: CIFAR10_CNN,
    **TASKSET,
    **MLP_CURVES,
    **MTL_CURVES,
}
"""Name -> collection; one line per collection."""


def load_benchmark(name: str) -> RunTable:
    """The table of a benchmark.

    Raises:
        UsageError: no such benchmark; the message lists those there are.
        DataNotFoundError: its files are not on this machine.
    """
    if name not in BENCHMARKS:
        raise UsageError(f"no benchmark '{name}'; there are: {', '.join(BENCHMARKS)}")
    return BENCHMARKS[name].load()


__all__ = [
    "BENCHMARKS",
    "CurveCollection",
    "MlpCollection",
    "MtlCollection",
    "MtlCurves",
    "export",
    "load_benchmark",
    "load_mtl_curves",
    "wide_frame",
]
