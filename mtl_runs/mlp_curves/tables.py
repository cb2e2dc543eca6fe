"""The two tables with their labels turned into one class against the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from lcode.benchmarks.files import DataFile, find_file
from lcode.errors import UsageError

TABLES: Mapping[str, DataFile] = {
    "car": DataFile("tabular/car.csv", "0023b86e0dd3502aaa0e4a610ef4d8aebbba7ff40f53fa7c2f0543c68bee5114"),
    "segment": DataFile("tabular/segment.csv", "804e1c6b89c1636ee525936133323911a564a5f3b0ecd96b93775406cb61fa1d"),
}
"""Name of the task -> its file. A task's place in here is part of the seed of its runs: add at the end."""

LABEL = "class"

TRAIN_SHARE = 0.75


@dataclass(frozen=True)
class BinaryTable:
    """Rows of D inputs with a label 0 or 1, split into R training and S test rows.

    Attributes:
        train_inputs: standardised, float32, shape [R, D].
        train_labels: float32, shape [R, 1].
        test_inputs: on the scale of the training rows, shape [S, D].
        test_labels: shape [S, 1].
    """

    train_inputs: torch.Tensor
    train_labels: torch.Tensor
    test_inputs: torch.Tensor
    test_labels: torch.Tensor


def load_table(task: str, seed: int = 0) -> BinaryTable:
    """Read a table. The label is 1 for the most frequent class; of equally frequent ones, for the first by name.

    Categories become an input each, and every input has mean 0 and standard deviation 1 over the training rows.

    Args:
        task: key of `TABLES`.
        seed: of the split into rows; all runs of a seed share it.

    Raises:
        UsageError: there is no such table.
        DataNotFoundError: the file is neither in `LCODE_DATA` nor in the cache, or has other bytes than expected.
    """
    if task not in TABLES:
        raise UsageError(f"no table '{task}'; there are: {', '.join(TABLES)}")
    frame = pd.read_csv(find_file(TABLES[task]))
    classes = frame.pop(LABEL)
    counts = classes.value_counts()
    labels = (classes == min(counts.index[counts == counts.max()])).to_numpy(np.float32)[:, None]
    inputs = pd.get_dummies(frame).to_numpy(np.float64)
    rows = np.random.default_rng([seed, list(TABLES).index(task)]).permutation(len(inputs))
    train, test = np.split(rows, [round(TRAIN_SHARE * len(rows))])
    spread = inputs[train].std(axis=0)
    # An input that never varies says nothing, whatever it is divided by.
    scaled = (inputs - inputs[train].mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    parts = (values[part] for part in (train, test) for values in (scaled.astype(np.float32), labels))
    return BinaryTable(*map(torch.from_numpy, parts))
