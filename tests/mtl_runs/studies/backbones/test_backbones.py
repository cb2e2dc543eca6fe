"""The study on tiny networks: what is trained, what is read off it, and that it goes on where it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mtl_runs.problems import Problem
from mtl_runs.studies.arms import SELECT_SEED
from mtl_runs.studies.backbones import __main__ as command
from mtl_runs.studies.backbones import plan, report
from mtl_runs.studies.backbones.measure import with_imbalance
from mtl_runs.studies.backbones.plan import EQUAL, GRID, INVERSE, PRETRAINED, RANDOM, Plan, Setting, grid_weights
from mtl_runs.studies.backbones.report import (
    by_kind,
    by_task,
    every_setting,
    how_they_go_together,
    what_changes,
)
from mtl_runs.sweeps.logs import epoch_lines
from mtl_runs.training import RunConfig, RunSpec, train_population

TINY = Plan(
    backbones=("cnn-2x2",),
    shares=(0.5, 1),
    pictures=32,
    held_out=(100, 100),
    side=8,
    seeds=(1, 2),
    epochs=1,
    lr=0.1,
    batch_size=16,
    unlabelled=20,
    pretraining_epochs=1,
)


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "DRAWS", 50)


def test_smaller_sets_are_parts_of_larger_ones_and_epochs_are_as_long() -> None:
    half, whole = TINY.problem(0.5), TINY.problem(1)
    assert len(half.train) == len(whole.train) == 32 and half.name != whole.name
    first, second = half.train.inputs.chunk(2)
    assert first.equal(whole.train.inputs[:16]) and second.equal(first)
    assert half.train.targets["parts"][16:].equal(whole.train.targets["parts"][:16])
    assert half.test is whole.test


def test_every_setting_has_tasks_alone_and_three_ways_to_weigh(tmp_path: Path) -> None:
    settings = Plan().settings
    assert len(settings) == len({setting.name for setting in settings}) == 24
    experiment = TINY.experiment(Setting("cnn-2x2", RANDOM, 1), tmp_path)
    assert list(experiment.arms) == [EQUAL, GRID, INVERSE] and experiment.shared is None
    assert list(experiment.references) == ["parts", "depth", "normals"]
    weights = list(grid_weights(3))
    assert len(weights) == 7 and (1, 1, 1) in weights and (4, 4, 4) not in weights and (1, 4, 1) in weights
    assert [config.balancer_settings["weights"] for config in experiment.arms[GRID].candidates] == weights


def test_imbalance_and_norms_are_those_of_the_logs(tiny_problem: Problem, tmp_path: Path) -> None:
    train_population(
        tiny_problem, [RunSpec("r", "tiny", RunConfig("mlp-4x1", lr=1e-3, batch_size=32), 0, 3)], folder=tmp_path
    )
    gaps = {"side/err gap": [4.0], "mass/rmse gap": [-2.0]}
    (row,) = with_imbalance(pd.DataFrame({"run": ["r"], "score": [-1.0], **gaps}), ["side", "mass"], tmp_path).to_dict(
        "records"
    )
    norms = np.array(
        [
            [line["signals"][f"{task}/grad_norm"] for task in ("side", "mass")]
            for line in epoch_lines(tmp_path, "r").values()
        ]
    )
    assert (row["side gap"], row["mass gap"], row["spread"]) == (4, -2, 6)
    assert row["mass norm"] == pytest.approx(norms[:, 1].prod() ** (1 / 3))
    assert row["ratio"] == pytest.approx((norms.max(1) / norms.min(1)).prod() ** (1 / 3))


def made_results() -> pd.DataFrame:
    """Two backbones, two starts, two quantities, two seeds: the larger the ratio of norms, the wider the gaps."""
    rows = []
    for backbone, base in (("a", 2.0), ("b", 8.0)):
        for start, factor in ((RANDOM, 1.0), (PRETRAINED, 0.5)):
            for pictures, fewer in ((10, 1.0), (20, 1.25)):
                for arm, gain in ((EQUAL, 0.0), (GRID, 3.0), (INVERSE, base)):
                    for seed in (1, 2):
                        ratio = base * factor * fewer
                        rows.append(
                            {
                                "setting": f"{backbone}-{start}-{pictures}",
                                "backbone": backbone,
                                "start": start,
                                "pictures": pictures,
                                "arm": arm,
                                "seed": seed,
                                "run": f"{arm}-{seed}",
                                "weights": "1 : 4" if arm == GRID else "",
                                "score": gain - base + seed,
                                "ratio": ratio,
                                "spread": 10 * ratio,
                                "x gap": -5 * ratio,
                                "y gap": 5 * ratio,
                                "x norm": ratio,
                                "y norm": 1.0,
                                "x/err": 0.2 * factor,
                                "y/acc": 0.5 / factor,
                            }
                        )
    return pd.DataFrame(rows)


def test_the_tables_of_hand_made_results() -> None:
    results = made_results()
    lines = every_setting(results).splitlines()
    assert lines[2].startswith(
        "| a | random | 10 | 2.0 ± 0.0 | 20.0 ± 0.0 | -0.5 ± 0.7 | 2.5 ± 0.7 | 1 : 4 | 1.5 ± 0.7 |"
    )
    assert len(lines) == 2 + 8
    kinds = {line.split(" | ")[0]: line for line in by_kind(results).splitlines()[2:]}
    assert list(kinds) == ["| all", "| a", "| b", "| random", "| pretrained", "| 10 pictures", "| 20 pictures"]
    assert kinds["| a"] == (
        "| a | 4 | 1.6 | 16.9 | -0.50 | +3.00 [+3.00, +3.00] | +2.00 [+2.00, +2.00] | -1.00 [-1.00, -1.00] | 0 of 4 |"
    )
    assert kinds["| all"].endswith("| 4 of 8 |")
    # Ratios of 2, 2.5, 1, 1.25 and four times as much: their geometric mean is the norm of x by that of y.
    x, y = by_task(results, ["x", "y"]).splitlines()[2:]
    assert x.startswith("| x | 3.16 | -21.09 [") and y.startswith("| y | 0.32 | +21.09 [")
    changes = what_changes(results, {"x/err": "min", "y/acc": "max"}).splitlines()[2:]
    # Half the error, and twice the accuracy.
    assert "| +75.00 [+75.00, +75.00] | 0.50 [0.50, 0.50] |" in changes[0]
    assert changes[1].startswith("| 20 pictures, beside 10 | +0.00 [+0.00, +0.00] | 1.25 [1.25, 1.25] |")


def test_what_goes_together_is_told_by_ranks() -> None:
    text = how_they_go_together(made_results(), ["x", "y"])
    found = {line.split(" | ")[0]: line.split(" | ")[1] for line in text.splitlines()[2:]}
    assert found["| ratio of norms and spread of gaps, over settings"].startswith("+1.00 [+1.00, +1.00]")
    assert found["| the same, by ranks within a backbone"].startswith("+1.00")
    # Except where the norms are equal, the task with the larger one is the one that fares better.
    assert float(found["| a task's norm and its gap, over tasks and trainings"].split()[0]) < -0.9


def test_the_study_is_trained_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(plan, "grid_weights", lambda n_tasks: [(1, 1, 1), (1, 1, 4)])
    text = command.study(TINY, tmp_path)
    table = pd.read_csv(tmp_path / "results.csv")
    assert len(table) == 4 * 3 * 2 and SELECT_SEED not in set(table["seed"])
    assert table["score"].notna().all() and (table["ratio"] > 1).all()
    # The same network at first, but for what was learned before.
    first, second = (table[table["start"] == start].iloc[0] for start in (RANDOM, PRETRAINED))
    assert first["run"] == second["run"] and first["parts/miou"] != second["parts/miou"]
    assert "4 of 4 settings" in capsys.readouterr().err
    logs = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.jsonl")}
    assert command.study(TINY, tmp_path) == text
    assert {path: path.stat().st_mtime_ns for path in logs} == logs


def test_a_deviation_needs_two_seeds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        command.main(["--out", str(tmp_path), "--seeds", "1"])
    assert exit_.value.code == 2 and "at least 2" in capsys.readouterr().err
