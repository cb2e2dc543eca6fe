"""The vocabulary of operations: many spellings, one category each. A category has an index, but no order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from lcode.graphs.arch import ArchGraph

OTHER = "other"
"""Class of an operation that the table below does not list."""

# class -> operation -> other spellings, without case, separators, and the dimension at the end (`Conv2d` -> `conv`).
# The operations of NAS-Bench-201 and 101 stay apart from plain ones: each of them is a small block.
_TABLE: dict[str, dict[str, str]] = {
    "input": {"input": "placeholder inputs", "output": "outputs"},
    "linear": {
        "linear": "dense fc fullyconnected addmm lazylinear gemm",
        "bilinear": "",
        "matmul": "mm bmm einsum",
    },
    "conv": {
        "conv": "convolution lazyconv conv3x3 conv1x1 conv5x5 conv7x7",
        "conv_transpose": "deconv convtransposed",
        "depthwise_conv": "dwconv",
        "separable_conv": "sepconv3x3 sepconv5x5 sepconv",
        "dilated_conv": "dilconv3x3 dilconv5x5 dilconv atrousconv",
        "nor_conv_3x3": "",
        "nor_conv_1x1": "",
        "conv3x3-bn-relu": "",
        "conv1x1-bn-relu": "",
    },
    "norm": {
        "batchnorm": "bn syncbatchnorm lazybatchnorm batchnormalization",
        "layernorm": "ln layernormalization",
        "groupnorm": "gn",
        "instancenorm": "",
        "rmsnorm": "",
        "normalize": "",
    },
    "activation": {
        "relu": "relu6",
        "leaky_relu": "prelu rrelu",
        "gelu": "",
        "silu": "swish hardswish mish",
        "elu": "selu celu",
        "tanh": "hardtanh",
        "sigmoid": "hardsigmoid logsigmoid",
        "softplus": "",
        "softmax": "logsoftmax",
    },
    "pool": {
        "max_pool": "maxpool3x3 maxpool2x2 maxpooling",
        "avg_pool": "averagepool averagepooling mean",
        "avg_pool_3x3": "",
        "global_pool": "adaptiveavgpool adaptivemaxpool globalavgpool globalaveragepooling globalmaxpool gap",
        "pool": "pooling",
        "upsample": "interpolate upsamplingbilinear upsamplingnearest pixelshuffle",
    },
    "dropout": {"dropout": "alphadropout featurealphadropout featuredropout droppath stochasticdepth"},
    "embedding": {"embedding": "embeddingbag embed"},
    "recurrent": {"lstm": "lstmcell", "gru": "grucell", "rnn": "rnncell"},
    "attention": {
        "attention": "multiheadattention selfattention mha scaleddotproductattention",
        "transformer_layer": "transformerencoderlayer transformerdecoderlayer transformerencoder transformerdecoder",
    },
    "merge": {
        "add": "iadd sum plus",
        "subtract": "sub isub",
        "concat": "cat concatenate stack hstack vstack",
        "multiply": "mul imul gate",
        "divide": "truediv itruediv div",
        "weighted_sum": "crossstitch",
    },
    "skip": {"skip": "identity skipconnection residual clone detach to float contiguous", "skip_connect": ""},
    "none": {"none": "zero zeroize"},
    "reshape": {
        "flatten": "",
        "reshape": "view unflatten",
        "transpose": "permute t movedim swapaxes getattr",
        "squeeze": "unsqueeze",
        "slice": "getitem split chunk unbind narrow indexselect",
        "expand": "repeat expandas tile",
    },
}

KNOWN_OPS: tuple[str, ...] = tuple(op for ops in _TABLE.values() for op in ops)
"""Operations that every vocabulary contains, whatever it was trained on."""

OP_CLASSES: tuple[str, ...] = (*_TABLE, OTHER)
"""Coarse classes of operations."""

_SEPARATORS = re.compile(r"[\s_\-]+")
_DIMENSION = re.compile(r"[123]d$")


def _key(op: str) -> str:
    return _DIMENSION.sub("", _SEPARATORS.sub("", op.lower()))


_SPELLINGS = {
    spelling: op for ops in _TABLE.values() for op, others in ops.items() for spelling in (_key(op), *others.split())
}
_CLASS_OF = {op: name for name, ops in _TABLE.items() for op in ops}


@lru_cache(maxsize=4096)
def canonical_op(op: str) -> str:
    """The one spelling of an operation: `nn.Linear`, `Dense` and `fc` are all `linear`.

    Case, separators, a module path in front and a dimension at the end do not matter. An operation that is not
    known keeps its own name, in lower case.
    """
    name = op.strip()
    return _SPELLINGS.get(_key(name)) or _SPELLINGS.get(_key(name.rpartition(".")[2])) or name.lower()


def op_class(op: str) -> str:
    """The coarse class of an operation in any spelling: one of `OP_CLASSES`."""
    return _CLASS_OF.get(canonical_op(op), OTHER)


@dataclass(frozen=True)
class Vocabulary:
    """Index of every operation that a model has an embedding for. Index 0 is shared by all others.

    Attributes:
        ops: operations in canonical spelling; `ops[i]` has the index i + 1. `list(ops)` is what a checkpoint keeps.
    """

    ops: tuple[str, ...] = KNOWN_OPS

    @classmethod
    def from_graphs(cls, graphs: Iterable[ArchGraph]) -> Vocabulary:
        """The known operations, and after them (by name) whatever else occurs in the graphs of a training table."""
        seen = {canonical_op(op) for graph in graphs for op in set(graph.ops)}
        return cls(KNOWN_OPS + tuple(sorted(seen - set(KNOWN_OPS))))

    def __len__(self) -> int:
        """Number of indices: the rows of an embedding table, the shared row 0 included."""
        return len(self.ops) + 1

    def __contains__(self, op: str) -> bool:
        return canonical_op(op) in self._index

    @cached_property
    def _index(self) -> dict[str, int]:
        return {op: i for i, op in enumerate(self.ops, start=1)}

    def indices(self, ops: Sequence[str]) -> NDArray[np.int64]:
        """Index of each operation, 0 where it is not in the vocabulary, shape [len(ops)]."""
        of = {op: self._index.get(canonical_op(op), 0) for op in set(ops)}
        return np.fromiter((of[op] for op in ops), dtype=np.int64, count=len(ops))


def unknown_ops(graphs: Iterable[ArchGraph], vocabulary: Vocabulary) -> dict[str, int]:
    """Operations that share the bucket of the unknown, with the number of nodes they label, most frequent first."""
    counts = Counter(op for graph in graphs for op in graph.ops)
    return {op: count for op, count in counts.most_common() if op not in vocabulary}
