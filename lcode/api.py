"""The two calls that make a model: `fit` from finished runs, `load` from disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal

from lcode.errors import UsageError
from lcode.forecasters.lcgode import SHIPPED, LCGODEForecaster
from lcode.network.loop import Progress
from lcode.table import RunTable
from lcode.table.given import check_table

Start = Literal["shipped", "scratch"]


def fit(
    table: RunTable,
    *,
    start: Start = "shipped",
    paper: bool = False,
    targets: Sequence[str] | None = None,
    device: str | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    related: Sequence[RunTable] = (),
) -> LCGODEForecaster:
    """Learn from the finished runs of a table.

    Args:
        table: runs; those that are not finished are ignored.
        start: `shipped` starts from the checkpoint that comes with the package, and adapts its networks to more than 30
            finished runs; fewer are taken up as they are. `scratch` begins anew.
        paper: use the published single-task recipe instead (K = 1 for every metric, no coupling, from scratch).
        targets: metrics to forecast, by key (default: all); the others are still read as inputs.
        device: `cpu` or `cuda`; default: a GPU when there is one.
        seed: the same seed on the same machine gives the same model.
        progress: called as `progress(step, steps, validation_loss)` while networks are trained.
        related: finished runs of other problems with the same metrics, for a table with few finished runs, or none.

    Raises:
        NotEnoughDataError: fewer than four finished runs with at least two epochs.
        UsageError: no table, an unknown target or device, or related runs for the published recipe.

    Examples:
        >>> import lcode
        >>> model = lcode.fit(lcode.read_logs("logs.csv"))
        >>> model.save("model")
        >>> [metric.key for metric in lcode.load("model").known_metrics]
        ['seg/miou', 'depth/abs_err']
    """
    check_table("table", table)
    for other in related:
        check_table("related", other)
    if paper and related:
        raise UsageError("the published recipe learns from one table; leave out --paper or the related runs")
    if start not in ("shipped", "scratch"):
        raise UsageError(f"a fit starts from 'shipped' or 'scratch', not from '{start}'")
    chosen = resolve_device(device)
    if paper:
        return LCGODEForecaster.paper(seed=seed, device=chosen, progress=progress, targets=targets).fit(table)
    pretrained = SHIPPED if start == "shipped" else None
    forecaster = LCGODEForecaster(seed=seed, device=chosen, progress=progress, targets=targets, pretrained=pretrained)
    return forecaster.fit_related(table, related) if related else forecaster.fit(table)


def load(folder: str | os.PathLike[str] | None = None, *, device: str | None = None) -> LCGODEForecaster:
    """Read a model that `lcode fit` or `LCGODEForecaster.save` wrote; without a folder, the shipped one.

    Raises:
        CheckpointError: the folder is damaged, incomplete, or written by a newer version.

    Examples:
        >>> import lcode
        >>> model = lcode.load()
        >>> sorted(set(model.predict(lcode.read_logs("logs.csv")).status.ravel().tolist()))
        ['finished', 'ok']
    """
    return LCGODEForecaster.load(SHIPPED if folder is None else folder, device=resolve_device(device))


def resolve_device(device: str | None) -> str:
    """The device asked for, or a GPU when there is one.

    Raises:
        UsageError: neither `cpu` nor `cuda`, or `cuda` without a GPU.
    """
    import torch

    if device is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device.partition(":")[0] not in ("cpu", "cuda"):
        raise UsageError(f"no device '{device}'; there are: cpu, cuda")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise UsageError("no GPU was found; use --device cpu")
    return device
