"""Which runs of a sweep are trained together: packs of equal shapes that fit into memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise
from math import ceil
from typing import Any

from mtl_runs.training import RunSpec

PACK = 16
"""Members of a population. From eight on the time per run hardly falls, while the memory a step touches grows."""


def make_packs(
    specs: Sequence[RunSpec], *, largest: int, bytes_of: Callable[[RunSpec], int], memory: float
) -> tuple[list[list[RunSpec]], list[str]]:
    """Group runs of equal problem, shapes and passes per step, and cut groups that are too large into equal packs.

    Runs of one balancer stay together: it is then called once for all of them. The packs depend on the given runs
    only, not on how far they are.

    Args:
        specs: the runs.
        largest: members of a pack, at least 1.
        bytes_of: memory that a run needs as a member.
        memory: bytes that a pack may take; a single run is never refused.

    Returns:
        The packs, in the order of their first runs; and a line for each group that had to be split for memory.
    """
    groups: dict[tuple[Any, ...], list[RunSpec]] = defaultdict(list)
    for spec in specs:
        groups[(spec.problem, *spec.config.stacking_key)].append(spec)
    packs, notes = [], []
    for group in groups.values():
        size = min(largest, len(group)) if group[0].config.is_stackable else 1
        each = bytes_of(group[0])
        fitting = max(1, min(size, int(memory // max(each, 1))))
        if fitting < size:
            notes.append(
                f"{len(group)} runs of {group[0].config.arch} on {group[0].problem} are trained {fitting} at a time: "
                f"each takes about {each / 2**20:.0f} MiB, and {memory / 2**20:.0f} MiB are allowed"
            )
        n_packs = ceil(len(group) / fitting)
        ordered = sorted(group, key=lambda spec: (*spec.config.balancer_key, spec.config.optimizer))
        bounds = [len(group) * i // n_packs for i in range(n_packs + 1)]
        packs += [ordered[start:end] for start, end in pairwise(bounds)]
    places = {spec.run: place for place, spec in enumerate(specs)}
    return sorted(packs, key=lambda pack: min(places[spec.run] for spec in pack)), notes
