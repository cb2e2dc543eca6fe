from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mtl_runs.problems import PROBLEMS, Problem, fashion, make_problem

Maker = Callable[[str], Problem]


def write_idx(path: Path, values: np.ndarray) -> None:
    header = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(header + values.astype(np.uint8).tobytes(), compresslevel=1))


@pytest.fixture(scope="session")
def garments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like that of Debian's package, with 500 made-up pictures, all different."""
    folder = tmp_path_factory.mktemp("fashion-mnist")
    generator = np.random.default_rng(0)
    write_idx(folder / "t10k-images-idx3-ubyte.gz", generator.integers(256, size=(500, 28, 28)))
    write_idx(folder / "t10k-labels-idx1-ubyte.gz", generator.integers(10, size=500))
    return folder


@pytest.fixture(scope="session")
def made(garments: Path) -> Maker:
    """Every problem by name, made once; those that need Fashion-MNIST get made-up pictures."""
    problems: dict[str, Problem] = {}

    def make(name: str) -> Problem:
        if name not in problems:
            assert name in PROBLEMS
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(fashion, "INSTALLED", garments)
                problems[name] = make_problem(name)
        return problems[name]

    return make
