from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd

from lcode.table import RunTable
from lcode.table.archive import pack, unpack


def test_a_table_comes_back_as_it_was(history: RunTable) -> None:
    points = history.points.copy()
    points.loc[3, "value"] = np.nan
    configs = history.configs.assign(flag=True, note="x")
    configs.loc["r00", "note"] = None
    table = replace(history, points=points, configs=configs)
    meta, arrays = pack(table)
    again = unpack(json.loads(json.dumps(meta)), arrays)
    pd.testing.assert_frame_equal(again.points, table.points, check_dtype=False, check_categorical=False)
    pd.testing.assert_frame_equal(again.signals, table.signals, check_categorical=False, rtol=1e-6)
    assert again.runs.equals(table.runs) and again.metrics == table.metrics
    assert again.configs["lr"].equals(table.configs["lr"]) and again.configs["flag"].all()
    assert {name: g.digest() for name, g in again.graphs.items()} == {n: g.digest() for n, g in table.graphs.items()}
    assert all(again.schedules[run].to_json() == table.schedules[run].to_json() for run in table.run_ids)


def test_a_table_without_anything_beside_the_curves(history: RunTable) -> None:
    bare = RunTable.from_points(history.points.astype({"run": str, "metric": str}), history.metrics)
    meta, arrays = pack(bare)
    again = unpack(meta, arrays)
    assert len(again.signals) == 0 and not again.schedules and again.configs.shape == bare.configs.shape
    assert again.points["value"].equals(bare.points["value"])


def test_fractions_of_an_epoch_and_plans_of_version_0_1_come_back(history: RunTable) -> None:
    half = replace(history, epoch_unit=0.5)
    meta, arrays = pack(half)
    assert unpack(json.loads(json.dumps(meta)), arrays).epoch_unit == 0.5
    meta, arrays = pack(history)
    del meta["epoch_unit"], arrays["schedules.epoch"]
    again = unpack(meta, arrays)
    assert again.epoch_unit == 1
    assert all(again.schedules[run].to_json() == history.schedules[run].to_json() for run in history.run_ids)
