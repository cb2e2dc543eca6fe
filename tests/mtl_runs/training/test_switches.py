"""What any balancer may be combined with, in populations and through interruptions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import torch

from lcode.errors import UsageError
from mtl_runs.problems import Problem
from mtl_runs.training import RunConfig, RunSpec, teleport, train, train_population

HORIZON = 3

SWITCHES: dict[str, dict[str, Any]] = {
    "flat": {"flat_radius": 0.05},
    "auto_lr": {"auto_lr": 2},
    "teleport": {"teleport_from": 2},
    "all": {"flat_radius": 0.05, "auto_lr": 2, "teleport_from": 1},
}

BALANCERS = ("equal", "fixed", "famo", "mgda", "nash_mtl", "moco", "gradvac", "inverse_norm", "sdmgrad")


def specs_of(switches: Mapping[str, Any]) -> list[RunSpec]:
    """One run per balancer; the other settings, and how far each switch is turned, differ from run to run."""
    specs = []
    for i, name in enumerate(BALANCERS):
        turned = {key: value * (1 + i % 2) for key, value in switches.items()}
        config = RunConfig(
            arch="mlp-9x2",
            balancer=name,
            balancer_settings={"weights": [1, 2]} if name == "fixed" else {},
            optimizer="sgd" if i % 2 else "adam",
            lr=0.01 / (1 + i),
            weight_decay=1e-3 * (i % 3),
            schedule="cosine" if i % 2 else "constant",
            reduction="sum" if i % 3 else "mean",
            batch_size=43,
            **turned,
        )
        specs.append(RunSpec(f"r{i}-{name}", "tiny", config, seed=i, horizon=HORIZON))
    return specs


def read(folder: Path, run: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / f"{run}.jsonl").read_text().splitlines()]
    for line in lines:
        line.pop("seconds", None)
    return lines


@pytest.fixture
def conflicts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many more conflicts than there are: wherever two gradients' products are of odd size."""
    monkeypatch.setattr(teleport, "in_conflict", lambda gramian: (gramian[:, 0, 1] * 1e3).long() % 2 == 1)


@pytest.mark.usefixtures("conflicts")
@pytest.mark.parametrize("switches", SWITCHES.values(), ids=SWITCHES)
def test_together_as_alone(tiny_problem: Problem, tmp_path: Path, switches: dict[str, Any]) -> None:
    specs = specs_of(switches)
    ordered = sorted(specs, key=lambda spec: spec.config.stacking_key)
    for _, stack in groupby(ordered, lambda spec: spec.config.stacking_key):
        train_population(tiny_problem, list(stack), folder=tmp_path / "together")
    for spec in specs:
        train_population(tiny_problem, [spec], folder=tmp_path / "alone")
        assert read(tmp_path / "together", spec.run) == read(tmp_path / "alone", spec.run), spec.run


class Interrupted(Exception):
    """Stands for a process that dies."""


def interrupt(epoch: int, values: Mapping[str, float], signals: Mapping[str, float]) -> None:
    if epoch == 2:
        raise Interrupted


@pytest.mark.usefixtures("conflicts")
@pytest.mark.parametrize("switches", SWITCHES.values(), ids=SWITCHES)
@pytest.mark.parametrize("checkpoint_every", [1, 5])
def test_a_resumed_run_equals_an_unbroken_one(
    tiny_problem: Problem, tmp_path: Path, switches: dict[str, Any], checkpoint_every: int
) -> None:
    for spec in specs_of(switches)[2:6]:
        options = {"run": "a", "seed": 1, "horizon": HORIZON, "checkpoint_every": checkpoint_every}
        whole, broken = tmp_path / spec.run / "whole", tmp_path / spec.run / "broken"
        train(tiny_problem, spec.config, folder=whole, **options)  # type: ignore[arg-type]
        with pytest.raises(Interrupted):
            train(tiny_problem, spec.config, folder=broken, on_epoch=interrupt, **options)  # type: ignore[arg-type]
        train(tiny_problem, spec.config, folder=broken, **options)  # type: ignore[arg-type]
        assert read(broken, "a") == read(whole, "a"), spec.run


def test_runs_teleport_of_themselves(tiny_problem: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def watch(gramian: torch.Tensor) -> torch.Tensor:
        seen.append(found := conflict(gramian))
        return found

    conflict = teleport.in_conflict
    monkeypatch.setattr(teleport, "in_conflict", watch)
    config = RunConfig(arch="mlp-8x2", batch_size=16, balancer="mgda", optimizer="adam", lr=1e-3, teleport_from=1)
    result = train(tiny_problem, config, run="a", seed=0, folder=tmp_path, horizon=4)
    assert result.status == "finished"
    assert torch.cat(seen).any()


def test_an_automatic_rate_is_logged_as_it_was(tiny_problem: Problem, tmp_path: Path) -> None:
    config = RunConfig(arch="mlp-8x2", batch_size=64, lr=1e-3, auto_lr=1)
    train(tiny_problem, config, run="a", seed=0, folder=tmp_path, horizon=2)
    header, first, second, _ = read(tmp_path, "a")
    assert "schedule" not in header
    # Far too small a rate grows by a tenth in every step; two steps per epoch.
    assert first["lr"] == pytest.approx(1e-3 * (1.1 + 1.21) / 2, rel=1e-5)
    assert second["lr"] > first["lr"]


def test_headers_name_what_is_on() -> None:
    off = RunConfig().for_log(["a", "b"])
    assert not {"flat_radius", "auto_lr", "teleport_from"} & set(off)
    on = RunConfig(flat_radius=0.05, teleport_from=3).for_log(["a", "b"])
    assert on == {**off, "flat_radius": 0.05, "teleport_from": 3}


def test_a_population_shares_the_switches_not_their_settings() -> None:
    keys = [
        RunConfig(**options).stacking_key
        for options in ({}, {"flat_radius": 0.1}, {"auto_lr": 1}, {"teleport_from": 1}, {"flat_radius": 0.2})
    ]
    assert keys[4] == keys[1]
    assert len(set(keys)) == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"flat_radius": -0.1}, r"flat_radius must be at least 0 \(0 = off\); found -0.1"),
        ({"flat_radius": float("inf")}, "flat_radius must be at least 0"),
        ({"auto_lr": 1.5}, r"auto_lr must be a whole number of at least 0 \(0 = off\); found 1.5"),
        ({"auto_lr": float("nan")}, "auto_lr must be a whole number"),
        ({"teleport_from": -1}, "teleport_from must be a whole number of at least 0"),
    ],
)
def test_impossible_settings(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        RunConfig(**options)
