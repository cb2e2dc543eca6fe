"""Which way is better: as stated by the user, by the log, or by a well-known name."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from lcode.errors import InputError, UsageError
from lcode.table.direction import Direction, as_direction
from lcode.table.metric import Metric, infer_direction, split_key
from lcode.table.metric_parse import Name
from lcode.table.reading import listed

_KIND = re.compile(r"\d+|(?<![A-Za-z])(?:pos|neg)(?![A-Za-z])", re.IGNORECASE)
"""What tells curves of one kind apart: their numbers, and the class that each is of."""

_TERMS = ("total", "rec")
"""Names that alone say nothing, and beside a divergence `KL` are its sum with the reconstruction, and that: losses."""


def settle_directions(
    found: Mapping[str, Direction | None],
    measured: Collection[str],
    stated: Mapping[str, Direction],
    targets: Sequence[str] | None,
    path: Path,
    known: Mapping[str, Direction] | None = None,
    may_lack: Collection[str] = (),
    sources: Sequence[str] = (),
    falling: Mapping[str, str] | None = None,
) -> tuple[tuple[Metric, ...], list[str], list[str]]:
    """The metrics with their directions.

    Args:
        found: key of each curve -> direction, None where the log does not say.
        measured: keys of the curves that hold a value; an empty column of a table is no curve, while a run log
            promises its metrics in the header.
        stated: direction by `task/metric`, or by a bare name for every task that has it; stronger than the log.
        targets: metrics that are to be forecast; with them, other curves of unknown direction are left out.
        path: the logs, for messages.
        known: directions by key to fall back on, such as those a model was fitted with; keys that the logs lack do
            not matter.
        may_lack: keys of curves that are no metrics where their direction is unknown: those that a tool logs by itself.
        sources: what wrote the logs, for messages.
        falling: keys of curves that fall, though by their names they should rise, and in how many runs: these are
            errors.

    Returns:
        The metrics, remarks for the user, and the keys of curves that are signals, since their direction is unknown.

    Raises:
        UsageError: a stated metric or a target that does not exist, or a direction that is neither min nor max.
        InputError: a curve whose direction is nowhere said.
    """
    metrics = {key: split_key(key) for key in found}
    spellings = {spelling for task, name in metrics.values() for spelling in (f"{task}/{name}", name)}
    for spelling, side in stated.items():
        if spelling not in spellings:
            raise UsageError(f"a direction is stated for '{spelling}', but the metrics are {', '.join(found)}")
        as_direction(side, of=f"'{spelling}'")
    for target in targets or ():
        if target not in found and target not in {f"{task}/{name}" for task, name in metrics.values()}:
            raise UsageError(f"no metric '{target}' in these logs; there are: {', '.join(found)}")
    wanted = None if targets is None else {Metric(*split_key(target), "min").key for target in targets}

    notes: list[str] = []
    of_others = _of_others(metrics)
    settled: list[Metric] = []
    inferred: list[str] = []
    dropped: list[str] = []
    unknown: list[str] = []
    untold: list[str] = []
    empty: list[str] = []
    for key, (task, name) in metrics.items():
        if found[key] is None and key not in measured:
            empty.append(key)
            continue
        direction: Direction | None = stated.get(f"{task}/{name}") or stated.get(name) or found[key]
        direction = direction or (known or {}).get(key)
        if direction is None:
            # `Loss/train` is a loss, though `train` says nothing.
            direction = infer_direction(key) or of_others.get(key)
            if direction == "max" and key in (falling or {}):
                direction, fell = "min", (falling or {})[key]
                notes.append(f"'{key}' falls in {fell} runs, so it is taken for an error; else --direction {key}=max.")
            elif direction is not None:
                inferred.append(f"{key}={direction}")
        if direction is not None:
            settled.append(Metric(task, name, direction))
        elif key in may_lack and (wanted is None or key not in wanted):
            unknown.append(key)
        elif wanted is None or key in wanted:
            untold.append(key)
        else:
            dropped.append(key)
    if untold:
        key = untold[0]
        more = f"; nor of {', '.join(untold[1:])}" if len(untold) > 1 else ""
        raise InputError(
            f"cannot tell whether larger or smaller values are better{more}; state it with --direction "
            f"{shlex.quote(f'{key}=max')} (or =min), leave it out with --ignore {shlex.quote(key)}, or rename the "
            f"column to 'config.{key}' if it is a hyper-parameter",
            path=path,
            column=key,
        )
    if inferred:
        notes.append(f"direction inferred: {', '.join(inferred)}.")
    if empty:
        notes.append(f"left out, since they are empty: {', '.join(empty)}.")
    if dropped:
        notes.append(f"left out, since their direction is unknown and they are no targets: {', '.join(dropped)}.")
    if not settled and unknown:
        raise InputError(
            f"is read as {listed(sources)}; of no curve can be told whether larger or smaller values are better "
            f"({listed(unknown)}); state it with --direction {unknown[0]}=max (or {unknown[0]}=min)",
            path=path,
        )
    return tuple(settled), notes, unknown


def _of_others(keys: Collection[str]) -> dict[str, Direction]:
    """Directions of curves whose names say nothing alone, but do beside the others.

    Names that differ only in a number, or in `pos` and `neg`, are of one kind (`acc_d1` beside `acc_d2`), and the terms
    of a sum share its direction (`Rec` and `Total` beside `KL`).
    """
    told = {key: infer_direction(key) for key in keys}
    kinds: dict[str, set[Direction]] = {}
    for key, direction in told.items():
        if direction is not None:
            kinds.setdefault(_KIND.sub("#", key), set()).add(direction)
    divergence = any(told[key] == "min" and _is_divergence(key) for key in keys)
    found: dict[str, Direction] = {}
    for key in (key for key, direction in told.items() if direction is None):
        alike = kinds.get(_KIND.sub("#", key), set())
        if len(alike) == 1:
            found[key] = next(iter(alike))
        elif divergence and split_key(key)[1].lower() in _TERMS:
            found[key] = "min"
    return found


def _is_divergence(key: str) -> bool:
    return any(one.entry.name == "kl" for one in Name.parse(key).found)
