"""Numbers that sum up an architecture, for forecasters that cannot read a graph."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lcode.graphs.arch import HEAD, TRUNK, ArchGraph
from lcode.graphs.ops import OP_CLASSES, op_class

if TYPE_CHECKING:
    import pandas as pd


def graph_statistics(graph: ArchGraph) -> dict[str, float]:
    """Size, depth, width and make-up of a network; the order of its nodes does not matter.

    Sums run over the nodes whose number is known; a statistic of which nothing is known is NaN. Logarithms are
    log10(1 + value), so that a network without parameters stays finite.

    Returns:
        `log10_params`, `log10_trunk_params`, `log10_head_params` (mean over the heads), `log10_flops` (multiply-adds
        per sample), `log10_width_max` and `log10_width_mean` (values per sample that a node puts out, inputs
        excepted), the counts `nodes`, `edges`, `heads`, `activations`, `depth` (edges on the longest path), and for
        each class c of `lcode.graphs.ops.OP_CLASSES` the share of nodes `share.c`, 0 to 1.
    """
    classes = [op_class(op) for op in graph.ops]
    roles = np.asarray(graph.roles)
    heads = sorted({role for role in graph.roles if role.startswith(HEAD)})
    head_params = [_total(graph.params[roles == head]) for head in heads]
    widths = np.log10(1 + graph.out_size[np.asarray(classes) != "input"])
    count = Counter(classes)
    return {
        "log10_params": _log(_total(graph.params)),
        "log10_trunk_params": _log(_total(graph.params[roles == TRUNK])),
        "log10_head_params": _log(_mean(np.asarray(head_params))),
        "log10_flops": _log(_total(graph.flops)),
        "log10_width_max": float(np.fmax.reduce(widths, initial=np.nan)),
        "log10_width_mean": _mean(widths),
        "nodes": float(len(graph)),
        "edges": float(len(graph.edges)),
        "heads": float(len(heads)),
        "activations": float(count["activation"]),
        "depth": float(graph.depths.max()),
        **{f"share.{name}": count[name] / len(graph) for name in OP_CLASSES},
    }


def statistics_frame(graphs: Mapping[str, ArchGraph]) -> pd.DataFrame:
    """The statistics of each graph: one row per graph, indexed by its name, one column per statistic."""
    import pandas as pd

    return pd.DataFrame.from_dict({name: graph_statistics(graph) for name, graph in graphs.items()}, orient="index")


def _total(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.sum()) if len(known) else math.nan


def _mean(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else math.nan


def _log(value: float) -> float:
    return math.log10(1 + value)
