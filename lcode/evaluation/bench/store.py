"""The results of a bench: one Parquet file that grows by one fit at a time and is always whole."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from lcode.errors import InputError, UsageError
from lcode.evaluation.backtest import COUNTS, MEASURES

try:
    import fcntl
except ImportError:  # not on Windows; there nothing but the user's care keeps two benches apart
    fcntl = None  # type: ignore[assignment]

CELL = ("source", "protocol", "train", "seed", "forecaster", "settings", "prefix")
"""What one forecast is known by: text, but for the seed. A fit serves all its prefixes."""

TEXT = ("source", "group", "protocol", "train", "forecaster", "settings", "prefix", "metric", "subset", "error")
NUMBERS = (
    *("pretrained", "cutoff", "train_runs", "related_runs", "test_runs"),
    *(*MEASURES, "mae", "nrmse", "nll", "final_coverage90"),
    *COUNTS,
)
COLUMNS = [*CELL, "group", "metric", "subset", *NUMBERS, "error"]


class Store:
    """The file of results in a folder.

    Attributes:
        path: the file.
        frame: its rows, with `COLUMNS`: one per forecast, metric and part of the test runs, `error` empty; or one per
            forecast that failed, with the text of the error.
    """

    def __init__(self, folder: Path) -> None:
        """Read what there is.

        Raises:
            InputError: the file is damaged, or is none of a bench.
        """
        self.path = folder / "results.parquet"
        self.frame = _typed(pd.DataFrame(columns=COLUMNS))
        if self.path.is_file():
            try:
                stored = pd.read_parquet(self.path)
            except (OSError, ValueError) as error:
                raise InputError("is damaged; remove it or give another --out", path=self.path) from error
            if not set(CELL) <= set(stored):
                raise InputError("holds no results of a bench; give another --out", path=self.path)
            self.frame = _typed(stored.reindex(columns=COLUMNS))  # an earlier version had fewer measures

    def done(self) -> set[tuple[Any, ...]]:
        """The forecasts that succeeded, as tuples of `CELL`."""
        return set(self.frame.loc[self.frame["error"] == "", list(CELL)].itertuples(index=False, name=None))

    def add(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Add rows, in place of earlier ones of the same forecasts, and write the file under another name first."""
        new = _typed(pd.DataFrame(list(records)).reindex(columns=COLUMNS))
        known = pd.MultiIndex.from_frame(self.frame[list(CELL)])
        old = self.frame[~known.isin(pd.MultiIndex.from_frame(new[list(CELL)]))]
        self.frame = pd.concat([old, new], ignore_index=True) if len(old) else new
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        try:
            self.frame.to_parquet(temporary, index=False)
            temporary.replace(self.path)
        finally:
            temporary.unlink(missing_ok=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder while results are added.

        Raises:
            UsageError: another process adds to it.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with (self.path.parent / ".lock").open("ab") as file:
            if fcntl is not None:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise UsageError(
                        f"another bench writes to {self.path.parent}; wait for it, or give another --out"
                    ) from None
            yield


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns in order, with the same types whatever they hold."""
    text = {column: frame[column].astype(object).where(frame[column].notna(), "") for column in TEXT}
    return frame.assign(**text).astype({"seed": "int64", **dict.fromkeys(NUMBERS, "float64")})[COLUMNS]
