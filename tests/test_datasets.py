"""The cards of `datasets/` against the code, and the folder against the package of the same name."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from lcode.benchmarks import BENCHMARKS
from mtl_runs.problems import PROBLEMS

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "datasets"
CARDS = {path.parent.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*/README.md"))}
SHA256 = re.compile(r"\b[0-9a-f]{64}\b")


def card_of(name: str) -> str:
    """The folder of the one card that has this name of the code in backticks."""
    (folder,) = [folder for folder, card in CARDS.items() if f"`{name}`" in card]
    return folder


def test_the_folder_holds_no_code() -> None:
    assert not list(FOLDER.rglob("*.py"))


def test_every_card_is_in_the_index() -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert {path.name for path in FOLDER.iterdir() if path.is_dir()} == set(CARDS)
    assert set(re.findall(r"\((\w+)/README\.md\)", index)) == set(CARDS)


@pytest.mark.parametrize("name", [*BENCHMARKS, *PROBLEMS])
def test_every_collection_and_every_problem_has_one_card(name: str) -> None:
    assert card_of(name)


def test_checksums_are_those_of_the_code() -> None:
    expected: dict[str, set[str]] = {folder: set() for folder in CARDS}
    for name, collection in BENCHMARKS.items():
        expected[card_of(name)] |= {collection.curves.sha256, collection.configs.sha256}
        stem = Path(collection.curves.name).name.partition(".")[0]
        (line,) = [line for line in CARDS[card_of(name)].splitlines() if collection.curves.sha256 in line]
        assert stem in line, f"{collection.curves.name}: its checksum stands beside another name"
    assert {folder: set(SHA256.findall(card)) for folder, card in CARDS.items()} == expected


def test_the_folder_is_never_taken_for_a_package(tmp_path: Path) -> None:
    code = (
        "from importlib.util import find_spec; spec = find_spec('datasets');"
        "print(*(spec.submodule_search_locations or []) if spec else [], sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    places = [Path(place).resolve() for place in done.stdout.splitlines() if place]
    assert FOLDER.resolve() not in places
