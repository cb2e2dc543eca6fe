from __future__ import annotations

import json
from collections.abc import Mapping
from math import isnan
from pathlib import Path
from typing import Any

import pytest

from lcode.errors import UsageError
from mtl_runs.problems import Problem
from mtl_runs.sweeps.worker import Answer
from mtl_runs.training import RunConfig, RunResult, train
from mtl_runs.training.lock import exclusive


def read(folder: Path, run: str) -> list[dict[str, Any]]:
    """Lines of a log, without the wall time."""
    lines = [json.loads(line) for line in (folder / f"{run}.jsonl").read_text().splitlines()]
    for line in lines:
        line.pop("seconds", None)
    return lines


def run(problem: Problem, folder: Path, config: RunConfig | None = None, **options: Any) -> RunResult:
    config = config or RunConfig(arch="mlp-8x1", batch_size=32)
    return train(problem, config, **{"run": "a", "seed": 1, "folder": folder, "horizon": 7, **options})


class Interrupted(Exception):
    """Stands for a process that dies."""


def interrupt_at(last: int) -> Any:
    def on_epoch(epoch: int, values: Mapping[str, float], signals: Mapping[str, float]) -> None:
        if epoch == last:
            raise Interrupted

    return on_epoch


def stop_at(last: int) -> Any:
    return lambda epoch, values, signals: Answer(epoch == last, "hopeless")


def test_the_log_holds_all_that_is_promised(tiny_problem: Problem, tmp_path: Path) -> None:
    config = RunConfig(
        arch="mlp-8x1", balancer="cagrad", balancer_settings={"c": 0.3}, schedule="cosine", batch_size=32
    )
    assert run(tiny_problem, tmp_path, config) == RunResult("a", "finished", 7)
    header, *epochs, end = read(tmp_path, "a")
    assert header["config"]["balancer"] == "cagrad"
    assert header["config"]["cagrad.c"] == 0.3
    assert header["config"]["weight.side"] == 1.0
    assert header["arch"] == "mlp-8x1"
    assert header["graph"]["nodes"][-1] == {"op": "linear", "params": 9, "out_size": 1, "flops": 8, "role": "head:mass"}
    assert [epoch["epoch"] for epoch in epochs] == list(range(1, 8))
    assert [epoch["lr"] for epoch in epochs] == header["schedule"]
    assert header["schedule"][0] == config.lr
    assert set(epochs[0]["values"]) == {"side/err", "mass/rmse"}
    per_task = {f"{task}/{name}" for task in ("side", "mass") for name in ("train_loss", "grad_norm", "weight")}
    assert set(epochs[0]["signals"]) == per_task | {"side|mass/cosine"}
    assert all(-1 <= epoch["signals"]["side|mass/cosine"] <= 1 for epoch in epochs)
    assert end == {"type": "end", "status": "finished"}
    assert epochs[-1]["values"]["mass/rmse"] < epochs[0]["values"]["mass/rmse"]


@pytest.mark.parametrize(
    "config",
    [
        RunConfig(arch="mlp-8x2", balancer="uncertainty", batch_size=32),
        RunConfig(arch="cnn-4x2", balancer="pcgrad", optimizer="adam", lr=1e-2, batch_size=32, schedule="step"),
        RunConfig(arch="mlp-8x1", balancer="fairgrad", batch_size=32, weight_decay=1e-3, reduction="sum"),
    ],
    ids=lambda config: config.balancer,
)
@pytest.mark.parametrize("died_at", [1, 4, 6])
def test_a_resumed_run_equals_an_unbroken_one(
    tiny_problem: Problem, tmp_path: Path, config: RunConfig, died_at: int
) -> None:
    run(tiny_problem, tmp_path / "unbroken", config)
    with pytest.raises(Interrupted):
        run(tiny_problem, tmp_path / "broken", config, on_epoch=interrupt_at(died_at), checkpoint_every=3)
    assert read(tmp_path / "broken", "a")[-1]["epoch"] == died_at
    assert run(tiny_problem, tmp_path / "broken", config).status == "finished"
    assert read(tmp_path / "broken", "a") == read(tmp_path / "unbroken", "a")


def test_a_finished_run_is_left_alone(tiny_problem: Problem, tmp_path: Path) -> None:
    run(tiny_problem, tmp_path)
    before = (tmp_path / "a.jsonl").read_bytes()
    assert run(tiny_problem, tmp_path) == RunResult("a", "finished", 7)
    assert (tmp_path / "a.jsonl").read_bytes() == before


def test_a_stopped_run_goes_on_only_when_asked(tiny_problem: Problem, tmp_path: Path) -> None:
    run(tiny_problem, tmp_path / "unbroken")
    assert run(tiny_problem, tmp_path, on_epoch=stop_at(2)) == RunResult("a", "stopped", 2)
    assert read(tmp_path, "a")[-1] == {"type": "end", "status": "stopped", "reason": "hopeless"}
    assert run(tiny_problem, tmp_path) == RunResult("a", "stopped", 2)
    assert run(tiny_problem, tmp_path, continue_stopped=True).status == "finished"
    unstopped = [line for line in read(tmp_path, "a") if line.get("status") != "stopped"]
    assert unstopped == read(tmp_path / "unbroken", "a")


def test_a_stop_at_the_horizon_comes_too_late(tiny_problem: Problem, tmp_path: Path) -> None:
    assert run(tiny_problem, tmp_path, on_epoch=stop_at(7)).status == "finished"


def test_divergence_ends_the_run(tiny_problem: Problem, tmp_path: Path) -> None:
    config = RunConfig(arch="mlp-8x2", lr=1e12, clip=0, batch_size=32)
    result = run(tiny_problem, tmp_path, config)
    assert result.status == "failed"
    *_, last, end = read(tmp_path, "a")
    assert end == {"type": "end", "status": "failed", "reason": "diverged"}
    assert all(isnan(value) for value in last["values"].values())
    assert run(tiny_problem, tmp_path, config) == result


def test_a_damaged_checkpoint_means_starting_over(tiny_problem: Problem, tmp_path: Path) -> None:
    run(tiny_problem, tmp_path / "unbroken")
    with pytest.raises(Interrupted):
        run(tiny_problem, tmp_path, on_epoch=interrupt_at(6))
    (tmp_path / "checkpoints" / "a" / "checkpoint.safetensors").write_bytes(b"rubbish")
    run(tiny_problem, tmp_path)
    assert read(tmp_path, "a") == read(tmp_path / "unbroken", "a")


def test_a_checkpoint_without_its_log_means_starting_over(tiny_problem: Problem, tmp_path: Path) -> None:
    run(tiny_problem, tmp_path / "unbroken")
    run(tiny_problem, tmp_path)
    (tmp_path / "a.jsonl").unlink()
    run(tiny_problem, tmp_path)
    assert read(tmp_path, "a") == read(tmp_path / "unbroken", "a")


def test_another_run_of_this_name_is_refused(tiny_problem: Problem, tmp_path: Path) -> None:
    run(tiny_problem, tmp_path)
    with pytest.raises(UsageError, match=r"config\.lr"):
        run(tiny_problem, tmp_path, RunConfig(arch="mlp-8x1", batch_size=32, lr=0.5))


def test_one_process_per_run(tiny_problem: Problem, tmp_path: Path) -> None:
    lock = tmp_path / "checkpoints" / "a" / "lock"
    with (
        exclusive(lock),
        pytest.raises(UsageError, match="another process is training run 'a'"),
        exclusive(lock, patience=0.1),
    ):
        pass


def test_a_single_task_baseline(tiny_problem: Problem, tmp_path: Path) -> None:
    config = RunConfig(arch="mlp-8x1", batch_size=32, tasks=("mass",))
    run(tiny_problem, tmp_path, config)
    header, first, *_ = read(tmp_path, "a")
    assert [metric["task"] for metric in header["metrics"]] == ["mass"]
    assert set(first["values"]) == {"mass/rmse"}
    assert first["signals"]["mass/weight"] == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": 0.0}, "lr must be a number above 0; found 0.0"),
        ({"lr": float("nan")}, "lr must be a number above 0; found nan"),
        ({"momentum": 1.0}, "momentum must be at least 0 and below 1"),
        ({"clip": -1.0}, "clip must be at least 0"),
        ({"optimizer": "lion"}, "optimizer must be one of sgd, adam; found 'lion'"),
        ({"schedule": "linear"}, "schedule must be one of constant, cosine, step"),
        ({"reduction": "max"}, "reduction must be one of mean, sum"),
    ],
)
def test_impossible_configurations(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        RunConfig(**options)


def test_settings_that_do_not_suit_the_problem(tiny_problem: Problem, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="batch_size must be at most 128 here; found 256"):
        run(tiny_problem, tmp_path, RunConfig(arch="mlp-8x1", batch_size=256))
    with pytest.raises(UsageError, match="1 loss weights were given for 2 tasks"):
        run(tiny_problem, tmp_path, RunConfig(arch="mlp-8x1", batch_size=32, loss_weights=[1.0]))
    assert list(tmp_path.iterdir()) == []


def test_schedules() -> None:
    assert RunConfig(lr=0.1, schedule="constant").learning_rates(3) == [0.1] * 3
    assert RunConfig(lr=1.0, schedule="cosine").learning_rates(4) == pytest.approx([1, 0.8536, 0.5, 0.1464], abs=1e-4)
    assert RunConfig(lr=1.0, schedule="step").learning_rates(4) == [1, 1, 0.1, 0.01]


def test_a_setting_with_a_number_per_task_is_logged_per_task() -> None:
    logged = RunConfig(balancer="pivrg", balancer_settings={"reference": [0.2, 0.8]}).for_log(["a", "b"])
    assert {name: value for name, value in logged.items() if name.startswith("pivrg")} == {
        "pivrg.reference.a": 0.2,
        "pivrg.reference.b": 0.8,
    }


def test_fixed_weights_are_logged_per_task() -> None:
    config = RunConfig(balancer="fixed", balancer_settings={"weights": [0.2, 0.8]}, loss_weights=(1.0, 3.0))
    logged = config.for_log(["a", "b"])
    assert (logged["weight.a"], logged["weight.b"]) == pytest.approx((0.2, 2.4))
