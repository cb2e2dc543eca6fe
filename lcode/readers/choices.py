"""What the user says about how logs are to be understood where the guess is wrong; a file keeps it for all commands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Self

from lcode.errors import InputError, UsageError
from lcode.files import replacing
from lcode.json_text import parse_json

_FIELD = re.compile(r"\{(task|metric)\}")


@dataclass(frozen=True)
class Choices:
    """How to understand the columns of logs; what is not said is guessed.

    Attributes:
        only: globs of the curves that are scored (`seg/*`); others that tell of the training become signals.
        ignore: globs of columns that are left out.
        map: how a column's name says task and metric, such as `val/{task}_{metric}`; columns that do not fit are not
            scored.
        epoch: the column that counts the epochs.
        config: columns that are hyper-parameters.
    """

    only: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    map: str | None = None
    epoch: str | None = None
    config: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.map is not None and "{metric}" not in self.map:
            raise UsageError(f"--map '{self.map}': it must hold {{metric}}, such as 'val/{{task}}_{{metric}}'")

    def ignores(self, *names: str) -> bool:
        """Whether one of a curve's names is to be left out."""
        return any(fnmatchcase(name, glob) for glob in self.ignore for name in names)

    def wants(self, *names: str) -> bool:
        """Whether a curve, by one of its names, may be scored."""
        return not self.only or any(fnmatchcase(name, glob) for glob in self.only for name in names)

    def mapped(self, name: str) -> str | None:
        """`task/metric` of a column's name by `map`; None where it does not fit."""
        assert self.map is not None
        literal = [re.escape(text) if at % 2 == 0 else "" for at, text in enumerate(_FIELD.split(self.map))]
        groups = ["(?P<task>.+?)" if kind == "task" else "(?P<metric>.+)" for kind in _FIELD.findall(self.map)]
        pattern = literal[0] + "".join(group + text for group, text in zip(groups, literal[2::2], strict=True))
        found = re.fullmatch(pattern, name)
        if found is None:
            return None
        named = found.groupdict()
        return f"{named['task']}/{named['metric']}" if named.get("task") else named["metric"]

    def misfit(self, names: Iterable[str]) -> str:
        """Which choice leaves out all curves of these names, as the end of a sentence; empty if it is none alone."""
        names = list(names)
        if self.map is not None and not any(self.mapped(name) for name in names):
            return f"; --map '{self.map}' fits none of them (capitals count)"
        if names and not any(self.wants(name) for name in names):
            return f"; --only {' '.join(self.only)} matches none of them (capitals count)"
        return ""

    def save(self, path: Path) -> None:
        """Write to a JSON file, which `--mapping` takes."""
        with replacing(path) as file:
            file.write((json.dumps(asdict(self), indent=2) + "\n").encode())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            InputError: the file is no such mapping.
        """
        try:
            found = parse_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(
                f"is no mapping file ({error}); write one with `lcode inspect --save`", path=path
            ) from error
        names = [field.name for field in fields(cls)]
        if not isinstance(found, dict) or not set(found) <= set(names):
            raise InputError(f"is no mapping file; its keys are {', '.join(names)}", path=path)
        return cls(**{name: _checked(path, name, value) for name, value in found.items()})


def _checked(path: Path, name: str, value: Any) -> Any:
    if name in ("map", "epoch"):
        if value is None or isinstance(value, str):
            return value
    elif isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    expected = "a text or null" if name in ("map", "epoch") else "a list of texts"
    raise InputError(f"'{name}' must be {expected}", path=path, column=name)
