from __future__ import annotations

import pytest

from lcode.errors import UsageError
from lcode.graphs import mlp_graph


def test_two_heads_hang_on_the_last_hidden_layer() -> None:
    graph = mlp_graph([64, 32], n_inputs=10, outputs={"left": 5, "right": 1}, activation="tanh")
    assert graph.ops == ("input", "linear", "tanh", "linear", "tanh", "linear", "linear")
    assert graph.edges.tolist() == [[0, 1], [1, 2], [2, 3], [3, 4], [4, 5], [4, 6]]
    assert graph.params.tolist() == [0, 11 * 64, 0, 65 * 32, 0, 33 * 5, 33]
    assert graph.out_size.tolist() == [10, 64, 64, 32, 32, 5, 1]
    assert graph.flops.tolist() == [0, 640, 0, 64 * 32, 0, 160, 32]
    assert graph.roles == ("trunk",) * 5 + ("head:left", "head:right")


def test_normalisation_and_dropout_surround_the_activation() -> None:
    graph = mlp_graph([4], n_inputs=3, outputs=2, batchnorm=True, dropout=True)
    assert graph.ops == ("input", "linear", "batchnorm", "relu", "dropout", "linear")
    assert graph.edges.tolist() == [[i, i + 1] for i in range(5)]
    assert graph.params.tolist() == [0, 16, 8, 0, 0, 10] and set(graph.roles) == {"trunk"}


def test_without_hidden_layers_it_is_linear() -> None:
    assert mlp_graph([], n_inputs=3, outputs=2).edges.tolist() == [[0, 1]]


def test_sizes_are_checked() -> None:
    with pytest.raises(UsageError, match="widths: found the size 0, expected a whole number ≥ 1"):
        mlp_graph([4, 0], n_inputs=3, outputs=2)
    with pytest.raises(UsageError, match=r"n_inputs: found the size 2\.5"):
        mlp_graph([4], n_inputs=2.5, outputs=2)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="outputs names no task"):
        mlp_graph([4], n_inputs=3, outputs={})
