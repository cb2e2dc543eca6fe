"""The graphs file: JSON from a name (of an architecture or a run) to nodes and edges."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from lcode.errors import InputError, UsageError
from lcode.graphs.arch import TRUNK, ArchGraph
from lcode.json_text import as_float, parse_json

_NUMBERS = ("params", "out_size", "flops")


def read_graphs(path: str | Path) -> dict[str, ArchGraph]:
    """Read `{"<arch or run>": {"nodes": [{"op": "linear", "params": 1024, …}], "edges": [[0, 1], …]}}`.

    Args:
        path: the JSON file.

    Returns:
        The graphs by name, in the order of the file.

    Raises:
        InputError: there is no such file, it is not JSON, or a graph in it is none; the message names the file, the
            graph, and the node or edge.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 text (byte {error.start}); a graphs file is JSON", path=path) from error
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", path=path) from error
    try:
        content = parse_json(text, pairs=_unique_names)
    except json.JSONDecodeError as error:
        raise InputError(
            f"is not valid JSON: {error.msg} (character {error.colno})", path=path, line=error.lineno
        ) from error
    except UsageError as error:
        raise InputError(str(error), path=path) from error
    except ValueError as error:
        raise InputError(f"is not a graphs file: {error}", path=path) from error
    if not isinstance(content, dict):
        raise InputError(f'holds {_kind(content)}; a graphs file is an object {{"<name>": {{"nodes": …}}}}', path=path)
    return {name: graph_from_json(graph, where=name, path=path) for name, graph in content.items()}


def graph_from_json(obj: object, *, where: str, path: object = None) -> ArchGraph:
    """One graph from its parsed JSON, `{"nodes": [{"op": …}], "edges": [[source, target], …]}`.

    A node needs `op`, any string. `params`, `out_size` and `flops` are numbers ≥ 0, absent or null where unknown;
    `role` is `trunk` (default) or `head:<task>`. Attributes of other names are ignored.

    Args:
        obj: what the JSON parser returned.
        where: name of the graph, for messages.
        path: file it was read from, for messages.

    Raises:
        InputError: the object is no directed acyclic graph of operations; the message names the node or edge.
    """
    try:
        return _parse(obj)
    except UsageError as error:
        raise InputError(f"graph '{where}': {error}", path=path) from error


def _parse(obj: object) -> ArchGraph:
    if not isinstance(obj, dict):
        raise UsageError(f"found {_kind(obj)}; expected an object with 'nodes' and 'edges'")
    for part in ("nodes", "edges"):
        if part not in obj:
            raise UsageError(f"'{part}' is missing; expected an object with 'nodes' and 'edges'")
        if not isinstance(obj[part], list):
            raise UsageError(f"'{part}' is {_kind(obj[part])}; expected a list")
    nodes = [_node(i, node) for i, node in enumerate(obj["nodes"])]
    for i, edge in enumerate(obj["edges"]):
        if not (isinstance(edge, list) and len(edge) == 2 and all(type(end) is int for end in edge)):
            raise UsageError(f"edge {i} is {_shorten(edge)}; expected two node numbers [source, target]")
    return ArchGraph.build(
        [node["op"] for node in nodes],
        obj["edges"],
        roles=[node["role"] for node in nodes],
        **{name: [node[name] for node in nodes] for name in _NUMBERS},
    )


def _node(i: int, node: object) -> dict[str, Any]:
    if not isinstance(node, dict):
        raise UsageError(f'node {i} is {_shorten(node)}; expected an object such as {{"op": "linear"}}')
    op = node.get("op")
    if not isinstance(op, str) or not op.strip():
        found = "is missing" if "op" not in node else f"is {_shorten(op)}"
        raise UsageError(f"node {i}: 'op' {found}; expected the name of an operation, such as \"linear\"")
    role = TRUNK if node.get("role") is None else node["role"]
    if not isinstance(role, str):
        raise UsageError(f"node {i}: role is {_shorten(role)}; it must be 'trunk' or 'head:<task>'")
    return {"op": op, "role": role} | {name: _number(i, name, node.get(name)) for name in _NUMBERS}


def _number(i: int, name: str, value: object) -> float:
    if value is None:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"node {i}: {name} is {_shorten(value)}; give a number ≥ 0, or nothing if it is unknown")
    return as_float(value)  # an infinite one is refused with the others


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise UsageError(f"the name '{twice}' is there twice in one object; rename or remove one")
    return content


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _shorten(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"
