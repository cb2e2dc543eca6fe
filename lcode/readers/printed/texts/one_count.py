"""Texts that count epochs in two ways, and those that begin with an evaluation of what has not been trained yet.

***** Evaluating perplexity, Epoch 0/8 *****
Beginning of Epoch 1/8
Epoch: 0, Step: 10, loss = 4.1
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lcode.readers.printed.lines.line_shapes import LineShapes
from lcode.readers.printed.lines.printed_line import BATCH, EPOCH, IN_BATCH, STEP, Said
from lcode.readers.understanding.curve_names import split_name
from lcode.table.metric_names import known_metric

_EVALUATED = re.compile(r"(?<![A-Za-z])(?:evaluat|validat|eval(?![A-Za-z])|test(?:ing)?(?![A-Za-z]))", re.IGNORECASE)


@dataclass(frozen=True)
class OneCount:
    """How a text counts epochs.

    Attributes:
        is_shifted: whether lines of the training that do not say how many there are count from 0, and those that say it
            from 1, and of both there are values.
        is_evaluated_first: whether epoch 0 is the state before the training, so that the last epoch is the one that
            stands behind the mark: `Epoch 0/8` to `Epoch 8/8`. Only a training that is counted apart, or epoch 8, tells
            it from `range(8)`.
    """

    is_shifted: bool = False
    is_evaluated_first: bool = False

    @classmethod
    def of(cls, lines: Sequence[str], shapes: LineShapes) -> OneCount:
        """How the lines of a text count.

        Args:
            lines: the lines.
            shapes: reads them.
        """
        if not any("poch" in line and "/" in line for line in lines):
            return cls()
        whole: float | None = None
        apart: list[tuple[float, float]] = []
        first = evaluated = both = below = ended = False
        trained: set[float] = set()
        for line in lines:
            said = shapes.said_in(line)
            at = None if said is None else said.counters.get(EPOCH)
            below = below if at is None or said is None else EPOCH in said.totals
            both = both or (below and said is not None and any(map(_is_metric, said.pairs)))
            if said is None or at is None:
                continue
            of_evaluation = _EVALUATED.search(line) is not None
            if EPOCH in said.totals:
                evaluated = of_evaluation
                first = first or (whole is None and at == 0 and evaluated)
                whole = at
                ended = ended or at == said.totals[EPOCH]
            elif of_evaluation:
                return cls()  # which may count otherwise than the training does
            elif whole is not None:
                apart.append((at, whole))
            if not evaluated or BATCH in said.counters or STEP in said.counters or _tells_training(said):
                trained.add(at)
        is_shifted = both and bool(apart) and apart[0] == (0, 1) and all(own == behind - 1 for own, behind in apart)
        return cls(is_shifted, first and (is_shifted or (ended and 0 not in trained)))

    def counted(self, said: Said) -> Said:
        """What a line says, counted as those that say how many epochs there are."""
        if not self.is_shifted or EPOCH not in said.counters or EPOCH in said.totals:
            return said
        return replace(said, counters={**said.counters, EPOCH: said.counters[EPOCH] + 1})


def _is_metric(name: str) -> bool:
    return known_metric(name.removeprefix(IN_BATCH)) is not None


def _tells_training(said: Said) -> bool:
    return any(split_name(name)[0] == "train" for name in said.pairs)
