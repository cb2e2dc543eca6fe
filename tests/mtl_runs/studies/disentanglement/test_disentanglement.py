"""The study on tiny networks: what is trained, what is read off it, and that it goes on where it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mtl_runs.problems import Problem
from mtl_runs.studies.disentanglement import __main__ as command
from mtl_runs.studies.disentanglement import report
from mtl_runs.studies.disentanglement.measure import APART, COSINE, RATIO, SO_FAR, conduct
from mtl_runs.studies.disentanglement.plan import Cell, Plan
from mtl_runs.studies.disentanglement.report import beyond, by_problem, predictions
from mtl_runs.sweeps.logs import epoch_lines


@pytest.fixture
def tiny(tiny_problem: Problem, monkeypatch: pytest.MonkeyPatch) -> Plan:
    monkeypatch.setattr(report, "DRAWS", 2)
    return Plan(
        archs={"tiny": ("mlp-4x1",), "small": ("mlp-8x1",)},
        balancers=("equal", "pcgrad", "inverse_norm"),
        seeds=(1, 2),
        epochs=3,
        batch_sizes=dict.fromkeys(("tiny", "small"), 32),
        make=lambda name: tiny_problem,
    )


def test_the_default_plan_has_three_networks_for_each_of_eight_problems() -> None:
    plan = Plan()
    names = [cell.name for cell in plan.cells]
    assert len(set(names)) == len(names) == 24
    assert plan.looks == [1, 2, 5, 20] and Plan(epochs=1).looks == [1]


def test_what_is_known_is_what_the_logs_say(tiny: Plan, tmp_path: Path) -> None:
    cell = Cell("tiny", "mlp-4x1")
    results = conduct(tiny.experiment(cell), [1, 3], tmp_path)
    assert len(results) == 3 * 2 * 2
    last = results[(results["balancer"] == "pcgrad") & (results["seed"] == 2) & (results["epoch"] == 3)].iloc[0]
    logs = {path.stem: epoch_lines(tmp_path / cell.name, path.stem) for path in (tmp_path / cell.name).glob("*.jsonl")}
    line = logs["pcgrad-0-s2"][3]
    signals, values = line["signals"], line["values"]
    assert last[APART] == signals["side|mass/disentanglement"] and last[COSINE] == signals["side|mass/cosine"]
    assert last[RATIO] == pytest.approx(abs(np.log(signals["side/grad_norm"] / signals["mass/grad_norm"])))
    # Both metrics are errors: Δm is how much smaller they are than the mean of the two trainings alone.
    gains = []
    for task, key in (("side", "side/err"), ("mass", "mass/rmse")):
        alone = np.mean([logs[f"{task}-0-s{seed}"][3]["values"][key] for seed in (1, 2)])
        gains.append(100 * (alone - values[key]) / alone)
    assert last[SO_FAR] == pytest.approx(np.mean(gains))
    assert np.isfinite(last["delta_m"]) and last["delta_m"] != last[SO_FAR]


def made_results() -> pd.DataFrame:
    """Four problems with three cells each: Δm falls with disentanglement, Δm so far goes with it for the most part."""
    places = [(number, cell, place) for number in range(4) for cell in range(3) for place in range(3)]
    return pd.DataFrame(
        {
            "problem": f"p{number}",
            "cell": f"p{number}-{cell}",
            "balancer": f"b{place}",
            "seed": seed,
            "epoch": 1,
            "delta_m": -2.0 * value + seed,
            APART: value / 100 + seed / 1000,
            COSINE: (7 * value % 11) / 11,
            RATIO: (5 * value % 13) / 13,
            SO_FAR: 1.5 * (place == 1) - value,
        }
        for number, cell, place in places
        for seed in (1, 2)
        for value in [10 * number + 3 * cell + place]
    )


def test_the_tables_of_hand_made_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "DRAWS", 10)
    results = made_results()
    results.loc[0, ["delta_m", SO_FAR]] = np.nan
    first = by_problem(results).splitlines()[2]
    assert first.startswith("| p0 | 9 | 0.042 ± 0.001 (0.027) |") and first.endswith("| 1 |")
    lines = {line.split(" | ")[1]: line.split(" | ")[2:] for line in predictions(results).splitlines()[2:]}
    assert [cell.split()[0] for cell in lines[APART]] == ["-1.00"] * 4
    # Δm so far orders the problems rightly, but not the balancers of a cell.
    assert lines[SO_FAR][1].startswith("+1.00") and 0 < float(lines[SO_FAR][3].split()[0]) < 1
    assert abs(float(lines[COSINE][0].split()[0])) < 0.5
    (row,) = beyond(results).splitlines()[2:]
    assert row.split(" | ")[1:-1] == ["-1.00 [-1.00, -1.00]"] * 5


# So few and so short trainings may leave nothing that could be correlated.
@pytest.mark.filterwarnings("ignore:All-NaN slice:RuntimeWarning")
def test_the_study_is_trained_once(tiny: Plan, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = command.study(tiny, tmp_path)
    table = pd.read_csv(tmp_path / "results.csv")
    assert len(table) == 2 * 3 * 2 * 2 and table["delta_m"].notna().all()
    assert table[APART].between(0, 1).all() and "2 of 2 cells" in capsys.readouterr().err
    logs = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.jsonl")}
    assert command.study(tiny, tmp_path) == text
    assert {path: path.stat().st_mtime_ns for path in logs} == logs


def test_a_deviation_needs_two_seeds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        command.main(["--out", str(tmp_path), "--seeds", "1"])
    assert exit_.value.code == 2 and "at least 2" in capsys.readouterr().err
