"""ALIGNN's `history_train.json` and `history_val.json`: a list per epoch of the loss and its parts, without names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from lcode.errors import InputError
from lcode.json_text import parse_json
from lcode.readers.logged.base import Logged
from lcode.readers.logged.cells import columns_of
from lcode.readers.logged.lines import head_of, refused
from lcode.readers.logged.settings import is_setting, yaml_settings
from lcode.readers.logged.several import parsed, sound_runs

TOOL = "ALIGNN"

AXIS = "epoch"

_FILES = {"history_train.json": "train", "history_val.json": "val"}

_NAMES = ("loss", "graph/loss", "atomwise/loss", "gradient/loss", "stress/loss", "additional/loss")
"""What stands in a list, in this order: the loss, and its parts (`alignn/train.py`); older versions have fewer."""


_OWN = frozenset(("atom_features", "neighbor_strategy", "id_tag"))
"""Settings of which one is in ALIGNN's `config.json`, which it writes beside them: any program may write such lists."""


class AlignnReader:
    """Reads the histories of trainings; those of older versions, which are objects of lists, are tables in JSON."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether the file is a history of lists beside ALIGNN's settings."""
        if path.name not in _FILES:
            return False
        lists = "".join(head_of(path, 64).decode("utf-8", "replace").split()).startswith("[[")
        return lists and not _OWN.isdisjoint(yaml_settings(path.with_name("config.json"))[0])

    def owns(self, path: Path) -> Path:
        """The run's folder."""
        return path.parent

    def read(self, paths: Sequence[Path]) -> list[Logged]:
        """The runs.

        Raises:
            InputError: none can be read.
        """
        files, damaged = parsed(paths, lambda path: (path, _lists(path)))
        folders: dict[Path, dict[str, list[list[Any]]]] = {}
        for path, lists in files:
            folders.setdefault(path.parent, {})[_FILES[path.name]] = lists
        return sound_runs(folders.items(), lambda item: [_run(*item)], damaged)


def _lists(path: Path) -> list[list[Any]]:
    """The lists of a file.

    Raises:
        InputError: it holds something else.
    """
    try:
        found = parse_json(path.read_bytes())
    except ValueError as error:
        raise InputError(f"is not JSON ({error}); is it still being written?", path=path) from error
    if not isinstance(found, list) or not all(isinstance(row, list) and len(row) <= len(_NAMES) for row in found):
        raise refused(path, TOOL, f"it is no list of at most {len(_NAMES)} numbers per epoch")
    return found


def _run(folder: Path, histories: dict[str, list[list[Any]]]) -> Logged:
    """The run of a folder, without parts of the loss that are 0 all through: those that are not trained."""
    told = {at for lists in histories.values() for values in lists for at, value in enumerate(values) if value != 0}
    rows: list[dict[str, Any]] = [{AXIS: at} for at in range(1, max(map(len, histories.values())) + 1)]
    for split, lists in histories.items():
        for row, values in zip(rows, lists, strict=False):
            row |= {f"{split}/{_NAMES[at]}": value for at, value in enumerate(values) if at in told}
    settings, notes = yaml_settings(folder / "config.json")
    config = {name: value for name, value in settings.items() if is_setting(name, value)}
    return Logged(folder / "history.json", columns_of(rows, folder, TOOL), axis=AXIS, config=config, notes=notes)
