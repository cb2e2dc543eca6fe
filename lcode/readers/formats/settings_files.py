"""Files that hold settings, whatever a program writes them as: YAML, JSON, TOML, INI, or as it prints them."""

from __future__ import annotations

import re
import tomllib
from configparser import Error as IniError
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

from lcode.readers.logged.cells import MOST_LEAVES
from lcode.readers.logged.lines import head_of
from lcode.readers.logged.settings import call_settings, plain, yaml_settings
from lcode.readers.printed.settings.printed_settings import settings_in
from lcode.readers.raw import as_number

STRUCTURED = ("yaml", "yml", "json", "toml", "ini", "cfg")
"""Endings of files that hold nothing but settings, or what a table of that name is known by."""

_LARGEST = 1 << 18
"""Bytes of a file of settings: a larger one is none."""

_DEFAULT = re.compile(r"(?<![ \t])[ \t]*\[default:.*$", re.MULTILINE)
"""What stands behind a setting that somebody has changed: `lr: 0.1   [default: 0.0002]`."""

_ALIGNED = re.compile(r"^[ \t]{9,}", re.MULTILINE)
"""Blanks by which names are put below one another, which makes no group of them."""

_SECTION, _COMMON = re.compile(r"^[ \t]*\[[\w. -]+\][ \t]*$", re.MULTILINE), "DEFAULT"
"""The head of a section of an INI file, and that of what holds for all."""

_CONSTANTS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False, "none": None, "": None}


def file_settings(path: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The settings in a file, flat, and a remark where it is there but cannot be read.

    Args:
        path: a file that is called as settings are; what it holds is never run.
    """
    ending = path.suffix[1:].lower()
    if ending not in ("toml", "ini", "cfg", "txt") or (ending == "txt" and head_of(path, 1) == b"{"):
        return yaml_settings(path)  # which reads JSON and dictionaries as well
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError(f"{path.stat().st_size} bytes")
        text = path.read_text(encoding="utf-8-sig")
        settings = _of_toml(text) if ending == "toml" else _of_text(text) if ending == "txt" else _of_ini(text)
        if len(settings) >= MOST_LEAVES:
            raise ValueError(f"{MOST_LEAVES} settings and more")
    except (OSError, ValueError, RecursionError, IniError) as error:
        reason = str(error).splitlines()[0]
        return {}, (f"{path.name}: cannot be read ({reason}), so the configuration is not known.",)
    return settings, ()


def _of_toml(text: str) -> dict[str, Any]:
    return plain(tomllib.loads(text))


def _of_ini(text: str) -> dict[str, Any]:
    """The settings of all sections by the names of both, of one section by their own."""
    parser = RawConfigParser(strict=False, default_section="", inline_comment_prefixes=("#", ";"))
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # names keep their capitals
    parser.read_string(text if _SECTION.search(text) else f"[{_COMMON}]\n{text}")
    sections = parser.sections()
    named = {one: "" if len(sections) == 1 or one == _COMMON else f"{one}." for one in sections}
    return {f"{named[one]}{name}": _value(value) for one in sections for name, value in parser.items(one)}


def _of_text(text: str) -> dict[str, Any]:
    """The settings as a program prints its arguments: an object of Python, or a line each, with rules around or not."""
    called = call_settings(text)
    if called:
        return called
    if _SECTION.search(text):
        return _of_ini(text)
    plain_text = _ALIGNED.sub("", _DEFAULT.sub("", text))
    found, _ = settings_in(plain_text)
    if not found:
        found, _ = settings_in(f"arguments:\n{plain_text}")
    return {name: value for one in found for name, value in one.values.items()}


def _value(text: str | None) -> Any:
    """A setting of an INI file: a number, a boolean, or a word without its quotes."""
    word = (text or "").strip().strip("\"'")
    if re.fullmatch(r"[+-]?\d{1,15}", word):
        return int(word)
    number = as_number(word)
    return _CONSTANTS.get(word.lower(), word) if number is None else number
