"""All worlds by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lcode.errors import UsageError
from mtl_runs.control.family import DEEDS, Family
from mtl_runs.control.world import World

BUILT_IN: Mapping[str, Mapping[str, float]] = {
    "control-3": dict.fromkeys(("point-reach", "pendulum-swingup", "cart-balance"), 1.0),
    "control-10": dict.fromkeys(DEEDS, 1.0),
    "control-10-scaled": dict(zip(DEEDS, (1.0, 0.1, 10.0, 1.0, 0.1, 10.0, 1.0, 0.1, 10.0, 1.0), strict=True)),
}
"""Tasks of the built-in worlds, with what a policy is to make of their rewards: in the last one they are in units that
differ by a factor of 100."""

META_WORLD: Mapping[str, tuple[str, ...]] = {
    "metaworld-3": ("reach-v3", "drawer-close-v3", "button-press-topdown-v3"),
    "metaworld-10": (
        "reach-v3",
        "push-v3",
        "pick-place-v3",
        "door-open-v3",
        "drawer-open-v3",
        "drawer-close-v3",
        "button-press-topdown-v3",
        "peg-insert-side-v3",
        "window-open-v3",
        "window-close-v3",
    ),
}
"""Tasks of Meta-World: three that are learned soon, and its MT10."""

WORLDS: Mapping[str, tuple[str, ...]] = {**{name: tuple(tasks) for name, tasks in BUILT_IN.items()}, **META_WORLD}
"""Tasks by world."""


def make_world(name: str, tasks: Sequence[str] | None = None) -> World:
    """The world of this name.

    Args:
        name: key of `WORLDS`.
        tasks: these tasks only; one is a task alone. None = all.

    Raises:
        UsageError: no such world, or it has no such task; the message lists what there is.
        MissingExtraError: it is Meta-World's, which is not installed.
    """
    if name not in WORLDS:
        raise UsageError(f"no world '{name}'; there are: {', '.join(WORLDS)}")
    chosen = WORLDS[name] if tasks is None else tuple(tasks)
    unknown = [task for task in chosen if task not in WORLDS[name]]
    if unknown or not chosen:
        raise UsageError(f"world '{name}' has no task '{', '.join(unknown)}'; it has: {', '.join(WORLDS[name])}")
    if name in BUILT_IN:
        return Family(name, chosen, [BUILT_IN[name][task] for task in chosen])
    from mtl_runs.control.metaworld import MetaWorld

    return MetaWorld(name, chosen)
