"""The study in small: with the real Ray, what it counts, and that it goes on where it was."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest

import lcode
from mtl_runs.studies.on_ray import __main__ as command
from mtl_runs.studies.on_ray import measure
from mtl_runs.studies.on_ray.killing import LOCKS
from mtl_runs.studies.on_ray.measure import FORECASTS, NOTHING, Asked, Trained
from mtl_runs.studies.on_ray.plan import Plan, Way
from mtl_runs.studies.on_ray.report import spread, table

TINY = Plan(seeds=(1,), epochs=40, arch="mlp-4x1", balancers=("equal",), runs=2, population=1, workers=(1,))


@pytest.fixture(autouse=True)
def by_last_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """The forecaster is not what is tested here, and takes its time."""
    monkeypatch.setattr(lcode, "load", lambda: lcode.forecaster("last"))


@pytest.mark.skipif(not LOCKS.exists(), reason="tells who holds a lock")
@pytest.mark.usefixtures("real_ray")
def test_a_kill_loses_nothing_and_nothing_is_measured_twice(tmp_path: Path) -> None:
    text = command.study(TINY, tmp_path)
    sweeps, decisions = pd.read_csv(tmp_path / "sweeps.csv"), pd.read_csv(tmp_path / "decisions.csv")
    assert list(sweeps["way"]) == ["local, 1", "ray, 1", "ray, 1, one killed"]
    assert set(sweeps["finished"]) == {2} and set(sweeps["other"]) == {0}
    assert list(sweeps["again"][:2]) == [0, 0] and 0 <= sweeps["again"][2] < 40
    assert sweeps["memory"].notna().tolist() == [False, False, True] and (sweeps["log"] > 300).all()
    assert len(decisions) == 6 and set(decisions["decisions"]) == {39} and (decisions["seconds"] > 0).all()
    logs = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.jsonl")}
    assert command.study(TINY, tmp_path) == text and len(logs) == 3 * 2
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.jsonl")} == logs


def row(way: Way, seed: int) -> Trained:
    """A sweep that began later on Ray, by the seed, and took half as long again."""
    first, rest = (2.0, 10.0) if way.engine == "local" else (2.0 + 2 * seed, 15.0)
    memory = 0.5e9 if way.killed else float("nan")
    return Trained(str(way), seed, 8, 0, 4 * way.killed, first, rest, 0.5, 500, 400, 700, 118_000, memory)


def decisions(seed: int) -> list[Asked]:
    """Forecasts take 40 ms, a pipe 0.1 ms and Ray 2 ms."""
    ways = {"alone": 0.0, "local": 1e-4, "ray": 2e-3}
    return [
        Asked(way, seed, monitor, own + more, 12)
        for monitor, own in ((FORECASTS, 0.04), (NOTHING, 0.0))
        for way, more in ways.items()
    ]


def test_a_study_goes_on_with_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, made = Plan(seeds=(1, 2)), list[tuple[str, int]]()

    def trained(plan: Plan, out: Path, way: Way, seed: int) -> list[Trained]:
        made.append((str(way), seed))
        if len(made) == 7:
            raise KeyboardInterrupt
        return [row(way, seed)]

    def asked(plan: Plan, out: Path, seed: int) -> list[Asked]:
        made.append(("asked", seed))
        return decisions(seed)

    monkeypatch.setattr(measure, "trained", trained)
    monkeypatch.setattr(measure, "asked", asked)
    with pytest.raises(KeyboardInterrupt):
        command.study(plan, tmp_path)
    text = command.study(plan, tmp_path)
    assert made[6] == made[7] == ("local, 1", 2) and len(made) == 2 * 6 + 1
    assert "| logs with a bit that differs from the first column's | 0 | 0 | 0 | 0 | 0 |" in text


def test_the_table_has_ratios_to_as_many_local_workers() -> None:
    plan = Plan(seeds=(1, 2))
    sweeps = pd.DataFrame([asdict(row(way, seed)) for seed in plan.seeds for way in plan.ways])
    asked = pd.DataFrame([asdict(one) for seed in plan.seeds for one in decisions(seed)])
    lines = table(plan, sweeps, asked).splitlines()
    assert lines[0] == "|  | local, 1 | ray, 1 | local, 2 | ray, 2 | ray, 2, one killed |"
    late = "2.50 ± 0.71"
    assert f"| seconds until the first epoch ÷ those of local | 1.00 | {late} | 1.00 | {late} | {late} |" in lines
    assert "| seconds from there on ÷ those of local | 1.00 | 1.50 | 1.00 | 1.50 | 1.50 |" in lines
    assert "| seconds in all ÷ those of local | 1.00 | 1.67 ± 0.12 | 1.00 | 1.67 ± 0.12 | 1.67 ± 0.12 |" in lines
    assert "| epochs trained twice, of 96 | 0 | 0 | 0 | 0 | 4 |" in lines
    assert "| memory of a worker, GB |  |  |  |  | 0.50 |" in lines
    assert lines[-2].endswith("in the monitor's process 40.00 | 40.10 | 42.00 | 40.10 | 42.00 |  |")


def test_a_spread_is_left_out_where_there_is_none() -> None:
    assert spread([1.0, 3.0], 1) == "2.0 ± 1.4" and spread([2, 2], 0) == "2" and spread([float("nan")], 0) == ""


def test_a_process_is_killed_past_the_middle_and_a_checkpoint() -> None:
    assert [Plan(epochs=epochs).killed_at for epochs in (1, 2, 12)] == [1, 2, 7]


def test_bad_usage_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["--out", str(tmp_path), "--seeds", "1"])
    assert ended.value.code == 2 and "--seeds must be at least 2" in capsys.readouterr().err
