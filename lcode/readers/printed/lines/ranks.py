"""Lines of the processes that train together, `[rank3]: epoch 2 val_loss 0.4`, in whatever order they were printed.

Each process may measure on its own share of the data, so a curve must not be put together from those of several.
"""

from __future__ import annotations

import re
from operator import ne

from lcode.readers.printed.lines.line_shapes import LineShapes
from lcode.readers.printed.lines.printed_line import FEWEST, IN_BATCH
from lcode.table.metric_names import known_metric
from lcode.table.reading import listed

_RANK = re.compile(
    r"(?<![A-Za-z_])(?P<what>(?:local_)?rank|gpu|cuda|process|default)[ _:#-]?(?P<rank>\d{1,5})\s?[\])>:|,]",
    re.IGNORECASE,
)

_TAG = re.compile(r"(?m)^\[\d+,(?P<rank>\d{1,5})\]<std(?:out|err)>:[ \t]?")
"""What `mpirun --tag-output` puts before each line: its job, and the rank that has printed it."""

_WORDS = ("rank", "Rank", "RANK", "gpu", "GPU", "cuda", "process", "Process", "default")
"""One of these is in every text of several processes: the longest are searched at once."""

_BEGINNING = 80
"""Characters of a line in which it is said who prints it, time and level before it."""

_NAMED = 4

Count = tuple[tuple[str, float], ...]


def of_one_rank(text: str) -> tuple[str, str]:
    """The text without the lines in which other processes tell what one of them tells throughout, and a remark.

    That one is the first of those that tell all, but for the last count, which some may still have to tell. Lines keep
    their numbers; the remark is empty where nothing is left out, or all processes tell the same values.

    Args:
        text: what a program printed.
    """
    lines = text.split("\n")
    tags = [_TAG.match(line) for line in lines] if "]<std" in text else []
    if 2 * sum(tag is not None for tag in tags) < sum(map(bool, map(str.strip, lines))):
        tags = []  # a stray one
    if tags:
        lines = [_TAG.sub("", line) for line in lines]
        text = "\n".join(lines)
    tagged = len({tag["rank"] for tag in tags if tag is not None}) > 1
    if not tagged and not any(word in text for word in _WORDS):
        return text, ""
    who = tags if tagged else [_RANK.search(line, 0, _BEGINNING) for line in lines]
    ranks = {at: found for at, found in enumerate(who) if found is not None}
    in_turn = [found["rank"] for found in ranks.values()]
    if len(set(in_turn)) < 2 or sum(map(ne, in_turn, in_turn[1:])) < len(set(in_turn)):
        return text, ""  # one after the other they are trainings, such as those of adapters of some rank
    shapes, counts = LineShapes(), dict[int, Count]()
    told: dict[int, dict[tuple[Count, str], float]] = {}
    names: dict[int, set[str]] = {}
    for at, found in ranks.items():
        said, rank = shapes.said_in(lines[at]), int(found["rank"])
        if said is None:
            names[at] = set()
            continue
        counts[rank] = tuple(said.counters.items()) or counts.get(rank, ())
        names[at] = {name for name in said.pairs if known_metric(name.removeprefix(IN_BATCH)) is not None}
        told.setdefault(rank, {}).update({(counts[rank], name): said.pairs[name] for name in names[at]})
    most = max(map(len, told.values()), default=0)
    wide = max((sum(other == count for other, _ in own) for own in told.values() for count, _ in [*own][:1]), default=0)
    one = min((rank for rank, own in told.items() if own and len(own) >= most - wide), default=-1)
    others = {rank for rank, own in told.items() if rank != one and len(own.keys() & told[one].keys()) >= FEWEST}
    if not others:
        return text, ""
    own_names = {name for _, name in told[one]}
    for at, found in ranks.items():
        if int(found["rank"]) in others and names[at] <= own_names:
            lines[at] = ""
    differ = any(told[rank][key] != told[one][key] for rank in others for key in told[rank].keys() & told[one].keys())
    what = "rank" if tagged else next(found["what"] for found in ranks.values()).lower()
    left = listed([f"{what} {rank}" for rank in sorted(others)], _NAMED)
    remark = f"several processes tell the same with other values: {what} {one} is read, left out: {left}."
    return "\n".join(lines), remark if differ else ""
