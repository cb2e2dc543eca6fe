"""Replays of many sources in a file, a line each, and the table of what the rules came to."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from lcode.benchmarks import BENCHMARKS
from lcode.errors import InputError

USUAL = 0.03
"""Share of the spread that rules without a budget may lose, to count how often they lose more."""

Key: TypeAlias = tuple[str, str, bool, int, int, int, bool]
"""Source, rule, with a history, workers, order, sample, design."""


@dataclass(frozen=True)
class Line:
    """One replay, as it stands in the file.

    Attributes:
        source: name of the benchmark.
        rule: as it was named.
        warm: whether other runs of the source had finished before.
        workers: runs that trained at the same time.
        order: seed of the order in which the runs began.
        runs: how many they were.
        total: their epochs.
        trained: those that were trained.
        regret: best final score of all runs minus the best that was left, in the objective's unit.
        spread: best minus median final score.
        deviation: standard deviation of a configuration's score between seeds; None: not known.
        best_kept: whether the truly best run was trained to its end.
        seconds: CPU time that the replay took.
        sample: which sample of the source's runs they are.
        design: whether constants are chosen on these runs.
    """

    source: str
    rule: str
    warm: bool
    workers: int
    order: int
    runs: int
    total: float
    trained: float
    regret: float
    spread: float
    deviation: float | None
    best_kept: bool
    seconds: float
    sample: int = 0
    design: bool = False

    @property
    def key(self) -> Key:
        """What is replayed once."""
        return self.source, self.rule, self.warm, self.workers, self.order, self.sample, self.design

    @property
    def group(self) -> str:
        """What it is reported together with: the benchmarks of one family, and of one half."""
        name = self.source.partition("/")[0] if self.source in BENCHMARKS else self.source
        return f"{name}, design" if self.design else name

    @property
    def share(self) -> float:
        """The regret as a share of the spread."""
        return self.regret / self.spread if self.regret else 0.0

    @property
    def allowed(self) -> float | None:
        """Share of the spread that the rule was allowed to lose; None: it knows no budget."""
        _, found, text = self.rule.partition("regret=")
        return float(text.split()[0]) if found else None


class Replays:
    """The file of replays."""

    def __init__(self, path: Path) -> None:
        """Read what there is.

        Raises:
            InputError: a line that is no replay.
        """
        self.path, self.lines = path, list[Line]()
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines() if path.exists() else (), 1):
            try:
                self.lines.append(Line(**json.loads(text)))
            except (ValueError, TypeError) as error:
                raise InputError("is no replay of this study", path=path, line=number) from error

    def add(self, line: Line) -> None:
        """Append a replay."""
        self.lines.append(line)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(line)) + "\n")


@dataclass(frozen=True)
class Row:
    """What a rule came to, all sources counting alike, however often each was replayed.

    Attributes:
        faster: epochs of all runs ÷ those that were trained.
        regret: mean regret ÷ spread.
        in_deviations: mean regret in standard deviations between seeds, of the sources where those are known.
        overrun: how often more was lost than allowed (without a budget: than `USUAL`).
        sources: how many.
        replays: of all sources together.
    """

    faster: float
    regret: float
    in_deviations: float | None
    overrun: float
    sources: int
    replays: int

    @classmethod
    def of(cls, lines: Sequence[Line]) -> Row:
        """From the replays of a rule, at least one."""
        sources = [[line for line in lines if line.source == name] for name in {line.source: None for line in lines}]

        def mean(value: Callable[[Line], float]) -> float:
            return float(np.mean([np.mean([value(line) for line in some]) for some in sources]))

        seeds = [
            np.mean([line.regret / line.deviation for line in some if line.deviation])
            for some in sources
            if some[0].deviation
        ]
        return cls(
            1 / mean(lambda line: line.trained / line.total),
            mean(lambda line: line.share),
            float(np.mean(seeds)) if seeds else None,
            mean(lambda line: float(not line.share <= (line.allowed or USUAL))),
            len(sources),
            len(lines),
        )


def table(lines: Sequence[Line]) -> str:
    """What the rules came to, per collection, with and without a history, as Markdown."""
    rows = ["| runs | rule | workers | fewer epochs | regret | in sd | overrun | sources, replays |"]
    rows.append("|---|---|---|---|---|---|---|---|")
    known: dict[tuple[str, bool, str, int], list[Line]] = {}
    for line in sorted(lines, key=lambda line: (line.group, line.warm, line.workers)):
        known.setdefault((line.group, line.warm, line.rule, line.workers), []).append(line)
    for (group, warm, rule, workers), some in known.items():
        row = Row.of(some)
        seeds = "–" if row.in_deviations is None else f"{row.in_deviations:.3f}"
        runs = f"{group} after others" if warm else group
        rows.append(
            f"| {runs} | `{rule}` | {workers} | {row.faster:.2f}× | {row.regret:.4f} | {seeds} | {row.overrun:.0%} | "
            f"{row.sources}, {row.replays} |"
        )
    return "\n".join(rows)
