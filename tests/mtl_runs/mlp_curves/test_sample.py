from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcode.benchmarks.files import DataFile
from lcode.errors import DataNotFoundError, UsageError
from mtl_runs.mlp_curves import TABLES, load_table, plan_run, tables

needs_data = pytest.mark.skipif(not os.environ.get("LCODE_DATA"), reason="LCODE_DATA names no folder with the tables")


@given(st.sampled_from(list(TABLES)), st.integers(0, 10**6), st.integers(0, 100))
def test_a_plan_lies_in_the_ranges(task: str, index: int, seed: int) -> None:
    plan = plan_run(task, index, seed)
    assert 1 <= len(plan.widths) <= 5 and all(16 <= width <= 1024 for width in plan.widths)
    assert 16 <= plan.batch_size <= 512 and 1e-4 <= plan.lr <= 0.1 and 0.1 <= plan.momentum <= 0.99
    assert 1e-5 <= plan.weight_decay <= 0.1 and 0 < plan.dropout < 1
    assert plan == plan_run(task, index, seed)
    others = (plan_run(task, index + 1, seed), plan_run(task, index, seed + 1))
    assert all(plan.lr != other.lr and plan.seed != other.seed for other in others)


def test_tasks_share_no_configuration() -> None:
    assert not {plan_run("car", i).lr for i in range(100)} & {plan_run("segment", i).lr for i in range(100)}


def test_the_learning_rate_is_halved_every_80_epochs() -> None:
    plan = plan_run("car", 3)
    assert (plan.rates / plan.lr).tolist() == [1.0] * 80 + [0.5] * 80 + [0.25] * 40


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of 100 rows: a category, a number, a constant; classes `b` and `a` are equally frequent."""
    lines = [f"{'low' if i % 5 else 'high'},{i},7,{'bac'[min(i % 9, 8) // 4]}" for i in range(99)]
    path = tmp_path / "tabular" / "car.csv"
    path.parent.mkdir()
    path.write_text("\n".join(["level,size,fixed,class", *lines]) + "\n")
    monkeypatch.setenv("LCODE_DATA", str(tmp_path))
    file = DataFile("tabular/car.csv", hashlib.sha256(path.read_bytes()).hexdigest())
    monkeypatch.setattr(tables, "TABLES", {"car": file})


@pytest.mark.usefixtures("made_up")
def test_a_table_becomes_one_class_against_the_rest() -> None:
    table = load_table("car")
    assert table.train_inputs.shape == (74, 4) and table.test_inputs.shape == (25, 4)
    inputs = table.train_inputs.numpy()
    np.testing.assert_allclose(inputs.mean(0), 0, atol=1e-6)
    assert sorted(inputs.std(0).round(4)) == [0, 1, 1, 1]
    labels = np.concatenate([table.train_labels, table.test_labels])
    assert labels.sum() == 44 and set(labels.ravel()) == {0, 1}
    size = np.concatenate([table.train_inputs, table.test_inputs])[:, 0]
    rank = np.argsort(np.argsort(size))
    assert (labels.ravel() == [4 <= i % 9 < 8 for i in rank]).all(), "of equally frequent classes, `a` is the first"
    assert not np.array_equal(load_table("car", seed=1).train_labels, table.train_labels)


def test_a_wrong_name_and_a_missing_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LCODE_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(UsageError, match="no table 'cart'; there are: car, segment"):
        load_table("cart")
    with pytest.raises(DataNotFoundError, match=r"'tabular/car.csv' not found"):
        load_table("car")


@needs_data
@pytest.mark.parametrize(("task", "shape", "share"), [("car", (1296, 21), 1210 / 1728), ("segment", (1732, 19), 1 / 7)])
def test_the_published_tables(task: str, shape: tuple[int, int], share: float) -> None:
    table = load_table(task)
    labels = np.concatenate([table.train_labels, table.test_labels])
    assert table.train_inputs.shape == shape and labels.mean() == pytest.approx(share)
