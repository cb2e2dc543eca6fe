"""The user's own CelebA: 40 attributes of faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from lcode.errors import InputError
from mtl_runs.problems.base import Problem, Split
from mtl_runs.problems.memory import check_memory
from mtl_runs.problems.picture_file import read_picture
from mtl_runs.problems.tasks import BinaryClassification

ATTRIBUTES = "list_attr_celeba.txt"
PARTITION = "list_eval_partition.txt"
PICTURES = "img_align_celeba"

PARTS = ("0", "1", "2")
"""What the partition calls training, validation and test."""


def celeba(
    folder: str | Path, *, name: str = "celeba", height: int = 32, limit: int | None = None, seed: int = 0
) -> Problem:
    """Faces (Liu 2015) [3, height, width] in 0..1 and a binary task per attribute (err, auc), with the splits as given.

    Pictures are read one by one and scaled down at once, so that memory holds only what is used.

    Args:
        folder: holds `list_attr_celeba.txt`, `list_eval_partition.txt` and the pictures in `img_align_celeba/`.
        name: the problem's name.
        height: pixels per column; the width follows.
        limit: use at most so many pictures per split, drawn at random; None uses all.
        seed: decides which pictures are used.

    Raises:
        InputError: a file is missing or has another form.
        MissingExtraError: Pillow is not installed.
        UsageError: the pictures do not fit into memory.
    """
    folder = Path(folder)
    names, attributes = _attributes(folder / ATTRIBUTES)
    parts = _partition(folder / PARTITION, attributes)
    generator = np.random.default_rng(seed)
    chosen = [[files[i] for i in generator.permutation(len(files))[:limit]] for files in parts]
    check_memory(folder, sum(map(len, chosen)), 3 * height * height + 2 * len(names))
    splits = []
    for files in chosen:
        faces = torch.stack([read_picture(folder / PICTURES / file, height) for file in files])
        held = torch.tensor([attributes[file] for file in files])
        splits.append(Split(faces, {task: held[:, i].contiguous() for i, task in enumerate(names)}))
    return Problem(name, tuple(BinaryClassification(task) for task in names), *splits)


def _lines(path: Path) -> list[list[str]]:
    try:
        return [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror}); CelebA's folder holds it", path=path) from error


def _attributes(path: Path) -> tuple[list[str], dict[str, list[int]]]:
    """Names of the attributes, and per picture 0 or 1 for each: after the number of pictures and the names, 1 or -1."""
    lines = _lines(path)
    names = lines[1] if len(lines) > 1 else []
    values = {}
    for number, line in enumerate(lines[2:], start=3):
        if len(line) != len(names) + 1 or not set(line[1:]) <= {"1", "-1"}:
            raise InputError(f"expected a picture and {len(names)} times 1 or -1", path=path, line=number)
        values[line[0]] = [int(value == "1") for value in line[1:]]
    if not values:
        raise InputError("no pictures: expected a number, the attributes' names, and a line per picture", path=path)
    return names, values


def _partition(path: Path, attributes: dict[str, list[int]]) -> list[list[str]]:
    """The pictures of training, validation and test."""
    parts: dict[str, list[str]] = {part: [] for part in PARTS}
    for number, line in enumerate(_lines(path), start=1):
        if len(line) != 2 or line[1] not in parts:
            raise InputError("expected a picture and 0, 1 or 2", path=path, line=number)
        if line[0] not in attributes:
            raise InputError(f"'{line[0]}' is not in {ATTRIBUTES}", path=path, line=number)
        parts[line[1]].append(line[0])
    if not all(parts.values()):
        raise InputError("training (0), validation (1) or test (2) has no picture", path=path)
    return list(parts.values())
