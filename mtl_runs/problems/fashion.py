"""Multi-Fashion: two overlapping pictures of Fashion-MNIST."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from lcode.benchmarks.files import DataFile, find_file
from lcode.errors import DataNotFoundError, InputError
from mtl_runs.problems.base import Problem, Split, Task
from mtl_runs.problems.overlap import divide, overlap
from mtl_runs.problems.tasks import Classification, Regression

INSTALLED = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package `dataset-fashion-mnist` puts the files."""

SOURCE = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion"

IMAGES = DataFile(
    "fashion-mnist/t10k-images-idx3-ubyte.gz",
    "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    f"{SOURCE}/t10k-images-idx3-ubyte.gz",
)
LABELS = DataFile(
    "fashion-mnist/t10k-labels-idx1-ubyte.gz",
    "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    f"{SOURCE}/t10k-labels-idx1-ubyte.gz",
)

CANVAS = 18
"""Side of the picture; the items are 14×14 and sit in opposite corners, so 10×10 pixels are contested."""


def overlapping_fashion(
    name: str = "fashion",
    *,
    sizes: tuple[int, int, int] = (2500, 1500, 1500),
    noise: float = 0.1,
    flipped: float = 0.05,
    ink: bool = False,
    seed: int = 0,
) -> Problem:
    """Two items of Fashion-MNIST (Xiao 2017), halved to 14×14 by 2×2 means, overlap on an 18×18 canvas.

    Tasks: `left` and `right`, the class of the item at the top left and at the bottom right (cross-entropy, error
    rate); with `ink`, also `contested`: the part of the canvas where both have much ink, in per cent, 0 to 31 (squared
    error, about thirteen times the cross-entropies at the start; rmse). Only the 10,000 pictures of the published test
    part are used; they are split 60/20/20 before they are paired, so that none is on two sides.

    Args:
        name: the problem's name.
        sizes: pairs to train, to validate and to test.
        noise: standard deviation of the pixel noise; ink is up to 1.
        flipped: share of the training labels that are wrong.
        ink: whether there is the task `contested`.
        seed: decides the split, the pairs, the wrong labels and the noise.

    Raises:
        DataNotFoundError: Fashion-MNIST is neither installed, nor in `LCODE_DATA`, nor cached, nor downloadable.
    """
    generator = np.random.default_rng(seed)
    images, labels = _items()
    splits: list[Split] = []
    for part, n in zip(divide(len(images), generator), sizes, strict=True):
        pairs = overlap(images[part], labels[part], n, CANVAS, noise, 0.0 if splits else flipped, generator)
        left, right = torch.from_numpy(pairs.labels)
        targets = {"left": left, "right": right}
        if ink:
            targets["contested"] = torch.from_numpy((100 * pairs.contested).astype(np.float32)).unsqueeze(-1)
        splits.append(Split(torch.from_numpy(pairs.canvas), targets))
    tasks: tuple[Task, ...] = (Classification("left", 10), Classification("right", 10))
    if ink:
        tasks += (Regression("contested", 1),)
    return Problem(name, tasks, *splits)


def _items() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The pictures [N, 14, 14] with ink in 0..1, and their classes [N]."""
    images, labels = _read(_locate(IMAGES)), _read(_locate(LABELS))
    halved = images.reshape(-1, 14, 2, 14, 2).mean((2, 4)) / 255
    return halved, labels.astype(np.int64)


def _locate(file: DataFile) -> Path:
    installed = INSTALLED / Path(file.name).name
    if installed.is_file():
        return installed
    try:
        return find_file(file)
    except DataNotFoundError as error:
        raise DataNotFoundError(f"{error}; or install Debian's package 'dataset-fashion-mnist'") from error


def _read(path: Path) -> NDArray[np.uint8]:
    """An array of bytes in the IDX format: two zeros, type 8, number of dimensions, their sizes, the bytes."""
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError) as error:
        raise InputError(f"not a gzip file ({error}); fetch it again", path=path) from error
    n_dimensions = content[3] if content[:3] == b"\0\0\x08" else 0
    shape = np.frombuffer(content, ">u4", n_dimensions, offset=4) if n_dimensions else np.zeros(1, int)
    values = np.frombuffer(content, np.uint8, offset=4 + 4 * n_dimensions)
    if n_dimensions == 0 or len(values) != shape.prod():
        raise InputError("not an IDX file of bytes; fetch it again", path=path)
    return values.reshape(shape)
