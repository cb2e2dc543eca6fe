"""The study on three tasks and short trainings: what is trained, what is chosen, and that it goes on where it was."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import lcode
from lcode.errors import UsageError
from lcode.threads import limited_threads
from mtl_runs.studies.reinforcement import __main__ as command
from mtl_runs.studies.reinforcement import forecasts, report
from mtl_runs.studies.reinforcement.measure import conduct
from mtl_runs.studies.reinforcement.plan import Plan
from mtl_runs.sweeps.logs import last_values

TINY = Plan(
    worlds=("control-3",), balancers=("equal", "imgrad"), rates=(1e-2, 1e-3), seeds=(1, 2), epochs=2, choosing=(0, 9)
)


@pytest.fixture(autouse=True)
def by_last_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """The forecaster is not what is tested here, and takes its time to be fitted."""
    monkeypatch.setattr(lcode, "load", lambda: lcode.forecaster("last"))
    monkeypatch.setattr(lcode, "fit", lambda table, targets: lcode.forecaster("last"))
    monkeypatch.setattr(forecasts, "FINISHED", 2)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the trainings of the study."""
    folder = tmp_path_factory.mktemp("study")
    with limited_threads(1):
        conduct(TINY, folder, print)
    return folder


def test_the_default_plan_has_eight_balancers_in_two_worlds_and_ten_tasks_alone() -> None:
    plan = Plan()
    groups = [*plan.alone, *(group for world in plan.worlds for group in plan.together(world))]
    runs = [f"{group.folder}/{run.run}" for group in groups for run in plan.runs(group, plan.seeds)]
    assert len(groups) == 10 + 2 * 8 and len(set(runs)) == len(runs) == len(groups) * len(plan.rates) * len(plan.seeds)
    assert {"equal", "imgrad", "conicgrad_exact", "sdmgrad", "cagrad", "fairgrad", "pcgrad"} <= set(plan.balancers)


def test_the_study_chooses_rates_and_trains_nothing_twice(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs = {path: path.stat().st_mtime_ns for path in trained.rglob("*.jsonl")}
    assert len(logs) == (3 + 2) * (2 * 2 + 2)
    text = command.study(TINY, trained)
    assert {path: path.stat().st_mtime_ns for path in trained.rglob("*.jsonl")} == logs
    assert "imgrad: trained" in capsys.readouterr().err and text.count("\n\n") == 2
    results = pd.read_csv(trained / "results.csv")
    assert list(results["balancer"]) == ["alone"] * 2 + ["equal"] * 2 + ["imgrad"] * 2
    row = results.iloc[-1]
    ends = [[last_values(trained / "control-3", f"imgrad-{n}-s{seed}") for seed in (0, 9)] for n in (0, 1)]
    means = [np.mean([end[key] for end in by for key in end if key.endswith("/return")]) for by in ends]
    number = int(np.argmax(means))
    assert row["rate"] == TINY.rates[number]
    end = last_values(trained / "control-3", f"imgrad-{number}-s2")
    tasks = ["point-reach", "pendulum-swingup", "cart-balance"]
    assert row[tasks].tolist() == pytest.approx([end[f"{task}/return"] for task in tasks])
    alone = results[results["balancer"] == "alone"][tasks].mean()
    assert row["delta_m"] == pytest.approx(100 * np.mean([row[task] / alone[task] - 1 for task in tasks]))
    assert row["return"] == pytest.approx(row[tasks].mean())


def test_a_plan_refuses_what_cannot_be_held_against_each_other() -> None:
    with pytest.raises(UsageError, match="'control-3' and 'control-10' have not"):
        Plan(worlds=("control-3", "control-10"))
    with pytest.raises(UsageError, match=r"by the seeds \[2\] rates are chosen"):
        replace(TINY, choosing=(0, 2))


def test_a_rate_at_which_a_training_diverged_is_not_chosen(trained: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(trained, tmp_path / "copy")
    before = conduct(TINY, folder, print).set_index("balancer")["rate"]
    number = TINY.rates.index(before["imgrad"].iloc[0])
    path = folder / "control-3" / f"imgrad-{number}-s9.jsonl"
    path.write_text(path.read_text().replace('"finished"', '"failed"'))
    after = conduct(TINY, folder, print).set_index("balancer")["rate"]
    assert (after["imgrad"] == TINY.rates[1 - number]).all() and (after["equal"] == before["equal"]).all()


def test_the_command_trains_the_worlds_and_balancers_that_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--worlds", "control-3", "--balancers", "imgrad", "--rates", "0.01", "--epochs", "1", "--seeds", "2"]
    with limited_threads(1):
        assert command.main(["--out", str(tmp_path), *asked]) == 0
    # Of one rate none is chosen, and of two runs none is ranked.
    assert sorted(path.name for path in (tmp_path / "control-3").iterdir()) == [
        "imgrad-0-s1.jsonl",
        "imgrad-0-s2.jsonl",
    ]
    told = capsys.readouterr()
    assert "| control-3 | imgrad | 0.01 |" in told.out and "τ" not in told.out
    assert command.main(["--out", str(tmp_path), "--worlds", "control-3", "control-10"]) == 2
    assert "have the same tasks" in capsys.readouterr().err


def test_one_that_diverged_has_no_score(trained: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(trained, tmp_path / "copy")
    (path,) = (folder / "control-3").glob("equal-*-s2.jsonl")
    path.write_text(path.read_text().replace('"finished"', '"failed"'))
    results = conduct(TINY, folder, print)
    assert results[["return", "delta_m"]].isna().any(axis=1).tolist() == [False, False, False, True, False, False]


def test_rankings_are_of_runs_that_have_not_finished(trained: Path) -> None:
    found = forecasts.conduct(trained / "control-3", [1, 2], split=0)
    assert len(found) == 2 * 3
    # With the last values for forecasts all ways agree, and after the last epoch they are right.
    assert found.groupby("epoch")["tau"].nunique().eq(1).all()
    ends = found[found["epoch"] == 2]
    assert ends["tau"].to_list() == pytest.approx([1.0] * len(ends)) and (ends["regret"] == 0).all()
    lines = report.rankings(found.assign(world="w")).splitlines()
    assert len(lines) == 5 and "τ after 1 | τ after 2 | regret after 1" in lines[0]


def made_results() -> pd.DataFrame:
    rows = [("w", "alone", None, 0.8), ("w", "equal", 0.01, 0.5), ("w", "imgrad", 0.01, 0.6), ("v", "equal", 0.1, 0.4)]
    return pd.DataFrame(
        {
            "world": world,
            "balancer": balancer,
            "seed": seed,
            "rate": rate,
            "return": value + seed / 100,
            "success": value,
            "delta_m": 100 * (value - 0.8),
            "a": value,
            "b": value + seed / 50,
        }
        for world, balancer, rate, value in rows
        for seed in (1, 2, 3)
    )


def test_the_tables_of_hand_made_results() -> None:
    lines = report.balancers(made_results(), "equal").splitlines()[2:]
    assert [line.split(" | ")[1] for line in lines] == ["alone", "imgrad", "equal", "equal"]
    assert "| each its own | 0.820 ± 0.010 | 0.80 ± 0.00 | 0.0 ± 0.0 |" in lines[0]
    assert "| 0.01 | 0.620 ± 0.010 | 0.60 ± 0.00 | -20.0 ± 0.0 | +0.100 [+0.100, +0.100] | 3 of 3 |" in lines[1]
    assert lines[2].endswith("|  |  |")
    by_task = report.tasks(made_results(), ["a", "b"]).splitlines()
    assert by_task[0] == "|  | alone, w | equal, w | imgrad, w | equal, v |"
    assert by_task[3] == "| b | 0.84 | 0.54 | 0.64 | 0.44 |"
