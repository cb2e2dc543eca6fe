"""How often each curve was logged, which tells those of the training from those of an evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from lcode.readers.part import LogPart


@dataclass(frozen=True)
class HowOften:
    """How often curves were logged.

    Attributes:
        values: of each curve in a run, on average over the runs with the most curves.
        runs: in how many runs each curve has a value.
    """

    values: Mapping[str, float]
    runs: Mapping[str, int]

    @classmethod
    def of(cls, part: LogPart) -> Self | None:
        """Of the curves that tools have logged; None where a table of the user's says what its curves are."""
        if not set(part.metrics) <= part.by_tools:
            return None
        values = part.points.groupby(["metric", "run"], observed=True).size().unstack(fill_value=0)
        of_run = (values > 0).sum()
        often, runs = values.loc[:, of_run == of_run.max()].mean(axis=1), (values > 0).sum(axis=1)
        return cls({str(k): float(v) for k, v in often.items()}, {str(k): int(v) for k, v in runs.items()})

    def most_values(self, keys: Iterable[str]) -> float:
        """Of the curve of these that was logged most often, at least one."""
        return max(self.values.get(key, 0.0) for key in keys)

    def most_runs(self, keys: Iterable[str]) -> int:
        """Of the curve of these that most runs have, at least one."""
        return max(self.runs.get(key, 0) for key in keys)
