from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from lcode.evaluation.splits import configuration_groups, split_runs
from lcode.table import Metric, RunTable


def table_of(configs: pd.DataFrame, arch: list[str] | None = None) -> RunTable:
    points = pd.DataFrame({"run": configs.index, "epoch": 1, "metric": "loss", "value": 1.0})
    runs = pd.DataFrame({"arch": arch or None}, index=configs.index)
    return RunTable.from_points(points, [Metric("main", "loss", "min")], runs=runs, configs=configs)


def test_repeats_with_another_seed_are_one_group() -> None:
    configs = pd.DataFrame(
        {"lr": [0.1, 0.1, 0.2, np.nan, np.nan], "balancer": ["a", "a", "a", "b", "b"], "seed": [0, 1, 0, 0, 1]},
        index=list("vwxyz"),
    )
    assert configuration_groups(table_of(configs)).tolist() == [0, 0, 1, 2, 2]
    assert configuration_groups(table_of(configs, list("mnooo"))).tolist() == [0, 1, 2, 3, 3]


def test_an_integer_and_the_same_number_as_a_float_are_equal() -> None:
    configs = pd.DataFrame({"width": np.array([64, 64.0, "64x"], dtype=object)}, index=list("abc"))
    assert configuration_groups(table_of(configs)).tolist() == [0, 0, 1]


def test_without_configurations_every_run_is_its_own_group() -> None:
    assert configuration_groups(table_of(pd.DataFrame(index=list("abc")))).tolist() == [0, 1, 2]


@settings(max_examples=40, deadline=None)
@given(
    levels=st.lists(st.integers(0, 6), min_size=2, max_size=40),
    fraction=st.floats(0.05, 0.95),
    seed=st.integers(0, 100),
)
def test_splits_are_disjoint_complete_seeded_and_keep_groups_together(
    levels: list[int], fraction: float, seed: int
) -> None:
    table = table_of(pd.DataFrame({"lr": levels}, index=[f"r{i}" for i in range(len(levels))]))
    train, test = split_runs(table, fraction, seed)
    assert (train, test) == split_runs(table, fraction, seed)
    assert sorted(train + test) == sorted(table.run_ids) and train and test
    if len(set(levels)) > 1:
        rate = dict(zip(table.run_ids, levels, strict=True))
        assert not {rate[run] for run in train} & {rate[run] for run in test}


def test_the_share_is_met_when_runs_are_single() -> None:
    table = table_of(pd.DataFrame({"lr": range(40)}, index=[f"r{i}" for i in range(40)]))
    assert len(split_runs(table, 0.75, 0)[0]) == 30
    assert split_runs(table, 0.75, 0) != split_runs(table, 0.75, 1)
