from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lcode.graphs import ArchGraph, cell_graph, graph_statistics, mlp_graph, statistics_frame
from lcode.graphs.ops import OP_CLASSES


def test_numbers_of_a_hand_drawn_network() -> None:
    graph = mlp_graph([9], n_inputs=99, outputs={"a": 1, "b": 3})
    found = graph_statistics(graph)
    trunk, heads = 100 * 9, [10, 30]
    assert found["log10_params"] == pytest.approx(math.log10(1 + trunk + sum(heads)))
    assert found["log10_trunk_params"] == pytest.approx(math.log10(1 + trunk))
    assert found["log10_head_params"] == pytest.approx(math.log10(1 + 20))
    assert found["log10_flops"] == pytest.approx(math.log10(1 + 99 * 9 + 9 * 4))
    assert found["log10_width_max"] == pytest.approx(1.0)
    assert found["log10_width_mean"] == pytest.approx(np.log10([10, 10, 2, 4]).mean())
    counts = {name: found[name] for name in ("nodes", "edges", "heads", "activations", "depth")}
    assert counts == {"nodes": 5, "edges": 4, "heads": 2, "activations": 1, "depth": 3}
    assert found["share.linear"] == pytest.approx(3 / 5) and found["share.pool"] == 0


def test_unknown_is_nan_and_known_nodes_are_summed() -> None:
    nothing = graph_statistics(ArchGraph.build(["foo"], []))
    unknown = {name for name, value in nothing.items() if math.isnan(value)}
    assert unknown == {
        "log10_params", "log10_trunk_params", "log10_head_params", "log10_flops", "log10_width_max", "log10_width_mean"
    }  # fmt: skip
    assert nothing["share.other"] == 1
    some = graph_statistics(
        ArchGraph.build(["linear", "relu"], [[0, 1]], params=[99, math.nan], out_size=[math.nan, 9])
    )
    assert some["log10_params"] == pytest.approx(2) and some["log10_width_max"] == pytest.approx(1)


def test_a_frame_has_a_row_per_graph_and_the_same_columns_for_all() -> None:
    frame = statistics_frame({"m": mlp_graph([4], n_inputs=2, outputs=1), "c": cell_graph("|none~0|")})
    assert list(frame.index) == ["m", "c"]
    assert {f"share.{name}" for name in OP_CLASSES} < set(frame.columns)
    assert {str(dtype) for dtype in frame.dtypes} == {"float64"}
    assert frame.loc["c", "share.none"] == pytest.approx(1 / 4)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_relabelling_the_nodes_changes_nothing(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 8))
    pairs = [(a, b) for b in range(n) for a in range(b)]
    edges = data.draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    number = st.one_of(st.just(math.nan), st.integers(0, 10**6).map(float))

    def columns(values: st.SearchStrategy) -> list:
        return data.draw(st.lists(values, min_size=n, max_size=n))

    ops = columns(st.sampled_from(["linear", "input", "odd", "tanh"]))
    rest = {"params": columns(number), "out_size": columns(number), "flops": columns(number)}
    rest["roles"] = columns(st.sampled_from(["trunk", "head:a", "head:b"]))
    place = data.draw(st.permutations(range(n)))
    order = np.argsort(place)
    graph = ArchGraph.build(ops, edges, **rest)
    moved = ArchGraph.build(
        [ops[i] for i in order],
        [(place[a], place[b]) for a, b in edges],
        **{name: [values[i] for i in order] for name, values in rest.items()},
    )
    assert graph_statistics(moved) == pytest.approx(graph_statistics(graph), nan_ok=True)
