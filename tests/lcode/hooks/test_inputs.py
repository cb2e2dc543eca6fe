"""A training loop hands over all sorts of things: numbers in any box are read, all else is one clear error."""

from __future__ import annotations

from argparse import Namespace
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from lcode.decisions import GainRule, MedianRule
from lcode.errors import LcodeError, UsageError
from lcode.forecasters.last_value import LastValueForecaster
from lcode.hooks import Monitor
from lcode.table import Metric, RunTable

METRICS = (Metric("seg", "miou", "max"), Metric("depth", "abs_err", "min"))


def monitor(**options: Any) -> Monitor:
    rows = [(f"h{i}", e, m.key, 0.5 + 0.1 * i) for i in range(3) for e in range(1, 11) for m in METRICS]
    table = RunTable.from_points(pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"]), METRICS)
    return Monitor(LastValueForecaster(), table, **options)


@pytest.mark.parametrize(
    "number",
    [
        *(0.5, 1, Fraction(1, 2), np.float32(0.5), np.float16(0.5), np.int64(1), np.array(0.5), np.array([0.5])),
        *(torch.tensor(0.5), torch.tensor([0.5]), torch.tensor(0.5, dtype=torch.bfloat16, requires_grad=True)),
    ],
)
def test_numbers_of_numpy_and_torch_are_numbers(number: Any) -> None:
    watch = monitor()
    watch.start("a", config={"lr": number})
    epoch: Any = np.int32(3)
    assert not watch.report("a", epoch, {"seg/miou": number}, signals={"seg/train_loss": number}).stop
    run, plain = watch.state_dict()["runs"][0], number.item() if hasattr(number, "item") else number
    assert run["values"] == [[3, {"seg/miou": float(plain)}]]
    assert type(run["config"]["lr"]) in (int, float) and run["config"]["lr"] == float(plain)


@pytest.mark.parametrize("epoch", [3, 3.0, np.float64(3), np.int16(3), torch.tensor(3), np.array([3.0])])
def test_epochs_in_any_box(epoch: Any) -> None:
    verdict = monitor().report("a", epoch, {"seg/miou": 0.5})
    assert verdict.epoch == 3 and type(verdict.epoch) is int


@pytest.mark.parametrize(
    ("epoch", "says"),
    [
        (2**70, "epoch is 1180591620717411303424; it is at most 1,000,000,000: count epochs or steps"),
        (10**400, "epoch is 1000"),
        (-1, "epoch is -1; it is at least 0"),
        (float("nan"), "epoch is nan"),
        (float("inf"), "epoch is inf; it is at most"),
        (True, r"epoch is True \(bool\); give a number"),
        ("3", r"epoch is '3' \(str\)"),
        (None, r"epoch is None \(NoneType\)"),
        (np.array([1, 2]), r"epoch is of type ndarray with shape \[2\]"),
        (2.5, "epoch 2.5 does not fit; the epochs of these runs are whole numbers"),
    ],
)
def test_what_is_no_epoch(epoch: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        monitor().report("a", epoch, {"seg/miou": 0.5})


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (True, r"seg/miou is True \(bool\)"),
        ("0.5", r"seg/miou is '0.5' \(str\); give a single number"),
        (None, r"seg/miou is None \(NoneType\)"),
        ([0.5], r"seg/miou is \[0.5\] \(list\)"),
        (1j, r"seg/miou is 1j \(complex\)"),
        (10**400, "seg/miou is 1000"),
        (np.array([0.5, 0.6]), r"seg/miou is of type ndarray with shape \[2\]"),
        (torch.zeros(2, 3), r"seg/miou is of type Tensor with shape \[2, 3\]"),
        (torch.zeros((), device="meta"), r"seg/miou is of type Tensor with shape \[\]"),
        (np.float64, r"seg/miou is <class 'numpy.float64'> \(type\)"),
    ],
)
def test_what_is_no_value(value: Any, says: str) -> None:
    watch = monitor()
    with pytest.raises(UsageError, match="run 'a', epoch 3: " + says):
        watch.report("a", 3, {"seg/miou": value})
    with pytest.raises(UsageError, match="run 'a', epoch 3: " + says.replace("miou", "loss")):
        watch.report("a", 3, {}, signals={"seg/loss": value})
    assert watch.log == []


@pytest.mark.parametrize("values", [0.5, [0.5], "seg/miou", {3: 0.5}])
def test_values_are_a_mapping_from_names(values: Any) -> None:
    with pytest.raises(UsageError, match=r"epoch 3: (values is|a metric is named)"):
        monitor().report("a", 3, values)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"sizes": [64, 64]}, r"config 'sizes' is \[64, 64\] \(list\); a hyper-parameter is a number, text"),
        ({"w": torch.zeros(3)}, r"config 'w' is of type Tensor with shape \[3\]"),
        ({"w": np.zeros((2, 2))}, r"config 'w' is of type ndarray with shape \[2, 2\]"),
        ({"data": Path("x")}, "config 'data' is"),
        ({"n": 10**400}, "config 'n' is 1000"),
        ({3: 1.0}, "a hyper-parameter is named 3"),
        (Namespace(lr=0.1), "config is Namespace"),
    ],
)
def test_what_is_no_configuration(config: Any, says: str) -> None:
    with pytest.raises(UsageError, match="run 'a': " + says):
        monitor().start("a", config=config)


def test_plain_configurations_stay_as_they_are() -> None:
    watch = monitor()
    config = {"lr": 0.1, "n": np.int64(3), "on": np.bool_(True), "opt": "sgd", "none": None, "t": torch.tensor(2)}
    watch.start("a", config=config)
    kept = watch.state_dict()["runs"][0]["config"]
    assert kept == {"lr": 0.1, "n": 3, "on": True, "opt": "sgd", "none": None, "t": 2} and kept["on"] is True
    assert type(kept["n"]) is type(kept["t"]) is int


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"horizon": 0}, "horizon is 0; it is above 0"),
        ({"horizon": -5}, "horizon is -5"),
        ({"horizon": 2**70}, "horizon is"),
        ({"horizon": "20"}, r"horizon is '20' \(str\)"),
        ({"schedule": "cosine"}, r"schedule is 'cosine' \(str\)"),
        ({"schedule": [0.1, None]}, "schedule is"),
        ({"schedule": 0.1}, "schedule is"),
        ({"arch": 3}, "arch is 3"),
        ({"graph": {"nodes": []}}, "graph is"),
    ],
)
def test_what_cannot_be_known_of_a_run(options: dict[str, Any], says: str) -> None:
    watch = monitor()
    with pytest.raises(UsageError, match="run 'a': " + says):
        watch.start("a", **options)
    assert watch.state_dict()["runs"] == []


@pytest.mark.parametrize("run", [None, 1.5, True, ["a"]])
def test_a_run_is_named_by_text(run: Any) -> None:
    for call in (monitor().start, monitor().finish):
        with pytest.raises(UsageError, match="a run is named by text"):
            call(run)
    watch = monitor()
    watch.report(7, 1, {"seg/miou": 0.5})  # type: ignore[arg-type]  # the number of a trial
    watch.finish("7", "failed")


def test_how_a_run_may_end() -> None:
    watch = monitor()
    watch.report("a", 3, {"seg/miou": 0.5})
    with pytest.raises(UsageError, match="no status 'banana'; there are: running, finished, failed, stopped"):
        watch.finish("a", "banana")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no status"):
        watch.finish("a", ["failed"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "option",
    [
        {"keep": 1.5},
        {"keep": True},
        {"every": "5"},
        {"min_epochs": 2.5},
        {"delta": "0.05"},
        {"delta": float("nan")},
        {"delta": True},
        {"num_threads": 0},
        {"num_threads": 1.5},
        {"dry_run": "no"},
        {"final": 3},
        {"objective": 5},
        {"nan": None},
    ],
)
def test_options_of_the_wrong_type_are_named(option: dict[str, Any]) -> None:
    name, value = next(iter(option.items()))
    with pytest.raises(UsageError, match=f"({name} is|no objective|no final value) {value!r}"):
        monitor(**option)
    assert monitor(keep=np.int64(1)).rule.keep == 1


@pytest.mark.parametrize(
    ("hook", "given", "option", "says"),
    [
        (
            "shared.monitor",
            {"folder": "runs"},
            "horizont",
            r"monitor\(…\) has no option 'horizont' \(is 'horizon' meant",
        ),
        ("shared.SharedMonitor", {"folder": "runs"}, "folders", "SharedMonitor.* 'folders' .*is 'folder' meant"),
        (
            "optuna.LcodePruner",
            {"horizon": 10},
            "n_warmup_steps",
            r"LcodePruner.*'n_warmup_steps' \(here that is 'min_ep",
        ),
        ("optuna.LcodePruner", {"horizon": 10}, "interval_steps", "here that is 'every'"),
        ("ray_tune.LcodeScheduler", {"horizon": 10}, "grace_period", r"LcodeScheduler.*\(here that is 'min_epochs'\)"),
        ("ray_tune.LcodeScheduler", {"horizon": 10}, "directions", "'directions' .here that is 'metrics'.; there are"),
        (
            "syne_tune.LcodeScheduler",
            {"scheduler": None, "metrics": "loss", "horizon": 10},
            "max_ts",
            "has no option 'max_ts'",
        ),
        (
            "keras.LcodeCallback",
            {"monitor": "loss"},
            "patience",
            r"'patience' \(forecasts say when to stop.*; there are",
        ),
        ("keras.LcodeCallback", {"monitor": "loss"}, "start_from_epoch", "here that is 'min_epochs'"),
        ("huggingface.LcodeCallback", {"monitor": "loss"}, "patience", "LcodeCallback.*: monitor, max_epochs, min_ep"),
        ("lightning.LcodeCallback", {"monitor": "loss"}, "max_epoch", r"LcodeCallback.* \(is 'max_epochs' meant\?\)"),
        (
            "wandb.WandbRun",
            {"monitor": "loss", "max_epochs": 9},
            "keep",
            "WandbRun.*there are: monitor, max_epochs, run",
        ),
        (
            "libmtl.LibMTLStopper",
            {"trainer": None, "epochs": 9},
            "max_epochs",
            r"LibMTLStopper.*\(here that is 'epochs'",
        ),
    ],
)
def test_an_option_that_is_passed_on_is_refused_by_whom_the_user_has_called(
    hook: str, given: dict[str, Any], option: str, says: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    monkeypatch.chdir(tmp_path)
    room, name = hook.split(".")
    called = getattr(import_module(f"lcode.hooks.{room}"), name)
    with pytest.raises(UsageError, match=says):
        called(**given, **{option: 3})
    assert not list(tmp_path.iterdir())


def test_the_median_rule_counts_in_whole_numbers() -> None:
    with pytest.raises(UsageError, match=r"n_startup is 2\.5"):
        MedianRule(n_startup=2.5)  # type: ignore[arg-type]


def test_a_path_is_neither_a_model_nor_a_history() -> None:
    with pytest.raises(UsageError, match="model is of type str; give a fitted forecaster"):
        Monitor("model/")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"history is 'runs/' \(str\); give a table of runs"):
        Monitor(LastValueForecaster(), "runs/")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"objective": "meen"}, "no objective 'meen'; there are: delta_m, mean"),
        ({"objective": "delta_m:drops"}, "'drops' of 'delta_m:drops' has no meaning"),
        ({"objective": "weights:seg"}, "not of the form NAME=NUMBER"),
        ({"objective": "mean", "baseline": {"acc": 0.5}}, "uses no baseline"),
        ({"objective": None}, "no objective None"),
        ({"baseline": "nowhere.csv"}, "nowhere.csv"),
        ({"baseline": [0.5]}, r"baseline is \[0.5\] \(list\); give values by metric"),
        ({"baseline": {"acc": "half"}}, "the reference of 'acc' is 'half'; give a number"),
        ({"baseline": {"acc": 0}}, "the reference of 'acc' is 0"),
        ({"constraints": "acc"}, "no constraint 'acc'; write METRIC<=NUMBER"),
    ],
)
def test_what_can_never_be_meant_is_refused_before_a_run_is_trained(options: Any, says: str) -> None:
    with pytest.raises(LcodeError, match=says):
        Monitor(LastValueForecaster(), horizon=5, **options)


def test_one_constraint_needs_no_list() -> None:
    told = [
        Monitor(LastValueForecaster(), horizon=5, constraints=bounds, baseline={"acc": 0.5}, min_epochs=1)
        for bounds in ("acc>=0.2", ["acc>=0.2"])
    ]
    first, second = (watch.report("a", 2, {"acc": 0.4}) for watch in told)
    assert first == second and "acc ≥ 0.2" in first.reason


def test_a_run_without_a_name_and_one_that_nobody_started_are_refused() -> None:
    watch = monitor()
    with pytest.raises(UsageError, match="run is '' \\(str\\); a run is named by text"):
        watch.report("", 1, {"seg/miou": 0.5})
    with pytest.raises(UsageError, match="run 'b' never reported; there are: none"):
        watch.planned("b")
    with pytest.raises(UsageError, match="run 'b' never reported"):
        watch.outlook("b", GainRule())


def test_metrics_to_come_are_names() -> None:
    watch: Any = Monitor(LastValueForecaster(), horizon=5)
    watch.announce("acc")  # one alone, and not its letters
    assert [metric.key for metric in watch.metrics] == ["acc"]
    watch.report("a", 1, {"/acc": 0.5})  # TensorBoard's own way to write a name
    assert [metric.key for metric in watch.metrics] == ["acc"]
    with pytest.raises(UsageError, match="metrics is 3 \\(int\\); give their names"):
        watch.announce(3)


@pytest.mark.parametrize(
    "torn",
    [{"runs": None}, {"runs": [{"name": "a"}]}, {"endings": {"a": 1}}, {"population": "x"}, {"metrics": [["seg"]]}],
)
def test_a_state_that_is_not_whole_is_refused_and_nothing_of_it_is_taken_up(torn: dict[str, Any]) -> None:
    watch, saved = monitor(), monitor()
    saved.report("a", 1, {"seg/miou": 0.5})
    before = watch.state_dict()
    with pytest.raises(UsageError, match="this is no whole state of a monitor"):
        watch.load_state_dict({**saved.state_dict(), **torn})
    assert watch.state_dict() == before
    with pytest.raises(UsageError, match="this is no whole state of a monitor"):
        watch.load_state_dict({**saved.state_dict(), "log": [{"run": "a"}]})


def test_a_state_without_verdicts_is_whole() -> None:
    watch, saved = monitor(), monitor()
    saved.report("a", 1, {"seg/miou": 0.5})
    state = saved.state_dict()
    del state["log"]
    watch.load_state_dict(state)
    assert watch.status("a") == "running" and watch.log == []
