from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable
from importlib import resources

import pytest

import lcode
from lcode.errors import LcodeError

NAMES = [
    "ArchGraph",
    "Backtest",
    "EarlyStopper",
    "Forecast",
    "LcodeError",
    "Metric",
    "Monitor",
    "Ranking",
    "RunHeader",
    "RunLogWriter",
    "RunTable",
    "Suggestions",
    "Verdict",
    "backtest",
    "candidates",
    "fit",
    "forecaster",
    "load",
    "monitor",
    "rank",
    "read_logs",
    "suggest",
    "trace_graph",
]

HEAVY = ("torch", "torch_geometric", "sklearn", "plotly", "torchdiffeq")

HELP = "import sys; from {module} import app; app(['--help'], standalone_mode=False)"


def test_the_public_names() -> None:
    assert lcode.__all__ == NAMES
    assert dir(lcode) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_is_there_and_described(name: str) -> None:
    value = getattr(lcode, name)
    assert value is getattr(lcode, name)
    doc = inspect.getdoc(value)
    assert doc and (len(doc.splitlines()[0]) > 20 or "\n" in doc)
    if inspect.isclass(value):
        for method, function in vars(value).items():
            if inspect.isfunction(function) and not method.startswith("_"):
                assert inspect.getdoc(function), f"{name}.{method}"


def public_functions() -> list[tuple[str, Callable[..., object]]]:
    """The public functions, and the methods of the public classes, by name."""
    found: list[tuple[str, Callable[..., object]]] = []
    for name in NAMES:
        value = getattr(lcode, name)
        if not inspect.isclass(value):
            found.append((name, value))
            continue
        for method, function in vars(value).items():
            plain = function.__func__ if isinstance(function, classmethod | staticmethod) else function
            plain = plain.fget if isinstance(plain, property) else plain
            if inspect.isfunction(plain) and (not method.startswith("_") or method == "__init__"):
                found.append((f"{name}.{method}", plain))
    return found


@pytest.mark.parametrize("function", [pytest.param(f, id=name) for name, f in public_functions()])
def test_the_public_face_is_typed(function: Callable[..., object]) -> None:
    signature = inspect.signature(function)
    bare = [p.name for p in signature.parameters.values() if p.annotation is p.empty and p.name not in ("self", "cls")]
    assert bare == [] and signature.return_annotation is not signature.empty
    assert resources.files("lcode").joinpath("py.typed").is_file()


def test_a_wrong_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'predict'"):
        _ = lcode.predict


def test_errors_share_one_base() -> None:
    from lcode import errors

    found = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    assert len(found) > 4 and all(issubclass(kind, LcodeError) for kind in found)


@pytest.mark.parametrize(
    "code",
    [
        "import lcode",
        "import lcode.readers",
        "import lcode.table, lcode.table.runlog",
        "import lcode.graphs",
        "import lcode.decisions, lcode.hooks",
        "import lcode.testing",
        HELP.format(module="lcode.cli.commands"),
        HELP.format(module="mtl_runs.cli"),
    ],
    ids=lambda code: (
        code if code.startswith("import lcode") else code.split("from ")[1].split(" import")[0] + " --help"
    ),
)
def test_what_must_be_quick_loads_nothing_heavy(code: str) -> None:
    check = f"{code}\nimport sys\nfound = [name for name in {HEAVY!r} if name in sys.modules]\nassert not found, found"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
