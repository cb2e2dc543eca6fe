"""Configurations that tools leave beside their logs: YAML, or Python that is read as text and never run."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lcode.readers.logged.cells import MOST_LEAVES, flat
from lcode.readers.raw import LARGEST_EXACT
from lcode.readers.understanding.setting_names import is_place

_UNKNOWN = object()

_LONGEST = 64
"""Letters of a setting's text at most: longer ones describe."""


def is_setting(name: str, value: Any) -> bool:
    """Whether this sets something that runs may be compared by: a number, or a short text that is no place."""
    if is_place(name):
        return False
    if isinstance(value, int):
        return abs(value) <= LARGEST_EXACT
    return isinstance(value, float) or (isinstance(value, str) and 0 < len(value) <= _LONGEST)


def yaml_settings(path: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The settings in a YAML file, flat, and a remark where it is there but cannot be read; none where it is missing.

    Args:
        path: the file; objects of Python in it are not made, and what describes them is read as plain YAML.
    """
    import yaml

    class Loader(yaml.SafeLoader):
        """Reads past the tags that only Python's own objects have, as Lightning writes them."""

    def untagged(loader: Loader, tag: str, node: yaml.Node) -> Any:
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)
        if isinstance(node, yaml.ScalarNode):
            return loader.construct_scalar(node) or tag.rpartition(".")[2]
        return None

    Loader.add_multi_constructor("", untagged)
    try:
        found = yaml.load(path.read_text(encoding="utf-8"), Loader)
        settings = plain(found) if isinstance(found, dict) else {}
        if len(settings) >= MOST_LEAVES:
            raise ValueError(f"{MOST_LEAVES} settings and more")
        return settings, ()
    except FileNotFoundError:
        return {}, ()
    except (OSError, ValueError, TypeError, RecursionError, yaml.YAMLError) as error:
        reason = str(error).splitlines()[0]
        return {}, (f"{path.name}: cannot be read ({reason}), so the configuration is not known.",)


def python_settings(path: Path) -> dict[str, Any]:
    """The settings assigned at the top of a Python file, flat; empty where it is missing or no Python."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError, RecursionError):
        return {}
    settings = {
        target.id: _value(statement.value)
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    return plain(settings)


def call_settings(text: str) -> dict[str, Any]:
    """The keyword arguments of a call written as text, such as `Namespace(lr=0.1)`; empty where it is none."""
    try:
        call = ast.parse(text.strip(), mode="eval").body
    except (ValueError, SyntaxError, RecursionError):
        return {}
    found = _value(call)
    return plain(found) if isinstance(found, dict) else {}


def plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Nested settings as flat ones, names joined by dots; lists and what could not be understood are left out."""
    return {
        name: value
        for name, value in flat({str(key): value for key, value in settings.items()}, ".").items()
        if value is None or isinstance(value, (bool, int, float, str))
    }


def _value(node: ast.expr) -> Any:
    """What an expression of literals and calls with keywords, as `dict(a=1)`, says."""
    if isinstance(node, ast.Call):
        return {keyword.arg: _value(keyword.value) for keyword in node.keywords if keyword.arg is not None}
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return {str(_value(key)): _value(value) for key, value in pairs if isinstance(key, ast.Constant)}
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return _UNKNOWN
