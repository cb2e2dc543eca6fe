"""Tables in YAML files: histories as a training dumps them, in the forms that JSON has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from lcode.errors import InputError
from lcode.readers.formats.json_file import table_of
from lcode.readers.logged.lines import head_of
from lcode.readers.raw import RawTable, decoded
from lcode.table.metric_names import known_metric

_COUNTED = re.compile(rb"^\s*(?:- *)?(?:epoch|step|iter|iteration|round)s?: *\d+\s*$|^'?\d+'?:\s*$", re.MULTILINE)
"""A row that says which one it is, or a key that does."""

_NAME = rb"^ *['\"]?([^\s'\":#-][^'\":\n]*)['\"]?: *"
_LISTS = (
    re.compile(_NAME + rb"((?:\n *- *-?[\d.]+[^\n:]*){3})", re.MULTILINE),
    re.compile(_NAME + rb"\[((?: *-?[\d.]+[^,\]\n]*,){2} *-?[\d.]+)", re.MULTILINE),
)
"""A name with a list of numbers, of which three are looked at."""

_NUMBER = re.compile(rb"^[ -]*([A-Za-z]\S*): *-?[\d.]", re.MULTILINE)

_ROWS, _HEAD = 2, 1 << 14
"""Counted rows that make a file a log, settings have at most one; bytes that are looked through for them."""


_MOST_TIMES = 10
"""Values for each character of a file at most: some lines of names for names for names hold billions."""


class YamlFormat:
    """Reads histories from `.yaml` and `.yml` files; most of these hold settings."""

    suffixes = (".yaml", ".yml")

    def sniff(self, path: Path) -> bool:
        """Whether the file holds rows that are counted and a metric, or a metric with a list of numbers."""
        if path.suffix.lower() not in self.suffixes:
            return False
        head = head_of(path, _HEAD)
        # Whole numbers are sizes and labels.
        lists = (name for form in _LISTS for name, numbers in form.findall(head) if b"." in numbers)
        if any(known_metric(name.decode("utf-8", "replace").strip()) is not None for name in lists):
            return True
        if len(_COUNTED.findall(head)) < _ROWS:
            return False
        names = {name.decode("utf-8", "replace") for name in _NUMBER.findall(head)}
        return any(known_metric(name) is not None for name in names)

    def load(self, path: Path) -> RawTable:
        """The cells of a YAML file; messages count rows from 1 where text files have lines.

        Raises:
            InputError: it is no YAML of plain values, or holds no table.
        """
        import yaml

        text, odd = decoded(path, path.read_bytes())
        try:
            documents = yaml.load_all(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
            # Between lines `---` there may be one for each epoch.
            loaded = [document for document in documents if document is not None]
            found = _plain(loaded[0] if len(loaded) == 1 else loaded, iter(range(_MOST_TIMES * len(text))))
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(
                f"is no YAML of numbers and texts ({reason}); write the curves as plain numbers (float(value)), or as "
                "a CSV with a column 'epoch'",
                path=path,
            ) from error
        raw = table_of(path, found)
        return replace(raw, notes=(*odd, *raw.notes))


def _plain(value: Any, left: Iterator[int]) -> Any:
    """The value with texts for the names in its objects, as JSON has them, and dates as texts.

    Args:
        value: what a file holds.
        left: an element for each value that may still come.

    Raises:
        ValueError: more come.
    """
    if next(left, None) is None:
        raise ValueError("what it names once it repeats too often")
    if isinstance(value, dict):
        return {str(name): _plain(inner, left) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, left) for inner in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
