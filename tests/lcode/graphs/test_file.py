from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lcode.errors import InputError
from lcode.graphs import ArchGraph, graph_from_json, read_graphs

NODE = {"op": "linear"}


def write(folder: Path, text: str) -> Path:
    path = folder / "graphs.json"
    path.write_text(text, encoding="utf-8")
    return path


@st.composite
def dags(draw: st.DrawFn) -> ArchGraph:
    n = draw(st.integers(1, 7))
    pairs = [(a, b) for b in range(n) for a in range(b)]
    edges = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    number = st.one_of(st.just(float("nan")), st.floats(0, 1e12))
    column = st.lists(number, min_size=n, max_size=n)
    return ArchGraph.build(
        draw(st.lists(st.text(min_size=1).filter(str.strip), min_size=n, max_size=n)),
        edges,
        params=draw(column),
        out_size=draw(column),
        flops=draw(column),
        roles=draw(st.lists(st.sampled_from(["trunk", "head:a", "head:b c"]), min_size=n, max_size=n)),
    )


@settings(max_examples=50, deadline=None)
@given(dags())
def test_json_round_trip(graph: ArchGraph) -> None:
    again = graph_from_json(json.loads(json.dumps(graph.to_json())), where="g")
    assert again.digest() == graph.digest()
    assert again.ops == graph.ops and again.roles == graph.roles
    np.testing.assert_array_equal(again.edges, graph.edges)
    np.testing.assert_array_equal(again.params, graph.params)
    np.testing.assert_array_equal(again.depths, graph.depths)


def test_reads_a_file_and_ignores_other_attributes(tmp_path: Path) -> None:
    text = """{"mlp": {"nodes": [{"op": "linear", "params": 1024, "colour": "red"}, {"op": "my own op", "flops": null},
        {"op": "linear", "role": "head:seg", "out_size": 3.0}], "edges": [[0, 1], [1, 2], [0, 2]], "note": 1},
        "r1": {"nodes": [{"op": "conv"}], "edges": []}}"""
    graphs = read_graphs(write(tmp_path, text))
    assert list(graphs) == ["mlp", "r1"]
    mlp = graphs["mlp"]
    assert mlp.ops == ("linear", "my own op", "linear") and mlp.roles == ("trunk", "trunk", "head:seg")
    np.testing.assert_array_equal(mlp.params, [1024, np.nan, np.nan])
    np.testing.assert_array_equal(mlp.out_size, [np.nan, np.nan, 3])
    np.testing.assert_array_equal(mlp.depths, [0, 1, 2])
    assert len(graphs["r1"]) == 1 and graphs["r1"].edges.shape == (0, 2)


def test_a_byte_order_mark_does_not_matter(tmp_path: Path) -> None:
    assert list(read_graphs(write(tmp_path, '\ufeff{"a": {"nodes": [{"op": "x"}], "edges": []}}'))) == ["a"]


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        ([], "found a list; expected an object with 'nodes' and 'edges'"),
        ({"edges": []}, "'nodes' is missing"),
        ({"nodes": [NODE]}, "'edges' is missing"),
        ({"nodes": [NODE], "edges": None}, "'edges' is null; expected a list"),
        ({"nodes": [], "edges": []}, "the graph has no nodes"),
        ({"nodes": ["linear"], "edges": []}, 'node 0 is "linear"; expected an object'),
        ({"nodes": [NODE, {"params": 3}], "edges": []}, "node 1: 'op' is missing"),
        ({"nodes": [{"op": 3}], "edges": []}, "node 0: 'op' is 3; expected the name of an operation"),
        ({"nodes": [{"op": " "}], "edges": []}, "node 0: 'op' is \" \""),
        ({"nodes": [NODE | {"params": -5}], "edges": []}, "node 0: params is -5; give a number ≥ 0"),
        ({"nodes": [NODE | {"params": "1024"}], "edges": []}, 'node 0: params is "1024"; give a number'),
        ({"nodes": [NODE | {"flops": True}], "edges": []}, "node 0: flops is true; give a number"),
        ({"nodes": [NODE, NODE | {"out_size": 10**400}], "edges": []}, "node 1: out_size is inf; give a number"),
        (
            {"nodes": [NODE | {"role": "left"}], "edges": []},
            "node 0: role is 'left'; it must be 'trunk' or 'head:<task>'",
        ),
        ({"nodes": [NODE | {"role": 1}], "edges": []}, "node 0: role is 1"),
        ({"nodes": [NODE], "edges": [[0]]}, r"edge 0 is \[0\]; expected two node numbers"),
        ({"nodes": [NODE, NODE], "edges": [[0, 1.5]]}, r"edge 0 is \[0, 1.5\]; expected two"),
        ({"nodes": [NODE, NODE], "edges": [[False, True]]}, r"edge 0 is \[false, true\]"),
        ({"nodes": [NODE, NODE], "edges": ["01"]}, 'edge 0 is "01"'),
        ({"nodes": [NODE, NODE], "edges": [[0, 1], [1, 2]]}, r"edge 1 \[1, 2\] is dangling: there is no node 2"),
        ({"nodes": [NODE], "edges": [[-1, 0]]}, "is dangling: there is no node -1"),
        ({"nodes": [NODE], "edges": [[10**30, 0]]}, "is dangling"),
        ({"nodes": [NODE], "edges": [[0, 0]]}, r"edge 0 \[0, 0\] leads from a node to itself"),
        (
            {"nodes": [NODE] * 3, "edges": [[0, 1], [1, 2], [0, 1]]},
            r"edge \[0, 1\] is there twice, as edge 0 and edge 2",
        ),
        (
            {"nodes": [NODE] * 7, "edges": [[0, 2], [2, 5], [5, 3], [3, 2], [3, 4], [4, 6]]},
            "cycle 2 -> 5 -> 3 -> 2: data must flow one way",
        ),
    ],
)
def test_faults_name_file_graph_and_place(tmp_path: Path, graph: Any, message: str) -> None:
    path = write(tmp_path, json.dumps({"good": {"nodes": [NODE], "edges": []}, "bad": graph}))
    with pytest.raises(InputError, match=r"graphs\.json: graph 'bad': .*" + message) as caught:
        read_graphs(path)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", "holds a list; a graphs file is an object"),
        ('{"a":\n {"nodes": [}}', r"graphs\.json, line 2: is not valid JSON: Expecting value \(character 13\)"),
        ("", "line 1: is not valid JSON"),
        ('{"a": 1, "a": 2}', "the name 'a' is there twice"),
        ("[" * 100_000, "is not a graphs file"),
        ("9" * 5000, "is not a graphs file"),
    ],
)
def test_what_is_no_graphs_file(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_graphs(write(tmp_path, text))


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.json: cannot be read: No such file"):
        read_graphs(tmp_path / "none.json")
    (tmp_path / "latin.json").write_bytes(b'{"\xe9": 1}')
    with pytest.raises(InputError, match="is not UTF-8 text"):
        read_graphs(tmp_path / "latin.json")


def test_long_chains_and_long_cycles_are_quick() -> None:
    n = 20_000
    chain = [[i, i + 1] for i in range(n - 1)]
    nodes = [NODE] * n
    assert graph_from_json({"nodes": nodes, "edges": chain}, where="g").depths[-1] == n - 1
    with pytest.raises(InputError, match=r"graph 'g': cycle 0 -> 1 -> .* -> 11 -> … -> 0:"):
        graph_from_json({"nodes": nodes, "edges": [*chain, [n - 1, 0]]}, where="g")
