"""`python -m mtl_runs.studies.nas --out FOLDER`: train the cells. Called again, it goes on."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lcode.errors import LcodeError
from mtl_runs.studies.nas.space import sample_cells
from mtl_runs.studies.nas.train import train_cells

CELLS, TWINS = 1000, 250
"""Cells of the study, and how many of them are trained with a second seed: how far two trainings agree bounds what any
forecast can know."""

SEEDS = (0, 1)
"""Of the trainings and of the twins'."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; exit status 0: done, 2: bad usage, with one message on stderr."""
    parser = argparse.ArgumentParser(prog="python -m mtl_runs.studies.nas", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the run logs")
    given = parser.parse_args(arguments)
    try:
        cells = sample_cells(CELLS, 0)
        for folder, some, seed in (("cells", cells, SEEDS[0]), ("twins", cells[:TWINS], SEEDS[1])):
            train_cells(given.out / folder, some, seed, listener=_tell)
    except (LcodeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _tell(done: int, of: int, seconds: float) -> None:
    print(f"{done} of {of} cells, the last ones in {seconds:.0f} s", flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
