from __future__ import annotations

import re

import pytest

from lcode.errors import InputError
from lcode.graphs import cell_graph

CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|none~2|"


def test_a_cell_drawn_by_hand() -> None:
    graph = cell_graph("|nor_conv_3x3~0|+|none~0|skip_connect~1|")
    assert graph.ops == ("input", "nor_conv_3x3", "add", "none", "skip_connect", "add", "output")
    assert graph.edges.tolist() == [[0, 1], [1, 2], [0, 3], [2, 4], [3, 5], [4, 5], [5, 6]]


def test_every_cell_of_the_benchmark_has_the_same_shape() -> None:
    graph = cell_graph(CELL)
    assert len(graph) == 11 and len(graph.edges) == 13
    assert graph.ops.count("add") == 3 and graph.ops.count("nor_conv_3x3") == 2 and graph.ops.count("none") == 1
    assert graph.depths.max() == 7


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("", "position 1: found the end, expected '|'"),
        ("nor_conv_3x3~0|", "position 1: found 'nor_conv_3x3', expected '|'"),
        ("|", "position 2: found the end, expected an operation"),
        ("||", "position 2: found '|', expected an operation"),
        ("|a~0", "position 2: found 'a~0', expected an operation"),
        ("|a~x|", "position 2: found 'a~x|', expected an operation"),
        ("|a~1|", "position 4: found '1|', expected a state before state 1"),
        ("|a~0|+", "position 7: found the end, expected '|'"),
        ("|a~0|+|b~0|c~2|", "position 14: found '2|', expected a state before state 2"),
        ("|a~0||b~0|", "position 6: found '|b~0|', expected an operation"),
    ],
)
def test_a_malformed_string_is_refused_with_the_position(cell: str, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"cell string '{cell}', {message}")):
        cell_graph(cell)
