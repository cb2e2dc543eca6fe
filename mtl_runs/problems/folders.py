"""The user's own NYUv2 and Cityscapes, in the layout that was published with MTAN (Liu, Johns and Davison 2019).

A folder has `train/` and `val/`, each with one folder per kind of array and in it one file per picture, `0.npy`,
`1.npy`, …: `image` [H, W, 3], `label` [H, W] with -1 for unlabelled pixels, `depth` [H, W, 1] with 0 for unknown, and
for NYUv2 `normal` [H, W, 3] with the zero vector for unknown. What they call `val` is the test split here; validation
is split off `train`, so that no choice sees the test pictures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from lcode.errors import InputError
from mtl_runs.problems.base import Problem, Split, Task
from mtl_runs.problems.dense_tasks import Depth, Normals, Segmentation
from mtl_runs.problems.memory import check_memory

LAYOUT = "train/ and val/, each with image/, label/, depth/ (and normal/ for NYUv2) of 0.npy, 1.npy, …"

VALIDATION = 0.15
"""Share of the training pictures that is held out for validation."""

HEIGHT = 48
"""Default height of a picture, in pixels; the width follows."""


def nyuv2(
    folder: str | Path, *, name: str = "nyuv2", height: int = HEIGHT, limit: int | None = None, seed: int = 0
) -> Problem:
    """Indoor pictures (Silberman 2012): 13 classes per pixel, depth in metres, and surface normals.

    Args:
        folder: a folder as above.
        name: the problem's name.
        height: pixels per column; pictures are averaged, everything else is sampled.
        limit: use at most so many pictures of `train`, and of `val`; None uses all.
        seed: decides which pictures are validation, and which are used.

    Raises:
        InputError: the folder does not have this layout.
        UsageError: the pictures do not fit into memory.
    """
    tasks = (Segmentation("semantic", 13), Depth("depth"), Normals("normal"))
    kinds = {"semantic": "label", "depth": "depth", "normal": "normal"}
    return _load(Path(folder), name, tasks, kinds, height, limit, seed)


def cityscapes(
    folder: str | Path,
    *,
    name: str = "cityscapes",
    classes: int = 7,
    height: int = HEIGHT,
    limit: int | None = None,
    seed: int = 0,
) -> Problem:
    """Street scenes (Cordts 2016): classes per pixel and inverse depth.

    Args:
        folder: a folder as above; labels are in `label_7`, `label_19` and so on, or in `label`.
        name: the problem's name.
        classes: number of classes of the labels.
        height: pixels per column; pictures are averaged, everything else is sampled.
        limit: use at most so many pictures of `train`, and of `val`; None uses all.
        seed: decides which pictures are validation, and which are used.

    Raises:
        InputError: the folder does not have this layout.
        UsageError: the pictures do not fit into memory.
    """
    folder = Path(folder)
    numbered = f"label_{classes}"
    labels = numbered if (folder / "train" / numbered).is_dir() else "label"
    tasks = (Segmentation("semantic", classes), Depth("depth"))
    return _load(folder, name, tasks, {"semantic": labels, "depth": "depth"}, height, limit, seed)


def _load(
    folder: Path,
    name: str,
    tasks: tuple[Task, ...],
    kinds: Mapping[str, str],
    height: int,
    limit: int | None,
    seed: int,
) -> Problem:
    generator = np.random.default_rng(seed)
    ours, theirs = (
        [at[i] for i in generator.permutation(len(at))[:limit]]
        for at in (_pictures(folder / part, kinds.values()) for part in ("train", "val"))
    )
    first = _array(folder / "train" / "image" / f"{ours[0]}.npy", 3)
    size = (height, round(height * first.shape[1] / first.shape[0]))
    # One more for the label, which is stored in 8 bytes.
    check_memory(folder, len(ours) + len(theirs), size[0] * size[1] * (4 + sum(task.n_outputs for task in tasks[1:])))
    n_validation = max(1, round(VALIDATION * len(ours)))
    if len(ours) <= n_validation:
        raise InputError(f"{len(ours)} training picture(s): too few to hold some out", path=folder / "train")
    parts = (("train", ours[n_validation:]), ("train", ours[:n_validation]), ("val", theirs))
    splits = [_split(folder / part, tasks, kinds, numbers, size) for part, numbers in parts]
    return Problem(name, tasks, *splits)


def _pictures(folder: Path, kinds: Iterable[str]) -> list[int]:
    """The numbers of a part's pictures; every one has all its arrays."""
    numbers = {kind: {path.stem for path in (folder / kind).glob("*.npy")} for kind in ("image", *kinds)}
    for kind, found in numbers.items():
        if not found:
            raise InputError(f"no files such as 0.npy; expected the layout of MTAN: {LAYOUT}", path=folder / kind)
        missing = sorted(numbers["image"] - found)
        if missing:
            raise InputError(
                "missing, though there is an image of this number", path=folder / kind / f"{missing[0]}.npy"
            )
    if not all(number.isdecimal() for number in numbers["image"]):
        raise InputError("files are not named by numbers, such as 0.npy", path=folder / "image")
    return sorted(map(int, numbers["image"]))


def _split(
    folder: Path, tasks: Sequence[Task], kinds: Mapping[str, str], numbers: Sequence[int], size: tuple[int, int]
) -> Split:
    targets: dict[str, list[Tensor]] = {task.name: [] for task in tasks}
    images = []
    for number in numbers:
        images.append(_resized(_array(folder / "image" / f"{number}.npy", 3), size, "area"))
        for task in tasks:
            path = folder / kinds[task.name] / f"{number}.npy"
            channels = 1 if isinstance(task, Segmentation) else task.n_outputs
            targets[task.name].append(_target(task, _resized(_array(path, channels), size, "nearest"), path))
    return Split(torch.stack(images), {task: torch.stack(values) for task, values in targets.items()})


def _target(task: Task, values: Tensor, path: Path) -> Tensor:
    """What a task makes of an array [C, H, W] of a file."""
    if isinstance(task, Segmentation):
        labels = values[0].round().long()
        if labels.min() < Segmentation.IGNORED or labels.max() >= task.n_outputs:
            raise InputError(
                f"labels from {int(labels.min())} to {int(labels.max())}, expected -1 to {task.n_outputs - 1}",
                path=path,
            )
        return labels
    if isinstance(task, Normals):
        return functional.normalize(values, dim=0)
    return values.clamp(min=0)


def _array(path: Path, channels: int) -> NDArray[np.float32]:
    """The array of a file, [H, W, channels]."""
    try:
        values = np.load(path)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"cannot be read as an array of numpy ({error})", path=path) from error
    if values.ndim == 2:
        values = values[..., None]
    if values.ndim != 3 or values.shape[2] != channels:
        raise InputError(f"an array of shape {list(values.shape)}, expected [height, width, {channels}]", path=path)
    return values.astype(np.float32)


def _resized(values: NDArray[np.float32], size: tuple[int, int], mode: str) -> Tensor:
    """[H, W, C] -> [C, *size]."""
    channels_first = torch.from_numpy(np.ascontiguousarray(np.moveaxis(values, -1, 0)))
    return functional.interpolate(channels_first[None], size, mode=mode)[0]
