"""Tables in JSON files: a list of objects, one per row, or an object of lists, one per column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from lcode.errors import InputError
from lcode.json_text import parse_json
from lcode.readers.jsonl_file import rows_to_table
from lcode.readers.part import LogPart
from lcode.readers.raw import RawTable, decoded
from lcode.readers.repeats import OnRepeat
from lcode.readers.resumed import read_tables

_BEGINNING = re.compile(rb'\s*(\[\s*\{|\{\s*"[^"]*"\s*:\s*\[\s*[-\d"nN])')
"""Other JSON lies in every folder: settings, states, graphs."""


class JsonReader:
    """Reads wide and long tables from `.json` files."""

    def sniff(self, path: Path) -> bool:
        """Whether this reader is the one for the file."""
        if path.suffix.lower() != ".json":
            return False
        try:
            with path.open("rb") as file:
                return _BEGINNING.match(file.read(4096)) is not None
        except OSError:
            return False

    def read(self, paths: Sequence[Path], on_repeat: OnRepeat = "error") -> LogPart:
        """The runs of these files.

        Raises:
            InputError: a file that is no such table; the message says where and how to mend it.
        """
        return read_tables(map(load_json, paths), on_repeat)


def load_json(path: Path) -> RawTable:
    """The cells of a JSON file; messages count rows from 1 where text files have lines.

    Raises:
        InputError: it is no list of flat objects, nor an object of equally long lists.
    """
    text = decoded(path, path.read_bytes())
    try:
        found = parse_json(text)
    except ValueError as error:
        raise InputError(f"is not JSON ({error}); is it still being written?", path=path) from error
    if isinstance(found, dict):
        columns = {name: cells for name, cells in found.items() if isinstance(cells, list)}
        if len({len(cells) for cells in columns.values()}) != 1:
            raise InputError("has lists of different lengths; write one value per row in each", path=path)
        found = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise InputError("is no list of objects; write one object per row, with a key per curve", path=path)
    if not found:
        raise InputError("is an empty list; expected one object per row", path=path)
    return rows_to_table(path, found, list(range(1, len(found) + 1)))
