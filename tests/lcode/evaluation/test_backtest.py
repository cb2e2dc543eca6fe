from __future__ import annotations

import io
import json
from typing import Self

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from lcode.errors import NotEnoughDataError, UsageError
from lcode.evaluation.backtest import MEASURES, Backtest, Exam, backtest
from lcode.evaluation.render import backtest_table
from lcode.forecast import Forecast
from lcode.forecasters import FORECASTERS
from lcode.forecasters.base import At, Forecaster
from lcode.table import Metric, RunTable

METRICS = (Metric("seg", "err", "min"), Metric("depth", "acc", "max"))
SIMPLE = ("last", "drift")


def make_table(runs: int = 24, horizon: int = 10, first: int = 1) -> RunTable:
    generator = np.random.default_rng(5)
    epochs = np.arange(first, horizon + 1)
    frames = []
    for i in range(runs):
        level = 0.1 + 0.5 * generator.random()
        for metric, sign in zip(METRICS, (1, -1), strict=True):
            values = 1 + sign * (level + 0.5 / (epochs - first + 1) + 0.01 * generator.standard_normal(len(epochs)))
            frames.append(pd.DataFrame({"run": f"r{i}", "epoch": epochs, "metric": metric.key, "value": values}))
    return RunTable.from_points(pd.concat(frames), METRICS)


def rows_of(result: Backtest) -> dict[tuple[str, str], dict[str, float]]:
    """The scores by (metric key, forecaster)."""
    return dict(result.to_frame().to_dict("index").items())  # type: ignore[arg-type]


class Oracle(Forecaster):
    """Knows the future, and keeps what it was shown."""

    name = "oracle"

    def __init__(self, whole: RunTable) -> None:
        self.whole = whole
        self.shown: list[RunTable] = []
        self.learned: list[RunTable] = []

    def fit(self, table: RunTable) -> Self:
        self.learned.append(table)
        return self

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        self.shown.append(table)
        return FORECASTERS["last"](0).predict(self.whole.select(table.run_ids), at)


def test_an_oracle_is_perfect_and_sees_only_the_prefix() -> None:
    table = make_table()
    oracle = Oracle(table)
    result = backtest(
        table, observe=0.2, seeds=2, forecasters={"oracle": lambda seed: oracle, "last": FORECASTERS["last"]}
    )
    frame = rows_of(result)
    for metric in METRICS:
        row = frame[metric.key, "oracle"]
        assert all(row[name] == 0 for name in ("mape", "rmse", "final_mae", "top1_regret", "top10_regret", "crps"))
        assert all(row[name] == pytest.approx(1) for name in ("kendall", "spearman", "coverage90"))
        assert frame[metric.key, "last"]["mape"] > 0.05
        assert row["curves"] == 6
    for shown, learned in zip(oracle.shown, oracle.learned, strict=True):
        assert shown.points["epoch"].max() == 2 and (shown.runs["status"] == "running").all()
        assert not set(shown.run_ids) & set(learned.run_ids)
        assert (learned.last_epochs == 10).all() and len(learned) == 18


def test_json_has_mean_and_spread_of_every_measure() -> None:
    result = backtest(make_table(), forecasters=SIMPLE, targets=["seg/err"])
    plain = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert {key: plain[key] for key in ("observe", "train_fraction", "seeds", "runs")} == {
        "observe": 0.2,
        "train_fraction": 0.75,
        "seeds": 3,
        "runs": 24,
    }
    assert list(plain["forecasters"]) == ["last", "drift"] and list(plain["forecasters"]["last"]) == ["seg/err"]
    scores = plain["forecasters"]["drift"]["seg/err"]
    assert set(MEASURES) <= set(scores) and set(scores["mape"]) == {"mean", "std"}
    values = result.records.query("forecaster == 'drift'")["mape"]
    assert scores["mape"]["mean"] == pytest.approx(values.mean())
    assert scores["mape"]["std"] == pytest.approx(values.std(ddof=0))


def test_the_same_call_gives_the_same_scores() -> None:
    columns = [name for name in MEASURES if not name.endswith("_seconds")]
    one, two = (backtest(make_table(), forecasters=SIMPLE, seeds=2).records[columns] for _ in range(2))
    pd.testing.assert_frame_equal(one, two)


def test_paired_differences_are_over_the_same_splits() -> None:
    result = backtest(make_table(), forecasters=SIMPLE)
    wide = result.records.query("metric == 'seg/err'").pivot(index="seed", columns="forecaster", values="mape")
    difference = wide["drift"] - wide["last"]
    row = result.paired("drift", "last", "mape").loc["seg/err"]
    assert row["mean"] == pytest.approx(difference.mean())
    assert row["standard_error"] == pytest.approx(difference.std(ddof=1) / np.sqrt(3))
    with pytest.raises(UsageError, match="no forecaster 'trees' in this backtest; there are: drift, last"):
        result.paired("trees", "last", "mape")


@pytest.mark.parametrize(("observe", "first", "cutoff"), [(0.2, 1, 2), (0.01, 1, 1), (0.01, 0, 0), (0.99, 1, 9)])
def test_at_least_one_epoch_is_seen_and_one_is_left(observe: float, first: int, cutoff: int) -> None:
    table = make_table(4, first=first)
    exam = Exam.of(table, observe, METRICS)
    assert exam.observed.points["epoch"].max() == cutoff
    assert exam.queries["r0"].tolist() == list(range(cutoff + 1, 11))


def test_a_diverged_curve_is_left_out_and_counted() -> None:
    table = make_table()
    points = table.points.copy()
    points.loc[(points["metric"] == "seg/err") & (points["epoch"] >= 6) & (points["run"] != "r0"), "value"] = np.nan
    frame = backtest(RunTable(**{**vars(table), "points": points}), forecasters=("last",), seeds=1)
    row = rows_of(frame)["seg/err", "last"]
    assert row["diverged"] >= 5 and row["curves"] == 6 and np.isfinite(row["mape"])
    assert rows_of(frame)["depth/acc", "last"]["diverged"] == 0


def test_only_epochs_with_a_point_are_scored() -> None:
    table = make_table()
    sparse = table.points[(table.points["metric"] == "seg/err") | (table.points["epoch"] % 5 == 0)]
    frame = backtest(
        RunTable(**{**vars(table), "points": sparse.reset_index(drop=True)}), forecasters=("drift",), seeds=1
    )
    row = rows_of(frame)["depth/acc", "drift"]
    # Nothing of this metric was seen by epoch 2, and the drift has nothing to start from.
    assert row["curves"] == 0 and row["not_forecast"] == 6 and np.isnan(row["mape"])
    assert frame.to_json()["forecasters"]["drift"]["depth/acc"]["mape"] == {"mean": None, "std": None}


def test_too_few_runs() -> None:
    with pytest.raises(NotEnoughDataError, match=r"4 finished runs .* 5 are needed"):
        backtest(make_table(4), forecasters=SIMPLE)
    with pytest.raises(
        NotEnoughDataError, match=r"6 finished runs split into 5 .* and 1 to be judged on; at least 3 and 2"
    ):
        backtest(make_table(6), forecasters=SIMPLE, train_fraction=0.9)


def test_wrong_arguments_say_what_is_right() -> None:
    table = make_table()
    with pytest.raises(UsageError, match=r"observe=20.*"):
        backtest(table, observe=20, forecasters=SIMPLE)
    with pytest.raises(UsageError, match=r"no forecaster 'oracle'; there are: lcode, .*trees"):
        backtest(table, forecasters=("oracle",))
    with pytest.raises(UsageError, match="no metric 'x'"):
        backtest(table, forecasters=SIMPLE, targets=["x"])


def test_progress_is_told() -> None:
    told: list[tuple[int, int, str]] = []
    backtest(make_table(), forecasters=SIMPLE, seeds=2, progress=lambda *step: told.append(step))
    assert told[0] == (0, 4, "last, split 1 of 2") and told[-1] == (4, 4, "done") and len(told) == 5


def printed(result: Backtest) -> str:
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(backtest_table(result))
    return " ".join(console.export_text().split())


def test_the_rendered_table_sets_the_best_in_bold() -> None:
    result = backtest(make_table(), forecasters=SIMPLE, seeds=2)
    table = backtest_table(result)
    cells = {column.header: list(column.cells) for column in table.columns}
    assert list(map(str, cells["forecaster"])) == ["seg/err", "  last", "  drift", "depth/acc", "  last", "  drift"]
    for heading in ("MAPE", "covers"):
        bold = [str(cell).startswith("[bold]") for cell in cells[heading]]
        assert bold == [False, False, True, False, False, True]
    text = printed(result)
    assert "24 finished runs, 75% to learn from" in text and "…" not in text


def test_a_mape_of_values_near_0_has_a_footnote_that_names_what_to_read() -> None:
    """A reward rises from -1 to 0; forecast by the last value seen, its relative error is beyond all measure."""
    table = make_table(runs=12)
    points = table.points.copy()
    rising = points["metric"] == "depth/acc"
    points.loc[rising, "value"] = 0.002 - np.exp(-0.7 * points.loc[rising, "epoch"])
    result = backtest(RunTable.from_points(points, METRICS), seeds=1, forecasters=("last",))
    assert result.near_zero == ("depth/acc",) and result.to_json()["near_zero"] == ["depth/acc"]
    text = printed(result)
    assert "MAPE says little of depth/acc" in text and "read final MAE" in text
    plain = backtest(table, seeds=1, forecasters=("last",))
    assert plain.near_zero == () and "says little" not in printed(plain)
