from __future__ import annotations

from mtl_runs.networks import architecture_graph, make_network
from mtl_runs.problems import Classification, Regression
from mtl_runs.problems.dense_tasks import Depth, Segmentation

TASKS = (Classification("left", 10), Regression("sum", 1))
LEFT, SUM = "head:left", "head:sum"


def test_a_small_mlp_by_hand() -> None:
    graph = architecture_graph(make_network("mlp-5x1", (3,), TASKS), (3,))
    assert graph.ops == ("input", "flatten", "linear", "relu", "linear", "linear")
    assert graph.edges.tolist() == [[0, 1], [1, 2], [2, 3], [3, 4], [3, 5]]
    assert graph.params.tolist() == [0, 0, 20, 0, 60, 6]
    assert graph.out_size.tolist() == [3, 3, 5, 5, 10, 1]
    assert graph.flops.tolist() == [0, 0, 15, 5, 50, 5]
    assert graph.roles == ("trunk",) * 4 + (LEFT, SUM)


def test_a_small_cnn_by_hand() -> None:
    graph = architecture_graph(make_network("cnn-2x1", (1, 4, 4), TASKS), (1, 4, 4))
    assert graph.ops == ("input", "conv3x3", "relu", "flatten", "linear", "linear")
    assert graph.params.tolist() == [0, 20, 0, 0, 90, 9]
    assert graph.flops.tolist() == [0, 8 * 9, 8, 0, 80, 8]


def test_graphs_of_recorded_runs_stay_what_they_are() -> None:
    digits = (Classification("left", 10), Classification("right", 10), Regression("sum", 1))
    digests = {
        arch: architecture_graph(make_network(arch, (1, 11, 11), digits), (1, 11, 11)).digest()
        for arch in ("mlp-64x2", "cnn-16x2")
    }
    assert digests == {"mlp-64x2": "6fceda0167f9826a", "cnn-16x2": "d83788141ebc31a8"}


def test_the_dense_heads_of_a_cnn_by_hand() -> None:
    tasks = (Segmentation("parts", 3), Depth("depth"))
    graph = architecture_graph(make_network("cnn-2x2", (1, 8, 8), tasks), (1, 8, 8))
    head = ("conv1x1", "upsample", "conv1x1", "add", "upsample")
    assert graph.ops == ("input", "conv3x3", "relu", "conv3x3", "relu", *head, *head)
    first = [[4, 5], [5, 6], [2, 7], [6, 8], [7, 8], [8, 9]]
    second = [[4, 10], [10, 11], [2, 12], [11, 13], [12, 13], [13, 14]]
    assert graph.edges.tolist() == [[0, 1], [1, 2], [2, 3], [3, 4], *first, *second]
    assert graph.params.tolist() == [0, 20, 0, 38, 0, 9, 0, 9, 0, 0, 3, 0, 3, 0, 0]
    assert graph.out_size[5:].tolist() == [12, 48, 48, 48, 192, 4, 16, 16, 16, 64]
    assert graph.flops[5:10].tolist() == [24, 48, 96, 48, 192]
    assert graph.roles == ("trunk",) * 5 + ("head:parts",) * 5 + ("head:depth",) * 5


def test_a_small_resnet_by_hand() -> None:
    graph = architecture_graph(make_network("resnet-2x2", (1, 8, 8), TASKS), (1, 8, 8))
    residual = ("conv3x3", "layernorm", "relu", "conv3x3", "layernorm", "add", "relu")
    stem = ("input", "conv3x3", "layernorm", "relu")
    assert graph.ops == (*stem, *residual, "conv1x1", *residual, "flatten", "linear", "linear")
    assert [3, 9] in graph.edges.tolist()  # the first block adds its input,
    assert [e for e in graph.edges.tolist() if e[1] in (11, 17)] == [[10, 11], [11, 17], [16, 17]]
    assert [10, 12] in graph.edges.tolist()  # the second one a convolution of it
    assert graph.params.tolist() == [0, 20, 4, 0, 38, 4, 0, 38, 4, 0, 0, 6, 38, 4, 0, 38, 4, 0, 0, 0, 90, 9]


def test_a_small_cross_stitch_network_by_hand() -> None:
    graph = architecture_graph(make_network("stitch-4x1", (3,), TASKS, 2), (3,))
    pair = ("linear", "linear", "relu", "relu", "weighted_sum", "weighted_sum")
    assert graph.ops == ("input", "flatten", *pair, "linear", "linear")
    stitched = [[4, 6], [5, 6], [4, 7], [5, 7]]
    assert graph.edges.tolist() == [[0, 1], [1, 2], [1, 3], [2, 4], [3, 5], *stitched, [6, 8], [7, 9]]
    assert graph.params.tolist() == [0, 0, 16, 16, 0, 0, 2, 2, 50, 5]
    assert graph.flops.tolist() == [0, 0, 12, 12, 4, 4, 8, 8, 40, 4]
    assert graph.roles == ("trunk",) * 8 + (LEFT, SUM)


def test_a_small_mixture_of_experts_by_hand() -> None:
    graph = architecture_graph(make_network("mmoe-4x1e3", (2,), TASKS, 2), (2,))
    head = ("linear", "softmax", "weighted_sum", "linear")
    assert graph.ops == ("input", "flatten", *["linear"] * 3, *["relu"] * 3, *head, *head)
    experts = [[1, 2], [1, 3], [1, 4], [2, 5], [3, 6], [4, 7]]
    first = [[1, 8], [8, 9], [9, 10], [5, 10], [6, 10], [7, 10], [10, 11]]
    second = [[1, 12], [12, 13], [13, 14], [5, 14], [6, 14], [7, 14], [14, 15]]
    assert graph.edges.tolist() == [[0, 1], *experts, *first, *second]
    assert graph.params.tolist() == [0, 0, 12, 12, 12, 0, 0, 0, 9, 0, 0, 50, 9, 0, 0, 5]
    assert graph.out_size[8:12].tolist() == [3, 3, 4, 10]
    assert graph.flops[8:12].tolist() == [6, 3, 12, 40]
    assert graph.roles == ("trunk",) * 8 + (LEFT,) * 4 + (SUM,) * 4


def test_a_small_attention_network_by_hand() -> None:
    graph = architecture_graph(make_network("mtan-2x2", (1, 4, 4), TASKS[1:]), (1, 4, 4))
    mask = ("conv1x1", "relu", "conv1x1", "sigmoid", "multiply")
    trunk = ("conv3x3", "relu") * 4
    assert graph.ops == ("input", *trunk, *mask, "max_pool", "concat", *mask, "flatten", "linear")
    chain = [[i, i + 1] for i in range(8)]
    first = [[2, 9], [9, 10], [10, 11], [11, 12], [12, 13], [4, 13]]
    second = [[13, 14], [6, 15], [14, 15], [15, 16], [16, 17], [17, 18], [18, 19], [19, 20], [8, 20]]
    assert graph.edges.tolist() == [*chain, *first, *second, [20, 21], [21, 22]]
    assert graph.params[9:].tolist() == [6, 0, 6, 0, 0, 0, 0, 10, 0, 6, 0, 0, 0, 3]
    assert graph.out_size[13:17].tolist() == [8, 2, 4, 2]
    assert graph.roles == ("trunk",) * 9 + (SUM,) * 14
