"""Texts of federated learning that count rounds, and in other lines the epochs of each client within a round."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lcode.readers.printed.lines.printed_line import BATCH, EPOCH, FEWEST, IN_BATCH, STEP, Said
from lcode.readers.understanding.curve_names import split_name

_ROUND = re.compile(r"\bround\W{0,3}(?:number\W{0,3})?(\d+)", re.IGNORECASE)
_EPOCH = re.compile(r"\bepoch\W{0,3}(\d+)", re.IGNORECASE)


def counts_rounds(lines: Sequence[str]) -> bool:
    """Whether lines count rounds, and others epochs that begin anew within them."""
    rounds, begun = set[str](), set[str]()
    epochs: set[str] = set()
    often = 0
    for line in lines:
        lower = line.lower()
        if "round" in lower and (found := _ROUND.search(line)) is not None:
            rounds.add(found[1])
            begun = set()
        elif "epoch" in lower and (found := _EPOCH.search(line)) is not None:
            often += found[1] in epochs and found[1] not in begun
            epochs.add(found[1])
            begun.add(found[1])
    return len(rounds) >= FEWEST and often >= FEWEST - 1


def within_round(said: Said, line: str) -> Said:
    """What a line says where rounds are what counts: its epochs are batches of a round."""
    if EPOCH not in said.counters or _ROUND.search(line) is not None:
        return said
    counters = {BATCH: said.counters[EPOCH]} | {kind: at for kind, at in said.counters.items() if kind == STEP}
    totals = {kind: total for kind, total in said.totals.items() if kind != EPOCH}
    pairs = {
        name if split_name(name)[0] or name.startswith(IN_BATCH) else f"{IN_BATCH}{name}": value
        for name, value in said.pairs.items()
    }
    return Said(counters, totals, pairs)
