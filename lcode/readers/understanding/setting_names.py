"""Whether a name is that of a setting, and not of what a training came to."""

from __future__ import annotations

from lcode.readers.understanding.column_words import RUN_NAMES, why_left_out, words_of
from lcode.readers.understanding.planned import is_planned
from lcode.table.metric_names import known_metric

_OF_RESULTS = frozenset(
    (
        *("best", "final", "last", "test", "result", "results", "early", "stopped", "converged", "status", "message"),
        *("mean", "std", "avg", "average"),
    )
)
"""Words of what a training came to."""

_OF_PLACES = frozenset(("dir", "dirs", "directory", "folder", "path", "paths", "file", "root", "url"))


def is_place(name: str) -> bool:
    """Whether it says where something lies."""
    return not _OF_PLACES.isdisjoint(words_of(name))


def is_result(name: str) -> bool:
    """Whether a number beside the curves tells what came out, or names the run, instead of setting something."""
    if is_planned(name, "epoch"):
        return False
    if name.lower() in (*RUN_NAMES, "name", "fold", "seed") or not _OF_RESULTS.isdisjoint(words_of(name)):
        return True
    return why_left_out(name) is not None or known_metric(name) is not None
