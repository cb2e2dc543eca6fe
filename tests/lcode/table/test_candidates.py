from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from lcode.errors import UsageError
from lcode.forecasters import forecaster
from lcode.graphs import ArchGraph
from lcode.table import Metric, RunTable
from lcode.table.candidates import candidates

LOSS = Metric("seg", "loss", "min")


def sweep(runs: int = 8, horizon: int = 6) -> RunTable:
    """Finished runs whose loss ends at their learning rate, and one that goes on to a later end."""
    rates = {f"r{i}": 0.1 * (i + 1) for i in range(runs)}
    rows = [(run, epoch, LOSS.key, lr + 1 / epoch) for run, lr in rates.items() for epoch in range(1, horizon + 1)]
    return RunTable.from_points(
        pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"]),
        (LOSS,),
        configs=pd.DataFrame({"lr": rates}),
    )


def test_a_candidate_is_forecast_by_its_configuration() -> None:
    table = sweep()
    both = table.concat(candidates([{"lr": 0.1}, {"lr": 0.8}], like=table))
    forecast = forecaster("trees").fit(both).predict(both)
    assert forecast.run_ids[-2:] == ("candidate 1", "candidate 2")
    assert forecast.status[-2:].tolist() == [["ok"], ["ok"]]
    low, high = forecast.quantile(0.5)[-2:, 0, 0]
    assert low < 0.5 < high
    frame = forecast.to_frame()
    assert frame["observed"].tolist() == [6] * 8 + [0, 0]


def test_a_metric_that_was_not_observed_of_a_run_that_has_begun_is_another_thing() -> None:
    table = sweep()
    two = RunTable.from_points(
        table.points.astype({"run": str, "metric": str}), (LOSS, Metric("seg", "acc", "max")), runs=table.runs
    )
    status = forecaster("last").fit(two).predict(two.prefix(2)).status
    assert status.tolist() == [["ok", "too_short"]] * 8


def test_names_and_horizon_are_those_of_the_frame_and_of_the_sweep() -> None:
    table = sweep()
    graph = ArchGraph.build(["input", "linear"], [(0, 1)])
    named = candidates(pd.DataFrame({"lr": [0.3]}, index=["wide"]), [graph], like=table, horizon=9)
    assert named.graphs == {"wide": graph} and named.runs.loc["wide", "arch"] == "wide"
    assert named.run_ids == ("wide",)
    assert named.runs["horizon"].tolist() == [9]
    assert named.runs["status"].tolist() == ["running"]
    assert named.configs["lr"].tolist() == [0.3]
    assert candidates([{}], like=table).runs["horizon"].tolist() == [6]


@pytest.mark.parametrize(
    ("configs", "options", "text"),
    [
        ([], {}, "no candidate is given"),
        ([{"lr": 1}], {"graphs": []}, "0 graphs for 1 candidates"),
        ([{"lr": 1}], {"names": ["a", "b"]}, "2 names for 1 candidates"),
        ([{"lr": 1}], {"names": "a"}, "names is 'a'"),
        ([{"lr": 1}], {"names": ["r0"]}, "called 'r0' already"),
        ([{"lr": 1}], {"horizon": 0}, "a horizon of 0 .* makes no sense"),
        ([{"lr": 1}], {"horizon": "9"}, "horizon is '9'"),
        (None, {}, "configs is None"),
        ({"lr": 1}, {}, r"configs is {'lr': 1} \(dict\); give a list of configurations"),
        (["lr"], {}, "run 'candidate 1': config is 'lr'"),
        ([{"lr": [1, 2]}], {}, "config 'lr' is"),
        ([{"lr": 1, "config.lr": 2}], {}, "'lr' is given twice, once as 'config.lr'"),
        (pd.DataFrame({"lr": [1]}, index=["r0"]), {}, "called 'r0' already"),
        (pd.DataFrame({"lr": [1, 2]}, index=["a", "a"]), {}, "two candidates have one name"),
    ],
)
def test_what_cannot_be_a_candidate_is_refused(configs: object, options: dict[str, object], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        candidates(configs, like=sweep(), **options)  # type: ignore[arg-type]


def test_without_a_run_the_horizon_must_be_said() -> None:
    empty = sweep().select([])
    with pytest.raises(UsageError, match="say horizon=N"):
        candidates([{"lr": 1}], like=empty)
    assert candidates([{"lr": 1}], like=empty, horizon=5).runs["horizon"].tolist() == [5]


def test_a_setting_is_called_as_in_the_runs_or_as_their_column_in_logs() -> None:
    table = sweep()
    for configs in ([{"config.lr": 0.3}], pd.DataFrame({"config.lr": [0.3]})):
        new = candidates(configs, like=table)
        assert new.configs.columns.tolist() == ["lr"] and new.configs["lr"].tolist() == [0.3]
    called_so = replace(table, configs=table.configs.rename(columns={"lr": "config.lr"}))
    assert candidates([{"config.lr": 0.3}], like=called_so).configs.columns.tolist() == ["config.lr"]


def test_a_setting_that_no_run_has_is_warned_of() -> None:
    table = sweep()
    with pytest.warns(UserWarning, match="no run so far has the setting 'rate', .*; there are: lr"):
        new = candidates([{"rate": 0.3}], like=table)
    assert new.configs.columns.tolist() == ["rate"]


def test_a_second_batch_goes_on_counting() -> None:
    table = sweep()
    both = table.concat(candidates([{"lr": 0.1}, {"lr": 0.2}], like=table))
    more = both.concat(candidates([{"lr": 0.3}], like=both))
    assert more.run_ids[-3:] == ("candidate 1", "candidate 2", "candidate 3")
    assert candidates([{"lr": 0.3}], like=table, names=["wide"]).run_ids == ("wide",)
