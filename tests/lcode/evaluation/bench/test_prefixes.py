from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcode.errors import UsageError
from lcode.evaluation.bench.prefixes import Prefix, usable
from lcode.table import MAIN_TASK, Metric, RunTable


def table(last: int, first: int = 1) -> RunTable:
    epochs = np.arange(first, last + 1)
    points = pd.concat(
        pd.DataFrame({"run": run, "epoch": epochs, "metric": "loss", "value": 1.0 / (1 + epochs)}) for run in "ab"
    )
    return RunTable.from_points(points, [Metric(MAIN_TASK, "loss", "min")])


def test_epochs_are_counted_from_where_the_runs_begin() -> None:
    assert Prefix("10e").cutoffs(table(40)) == {"a": 10, "b": 10}
    assert Prefix("10e").cutoffs(table(50, first=0)) == {"a": 9, "b": 9}
    assert Prefix("0.2").cutoffs(table(40)) == {"a": 8, "b": 8}


def test_each_run_may_be_seen_up_to_an_epoch_of_its_own() -> None:
    runs = table(40)
    cutoffs = Prefix("random").cutoffs(runs)
    assert cutoffs == Prefix("random").cutoffs(runs.select(["b", "a"])) and cutoffs["a"] != cutoffs["b"]
    assert all(0 <= cutoff < 40 for cutoff in cutoffs.values())


@pytest.mark.parametrize("label", ["", "e", "0e", "1.5e", "0", "1", "-0.1", "x", "nan", "nane", "inf", "infe"])
def test_what_is_no_prefix_says_what_is(label: str) -> None:
    with pytest.raises(UsageError, match="write a number of epochs as 5e, or a share"):
        Prefix(label)


def test_what_coincides_or_does_not_fit_is_left_out_with_the_reason() -> None:
    kept, notes = usable([Prefix(label) for label in ("2e", "0.2", "10e", "9e")], table(10))
    assert [prefix.label for prefix in kept] == ["2e", "9e"]
    assert notes == [
        "prefix 0.2 left out: here it is the same as 2e",
        "prefix 10e left out: the runs end at epoch 10",
    ]


@given(labels=st.lists(st.sampled_from(["1e", "2e", "5e", "30e", "0.1", "0.5", "0.9"])), last=st.integers(2, 60))
def test_kept_prefixes_differ_and_leave_something(labels: list[str], last: int) -> None:
    runs = table(last)
    kept, notes = usable([Prefix(label) for label in labels], runs)
    cutoffs = [prefix.cutoffs(runs)["a"] for prefix in kept]
    assert len(set(cutoffs)) == len(cutoffs) and all(cutoff < last for cutoff in cutoffs)
    assert len(kept) + len(notes) == len(labels)
