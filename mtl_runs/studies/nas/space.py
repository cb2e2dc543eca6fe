"""The space of cells: four states, and on each of the six edges between them one of NAS-Bench-201's five operations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lcode.graphs import ArchGraph, cell_graph

NONE, SKIP, CONV1, CONV3, POOL = "none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"

OPS = (NONE, SKIP, CONV1, CONV3, POOL)
"""Dong and Yang, 2020 (arXiv 2001.00326); the places in a cell's code are indices into this."""

STATES = 4

EDGES = tuple((source, target) for target in range(1, STATES) for source in range(target))
"""The six edges, in the order of the operations in a cell's string."""

HALF, CHANNELS = 4, 8
"""Side of a state, which is half that of a picture, and its channels."""

WEIGHTS = {CONV1: CHANNELS**2, CONV3: 9 * CHANNELS**2}
"""Of a convolution, by operation; its norm has a gain and a shift per channel more."""

Cell = tuple[str, ...]
"""An operation for each of `EDGES`."""


def code(cell: Cell) -> str:
    """A short name of a cell: for each edge the number of its operation, such as `324103`."""
    return "".join(str(OPS.index(op)) for op in cell)


def cell_string(cell: Cell) -> str:
    """The cell as NAS-Bench-201 writes it, which `lcode.graphs.cell_graph` reads."""
    groups = []
    for state in range(1, STATES):
        group = (f"{op}~{source}" for op, (source, target) in zip(cell, EDGES, strict=True) if target == state)
        groups.append("|" + "|".join(group) + "|")
    return "+".join(groups)


def is_connected(cell: Cell) -> bool:
    """Whether anything of the cell's input reaches its last state."""
    reached = {0}
    for op, (source, target) in zip(cell, EDGES, strict=True):
        if op != NONE and source in reached:
            reached.add(target)
    return STATES - 1 in reached


def sample_cells(n: int, seed: int) -> list[Cell]:
    """Draw n different cells in which something comes through; the first of more draws are the same.

    A cell in which nothing does would end at chance, and every way to rank would be praised for knowing it.

    Args:
        n: how many, at most some 15,000.
        seed: decides the order of all cells.
    """
    chosen: list[Cell] = []
    for number in np.random.default_rng(seed).permutation(len(OPS) ** len(EDGES)).tolist():
        cell = tuple(OPS[number // len(OPS) ** place % len(OPS)] for place in range(len(EDGES)))
        if is_connected(cell):
            chosen.append(cell)
        if len(chosen) == n:
            break
    return chosen


def graph_of(cell: Cell) -> ArchGraph:
    """The architecture graph of a cell, with its parameters and multiply-adds."""
    graph = cell_graph(cell_string(cell))
    weights = [WEIGHTS.get(op, 0) for op in graph.ops]
    return ArchGraph.build(
        graph.ops,
        graph.edges.tolist(),
        params=[n + 2 * CHANNELS if n else 0 for n in weights],
        out_size=[HALF**2 * CHANNELS] * len(graph),
        flops=[n * HALF**2 for n in weights],
    )


def one_hot(cells: Sequence[Cell]) -> NDArray[np.float64]:
    """Which operation each edge has, as 0 and 1, [cells, 30]: what predictors of accuracy from a cell are given."""
    codes = np.array([[OPS.index(op) for op in cell] for cell in cells])
    return np.eye(len(OPS))[codes].reshape(len(cells), -1)
