"""What a table may be assembled from, and what is said of the rest."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from lcode.errors import UsageError
from lcode.table import Metric, RunTable

MIOU = Metric("seg", "miou", "max")
POINTS = pd.DataFrame(
    {
        "run": np.repeat(["a", "b", "c"], 4),
        "epoch": np.tile([1, 2, 3, 4], 3),
        "metric": "seg/miou",
        "value": np.linspace(0.1, 0.6, 12),
    }
)
RUNS = pd.DataFrame({"horizon": [10] * 3}, index=["a", "b", "c"])


def table(points: Any = POINTS, metrics: Any = (MIOU,), **parts: Any) -> RunTable:
    return RunTable.from_points(points, metrics, **{"runs": RUNS, **parts})


def with_value(value: object) -> pd.DataFrame:
    values = [*POINTS["value"]]
    return POINTS.assign(value=pd.Series([*values[:5], value, *values[6:]], dtype=object))


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no frame": ({"points": {"run": ["a"]}}, "points is {'run': ['a']} (dict); give a data frame"),
    "a column missing": (
        {"points": POINTS.drop(columns="epoch")},
        "points has no column 'epoch'; there are: run, metric, value",
    ),
    "a column twice": ({"points": pd.concat([POINTS, POINTS["run"]], axis=1)}, "points has two columns 'run'"),
    "a run missing": (
        {"points": POINTS.assign(run=pd.Series([*["a"] * 11, None], dtype=object))},
        "points has a row whose run is missing",
    ),
    "an epoch below 0": (
        {"points": POINTS.assign(epoch=POINTS["epoch"] - 3)},
        "points: run 'a', 'seg/miou': epoch -2 is below 0",
    ),
    "an epoch in words": (
        {"points": POINTS.assign(epoch=["one", *range(2, 13)])},
        "points: epoch of run 'a', 'seg/miou', is 'one' (str); give a number",
    ),
    "an epoch missing": ({"points": POINTS.assign(epoch=pd.array([1, 2, 3, None] * 3, dtype="Int64"))}, "epoch nan"),
    "a time": ({"points": POINTS.assign(epoch=pd.Timestamp("2026-01-01"))}, "points: epoch of run 'a', 'seg/miou', is"),
    "two values": (
        {"points": pd.concat([POINTS, POINTS.tail(1).assign(value=9.0)])},
        "points: run 'c', 'seg/miou' is 0.6 and 9 at epoch 4; give one value for each epoch",
    ),
    "complex values": (
        {"points": POINTS.assign(value=POINTS["value"] + 1j)},
        "points: value of run 'a', 'seg/miou', is (0.1+1j) (complex); give a number",
    ),
    "one complex value": ({"points": with_value(1j)}, "points: value of run 'b', 'seg/miou', is 1j (complex)"),
    "a value in words": ({"points": with_value("bad")}, "points: value of run 'b', 'seg/miou', is 'bad' (str)"),
    "a metric that is not declared": (
        {"points": pd.concat([POINTS, POINTS.assign(metric="seg/acc")])},
        "points has values of 'seg/acc', which is none of the metrics (seg/miou); give its Metric as well",
    ),
    "a metric as text": ({"metrics": ["seg/miou"]}, "metrics[0] is 'seg/miou' (str); give a list of metrics"),
    "metrics as text": ({"metrics": "seg/miou"}, "metrics is 'seg/miou' (str); give a list of metrics"),
    "a metric alone": ({"metrics": MIOU}, "give a list of metrics"),
    "a metric twice": ({"metrics": [MIOU, MIOU]}, "the metric 'seg/miou' is given twice"),
    "runs that are no frame": ({"runs": ["a", "b", "c"]}, "runs is ['a', 'b', 'c'] (list); give a data frame"),
    "a typo in a column": (
        {"runs": RUNS.rename(columns={"horizon": "horizn"})},
        "runs has a column 'horizn'; its columns are status, horizon, arch, seed",
    ),
    "no index": ({"runs": RUNS.reset_index()}, "runs has a column 'index'"),
    "a typo in a status": (
        {"runs": RUNS.assign(status=["running", "runing", "failed"])},
        "run 'b': the status is 'runing' (str); it is one of running, finished, failed, stopped",
    ),
    "a run without a row": (
        {"runs": RUNS.loc[["a", "b"]]},
        "points has values of run 'c', and runs has no row for it; give one for each run",
    ),
    "half a horizon": (
        {"runs": RUNS.assign(horizon=10.9)},
        "run 'a': the horizon is 10.9; give the planned last epoch",
    ),
    "a horizon below 0": ({"runs": RUNS.assign(horizon=-1)}, "run 'a': the horizon is -1;"),
    "an endless horizon": ({"runs": RUNS.assign(horizon=[1, np.inf, 2])}, "run 'b': the horizon is inf;"),
    "a horizon in words": ({"runs": RUNS.assign(horizon=[1, "ten", 2])}, "run 'b': the horizon is 'ten' (str)"),
    "settings by position": (
        {"configs": pd.DataFrame({"lr": [1, 2, 3]})},
        "configs has rows for '0', '1', '2', and none for the runs 'a', 'b', 'c'; index it by the run's name",
    ),
    "settings twice": (
        {"configs": pd.DataFrame({"lr": [1, 2]}, index=["a", "a"])},
        "configs has two rows for run 'a'; leave one of them out",
    ),
    "settings that are lists": (
        {"configs": pd.DataFrame({"widths": [[8, 8], [16], None]}, index=["a", "b", "c"])},
        "the hyper-parameter 'widths' has a list for a value, [8, 8]; give a number or a text",
    ),
    "settings that are no frame": ({"configs": {"lr": 1}}, "configs is {'lr': 1} (dict); give a data frame"),
    "signals without a column": ({"signals": POINTS.drop(columns="value")}, "signals has no column 'value'"),
    "signals of another run": ({"signals": POINTS.replace("a", "z")}, "signals has values of run 'z'"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_does_not_fit_is_refused(what: str) -> None:
    parts, message = REFUSED[what]
    with pytest.raises(UsageError, match=re.escape(message)):
        table(**parts)


def test_a_row_that_is_there_twice_counts_once() -> None:
    gaps = POINTS.assign(value=POINTS["value"].where(POINTS["epoch"] != 2))
    assert_frame_equal(table(pd.concat([gaps, gaps[::-1], gaps])).points, table(gaps).points)


def test_the_last_value_of_a_signal_counts() -> None:
    found = table(signals=pd.concat([POINTS, POINTS.tail(1).assign(value=9.0)])).signals
    assert found["value"].tolist() == [*POINTS["value"][:-1], 9.0]


@pytest.mark.parametrize("dtype", [object, str, "float16", "Float64"])
def test_numbers_may_be_kept_in_other_ways(dtype: Any) -> None:
    found = table(POINTS.astype({"value": dtype, "epoch": float})).points
    assert found["epoch"].tolist() == table().points["epoch"].tolist()
    assert found["value"].to_numpy() == pytest.approx(table().points["value"].to_numpy(), abs=1e-3)


@pytest.mark.parametrize("dtype", ["Float64", object])
def test_a_missing_value_is_none(dtype: Any) -> None:
    values = POINTS["value"].astype(dtype).where(POINTS["epoch"] < 3, pd.NA)
    assert table(POINTS.assign(value=values)).points["value"].isna().sum() == 6


def test_names_are_text_in_every_part() -> None:
    numbered = pd.DataFrame({"horizon": [8, 10, None]}, index=[1, 2, 3], dtype=object)
    found = table(
        POINTS.assign(run=np.repeat([1, 2, 3], 4)),
        runs=numbered,
        configs=pd.DataFrame({"lr": [0.3, 0.1]}, index=[3, 1]),
    )
    assert found.run_ids == ("1", "2", "3")
    assert found.runs["horizon"].tolist() == [8, 10, 4]
    assert found.configs["lr"].tolist() == pytest.approx([0.1, np.nan, 0.3], nan_ok=True)
