from __future__ import annotations

import json

import pytest

from lcode.graphs import ArchGraph, Vocabulary, canonical_op, unknown_ops
from lcode.graphs.ops import KNOWN_OPS, OP_CLASSES, op_class


@pytest.mark.parametrize(
    ("spelling", "op"),
    [
        ("Linear", "linear"),
        ("nn.Linear", "linear"),
        ("torch.nn.modules.linear.Linear", "linear"),
        ("dense", "linear"),
        (" FC ", "linear"),
        ("conv2d", "conv"),
        ("Conv1d", "conv"),
        ("ConvTranspose2d", "conv_transpose"),
        ("BatchNorm2d", "batchnorm"),
        ("batch_norm", "batchnorm"),
        ("relu_", "relu"),
        ("LeakyReLU", "leaky_relu"),
        ("log_softmax", "softmax"),
        ("MaxPool2d", "max_pool"),
        ("max_pool_3x3", "max_pool"),
        ("AdaptiveAvgPool2d", "global_pool"),
        ("MultiheadAttention", "attention"),
        ("cat", "concat"),
        ("zeroize", "none"),
        ("identity", "skip"),
        ("nor_conv_3x3", "nor_conv_3x3"),
        ("nor_conv_1x1", "nor_conv_1x1"),
        ("avg_pool_3x3", "avg_pool_3x3"),
        ("skip_connect", "skip_connect"),
        ("My.Own-Op", "my.own-op"),
    ],
)
def test_many_spellings_one_category(spelling: str, op: str) -> None:
    assert canonical_op(spelling) == op


def test_the_known_operations_are_their_own_spelling_and_have_a_class() -> None:
    assert len(set(KNOWN_OPS)) == len(KNOWN_OPS)
    assert all(canonical_op(op) == op for op in KNOWN_OPS)
    assert {op_class(op) for op in KNOWN_OPS} == set(OP_CLASSES) - {"other"}
    assert op_class("nn.GELU") == "activation" and op_class("my op") == "other"


def test_new_operations_get_an_index_of_their_own_in_training_and_share_one_afterwards() -> None:
    training = [ArchGraph.build(["Linear", "zzz", "Foo", "foo"], [])]
    vocabulary = Vocabulary.from_graphs(training)
    assert len(vocabulary) == len(KNOWN_OPS) + 3
    indices = vocabulary.indices(["foo", "FOO", "zzz", "fc", "bar", "baz"])
    assert indices.tolist() == [
        len(KNOWN_OPS) + 1,
        len(KNOWN_OPS) + 1,
        len(KNOWN_OPS) + 2,
        1 + KNOWN_OPS.index("linear"),
        0,
        0,
    ]
    new = [ArchGraph.build(["bar", "foo", "Baz", "Baz"], []), ArchGraph.build(["relu"], [])]
    assert unknown_ops(new, vocabulary) == {"Baz": 2, "bar": 1}
    assert list(unknown_ops(new, vocabulary)) == ["Baz", "bar"]
    assert unknown_ops(training, vocabulary) == {}


def test_a_vocabulary_survives_as_a_list_of_strings() -> None:
    vocabulary = Vocabulary.from_graphs([ArchGraph.build(["foo"], [])])
    stored = json.loads(json.dumps(vocabulary.ops))
    assert Vocabulary(tuple(stored)) == vocabulary
    assert "Foo" in vocabulary and "bar" not in vocabulary
