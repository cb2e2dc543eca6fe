"""The cards of `datasets/` against the code, and the folder against the package of the same name."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lcode.benchmarks import BENCHMARKS, load_mtl_curves
from lcode.benchmarks.files import CHECKOUT
from lcode.benchmarks.mlp_curves import MLP_CURVES
from lcode.benchmarks.mtl_curves import FILES
from mtl_runs.corpus import corpus_entries
from mtl_runs.mlp_curves import EPOCHS, plan_run
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
    for name in BENCHMARKS:
        files, card = BENCHMARKS[name].files, CARDS[card_of(name)]
        expected[card_of(name)] |= {file.sha256 for file in files}
        stem = Path(files[0].name).name.partition(".")[0]
        assert any(files[0].sha256 in line and stem in line for line in card.splitlines()), (
            f"{files[0].name}: its checksum stands beside another name"
        )
    assert {folder: set(SHA256.findall(card)) for folder, card in CARDS.items()} == expected


@pytest.mark.skipif(not (CHECKOUT / FILES["runs"].name).is_file(), reason="the corpus is not in this checkout")
def test_the_corpus_is_the_one_of_the_definition() -> None:
    for file in FILES.values():
        content = (CHECKOUT / file.name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file.sha256, f"{file.name}: enter its checksum in code and card"
    corpus = load_mtl_curves(CHECKOUT / "mtl_curves")
    entries = corpus_entries()
    names = [run for curves in corpus.values() for run in (*curves.references.run_ids, *curves.table.run_ids)]
    assert names == [entry.spec.run for entry in entries]
    for entry in (entry for entry in entries if not entry.single):
        side = corpus[entry.spec.problem].splits.loc[entry.spec.run]
        assert tuple(side) == (entry.configuration, entry.split, entry.arch_split, entry.problem_split)
    for curves in corpus.values():
        finished = curves.table.with_status("finished")
        assert len(finished) > 0.8 * len(curves.table) and (finished.last_epochs == finished.runs["horizon"]).all()
        assert {metric.key for metric in curves.table.metrics} == {
            f"{task}/{metric}" for task, metric in curves.baseline[["task", "metric"]].itertuples(index=False)
        }
    assert sum((CHECKOUT / file.name).stat().st_size for file in FILES.values()) < 10e6


@pytest.mark.parametrize("name", MLP_CURVES)
def test_the_perceptrons_are_those_of_the_definition(name: str) -> None:
    collection = MLP_CURVES[name]
    path = CHECKOUT / collection.file.name
    if not path.is_file():
        pytest.skip("the curves are not in this checkout")
    content = path.read_bytes()
    assert hashlib.sha256(content).hexdigest() == collection.file.sha256, "enter its checksum in code and card"
    assert len(content) < 1.5e6
    table = collection.load()
    assert len(table) == 500
    assert (table.runs["horizon"] == EPOCHS).all()
    for index in (0, len(table) - 1):
        plan, config = plan_run(collection.task, index), table.configs.iloc[index]
        assert config.to_dict() == {key: getattr(plan, key) for key in config.index}
        assert table.schedules[table.run_ids[index]].rates.tolist() == plan.rates.tolist()


def test_the_folder_is_never_taken_for_a_package(tmp_path: Path) -> None:
    code = (
        "from importlib.util import find_spec; spec = find_spec('datasets');"
        "print(*(spec.submodule_search_locations or []) if spec else [], sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    places = [Path(place).resolve() for place in done.stdout.splitlines() if place]
    assert FOLDER.resolve() not in places
