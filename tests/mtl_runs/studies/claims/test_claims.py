"""A claim is tried on a tiny problem: what is chosen, what is reported, and that nothing is trained twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from mtl_runs.problems import Problem
from mtl_runs.studies.arms import SELECT_SEED, Arm, Experiment, conduct
from mtl_runs.studies.claims.__main__ import main, of_flat_minima
from mtl_runs.studies.claims.plan import flat_minima, teleports, unlearning
from mtl_runs.studies.claims.report import paired, table
from mtl_runs.studies.claims.sharpness import RADIUS, sharpness
from mtl_runs.sweeps.logs import last_values
from mtl_runs.training import train_population
from mtl_runs.training.held_out import finished_populations


@pytest.fixture
def tiny(tiny_problem: Problem) -> Problem:
    # With one split in the place of the other, what is reported can be read off the logs.
    return replace(tiny_problem, test=tiny_problem.validation)


def small(experiment: Experiment, *arms: str) -> Experiment:
    """Two candidates of some arms, a network of four units, and two seeds to report."""
    kept = {name: arm for name, arm in experiment.arms.items() if name in arms}

    def few(arm: Arm) -> Arm:
        configs = (replace(config, arch="mlp-4x1", batch_size=32) for config in arm.candidates[-2:])
        return replace(arm, candidates=tuple(configs))

    return replace(
        experiment,
        arms={name: few(arm) for name, arm in kept.items()},
        references={name: few(arm) for name, arm in experiment.references.items()},
        seeds=(2, 3),
    )


def test_the_best_by_validation_data_is_reported_with_new_seeds(tiny: Problem, tmp_path: Path) -> None:
    experiment = small(flat_minima(tiny, 2), "equal", "equal, flat")
    results = conduct(experiment, tmp_path)
    assert results["arm"].tolist() == ["equal"] * 2 + ["equal, flat"] * 2
    assert results["seed"].tolist() == [2, 3] * 2 and SELECT_SEED not in set(results["seed"])
    folder = tmp_path / "flat"

    def mean_of(arm: str, seeds: tuple[int, ...], number: int) -> pd.Series:
        specs = experiment.specs(arm, seeds, number)
        return pd.DataFrame([last_values(folder, spec.run) for spec in specs]).mean()

    singles = {task: min((0, 1), key=lambda n: mean_of(task, (SELECT_SEED,), n).iloc[0]) for task in ("side", "mass")}
    for seeds in ((SELECT_SEED,), experiment.seeds):
        alone = pd.concat([mean_of(task, seeds, number) for task, number in singles.items()])
        scores = [-100 * ((mean_of("equal", seeds, n) - alone) / alone).mean() for n in (0, 1)]
        if seeds != experiment.seeds:
            chosen = int(np.argmax(scores))
            assert set(results.loc[results["arm"] == "equal", "chosen"]) == {chosen}
        else:
            mine = results[results["arm"] == "equal"]
            assert mine["score"].mean() == pytest.approx(scores[chosen])


def test_called_again_it_trains_nothing(tiny: Problem, tmp_path: Path) -> None:
    experiment = small(teleports(tiny, 2), "fairgrad, COST", "fairgrad")
    first = conduct(experiment, tmp_path)
    logs = {path: path.stat().st_mtime_ns for path in (tmp_path / "cost").glob("*.jsonl")}
    assert conduct(experiment, tmp_path).equals(first) and first["score"].notna().all()
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cost").glob("*.jsonl")} == logs


def test_every_arm_has_as_many_candidates_and_names_of_its_own() -> None:
    for experiment in (flat_minima(), teleports(), unlearning()):
        arms = {**experiment.arms, **experiment.references}
        assert len({len(arm.candidates) for arm in arms.values()}) == 1
        runs = [spec.run for name in arms for spec in experiment.specs(name, (0, 1))]
        assert len(set(runs)) == len(runs)
        assert all(arm.base in {"", *experiment.arms} for arm in arms.values())


def test_sharpness_is_the_rise_after_a_step_along_a_tasks_own_gradient(tiny: Problem, tmp_path: Path) -> None:
    experiment = small(flat_minima(tiny, 1), "equal")
    specs = list(experiment.specs("equal", (2, 3), 0))
    train_population(tiny, specs, folder=tmp_path)
    found = sharpness(tiny, specs, tmp_path)
    (population,) = finished_populations(tiny, specs[:1], tmp_path)
    shared, *heads = population.blocks()
    rises = []
    for k, task in enumerate(tiny.tasks):
        parameters = [*shared, *heads[k]]

        def loss(k: int = k) -> torch.Tensor:
            outputs = population.network(tiny.train.inputs.unsqueeze(0))[k]
            return tiny.tasks[k].loss(outputs, tiny.train.targets[tiny.tasks[k].name].unsqueeze(0)).squeeze()

        before = loss()
        gradients = torch.autograd.grad(before, parameters)
        with torch.no_grad():
            lengths = [
                torch.cat([g.flatten() for g in part]).norm()
                for part in (gradients[: len(shared)], gradients[len(shared) :])
            ]
            kept = [p.clone() for p in parameters]
            for place, (p, g) in enumerate(zip(parameters, gradients, strict=True)):
                p.add_(RADIUS * g / lengths[place >= len(shared)])
            rises.append((loss() - before).item())
            for p, old in zip(parameters, kept, strict=True):
                p.copy_(old)
        assert task.name in population.network.tasks
    assert found[specs[0].run] == pytest.approx(np.mean(rises), rel=1e-4)
    assert len(found) == 2 and min(found.values()) > 0


def test_the_table_pairs_seeds() -> None:
    rows = [
        (arm, base, seed, value)
        for arm, base, values in (("a", "", (1, 2, 4)), ("b", "a", (2, 3, 3.5)))
        for seed, value in enumerate(values)
    ]
    results = pd.DataFrame(rows, columns=["arm", "base", "seed", "score"]).assign(err=0.25)
    interval = paired(results, "b", "a")
    assert interval.estimate == pytest.approx(0.5) and interval.low == pytest.approx(
        0.5 - 4.3027 * 0.8660 / 3**0.5, abs=1e-3
    )
    assert table(results, ["err"]).splitlines()[2:] == [
        "| a | 2.33 ± 1.53 | 0.25 ± 0 |  |  |",
        "| b | 2.83 ± 0.76 | 0.25 ± 0 | +0.50 [-1.65, +2.65] | 2 of 3 |",
    ]


def test_the_report_of_flat_minima_has_sharpness(tiny: Problem, tmp_path: Path) -> None:
    text = of_flat_minima(small(flat_minima(tiny, 1), "cagrad", "cagrad, flat"), tmp_path)
    assert (
        text.startswith("| | score | sharpness |")
        and "cagrad, flat: rate" in text
        and "sharpness, cagrad, flat − cagrad: " in text
    )
    assert pd.read_csv(tmp_path / "flat.csv")["sharpness"].gt(0).all()


def test_the_command_knows_its_experiments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--out", str(tmp_path), "--only", "nothing"])
    assert exit_.value.code == 2 and "ngdiff" in capsys.readouterr().err
