"""The collections of published curves: small files of the same columns, and the real ones where they are at hand."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lcode.benchmarks import BENCHMARKS, CurveCollection, algoperf, llm_loss, load_benchmark, rl_returns
from lcode.benchmarks.algoperf import ALGOPERF, AlgoPerfCollection
from lcode.benchmarks.collection import main_metric
from lcode.benchmarks.files import DataFile
from lcode.benchmarks.lcbench import LCBENCH
from lcode.benchmarks.rl_returns import RL_RETURNS, ReturnsCollection
from lcode.table import Metric, RunTable

needs_data = pytest.mark.skipif(not os.environ.get("LCODE_DATA"), reason="LCODE_DATA names no folder with the curves")

NAN = float("nan")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of its own."""
    monkeypatch.setenv("LCODE_DATA", str(tmp_path))
    return tmp_path


def save(frame: pd.DataFrame, folder: Path, name: str) -> DataFile:
    (folder / name).parent.mkdir(exist_ok=True)
    frame.to_parquet(folder / name)
    return DataFile(name, hashlib.sha256((folder / name).read_bytes()).hexdigest())


def test_configurations_may_lie_in_a_parquet_file(folder: Path) -> None:
    curves = pd.DataFrame({"run_id": [3, 3, 7, 7], "epoch": [0, 1, 0, 1], "loss": [2.0, 1.0, 4.0, 3.0]})
    collection = CurveCollection(
        name="tiny",
        curves=save(curves, folder, "tiny.curves.parquet"),
        configs=save(pd.DataFrame({"run_id": [3, 7], "lr": [0.1, 0.2]}), folder, "tiny.configs.parquet"),
        metric=main_metric("loss"),
        rows=4,
        source="made up",
    )
    assert collection.load().configs["lr"].to_dict() == {"3": 0.1, "7": 0.2}


def contest_curve(run: int, evaluations: int, *, diverges: bool = False) -> pd.DataFrame:
    steps = 1 + 50 * np.arange(evaluations)
    loss = np.where(diverges & (steps > 200), NAN, 1 / steps)
    frame = pd.DataFrame({"run": run, "global_step": steps, "total_duration": steps * 2.0})
    for part in ("test", "train", "validation"):
        frame[f"{part}/ctc_loss"], frame[f"{part}/wer"] = loss, 1 - 0.001 * steps
    return frame


@pytest.fixture
def contest(folder: Path, monkeypatch: pytest.MonkeyPatch) -> RunTable:
    """Two studies of one setting, one run that diverges, one of too few evaluations, one of another workload."""
    curves = [contest_curve(5, 10), contest_curve(8, 9), contest_curve(6, 8, diverges=True), contest_curve(7, 7)]
    file = save(pd.concat(curves), folder, "algoperf/speech_jax.curves.parquet")
    runs = pd.DataFrame(
        {
            "run": [5, 6, 7, 8, 9],
            "version": "v",
            "ruleset": "external_tuning",
            "submission": "adam",
            "study": ["study_0", "study_0", "study_0", "study_1", "study_0"],
            "workload": ["speech_jax"] * 4 + ["clicks_jax"],
            "hparams": ['{"lr": 1}', '{"lr": 2, "k": "x"}', '{"lr": 3}', '{"lr": 1}', '{"lr": 9}'],
        }
    )
    monkeypatch.setattr(algoperf, "_RUNS", save(runs, folder, "algoperf/algoperf.runs.parquet"))
    return AlgoPerfCollection("speech_jax", file.sha256).load()


def test_a_contest_s_validation_metrics_and_training_signals(contest: RunTable) -> None:
    assert contest.metrics == (Metric("main", "ctc_loss", "min"), Metric("main", "wer", "min"))
    assert contest.curve("5", "wer").epochs.tolist() == [1 + 50 * i for i in range(10)]
    assert contest.curve("5", "wer").values[1] == pytest.approx(0.949)
    assert set(contest.signals["metric"]) == {"train_ctc_loss", "train_wer"}
    assert len(contest.signals) == len(contest.points) == 2 * (10 + 9 + 8)


def test_a_contest_s_runs(contest: RunTable) -> None:
    """The horizon is the run's own last step; a study is a seed; what ends with NaN has failed."""
    assert contest.run_ids == ("5", "8", "6")
    assert contest.runs["horizon"].tolist() == [451, 401, 351]
    assert contest.runs["status"].tolist() == ["finished", "finished", "failed"]
    assert contest.runs["seed"].tolist() == [0, 1, 0]
    assert contest.curve("6", "ctc_loss").diverged_at == 201
    assert contest.configs["lr"].tolist() == [1, 1, 2] and contest.configs["k"].tolist()[2] == "x"
    assert set(contest.configs["submission"]) == {"adam"}


def test_a_language_model_s_schedule_is_known_at_every_step(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    curves = pd.DataFrame({"run": "csv_25/cosine_8", "step": [2, 4, 8], "lr": [0.3, 0.3, 0.1], "loss": [4.0, 3.5, 3.0]})
    monkeypatch.setattr(llm_loss, "_CURVES", save(curves, folder, "llm.parquet"))
    table = load_benchmark("llm_loss")
    assert table.runs["horizon"].tolist() == [8] and table.runs["status"].tolist() == ["finished"]
    assert table.curve("csv_25/cosine_8", "loss").epochs.tolist() == [2, 4, 8]
    assert table.configs.iloc[0].to_dict() == {"million_parameters": 25, "schedule": "cosine_8"}
    rates = table.schedules["csv_25/cosine_8"].at(range(1, 9))
    np.testing.assert_allclose(rates, [0.3, 0.3, 0.3, 0.3, 0.25, 0.2, 0.15, 0.1])


def test_of_two_trainings_under_one_name_the_longer_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def steps(method: str, *trainings: range, task: str = "walk") -> pd.DataFrame:
        step = np.concatenate(trainings)
        reward = np.concatenate([np.full(len(part), float(len(part))) for part in trainings])
        return pd.DataFrame({"method": method, "task": task, "step": step, "seed": 2, "reward": reward, "success": NAN})

    curves = [steps("a", range(8), range(9)), steps("b", range(12), range(11, 12)), steps("c", range(7))]
    curves.append(steps("a", range(20), task="run"))
    monkeypatch.setattr(rl_returns, "_CURVES", save(pd.concat(curves), folder, "rl.parquet"))
    table = ReturnsCollection("walk", "reward").load()
    assert table.run_ids == ("a-2", "b-2") and table.metrics == (Metric("main", "reward", "max"),)
    assert set(table.curve("a-2", "reward").values) == {9.0}
    assert table.curve("b-2", "reward").epochs.tolist() == list(range(12))
    assert table.runs["horizon"].tolist() == [8, 11] and table.runs["seed"].tolist() == [2, 2]
    assert table.configs["method"].tolist() == ["a", "b"]


@needs_data
@pytest.mark.parametrize("name", LCBENCH)
def test_lcbench_as_published(name: str) -> None:
    table = load_benchmark(name)
    assert len(table) == 2_000 and len(table.points) == 104_000 and (table.runs["horizon"] == 51).all()
    assert list(table.configs)[:4] == ["batch_size", "learning_rate", "momentum", "weight_decay"]
    assert list(table.configs)[4:] == ["num_layers", "max_units", "max_dropout"]
    assert np.isfinite(table.points["value"]).all() and table.points["value"].min() > 0


@needs_data
def test_algoperf_as_published() -> None:
    tables = [load_benchmark(name) for name in ALGOPERF]
    assert len(tables) == 16 and sum(map(len, tables)) == 2_148
    assert sum(len(table.points) for table in tables) == 266_507
    for table in tables:
        assert (table.last_epochs == table.runs["horizon"]).all() and table.runs["seed"].isin(range(5)).all()
        assert len(table.signals) == len(table.points)


@needs_data
def test_llm_loss_as_published() -> None:
    table = load_benchmark("llm_loss")
    assert len(table) == 18 and len(table.points) == 4_162
    assert all(table.schedules[run].last == table.runs.loc[run, "horizon"] for run in table.run_ids)
    assert table.schedules["csv_100/wsdcon_9"].rates[[0, -1]].tolist() == pytest.approx([3e-4, 9e-5])


@needs_data
def test_rl_returns_as_published() -> None:
    tables = {name: load_benchmark(name) for name in RL_RETURNS}
    assert len(tables) == 54 and sum(len(table) for table in tables.values()) == 682
    assert all(np.isfinite(table.points["value"]).all() for table in tables.values())
    assert tables["rl_returns/dog-run"].runs["horizon"].max() == 14_000_000
    assert {len(table) for table in tables.values()} == {10, 12, 15}


def test_nothing_is_read_before_a_table_is_asked_for() -> None:
    assert all(len(BENCHMARKS[name].files) in (1, 2, 3) and BENCHMARKS[name].source for name in BENCHMARKS)
