from __future__ import annotations

import json
import math
import shutil
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lcode.errors import InputError
from lcode.readers.loggers import LOGGERS, Logged

READER = LOGGERS["optuna"]
DATA = Path(__file__).parent / "data" / "optuna"
STORAGES = ["study.db", "journal.log"]


def runs_in(path: Path) -> list[Logged]:
    assert READER.sniff(path)
    return list(READER.read([path]))


def cells(run: Logged) -> dict[str, list[Any]]:
    return {name: column.to_pylist() for name, column in run.columns.items()}


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return Path(shutil.copy(DATA / "study.db", tmp_path / "renamed.sqlite3"))


def changed(path: Path, statement: str, *values: object) -> Path:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(statement, values)
    return path


@pytest.mark.parametrize("name", STORAGES)
def test_trials_are_runs(name: str) -> None:
    runs = runs_in(DATA / name)
    assert [run.run for run in runs] == [f"größe/trial-{number}" for number in range(7)]
    assert [run.status for run in runs] == ["finished", "finished", "finished", "stopped", "failed", "stopped", None]
    first = runs[0]
    assert first.axis == "step"
    assert first.directions == {"mean": "max"}
    assert first.config == {"lr": pytest.approx(0.00443, rel=1e-3), "layers": 3, "balancer": "equal"}
    assert cells(first)["step"] == [1, 2, 3, 4]
    assert cells(first)["seg/miou"] == [0.41121, 0.49877, 0.55126, 0.62289]
    assert cells(first)["mean"] == pytest.approx([0.28334, 0.39279, 0.458405, 0.547945])


@pytest.mark.parametrize("name", STORAGES)
def test_nan_was_reported_and_none_is_a_category(name: str) -> None:
    run = runs_in(DATA / name)[3]
    assert math.isnan(cells(run)["mean"][1])
    assert run.config["balancer"] is None


@pytest.mark.parametrize("name", STORAGES)
def test_a_trial_that_waits_is_a_run_with_nothing_observed(name: str) -> None:
    run = runs_in(DATA / name)[-1]
    assert not run.columns
    assert run.status is None


def test_both_storages_say_the_same() -> None:
    for one, other in zip(runs_in(DATA / "study.db"), runs_in(DATA / "journal.log"), strict=True):
        assert (one.run, one.status, one.directions) == (other.run, other.status, other.directions)
        assert repr(cells(one)) == repr(cells(other))
        assert one.config == other.config or one.run == "größe/trial-6"


@pytest.mark.parametrize("name", STORAGES)
def test_attributes_that_are_no_curves_are_told(name: str) -> None:
    (note,) = runs_in(DATA / name)[0].notes
    assert note.endswith("left out: gpu.")


def test_infinite_values(base: Path) -> None:
    changed(
        base,
        "UPDATE trial_intermediate_values SET intermediate_value = NULL, intermediate_value_type = 'INF_NEG' "
        "WHERE trial_id = 1 AND step = 2",
    )
    assert cells(runs_in(base)[0])["mean"][1] == -math.inf


def test_an_unnamed_value_is_called_value(base: Path) -> None:
    changed(base, "DELETE FROM study_system_attributes")
    run = runs_in(base)[0]
    assert list(run.columns)[:2] == ["step", "value"]
    assert run.directions == {"value": "max"}


def test_storages_of_optuna_2_have_no_types_and_no_nulls(base: Path) -> None:
    changed(
        base,
        "UPDATE trial_intermediate_values SET intermediate_value = ? WHERE trial_id = 1 AND step = 1",
        sys.float_info.max,
    )
    changed(base, "ALTER TABLE trial_intermediate_values DROP COLUMN intermediate_value_type")
    assert cells(runs_in(base)[0])["mean"][0] == math.inf


def test_trials_that_ended_without_a_report_are_left_out(base: Path) -> None:
    changed(base, "DELETE FROM trial_intermediate_values WHERE trial_id = 2")
    changed(base, "DELETE FROM trial_user_attributes WHERE trial_id = 2")
    runs = runs_in(base)
    assert "größe/trial-1" not in [run.run for run in runs]
    assert any("1 trial(s) ended without a report" in note for note in runs[0].notes)


def test_the_database_is_left_as_it_is(base: Path) -> None:
    before = base.read_bytes()
    base.chmod(0o444)
    runs_in(base)
    assert base.read_bytes() == before
    assert [path.name for path in base.parent.iterdir()] == [base.name]


def journal(path: Path, *operations: Mapping[str, Any]) -> Path:
    lines = [json.dumps({"worker_id": "w", **operation}) + "\n" for operation in operations]
    path.write_text("".join(lines), encoding="utf-8")
    return path


CREATE = {"op_code": 0, "study_name": "s", "directions": [1, 2]}
TRIAL = {"op_code": 4, "study_id": 0, "datetime_start": "2026-01-01T00:00:00"}


def test_curves_of_several_objectives_are_user_attributes(tmp_path: Path) -> None:
    attrs = {"curves": {"loss": [3.0, 2.0], "acc": {"5": 0.1, "10": 0.4}}}
    names = {"op_code": 3, "study_id": 0, "system_attr": {"study:metric_names": ["curves/loss", "curves/acc"]}}
    path = journal(tmp_path / "j", CREATE, names, TRIAL, {"op_code": 8, "trial_id": 0, "user_attr": attrs})
    (run,) = runs_in(path)
    assert cells(run) == {
        "step": [0, 1, 5, 10],
        "curves/loss": [3.0, 2.0, None, None],
        "curves/acc": [None, None, 0.1, 0.4],
    }
    assert run.directions == {"curves/loss": "min", "curves/acc": "max"}


def test_a_trial_made_whole_and_what_comes_after_its_end(tmp_path: Path) -> None:
    made = {
        **TRIAL,
        "state": 1,
        "distributions": {"lr": '{"name": "FloatDistribution", "attributes": {"low": 0, "high": 1}}'},
        "params": {"lr": 0.5},
        "intermediate_values": {"1": 2.0, "2": 1.0},
    }
    late = {"op_code": 7, "trial_id": 0, "step": 3, "intermediate_value": 9.0}
    (run,) = runs_in(journal(tmp_path / "j", {**CREATE, "directions": [1]}, made, late))
    assert cells(run) == {"step": [1, 2], "value": [2.0, 1.0]}
    assert (run.config, run.status, run.directions) == ({"lr": 0.5}, "finished", {"value": "min"})


def test_a_deleted_study_takes_its_trials_with_it(tmp_path: Path) -> None:
    report = {"op_code": 7, "trial_id": 1, "step": 1, "intermediate_value": 2.0}
    other = {**CREATE, "study_name": "t"}
    path = journal(
        tmp_path / "j", CREATE, TRIAL, {"op_code": 1, "study_id": 0}, other, {**TRIAL, "study_id": 1}, TRIAL, report
    )
    assert [run.run for run in runs_in(path)] == ["t/trial-0"]


def test_a_growing_journal(tmp_path: Path) -> None:
    text = (DATA / "journal.log").read_bytes()
    path = tmp_path / "journal.log"
    at = text.index(b'"op_code":7', len(text) // 2) + 20
    path.write_bytes(text[:at])
    runs = runs_in(path)
    assert any("the last line is incomplete" in note for note in runs[0].notes)
    assert 2 <= len(runs) < 7


REPORT = {"op_code": 7, "trial_id": 0, "step": 1, "intermediate_value": 2.0}


@pytest.mark.parametrize(
    ("operations", "line"),
    [
        ([CREATE, {"op_code": 7, "trial_id": 3, "step": 1, "intermediate_value": 1.0}], 2),
        ([CREATE, TRIAL, {"op_code": 7, "trial_id": 0, "step": "one", "intermediate_value": 1.0}], 3),
        ([CREATE, TRIAL, {"op_code": 7, "trial_id": 0, "step": 1, "intermediate_value": "much"}], 3),
        ([CREATE, TRIAL, {"op_code": 5, "trial_id": 0, "param_name": "x", "param_value_internal": 0.0}], 3),
        (
            [CREATE, TRIAL, {"op_code": 5, "trial_id": 0, "param_name": "x", "param_value_internal": 7,
                             "distribution": '{"name": "CategoricalDistribution", "attributes": {"choices": [1]}}'}],
            3,
        ),
        ([CREATE, TRIAL, {"op_code": 6, "trial_id": 0, "state": 99}], 3),
        ([CREATE, {**TRIAL, "intermediate_values": [1.0]}], 2),
    ],
)  # fmt: skip
def test_an_operation_that_cannot_be_followed(tmp_path: Path, operations: list[dict[str, Any]], line: int) -> None:
    path = journal(tmp_path / "j", *operations, REPORT)
    with pytest.raises(InputError, match=rf"j, line {line}: is read as a file of Optuna.*restore it"):
        runs_in(path)


def test_a_torn_operation_amid_others_makes_the_numbers_of_trials_uncertain(tmp_path: Path) -> None:
    path = journal(tmp_path / "j", CREATE, TRIAL, REPORT)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([lines[0], lines[1][:20] + "\n", lines[2]]))
    with pytest.raises(InputError, match=r"line 2: .*Optuna"):
        runs_in(path)


@pytest.mark.parametrize("directions", [[1], [1, 2]])
def test_no_reports(tmp_path: Path, directions: list[int]) -> None:
    path = journal(tmp_path / "j", {**CREATE, "directions": directions}, TRIAL)
    remedy = "set_user_attr" if len(directions) > 1 else "trial.report"
    with pytest.raises(InputError, match=rf"none of the 1 trials of Optuna's.*{remedy}"):
        runs_in(path)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE trial_params SET distribution_json = '{'",
        "UPDATE trial_params SET distribution_json = '[]'",
        "UPDATE trial_user_attributes SET value_json = 'torn'",
        "UPDATE trial_params SET trial_id = 99 WHERE param_id = 1",
        "UPDATE trials SET study_id = 99",
    ],
)
def test_a_damaged_database(base: Path, statement: str) -> None:
    with pytest.raises(InputError, match=r"renamed\.sqlite3: is read as a file of Optuna"):
        runs_in(changed(base, statement))


def test_a_torn_database(base: Path) -> None:
    base.write_bytes(base.read_bytes()[:4000])
    if READER.sniff(base):
        with pytest.raises(InputError, match="Optuna, but the database cannot be read"):
            runs_in(base)


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 100, b"SQLite format 3\0", b"SQLite format 3\0garbage", b"{}", b"[1]"]
)
def test_other_files_are_not_claimed(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "study.db"
    path.write_bytes(content)
    assert not READER.sniff(path)


def test_other_databases_and_folders_are_not_claimed(tmp_path: Path) -> None:
    changed(tmp_path / "mlflow.db", "CREATE TABLE runs (run_uuid TEXT)")
    (tmp_path / "study.db").mkdir()
    assert not any(READER.sniff(path) for path in tmp_path.iterdir())
