"""Collections of learning curves as tables of runs. The files of published ones are not shipped."""

from __future__ import annotations

from lcode.benchmarks.algoperf import ALGOPERF
from lcode.benchmarks.cifar10_cnn import CIFAR10_CNN
from lcode.benchmarks.collection import Collection, CurveCollection
from lcode.benchmarks.export import export, wide_frame
from lcode.benchmarks.halves import design_sources, report_sources
from lcode.benchmarks.lcbench import LCBENCH
from lcode.benchmarks.llm_loss import LLM_LOSS
from lcode.benchmarks.mlp_curves import MLP_CURVES, MlpCollection
from lcode.benchmarks.mtl_curves import MTL_CURVES, MtlCollection, MtlCurves, load_mtl_curves
from lcode.benchmarks.rl_returns import RL_RETURNS
from lcode.benchmarks.taskset import TASKSET
from lcode.errors import UsageError
from lcode.table import RunTable

BENCHMARKS: dict[str, Collection] = {
    CIFAR10_CNN.name: CIFAR10_CNN,
    **TASKSET,
    **LCBENCH,
    **ALGOPERF,
    LLM_LOSS.name: LLM_LOSS,
    **RL_RETURNS,
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
    "Collection",
    "CurveCollection",
    "MlpCollection",
    "MtlCollection",
    "MtlCurves",
    "design_sources",
    "export",
    "load_benchmark",
    "load_mtl_curves",
    "report_sources",
    "wide_frame",
]
