"""Who may import whom: read off the source, so that an import inside a function counts as well."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import lcode
import mtl_runs

ROOTS = {package.__name__: Path(str(package.__file__)).parent for package in (lcode, mtl_runs)}

LEVELS = (
    {"errors", "threads", "json_text", "show"},
    {"files", "isolation", "arguments"},
    {"graphs"},
    {"table"},
    {"readers", "forecast", "benchmarks", "testing"},
    {"regressors"},
    {"curves"},
    {"network", "decisions"},
    {"ensemble"},
    {"pretraining"},
    {"forecasters"},
    {"api", "evaluation", "hooks", "fuzzing"},
    {"report"},
    {"plot"},
    {"cli"},
    {"__main__"},
)
"""Sub-packages of `lcode` from the bottom up: each imports from lower levels only."""

ALLOWED_IN_MTL_RUNS = {
    "lcode.benchmarks",
    "lcode.errors",
    "lcode.files",
    "lcode.graphs",
    "lcode.hooks",
    "lcode.isolation",
    "lcode.table",
    "lcode.threads",
}
USERS_OF_FORECASTS = (
    "mtl_runs.cli",
    "mtl_runs.studies.equal_compute",
    "mtl_runs.studies.live_stopping",
    "mtl_runs.studies.nas",
    "mtl_runs.studies.on_ray",
    "mtl_runs.studies.reinforcement",
)
"""What of the trainer uses the library as anybody does: the command line, and what measures how much that saves."""
ALLOWED_IN_THEM = ALLOWED_IN_MTL_RUNS | {"lcode", "lcode.cli", "lcode.decisions", "lcode.evaluation"}


def modules(package: str) -> Iterator[tuple[str, Path]]:
    """Dotted name and file of every module."""
    root = ROOTS[package]
    for path in sorted(root.rglob("*.py")):
        parts = (package, *path.relative_to(root).with_suffix("").parts)
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


@cache
def imports(path: Path, *, type_checking: bool = True) -> frozenset[str]:
    """Dotted names that a module imports anywhere; a name taken from a package counts as `package.name`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    left_out = set()
    if not type_checking:
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
                left_out |= {id(inner) for statement in node.body for inner in ast.walk(statement)}
    names: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in left_out:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module is not None, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


@cache
def first_level(name: str, package: str) -> str | None:
    """The sub-package of `package` that a dotted name lies in; None for another package's, '' for the top itself."""
    parts = name.split(".")
    if parts[0] != package:
        return None
    known = {path.stem for path in ROOTS[package].iterdir() if path.suffix == ".py" or path.is_dir()}
    return parts[1] if len(parts) > 1 and parts[1] in known else ""


@cache
def room(name: str, house: str) -> str | None:
    """The folder of `house`, a package of folders, that a dotted name lies in; None for what lies in none."""
    inside = name.removeprefix(f"{house}.").split(".")[0]
    folder = ROOTS["lcode"].parent.joinpath(*house.split("."), inside)
    return inside if name.startswith(f"{house}.") and folder.is_dir() else None


def graph(package: str) -> dict[str, set[str]]:
    """Sub-package -> sub-packages that it imports; the lazy top module, which names all of them, is left out."""
    edges: dict[str, set[str]] = {}
    for name, path in modules(package):
        own = first_level(name, package)
        if not own:
            continue
        found = {first_level(target, package) for target in imports(path)}
        edges.setdefault(own, set()).update(target for target in found if target not in (None, own))
    return edges


def assert_no_cycle(edges: dict[str, set[str]]) -> None:
    try:
        list(TopologicalSorter(edges).static_order())
    except CycleError as error:
        raise AssertionError(f"these import each other: {' <- '.join(error.args[1])}") from None


def test_the_library_never_imports_the_trainer() -> None:
    for name, path in modules("lcode"):
        assert not {target for target in imports(path) if target.split(".")[0] == "mtl_runs"}, name


def test_imports_of_the_library_point_one_way() -> None:
    edges = graph("lcode")
    assert_no_cycle(edges)
    level = {name: number for number, names in enumerate(LEVELS) for name in names}
    assert set(edges) <= set(level), "a new sub-package needs a level"
    upward = {
        f"{name} -> {target}" for name, targets in edges.items() for target in targets if level[target] >= level[name]
    }
    assert not upward


def test_nothing_inside_the_library_leans_on_its_lazy_top() -> None:
    for name, path in modules("lcode"):
        if name != "lcode":
            assert "" not in {first_level(target, "lcode") for target in imports(path)}, name


def test_the_library_without_its_type_hints_imports_nothing_at_the_top() -> None:
    top = dict(modules("lcode"))["lcode"]
    assert not {name for name in imports(top, type_checking=False) if name.startswith("lcode")}


@pytest.mark.parametrize(
    ("house", "rooms"),
    [
        ("lcode.readers", {"understanding", "logged", "printed", "loggers", "runs", "formats"}),
        ("lcode.readers.printed", {"lines", "tables", "settings", "runs", "texts"}),
    ],
)
def test_the_rooms_of_the_readers_import_each_other_in_no_circle(house: str, rooms: set[str]) -> None:
    edges: dict[str, set[str]] = {}
    for name, path in modules("lcode"):
        own = room(name, house)
        if own is not None:
            found = {room(target, house) for target in imports(path)}
            edges.setdefault(own, set()).update(target for target in found if target not in (None, own))
    assert rooms <= set(edges)
    assert_no_cycle(edges)


def test_modules_of_a_sub_package_do_not_import_each_other_in_a_circle() -> None:
    for package in ROOTS:
        files = dict(modules(package))
        edges: dict[str, set[str]] = {}
        for name, path in files.items():
            if name == package:
                continue
            targets = {t if t in files else t.rpartition(".")[0] for t in imports(path, type_checking=False)}
            edges[name] = {t for t in targets if t in files and t not in (name, package)}
        # A package's `__init__` gathers names from its modules: they take them from each other, not from it.
        assert_no_cycle(edges)


def test_the_trainer_knows_the_librarys_data_and_its_monitor_only() -> None:
    for name, path in modules("mtl_runs"):
        used = {target for target in imports(path) if target.split(".")[0] == "lcode"}
        parts = {".".join(["lcode", first_level(target, "lcode") or ""]).rstrip(".") for target in used}
        assert parts <= (ALLOWED_IN_THEM if name.startswith(USERS_OF_FORECASTS) else ALLOWED_IN_MTL_RUNS), name


def test_the_trainers_parts_import_each_other_in_no_circle() -> None:
    assert_no_cycle(graph("mtl_runs"))
