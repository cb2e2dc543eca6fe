"""The whole study, small: a problem of two tasks, four points of weights, two epochs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lcode.errors import DataNotFoundError, UsageError
from lcode.table import RunStatus
from mtl_runs.problems import PROBLEMS, Problem
from mtl_runs.studies.imbalance import (
    Plan,
    Setting,
    Trial,
    add_gaps,
    chosen_references,
    collect,
    conduct,
    measure_costs,
    per_run,
    read_record,
    write_record,
)
from mtl_runs.studies.imbalance.__main__ import main
from mtl_runs.studies.imbalance.plan import EQUAL, INVERSE, LOG, SIMPLEX, SINGLE
from mtl_runs.training import RunSpec, train_population

SETTING = Setting("tiny-study", "mlp-4x1")
PLAN = Plan([SETTING], rates=(0.003, 0.03), n_points=4, n_finalists=1, n_report=2, horizon=2, batch_size=32)


class InProcess:
    """Trains here; worker processes would not know the problem."""

    def __init__(self, problem: Problem, folder: Path) -> None:
        self.problem, self.folder = problem, folder
        self.stages: list[list[str]] = []

    def run(self, specs: Sequence[RunSpec]) -> dict[str, RunStatus]:
        self.stages.append([spec.run for spec in specs])
        ordered = sorted(specs, key=lambda spec: str(spec.config.stacking_key))
        statuses: dict[str, RunStatus] = {}
        for _, pack in groupby(ordered, key=lambda spec: spec.config.stacking_key):
            results = train_population(self.problem, list(pack), folder=self.folder)
            statuses |= {result.run: result.status for result in results}
        return statuses


Conducted = tuple[list[Trial], InProcess]


@pytest.fixture(scope="module")
def conducted(tiny_problem: Problem, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Conducted]:
    # With one split in the place of the other, the checkpoints can be held against the logs.
    problem = replace(tiny_problem, name=SETTING.problem, test=tiny_problem.validation)
    PROBLEMS[SETTING.problem] = lambda: problem
    trainer = InProcess(problem, tmp_path_factory.mktemp("logs"))
    yield conduct(PLAN, trainer, trainer.folder), trainer
    del PROBLEMS[SETTING.problem]


@pytest.fixture(scope="module")
def table(conducted: Conducted) -> pd.DataFrame:
    trials, trainer = conducted
    return collect(PLAN, trials, trainer.folder, test=True)


def test_the_stages(conducted: Conducted) -> None:
    trials, trainer = conducted
    n_tasks, n_methods = 2, 1 + len(INVERSE)
    expected = [(n_tasks + n_methods) * 2, 2 * 4, 2 * 1, (n_tasks + n_methods + 2) * 2]
    assert [len(stage) for stage in trainer.stages] == expected
    assert len({trial.run for trial in trials}) == len(trials) == sum(expected)


def test_conducted_again_it_only_looks(conducted: Conducted) -> None:
    trials, trainer = conducted
    before = {path: path.read_bytes() for path in trainer.folder.glob("*.jsonl")}
    assert conduct(PLAN, trainer, trainer.folder) == trials
    assert {path: path.read_bytes() for path in trainer.folder.glob("*.jsonl")} == before


def test_what_is_reported_was_the_best_by_validation(table: pd.DataFrame) -> None:
    references = chosen_references(table, purpose="select", split="validation")
    runs = per_run(add_gaps(table, references, split="validation"))
    for method in (EQUAL, *INVERSE, SIMPLEX, LOG):
        of_method = runs[runs["method"] == method]
        tried, reported = (of_method[of_method["purpose"] == purpose] for purpose in ("select", "report"))
        best = tried.sort_values("delta_m").iloc[-1]
        if method in (SIMPLEX, LOG):
            # Only finalists were tried at other rates.
            assert len(tried) == 5
        assert set(reported["label"]) == {best["label"]}
        assert set(reported["lr"]) == {best["lr"]}
        assert not set(reported["seed"]) & set(tried["seed"])


def test_a_checkpoint_gives_the_very_values_of_the_log(table: pd.DataFrame) -> None:
    pd.testing.assert_series_equal(table["test"], table["validation"], check_names=False, check_exact=True)


def test_rows_are_trainings_times_metrics(table: pd.DataFrame) -> None:
    singles = table[table["method"] == SINGLE]
    assert (singles.groupby("run").size() == 1).all()
    assert (table[table["method"] != SINGLE].groupby("run").size() == 2).all()
    assert (table[["norm", "norm_early"]] > 0).all(axis=None)
    equal = table[table["method"] == EQUAL]
    assert equal["weight"].to_numpy() == pytest.approx(0.5)


def test_the_file_keeps_what_can_be_told_apart(table: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "folder" / "runs.parquet"
    write_record(path, table)
    back = read_record(path)
    assert list(back.columns) == list(table.columns)
    assert back["lr"].tolist() == table["lr"].tolist()
    assert back["seed"].tolist() == table["seed"].tolist()
    assert np.allclose(back["test"], table["test"], rtol=1e-4)
    assert np.allclose(back["norm"], table["norm"], rtol=1e-3)
    assert list(path.parent.iterdir()) == [path]


def test_a_missing_record_says_how_it_is_made(tmp_path: Path) -> None:
    with pytest.raises(DataNotFoundError, match=r"python -m mtl_runs\.studies\.imbalance"):
        read_record(tmp_path / "runs.parquet")


def test_costs_are_measured_apart_from_the_study(conducted: Conducted) -> None:
    trainer = conducted[1]
    before = sorted(trainer.folder.rglob("*"))
    costs = measure_costs(PLAN, members=2, epochs=1, repeats=1)
    assert costs["method"].tolist() == [EQUAL, INVERSE[0]]
    assert (costs["cpu_seconds"] > 0).all()
    assert sorted(trainer.folder.rglob("*")) == before


def test_an_unfinished_training_is_named(conducted: Conducted, tmp_path: Path) -> None:
    trials, _ = conducted
    with pytest.raises(UsageError, match=f"'{trials[0].run}' is not over"):
        collect(PLAN, trials, tmp_path, test=False)


def test_a_lost_checkpoint_is_named(conducted: Conducted, tmp_path: Path) -> None:
    trials, trainer = conducted
    name = f"{trials[0].run}.jsonl"
    (tmp_path / name).write_bytes((trainer.folder / name).read_bytes())
    with pytest.raises(UsageError, match="no checkpoint of its last epoch"):
        collect(PLAN, trials[:1], tmp_path, test=True)


def test_the_command_knows_its_problems(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--out", str(tmp_path), "--only", "nothing"])
    assert exit_.value.code == 2
    assert "tabular-wide" in capsys.readouterr().err
