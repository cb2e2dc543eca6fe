"""Which files of a folder hold logs, and of which tool: searched downwards, each file read by one reader."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from errno import EACCES
from pathlib import Path
from typing import Protocol

from lcode.errors import InputError
from lcode.readers.logged.lines import ending_of
from lcode.readers.loggers import LAST_RESORT, LOGGERS
from lcode.readers.printed.texts.begun import may_have_begun

SKIPPED = frozenset(("__pycache__", "node_modules", "site-packages", ".git", ".venv", "venv", "__MACOSX"))
"""Folders that hold no logs, however many tables lie in them."""

SETTINGS = re.compile(
    r"(\w+[-_.])?(configs?|args|arguments|params|parameters|hparams|settings|options|opts?|run|inputs?)\.json"
)
"""Names of files in which settings are kept: in a folder they are no logs, whatever lists stand in them."""

MOST_FILES = 200_000
"""Files that are looked at: a home folder with millions is no folder of experiments."""


class Sniffer(Protocol):
    """What tells whether a file is of its format."""

    def sniff(self, path: Path) -> bool:
        """Whether the file is of this format."""


_LOGS = (".log", ".out", ".err", ".stdout")
"""Endings of texts beside a tool's logs that are told of without a look into them: Kaldi leaves thousands."""


@dataclass(frozen=True)
class Found:
    """The logs in a file or folder.

    Attributes:
        of_tools: files by tool, each in order of its path.
        of_formats: tables and run logs by format.
        beside: other tables in the folders of a tool's runs, which are not read.
        unreadable: what the operating system says of files and folders that it does not open.
        tools_beside: number of another tool's files in those folders, by tool: a training may have several loggers.
    """

    of_tools: Mapping[str, list[Path]]
    of_formats: Mapping[str, list[Path]]
    beside: list[Path] = field(default_factory=list)
    tools_beside: Mapping[str, int] = field(default_factory=dict)
    unreadable: list[OSError] = field(default_factory=list)


def discover(root: Path, formats: Mapping[str, Sniffer]) -> Found:
    """Look through a file or a folder and all folders within.

    Raises:
        InputError: there are too many files.
    """
    unreadable: list[OSError] = []
    files = [root] if root.is_file() else list(_files(root, unreadable))
    closed_files = {file for file in files if not os.access(file, os.R_OK)}
    unreadable += [PermissionError(EACCES, os.strerror(EACCES), str(file)) for file in sorted(closed_files)]
    files = [file for file in files if file not in closed_files]
    of_tools: dict[str, list[Path]] = {}
    left = files
    owned: list[tuple[str, Path]] = []
    for tool, logger in LOGGERS.items():
        closed = {folder for _, folder in owned}
        candidates = [file for file in left if not _within(file, closed)] if closed else left
        mine = [file for file in candidates if logger.sniff(file)]
        if mine:
            of_tools[tool] = mine
            if root.is_dir():
                owned += [(tool, logger.owns(file)) for file in mine]
            claimed = set(mine)
            left = [file for file in left if file not in claimed]
    closed = {folder for _, folder in owned}
    of_formats: dict[str, list[Path]] = {}
    beside: list[Path] = []
    unknown: list[Path] = []
    tools_beside: Counter[str] = Counter()
    for file in left:
        inner = _within(file, closed)
        tools = (tool for tool in LOGGERS if tool != LAST_RESORT) if inner else ()
        other = next((tool for tool in tools if LOGGERS[tool].sniff(file)), None)
        if other is None and inner and ending_of(file) in _LOGS:
            other = LAST_RESORT
        if other is not None:
            tools_beside[other] += 1
            continue
        name = next((name for name, reader in formats.items() if reader.sniff(file)), None)
        if name is None or (root.is_dir() and SETTINGS.fullmatch(file.name.lower())):
            unknown += [] if name or inner else [file]
            continue
        if inner:
            beside.append(file)
        else:
            of_formats.setdefault(name, []).append(file)
    texts = of_tools.get(LAST_RESORT, [])
    texts += may_have_begun(unknown, texts)
    return Found(of_tools, of_formats, beside, tools_beside, unreadable)


def _files(root: Path, unreadable: list[OSError]) -> Iterator[Path]:
    """The files of a folder and of those within, in order; hidden ones are left out.

    Args:
        root: the folder.
        unreadable: takes what is said of folders that cannot be opened.
    """
    count = 0
    for folder, folders, names in os.walk(root, onerror=unreadable.append):
        folders[:] = sorted(name for name in folders if name not in SKIPPED and not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            if name.startswith(".") or not path.is_file():
                continue
            count += 1
            if count > MOST_FILES:
                raise InputError(f"holds more than {MOST_FILES:,} files; name the folder of the experiments", path=root)
            yield path


def _within(file: Path, folders: set[Path]) -> bool:
    return any(folder in folders for folder in file.parents)
