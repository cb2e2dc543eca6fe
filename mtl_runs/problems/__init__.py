"""Multi-task problems: data in memory, tasks, losses and metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from inspect import signature

from lcode.errors import UsageError
from mtl_runs.problems.base import Problem, Split, Task
from mtl_runs.problems.celeba import celeba
from mtl_runs.problems.cells import cells
from mtl_runs.problems.clicks import clicks
from mtl_runs.problems.dense_tasks import Depth, Normals, Segmentation
from mtl_runs.problems.digits import overlapping_digits
from mtl_runs.problems.fashion import overlapping_fashion
from mtl_runs.problems.folders import cityscapes, nyuv2
from mtl_runs.problems.metagraspnet import metagraspnet
from mtl_runs.problems.own import FORM, OwnTask, is_own, own_problem
from mtl_runs.problems.particles import particles
from mtl_runs.problems.scenes import scenes
from mtl_runs.problems.tabular import mixed_table, wide_table
from mtl_runs.problems.tasks import BinaryClassification, Classification, Regression
from mtl_runs.problems.waves import waves

PROBLEMS: dict[str, Callable[..., Problem]] = {
    "digits": overlapping_digits,
    "digits-scaled": partial(overlapping_digits, "digits-scaled", noise=0.3, sum_unit=20.0, seed=1),
    "digits-pair": partial(
        overlapping_digits, "digits-pair", sizes=(1500, 1500, 1500), noise=0.3, flipped=0.1, sum_unit=None, seed=2
    ),
    "fashion": overlapping_fashion,
    "fashion-ink": partial(overlapping_fashion, "fashion-ink", noise=0.2, ink=True, seed=1),
    "scenes": scenes,
    "scenes-fog": partial(scenes, "scenes-fog", haze=0.12, depth_unit=20.0, seed=1),
    "cells": cells,
    "tabular": mixed_table,
    "tabular-wide": wide_table,
    "clicks": clicks,
    "particles": particles,
    "particles-hot": partial(
        particles, "particles-hot", sizes=(2000, 1500, 1500), heat=0.1, noise=0.02, units=(1.0, 5.0, 0.05), seed=1
    ),
    "waves": waves,
}
"""Makers of every problem, by name; all take `seed`."""


FOLDERS: dict[str, Callable[..., Problem]] = {
    "nyuv2": nyuv2,
    "cityscapes": cityscapes,
    "celeba": celeba,
    "metagraspnet": metagraspnet,
}
"""Makers of the problems that read a folder of the user's, by kind; all take `name` and integer options."""


def make_problem(name: str) -> Problem:
    """The problem of this name.

    Args:
        name: one of `PROBLEMS`, perhaps with another seed of its data, such as `tabular?seed=7`; or one of `FOLDERS`,
            a colon and a folder, perhaps with options of its maker, such as `nyuv2:/data/nyuv2` or
            `nyuv2:/data/nyuv2?height=72&limit=200`; or a Python file, a colon and a function that makes one, such as
            `my.py:make`.

    Raises:
        UsageError: no such problem or option; the message lists what there is.
        DataNotFoundError, InputError: the problem's files are missing or have another form.
    """
    kind, _, query = name.partition("?")
    if kind in PROBLEMS:
        return replace(PROBLEMS[kind](**_options(kind, query, ["seed"])), name=name)
    if is_own(name):
        return own_problem(name)
    kind, colon, rest = name.partition(":")
    if kind in FOLDERS and colon:
        folder, _, query = rest.partition("?")
        known = [option for option in signature(FOLDERS[kind]).parameters if option not in ("folder", "name")]
        return FOLDERS[kind](folder, name=name, **_options(kind, query, known))
    folders = ", ".join(f"{kind}:FOLDER" for kind in FOLDERS)
    raise UsageError(f"no problem '{name}'; there are: {', '.join(PROBLEMS)}; and for your own data {folders}, {FORM}")


def _options(kind: str, query: str, known: Sequence[str]) -> dict[str, int]:
    """The options after the question mark, all positive integers (the seed may be 0)."""
    options = {}
    for part in filter(None, query.split("&")):
        option, _, value = part.partition("=")
        if option not in known:
            raise UsageError(f"problem '{kind}' has no option '{option}'; it has: {', '.join(known)}")
        if not value.isdecimal() or (int(value) == 0 and option != "seed"):
            raise UsageError(f"option '{option}' of problem '{kind}' must be a positive integer, not '{value}'")
        options[option] = int(value)
    return options


__all__ = [
    "FOLDERS",
    "FORM",
    "PROBLEMS",
    "BinaryClassification",
    "Classification",
    "Depth",
    "Normals",
    "OwnTask",
    "Problem",
    "Regression",
    "Segmentation",
    "Split",
    "Task",
    "celeba",
    "cells",
    "cityscapes",
    "clicks",
    "make_problem",
    "metagraspnet",
    "mixed_table",
    "nyuv2",
    "overlapping_digits",
    "overlapping_fashion",
    "particles",
    "scenes",
    "waves",
    "wide_table",
]
