"""Architecture search in a small space of cells: `python -m mtl_runs.studies.nas --out FOLDER`.

Trains a thousand cells, ranks them by their graphs before training and after a few epochs, and counts what it costs to
find one of the best. What there is is not made again: called once more, it goes on. Leaves the run logs, `rankings.csv`
and `searches.csv`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import astuple, fields
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from lcode.errors import LcodeError, UsageError
from lcode.evaluation.metrics import kendall
from lcode.files import replacing
from mtl_runs.studies.nas import finding, ranking
from mtl_runs.studies.nas.finding import WAYS, Found, find
from mtl_runs.studies.nas.predictors import Trained
from mtl_runs.studies.nas.ranking import Ranked, ranked, rankings, regret
from mtl_runs.studies.nas.space import sample_cells
from mtl_runs.studies.nas.train import run_name, train_cells

CELLS, TWINS = 1000, 50
"""Cells of the study, and how many of them are trained with a second seed: how far two trainings agree bounds what any
forecast can know."""

SPLITS, ORDERS = 3, 20
"""Of rankings, and of searches."""


def conduct(
    out: Path,
    cells: int = CELLS,
    twins: int = TWINS,
    splits: int = SPLITS,
    orders: int = ORDERS,
    seed: int = 0,
) -> str:
    """Train, rank and search what is missing; the tables in Markdown. The seed draws the cells.

    Raises:
        UsageError: the folder is that of another seed.
    """
    drawn = sample_cells(cells, seed)
    names = {f"{run_name(cell, 0)}.jsonl" for cell in drawn}
    if any(path.name not in names for path in (out / "cells").glob("*.jsonl")):
        raise UsageError(f"{out} holds cells that seed {seed} does not draw; give each seed a folder of its own")
    train_cells(out / "cells", drawn, 0, listener=_tell)
    train_cells(out / "twins", drawn[:twins], 1, listener=_tell)
    trained = Trained.read(out / "cells")
    asked = [(way, split) for way in WAYS for split in range(orders)]
    ranks = _grown(out / "rankings.csv", Ranked, list(rankings(splits)), partial(ranked, trained))
    searches = _grown(out / "searches.csv", Found, asked, partial(find, trained))
    return "\n\n".join(
        [_agreement(trained, Trained.read(out / "twins")), ranking.summary(ranks), finding.summary(searches)]
    )


def _agreement(trained: Trained, twins: Trained) -> str:
    """What a second training of a cell says of the first."""
    place = {arch: row for row, arch in enumerate(trained.table.runs["arch"])}
    finals = trained.finals[[place[arch] for arch in twins.table.runs["arch"]]]
    return (
        f"{len(finals)} cells trained twice: τ {kendall(finals, twins.finals):.3f}, "
        f"regret of the other's best {regret(finals, twins.finals):.2f}"
    )


def _grown(path: Path, kind: type[Any], keys: Sequence[tuple[Any, ...]], make: Callable[..., Any]) -> pd.DataFrame:
    """The rows in a file and those that it lacks, which are made and added one by one; a row begins with its key."""
    columns = [field.name for field in fields(kind)]
    rows = [tuple(row) for row in pd.read_csv(path).itertuples(index=False)] if path.exists() else []
    known = {row[: len(keys[0])] for row in rows}
    for key in keys:
        if key not in known:
            rows.append(astuple(make(*key)))
            with replacing(path) as file:
                pd.DataFrame(rows, columns=columns).to_csv(file, index=False)
    return pd.DataFrame(rows, columns=columns)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; exit status 0: done, 2: bad usage, with one message on stderr."""
    parser = argparse.ArgumentParser(prog="python -m mtl_runs.studies.nas", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the run logs and tables")
    parser.add_argument("--seed", type=int, default=0, help="draws the cells; one folder per seed")
    given = parser.parse_args(arguments)
    try:
        print(conduct(given.out, seed=given.seed))  # noqa: T201
    except (LcodeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _tell(done: int, of: int, seconds: float) -> None:
    print(f"{done} of {of} cells, the last ones in {seconds:.0f} s", file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
