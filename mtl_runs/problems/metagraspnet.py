"""The user's own MetaGraspNet: objects in a bin, synthetic or real (Gilles et al., CASE 2022, arXiv 2208.03963).

A folder has one folder per scene, `scene0/`, `scene1557/` …, perhaps within folders of levels of difficulty. A scene
has several views by number, each with `<view>_rgb.png` and `<view>.npz`. That holds arrays [H, W]: `depth` in
centimetres, NaN where it is unknown; `instances_objects`, the number of the object that is seen, and
`instances_semantic`, the number of its category, both 0 for the background; and in the synthetic data `occlusion`,
taken for the share of that object that is hidden. All else in a scene, such as grasps and poses, is left alone, and so
are views without labels, which real scenes have.

The layout was read off the authors' programs that show the data (github.com/maximiliangilles/MetaGraspNet); the data
themselves were not at hand.
"""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lcode.errors import InputError
from mtl_runs.problems.base import Problem, Split, Task
from mtl_runs.problems.dense_tasks import Depth, Segmentation
from mtl_runs.problems.memory import check_memory
from mtl_runs.problems.picture_file import read_picture

LAYOUT = "scene*/ with <view>_rgb.png and <view>.npz, in the folder or in folders of it"

HELD_OUT = 0.15
"""Share of the scenes that is for validation, and as many for the test."""

HEIGHT = 48
"""Default height of a picture, in pixels; the width follows."""

DEPTH, OBJECTS, CATEGORIES, HIDDEN = "depth", "instances_objects", "instances_semantic", "occlusion"

CENTIMETRES = 100
"""In a metre."""

Arrays = dict[str, NDArray[Any]]


def metagraspnet(
    folder: str | Path,
    *,
    name: str = "metagraspnet",
    classes: int | None = None,
    height: int = HEIGHT,
    limit: int | None = None,
    seed: int = 0,
) -> Problem:
    """Objects in a bin (Gilles 2022): category, edge of an object, depth in metres, and visible share per pixel.

    Tasks: `semantic`, one of the categories that the training pictures show, with the background (where another one is
    held out, it does not count); `edges`, whether one of the four neighbours is of another object or the background;
    `depth`; and of synthetic data `visible`, how much of the pixel's object is seen from here, 0..1, background left
    out. The splits share no scene, and the test scenes are the same for every seed.

    Args:
        folder: a folder as above.
        name: the problem's name.
        classes: number of categories with the background, which are then taken by their numbers in the files; None:
            those that the training pictures show, which depend on seed and limit.
        height: pixels per column; pictures are averaged, everything else is sampled.
        limit: use at most so many pictures per split, drawn at random; None uses all.
        seed: decides which scenes are validation, and which pictures are used.

    Raises:
        InputError: the folder does not have this layout.
        MissingExtraError: Pillow is not installed.
        UsageError: the pictures do not fit into memory.
    """
    folder = Path(folder)
    generator = np.random.default_rng(seed)
    parts = [_some(_views(scenes), limit, generator) for scenes in _divided(_scenes(folder), folder, generator)]
    for part, views in zip(("train", "validate", "test"), parts, strict=True):
        if not views:
            raise InputError(
                f"no scene to {part} on has a view with {DEPTH}, {OBJECTS} and {CATEGORIES}; more scenes may have",
                path=folder,
            )
    synthetic = _are_synthetic({view: hidden for views in parts for view, hidden in views.items()})
    size = tuple(read_picture(_rgb(next(iter(parts[0]))), height).shape[1:])
    # Depth and the visible share take 4 bytes each, classes 8.
    check_memory(folder, sum(map(len, parts)), size[0] * size[1] * (3 + 1 + synthetic + 2 * 2))
    names = (DEPTH, OBJECTS, CATEGORIES, *([HIDDEN] if synthetic else []))
    read = [_read(views, size, names, classes) for views in parts]
    shown = read[0][1]["semantic"].unique()
    if not shown.any():
        raise InputError(f"the training pictures show no category: {CATEGORIES} is 0 throughout", path=folder)
    numbers = torch.arange(classes) if classes else torch.cat([torch.zeros_like(shown[:1]), shown]).unique()
    tasks: tuple[Task, ...] = (Segmentation("semantic", len(numbers)), Segmentation("edges", 2), Depth("depth"))
    if synthetic:
        tasks = (*tasks, Depth("visible"))
    splits = [Split(x, targets | {"semantic": _by_place(targets["semantic"], numbers)}) for x, targets in read]
    return Problem(name, tasks, *splits)


def _scenes(folder: Path) -> list[Path]:
    """All scenes, in an order that does not depend on the file system."""
    for pattern in ("scene*", "*/scene*"):
        if found := sorted(path for path in folder.glob(pattern) if path.is_dir()):
            return found
    raise InputError(
        f"no folder of a scene, such as scene0; expected the layout of MetaGraspNet: {LAYOUT}", path=folder
    )


def _divided(scenes: list[Path], folder: Path, generator: np.random.Generator) -> list[list[Path]]:
    """The scenes to train, to validate and to test."""
    n_held_out = max(1, round(HELD_OUT * len(scenes)))
    if len(scenes) <= 2 * n_held_out:
        raise InputError(f"{len(scenes)} scene(s): too few to hold some out twice, at least 3 are needed", path=folder)
    # By a seed of their own: no choice, the seed's included, may see them.
    order = np.random.default_rng(0).permutation(len(scenes))
    rest = order[n_held_out:][generator.permutation(len(scenes) - n_held_out)]
    chosen = (rest[n_held_out:], rest[:n_held_out], order[:n_held_out])
    return [[scenes[i] for i in sorted(indices)] for indices in chosen]


def _views(scenes: Iterable[Path]) -> list[Path]:
    """The files `<view>.npz` of these scenes."""
    found = []
    for scene in scenes:
        views = sorted((path for path in scene.glob("*.npz") if path.stem.isdecimal()), key=lambda path: int(path.stem))
        found.extend(views)
    return found


def _some(views: Sequence[Path], limit: int | None, generator: np.random.Generator) -> dict[Path, bool]:
    """So many of the views that have labels, and whether each says what is hidden; no more files are opened."""
    found: dict[Path, bool] = {}
    for i in generator.permutation(len(views)):
        if len(found) == limit:
            break
        keys = _keys(views[i])
        if {DEPTH, OBJECTS, CATEGORIES} <= keys:
            found[views[i]] = HIDDEN in keys
    return found


def _are_synthetic(views: Mapping[Path, bool]) -> bool:
    """Whether the views say what is hidden; all do, or none."""
    if len(set(views.values())) == 2:
        without = next(view for view, hidden in views.items() if not hidden)
        raise InputError(
            f"has no {HIDDEN}, which other views have; keep synthetic and real scenes in folders of their own",
            path=without,
        )
    return any(views.values())


def _rgb(view: Path) -> Path:
    return view.with_name(f"{view.stem}_rgb.png")


def _keys(view: Path) -> set[str]:
    """Names of a view's arrays, without reading them."""
    try:
        with zipfile.ZipFile(view) as file:
            return {name.removesuffix(".npy") for name in file.namelist()}
    except (OSError, zipfile.BadZipFile) as error:
        raise _damaged(view, error) from error


def _arrays(view: Path, names: Iterable[str]) -> Arrays:
    """These arrays of a view, by name."""
    try:
        with np.load(view, allow_pickle=False) as file:
            return {name: file[name] for name in names}
    except (OSError, ValueError, EOFError, tokenize.TokenError, zipfile.BadZipFile, zlib.error) as error:
        raise _damaged(view, error) from error


def _damaged(view: Path, error: Exception) -> InputError:
    return InputError(f"cannot be read as arrays of numpy ({error}); unpack it again, or remove the view", path=view)


def _read(
    views: Iterable[Path], size: tuple[int, ...], names: Sequence[str], classes: int | None
) -> tuple[Tensor, dict[str, Tensor]]:
    """The pictures of these views, and by task their targets, categories by their numbers in the files."""
    pictures, targets = [], []
    for view in views:
        picture = read_picture(_rgb(view), size[0])
        if tuple(picture.shape[1:]) != size:
            found, expected = (" × ".join(map(str, shape)) for shape in (picture.shape[1:], size))
            raise InputError(
                f"has other proportions than the first picture ({found} pixels when scaled, expected {expected}); "
                "keep the pictures of each camera in a folder of their own",
                path=_rgb(view),
            )
        pictures.append(picture)
        own = _targets(
            {kind: _sampled(values, size, kind, view) for kind, values in _arrays(view, names).items()}, view
        )
        if classes is not None and (largest := int(own["semantic"].max())) >= classes:
            raise InputError(
                f"{CATEGORIES} goes to {largest}, expected 0 to {classes - 1}; give classes={largest + 1} or more, or "
                "leave classes out",
                path=view,
            )
        targets.append(own)
    return torch.stack(pictures), {task: torch.stack([own[task] for own in targets]) for task in targets[0]}


def _sampled(values: NDArray[Any], size: tuple[int, ...], kind: str, view: Path) -> NDArray[Any]:
    """An array [H, W] at the pixels nearest to those of a picture of this size; categories must not be averaged."""
    height, width = size
    if values.ndim != 2 or not values.size or max(1, round(height * values.shape[1] / values.shape[0])) != width:
        raise InputError(
            f"{kind} has the shape {list(values.shape)}, expected [H, W] with the proportions of the picture", path=view
        )
    if values.dtype.kind not in "biuf":
        raise InputError(f"{kind} holds {values.dtype}, expected numbers", path=view)
    rows, columns = (np.arange(n) * have // n for n, have in zip(size, values.shape, strict=True))
    return np.asarray(values[rows][:, columns])


def _targets(arrays: Arrays, view: Path) -> dict[str, Tensor]:
    """What the tasks make of a view's arrays."""
    objects, categories = (_whole(arrays[kind], kind, view) for kind in (OBJECTS, CATEGORIES))
    depth = arrays[DEPTH].astype(np.float32) / CENTIMETRES
    known = np.isfinite(depth) & (depth > 0)
    targets = {
        "semantic": torch.from_numpy(categories),
        "edges": torch.from_numpy(_edges(objects)),
        "depth": torch.from_numpy(np.where(known, depth, np.float32(0))[None]),
    }
    if HIDDEN in arrays:
        hidden = arrays[HIDDEN][objects != 0]
        if hidden.size and not (hidden.min() >= 0 and hidden.max() <= 1):  # NaN is neither
            raise InputError(
                f"{HIDDEN} goes from {hidden.min():g} to {hidden.max():g} on objects, expected shares from 0 to 1; "
                "unpack it again, or remove the view",
                path=view,
            )
        visible = np.where(objects != 0, 1 - arrays[HIDDEN].astype(np.float32), np.float32(0))
        targets["visible"] = torch.from_numpy(visible[None])
    return targets


def _whole(values: NDArray[Any], kind: str, view: Path) -> NDArray[np.int64]:
    """Numbers of objects or categories."""
    whole = np.nan_to_num(values).astype(np.int64)
    if not np.array_equal(whole, values) or whole.min() < 0:
        raise InputError(f"{kind} has other numbers than 0, 1, 2, …", path=view)
    return whole


def _edges(objects: NDArray[np.int64]) -> NDArray[np.int64]:
    """1 where one of the four neighbours belongs to another object, else 0."""
    edges = np.zeros_like(objects)
    for one, other in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1])):
        differ = objects[one] != objects[other]
        edges[one] |= differ
        edges[other] |= differ
    return edges


def _by_place(categories: Tensor, numbers: Tensor) -> Tensor:
    """Classes 0, 1, 2, … instead of the numbers in the files; -1 for what is none of them."""
    place = torch.searchsorted(numbers, categories).clamp(max=len(numbers) - 1)
    return torch.where(numbers[place] == categories, place, Segmentation.IGNORED)
