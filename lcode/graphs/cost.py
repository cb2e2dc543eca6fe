"""What one call of a torch module costs: its name, parameters, output size and multiply-adds. Imports torch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from lcode.errors import UsageError
from lcode.graphs.ops import OTHER, canonical_op, op_class

# Additions and comparisons alone, or so few multiplications that the usual counts leave them out.
_FREE = frozenset({"input", "activation", "embedding", "dropout", "pool", "merge", "skip", "none", "reshape"})


def module_op(module: nn.Module) -> str:
    """Operation of a module: that of its class, or of the first base class that is a known operation."""
    known = (canonical_op(cls.__name__) for cls in type(module).__mro__ if op_class(cls.__name__) != OTHER)
    return next(known, canonical_op(type(module).__name__))


def count_parameters(parameters: Iterable[nn.Parameter], seen: set[nn.Parameter]) -> int:
    """Number of trainable parameters that are not in `seen` yet; they are added to it."""
    new = [p for p in dict.fromkeys(parameters) if p not in seen]
    seen.update(new)
    return sum(p.numel() for p in new if p.requires_grad)


def tensors_in(value: object) -> Iterator[torch.Tensor]:
    """The tensors in a result that may be nested in tuples, lists and mappings."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, list | tuple | Mapping):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from tensors_in(part)


def total_size(value: object) -> int:
    """Number of values in all tensors of a result."""
    return sum(tensor.numel() for tensor in tensors_in(value))


def multiply_adds(op: str, module: nn.Module | None, in_size: float, out_size: float) -> float:
    """Multiply-adds of one call.

    Args:
        op: operation in canonical spelling.
        module: the module that was called, None for a function.
        in_size: values in the first argument, per sample.
        out_size: values in the result, per sample.

    Returns:
        Multiply-adds per sample without biases; NaN where no formula is known.
    """
    if isinstance(module, nn.Linear):
        return out_size * module.in_features
    if isinstance(module, _ConvNd):
        window = math.prod(module.kernel_size) / module.groups
        if isinstance(module, _ConvTransposeNd):
            return in_size * module.out_channels * window
        return out_size * module.in_channels * window
    kind = op_class(op)
    if kind == "norm":
        return out_size
    return 0.0 if kind in _FREE else math.nan


def task_outputs(result: Any, tasks: Iterable[str] | None) -> dict[str, Any]:
    """Part of a module's result that belongs to each task; see `trace_graph` for the rules.

    Raises:
        UsageError: the names of the tasks do not fit the result.
    """
    names = None if tasks is None else list(tasks)
    if isinstance(result, Mapping):
        outputs = {str(name): part for name, part in result.items()}
        missing = [name for name in names or [] if name not in outputs]
        if missing:
            raise UsageError(f"there is no output '{missing[0]}'; the module returns: {', '.join(outputs)}")
        return outputs if names is None else {name: outputs[name] for name in names}
    parts = list(result) if isinstance(result, list | tuple) else [result]
    if names is None:
        names = [str(i) for i in range(len(parts))]
    if len(names) != len(parts):
        raise UsageError(f"tasks names {len(names)} outputs ({', '.join(names)}), but the module returns {len(parts)}")
    return dict(zip(names, parts, strict=True))
