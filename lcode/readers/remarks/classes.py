"""Curves of single classes that are not scored, since their mean is."""

from __future__ import annotations

from collections.abc import Iterator

from lcode.readers.understanding.classes_of_means import classes_of_means
from lcode.readers.understanding.curves import Curves
from lcode.show import counted
from lcode.table.reading import listed

_NAMED = 3
"""Curves that the remark names."""


def class_remarks(curves: Curves) -> Iterator[str]:
    """A remark on the classes of each mean that is scored."""
    of_mean: dict[str, list[str]] = {}
    for key, mean in classes_of_means([*curves.scored, *curves.signals]).items():
        if key in curves.signals and mean in curves.scored:
            of_mean.setdefault(mean, []).append(key)
    for mean, keys in of_mean.items():
        yield (
            f"'{mean}' is scored, and {counted(len(keys), 'curve')} of single classes ({listed(keys, _NAMED)}) are "
            f"signals, lest they outweigh it; one is scored with --direction {keys[0]}=max."
        )
