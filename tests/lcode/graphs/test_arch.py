from __future__ import annotations

import numpy as np
import pytest

from lcode.errors import UsageError
from lcode.graphs import ArchGraph


def test_depth_is_the_longest_path() -> None:
    graph = ArchGraph.build(["x"] * 5, [[3, 0], [0, 1], [1, 2], [3, 2]])
    np.testing.assert_array_equal(graph.depths, [1, 2, 3, 0, 0])


def test_what_is_not_given_is_unknown() -> None:
    graph = ArchGraph.build(["a", "b"], [[0, 1]], params=[1, np.nan])
    assert np.isnan(graph.flops).all() and graph.roles == ("trunk", "trunk")
    assert graph.to_json() == {"nodes": [{"op": "a", "params": 1.0}, {"op": "b"}], "edges": [[0, 1]]}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"params": [1.0]}, r"params has shape \[1\] for 2 nodes"),
        ({"roles": ["trunk"]}, "1 roles for 2 nodes"),
        ({"roles": ["trunk", "head:"]}, "node 1: role is 'head:'"),
        ({"flops": [0, -1]}, "node 1: flops is -1"),
        ({"edges": [(1, 0), (0, 1)]}, "cycle 0 -> 1 -> 0"),
    ],
)
def test_build_refuses_what_is_no_graph(columns: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ArchGraph.build(["a", "b"], **({"edges": [(0, 1)]} | columns))


def test_digest_depends_on_everything() -> None:
    digests = {
        graph.digest()
        for graph in (
            ArchGraph.build(["a", "b"], []),
            ArchGraph.build(["a", "b"], [[0, 1]]),
            ArchGraph.build(["a", "c"], [[0, 1]]),
            ArchGraph.build(["a", "b"], [[0, 1]], params=[1, 2]),
            ArchGraph.build(["a", "b"], [[0, 1]], roles=["trunk", "head:x"]),
        )
    }
    assert len(digests) == 5
