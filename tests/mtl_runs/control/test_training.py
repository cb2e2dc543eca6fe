"""Trainings of a policy: what is learned, what is logged, and that a log is gone on with or left alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import lcode
from lcode.errors import UsageError
from mtl_runs.control import PolicyRun, World, make_world, train_policy
from mtl_runs.control.__main__ import main
from mtl_runs.control.family import Family
from mtl_runs.sweeps.logs import epoch_lines


@pytest.fixture
def tiny() -> World:
    return Family("tiny", ("point-reach", "pendulum-swingup", "arm-lift"), (1.0, 1.0, 10.0), n_learning=2, n_held_out=2)


def values(folder: Path, run: str) -> list[dict[str, float]]:
    return [line["values"] for line in epoch_lines(folder, run).values()]


def test_a_policy_learns_to_reach(tmp_path: Path) -> None:
    assert (
        train_policy(make_world("control-3", ["point-reach"]), PolicyRun("a", "equal", 1e-2, 0, 20), tmp_path)
        == "finished"
    )
    returns = [line["point-reach/return"] for line in values(tmp_path, "a")]
    assert returns[0] < 0.4 and returns[-1] > 0.7


@pytest.mark.parametrize("balancer", ["imgrad", "conicgrad_exact", "sdmgrad", "graddrop", "uncertainty"])
def test_balancers_of_every_kind_weigh_the_tasks(tiny: World, tmp_path: Path, balancer: str) -> None:
    assert train_policy(tiny, PolicyRun("a", balancer, 1e-2, 0, 1), tmp_path) == "finished"
    signals = epoch_lines(tmp_path, "a")[1]["signals"]
    assert {"point-reach/weight", "arm-lift/grad_norm", "point-reach|arm-lift/cosine"} <= set(signals)


def test_lcode_reads_and_ranks_the_logs(tiny: World, tmp_path: Path) -> None:
    for seed in (0, 1):
        train_policy(tiny, PolicyRun(f"equal-{seed}", "equal", 1e-2, seed, 2), tmp_path)
    table = lcode.read_logs(tmp_path)
    assert [metric.direction for metric in table.metrics] == ["max"] * 6
    assert set(table.runs["status"]) == {"finished"} and list(table.configs["balancer"]) == ["equal"] * 2
    forecast = lcode.forecaster("last").fit(table).predict(table.prefix(1))
    assert len(lcode.rank(forecast, "mean_rank", table=table)) == 2


def test_the_seed_decides_and_nothing_global_is_touched(tiny: World, tmp_path: Path) -> None:
    before = torch.get_rng_state()
    for run, seed in (("a", 0), ("b", 0), ("c", 1)):
        train_policy(tiny, PolicyRun(run, "pcgrad", 1e-2, seed, 2), tmp_path)
    first, again, other = (values(tmp_path, run) for run in "abc")
    assert first == again != other
    assert torch.equal(torch.get_rng_state(), before)


def test_what_has_ended_is_left_alone_and_what_was_interrupted_is_begun_anew(tiny: World, tmp_path: Path) -> None:
    run = PolicyRun("a", "equal", 1e-2, 0, 3)
    train_policy(tiny, run, tmp_path)
    path, found = tmp_path / "a.jsonl", values(tmp_path, "a")
    text = path.read_text()
    train_policy(tiny, run, tmp_path)
    assert path.read_text() == text
    path.write_text("".join(line for line in text.splitlines(keepends=True)[:3]))
    assert train_policy(tiny, run, tmp_path) == "finished" and values(tmp_path, "a") == found
    with pytest.raises(UsageError, match="seed"):
        train_policy(tiny, PolicyRun("a", "equal", 1e-2, 1, 3), tmp_path)


def test_one_that_diverges_has_failed(tiny: World, tmp_path: Path) -> None:
    assert train_policy(tiny, PolicyRun("a", "equal", 1e30, 0, 5), tmp_path) == "failed"
    last = json.loads((tmp_path / "a.jsonl").read_text().splitlines()[-1])
    assert last["reason"] == "diverged"


def test_a_balancer_that_wants_several_batches_is_refused(tiny: World, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="3 closures"):
        train_policy(tiny, PolicyRun("a", "modo", 1e-2, 0, 2), tmp_path)


def test_the_command_trains_a_policy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--world", "control-3", "--task", "cart-balance", "--epochs", "2", "--out", str(tmp_path)]
    assert main(given) == main(given) == 0
    assert "control-3-cart-balance-equal-0.01-s0: finished  cart-balance/return 0." in capsys.readouterr().out
    assert main([*given[:2], "--task", "arm-lift", *given[4:]]) == 2
    assert "it has: point-reach" in capsys.readouterr().err
