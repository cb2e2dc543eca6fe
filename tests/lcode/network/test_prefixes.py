from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from lcode.curves.batch import RunTensors
from lcode.curves.collate import Preprocessor
from lcode.ensemble.folds import assign_folds
from lcode.network.prefixes import cutoff_epochs, draw_cutoffs, draw_queries, epoch_counts, values_at
from lcode.table import RunTable


@pytest.fixture(scope="module")
def runs(history: RunTable) -> RunTensors:
    """Twenty runs of 16 epochs, the first five of which ended after 2, 3, … epochs."""
    cut = history.prefix({f"r{i:02d}": i + 2 for i in range(5)})
    return Preprocessor.fit(history).tensors(cut)[0]


def test_counts(runs: RunTensors) -> None:
    assert epoch_counts(runs).tolist() == [2, 3, 4, 5, 6] + [16] * 15


def test_the_last_epoch_is_never_seen_and_always_asked_for(runs: RunTensors) -> None:
    generator = torch.Generator().manual_seed(0)
    last = epoch_counts(runs) - 1
    drawn = torch.stack([draw_cutoffs(runs, generator) for _ in range(300)])
    assert (drawn >= -1).all() and (drawn < last).all()
    assert (drawn == -1).float().mean().item() == pytest.approx(0.03, abs=0.01)
    for index in drawn[:30]:
        queries = draw_queries(runs, index, 6, generator)
        assert (queries[:, 0] == last).all()
        assert (queries > index[:, None]).all() and (queries <= last[:, None]).all()


def test_short_prefixes_are_drawn_more_often(runs: RunTensors) -> None:
    generator = torch.Generator().manual_seed(0)
    drawn = torch.cat([draw_cutoffs(runs, generator)[5:] for _ in range(400)])
    counts = torch.bincount(drawn[drawn >= 0], minlength=15).double()
    expected = 1 / torch.arange(1, 16).double()
    torch.testing.assert_close(counts / counts.sum(), expected / expected.sum(), rtol=0.25, atol=0.01)


def test_cutoffs_as_epochs_and_the_values_there(runs: RunTensors) -> None:
    shifted = replace(runs, epochs=3 * runs.epochs)
    assert cutoff_epochs(shifted, torch.full((20,), -1)).tolist() == [2.0] * 20
    assert cutoff_epochs(shifted, torch.zeros(20, dtype=torch.long)).tolist() == [3.0] * 20
    values, there = values_at(runs, torch.tensor([[1, 2]]).expand(20, -1))
    assert values.shape == there.shape == (20, 2, 2)
    assert there[0].tolist() == [[True, False], [True, False]] and there[1:].all()
    assert torch.equal(values[3], runs.values[3][:, [1, 2]])


def test_the_same_generator_draws_the_same(runs: RunTensors) -> None:
    one, other = (draw_cutoffs(runs, torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(one, other)


def with_configs(table: RunTable, configs: pd.DataFrame) -> RunTable:
    return replace(table, configs=configs.set_axis(table.runs.index), runs=table.runs.assign(arch=None))


def test_twins_share_a_fold(history: RunTable) -> None:
    configs = pd.DataFrame({"lr": [i // 2 for i in range(20)], "arch": ["x", "x", "y", "y"] * 5, "seed": range(20)})
    folds = assign_folds(with_configs(history, configs), 5, 0)
    assert (folds[::2] == folds[1::2]).all()
    assert np.bincount(folds).tolist() == [4] * 5
    other_arch = with_configs(history, configs[["arch", "seed"]])
    assert len(set(assign_folds(other_arch, 5, 0))) == 2


def test_runs_that_nothing_tells_apart_count_by_themselves(history: RunTable) -> None:
    for configs in (pd.DataFrame(index=range(20)), pd.DataFrame({"lr": [0.1] * 20, "seed": range(20)})):
        assert np.bincount(assign_folds(with_configs(history, configs), 5, 0)).tolist() == [4] * 5


def test_folds_follow_the_seed(history: RunTable) -> None:
    one, same, other = (assign_folds(history, 5, seed) for seed in (0, 0, 1))
    assert (one == same).all() and (one != other).any() and set(one) == set(range(5))
