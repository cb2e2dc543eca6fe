from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lcode
from lcode.forecasters import known
from lcode.forecasters.known import known_runs
from lcode.pretraining.prior import synthetic_runs
from lcode.readers import Choices
from lcode.readers.long import LongTable
from lcode.table import RunTable, pooled


@pytest.fixture(scope="module")
def table() -> RunTable:
    """Twelve finished runs, and forty in progress."""
    finished = synthetic_runs(12, tasks=1, horizon=12, seed=1, metrics=["loss"])
    running = synthetic_runs(40, tasks=1, horizon=12, seed=2, metrics=["loss"]).prefix(4)
    return pooled([finished, running])


def test_of_a_long_table_some_runs_are_known_whatever_their_order(
    table: RunTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert known_runs(table, seed=0, at_least=4) == list(table.run_ids)
    monkeypatch.setattr(known, "KNOWN_RUNS", 20)
    monkeypatch.setattr(known, "CONTEXT_RUNS", 8)
    chosen = known_runs(table, seed=0, at_least=4)
    finished = set(table.run_ids[:12])
    assert len(chosen) == 20 and len(finished.intersection(chosen)) == 8
    assert [run for run in table.run_ids if run in chosen] == chosen
    assert set(known_runs(table.select(table.run_ids[::-1]), seed=0, at_least=4)) == set(chosen)
    assert set(known_runs(table, seed=1, at_least=4)) != set(chosen)
    assert len(finished.intersection(known_runs(table, seed=0, at_least=13))) < 8  # none is learned from


@pytest.mark.parametrize("finished", [12, 2])
def test_forecasts_are_the_same_in_blocks_or_at_one_go(
    table: RunTable, finished: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "KNOWN_RUNS", 20)
    monkeypatch.setattr("lcode.forecasters.lcgode.KNOWN_RUNS", 20)
    path = tmp_path / "runs.parquet"
    points = table.select(table.run_ids[12 - finished :]).points.rename(columns={"value": "loss"})
    points.assign(horizon=12)[["run", "epoch", "loss", "horizon"]].to_parquet(path)
    long = LongTable.open(path, Choices(), tmp_path, cells=1, rows=60)
    assert long is not None

    def read(rows: object) -> RunTable:
        return lcode.read_logs(path, rows=rows)  # type: ignore[arg-type]

    shipped, whole = lcode.load(device="cpu"), lcode.read_logs(path)
    expected = shipped.predict(whole)
    names = known_runs(long.outline(read), seed=shipped.seed, at_least=shipped.min_finished)
    model = shipped.in_context(long.select(names, read))
    blocks = [forecast for block in long.blocks(read) for forecast in model.predict_in_blocks(block)]
    assert len(blocks) > 2 and tuple(run for block in blocks for run in block.run_ids) == expected.run_ids
    quantiles = np.concatenate([block.quantiles for block in blocks])
    np.testing.assert_allclose(quantiles, expected.quantiles, rtol=1e-4, atol=1e-6)
