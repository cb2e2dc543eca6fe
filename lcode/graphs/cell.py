"""The graph of a cell of NAS-Bench-201 (Dong and Yang, 2020) from its string."""

from __future__ import annotations

import re

from lcode.errors import InputError
from lcode.graphs.arch import ArchGraph

_OPERATION = re.compile(r"(?P<op>[^|+~]+)~(?P<source>[0-9]{1,6})\|")


def cell_graph(cell: str) -> ArchGraph:
    """Turn a cell, whose edges are operations, into a graph whose nodes are.

    In `|nor_conv_3x3~0|+|none~0|skip_connect~1|` the groups between `+` make the states 1, 2, … of the cell, state 0
    is its input, and `op~j` applies an operation to state j. The graph has an `input` node, for each state a node
    per operation and an `add` node that sums them, and an `output` node after the last state. The operation `none`
    stays a node, although nothing flows through it: every cell of a search space then has the same shape, and the
    category says what there is to know. Sizes depend on the network around the cell and are unknown.

    Raises:
        InputError: the string is malformed; the message gives the position, counted from 1.
    """
    ops = ["input"]
    edges: list[tuple[int, int]] = []
    states = [0]
    place = 0
    for group in cell.split("+"):
        end = place + len(group)
        if not group.startswith("|"):
            raise _malformed(cell, place, "'|'")
        place += 1
        branches: list[int] = []
        while place < end or not branches:
            match = _OPERATION.match(cell, place, end)
            if match is None:
                raise _malformed(cell, place, "an operation and its source, such as 'skip_connect~0|'")
            source = int(match["source"])
            if source >= len(states):
                raise _malformed(cell, match.start("source"), f"a state before state {len(states)}")
            edges.append((states[source], len(ops)))
            branches.append(len(ops))
            ops.append(match["op"].strip())
            place = match.end()
        edges += [(branch, len(ops)) for branch in branches]
        states.append(len(ops))
        ops.append("add")
        place = end + 1
    edges.append((states[-1], len(ops)))
    return ArchGraph.build([*ops, "output"], edges)


def _malformed(cell: str, place: int, expected: str) -> InputError:
    found = f"'{cell[place : place + 12]}'" if place < len(cell) else "the end"
    return InputError(f"cell string '{cell}', position {place + 1}: found {found}, expected {expected}")
