"""What GraphGym leaves of a training, GraphGPS as well: `0/train/stats.json` beside `0/val/` and `0/test/`, by seed.

Each holds an object of JSON per epoch; above the folders of the seeds lies their `config.yaml`, and `agg/` beside them
holds their means.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from lcode.readers.logged.base import Logged
from lcode.readers.logged.cells import columns_of
from lcode.readers.logged.lines import first_object, json_objects
from lcode.readers.logged.settings import is_setting, yaml_settings
from lcode.readers.logged.several import sound_runs
from lcode.readers.understanding.curve_names import split_name
from lcode.table.reading import listed

TOOL = "GraphGym"

AXIS, RATE = "epoch", "lr"

_FILE, _SPLITS = "stats.json", ("train", "val", "test")

_OWN, _FEWEST_NAMES = frozenset(("eta", "params", "time_iter")), 2
_FEWEST_SPLITS = 2
"""What tells GraphGym's objects from others: two of these names, and folders for several parts of the data."""

_MEANS = "agg"
"""The folder of the means over the seeds beside it."""


class GraphGymReader:
    """Reads the statistics of trainings, a run per folder of a seed."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether the file holds the statistics of one part of the data."""
        if path.name != _FILE or path.parent.name not in _SPLITS:
            return False
        names = first_object(path).keys()
        if not {AXIS, "loss"} <= names or len(_OWN & names) < _FEWEST_NAMES:
            return False
        return sum((self.owns(path) / split / _FILE).is_file() for split in _SPLITS) >= _FEWEST_SPLITS

    def owns(self, path: Path) -> Path:
        """The folder of the seed, in which `logging.log` tells the same."""
        return path.parent.parent

    def read(self, paths: Sequence[Path]) -> Iterable[Logged]:
        """The runs.

        Raises:
            InputError: none can be read.
        """
        folders: dict[Path, list[Path]] = {}
        for path in paths:
            folders.setdefault(self.owns(path), []).append(path)
        trained = {folder.parent for folder in folders if folder.name != _MEANS}
        means = [folder for folder in folders if folder.name == _MEANS and folder.parent in trained]
        runs = sound_runs([folder for folder in folders if folder not in means], lambda one: [_run(one, folders[one])])
        if means:
            note = f"left out, since they are means of the seeds beside them: {listed([str(one) for one in means], 3)}."
            runs[-1] = replace(runs[-1], notes=(*runs[-1].notes, note))
        return runs


def _run(folder: Path, paths: Sequence[Path]) -> Logged:
    """The run of a seed: what its files tell of each epoch, and the rate of the training; elsewhere it is 0."""
    at: dict[Any, dict[str, Any]] = {}
    notes: list[str] = []
    for path in sorted(paths, key=lambda one: _SPLITS.index(one.parent.name)):
        split = path.parent.name
        found = json_objects(path, TOOL)
        notes += found.notes
        for told in found.rows:
            row = at.setdefault(told.get(AXIS), {AXIS: told.get(AXIS)})
            row |= {_named(split, name): value for name, value in told.items() if name not in (AXIS, RATE)}
            if RATE in told and split == _SPLITS[0]:
                row[RATE] = told[RATE]
    config: dict[str, Any] = {}
    for above in (folder.parent, folder):
        settings, odd = yaml_settings(above / "config.yaml")
        config |= {name: value for name, value in settings.items() if is_setting(name, value)}
        notes += odd
    return Logged(
        folder / _FILE, columns_of([*at.values()], folder / _FILE, TOOL), axis=AXIS, config=config, notes=tuple(notes)
    )


def _named(split: str, name: str) -> str:
    """The name with the part of the data before it, unless it says one itself."""
    return name if split_name(name)[0] else f"{split}/{name}"
