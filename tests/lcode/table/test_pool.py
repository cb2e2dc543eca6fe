from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lcode.errors import UsageError
from lcode.graphs import ArchGraph
from lcode.table import MAIN_TASK, Metric, RunTable, pooled


def table(ops: list[str], direction: str = "min", runs: int = 2) -> RunTable:
    points = pd.DataFrame(
        [{"run": f"r{i}", "epoch": e, "metric": "loss", "value": i + 1 / e} for i in range(runs) for e in (1, 2)]
    )
    names = sorted(set(points["run"]))
    return RunTable.from_points(
        points,
        [Metric(MAIN_TASK, "loss", direction)],  # type: ignore[arg-type]
        runs=pd.DataFrame({"arch": "net"}, index=names),
        configs=pd.DataFrame({"lr": 0.1}, index=names),
        graphs={"net": ArchGraph.build(ops, [[0, 1]])},
        signals=points.assign(metric="grad_norm"),
        schedules={name: np.ones(2) for name in names},
    )


def test_names_are_made_distinct_and_nothing_is_lost() -> None:
    first, same, other = table(["input", "linear"]), table(["input", "linear"]), table(["input", "conv"])
    whole = pooled([first, same, other])
    assert whole.run_ids == ("r0", "r1", "1:r0", "1:r1", "2:r0", "2:r1")
    assert whole.runs["arch"].tolist() == ["net"] * 4 + ["2:net"] * 2
    assert whole.graphs["2:net"].ops == ("input", "conv") and whole.graphs["net"].ops == ("input", "linear")
    for run in whole.run_ids:
        curve = whole.curve(run, "loss")
        assert curve.values.tolist() == first.curve(run.rpartition(":")[2], "loss").values.tolist()
    assert len(whole.signals) == 12 and set(whole.schedules) == set(whole.run_ids)
    assert whole.configs["lr"].tolist() == [0.1] * 6


def test_a_table_without_runs_counts_for_nothing() -> None:
    first = table(["input", "linear"])
    assert pooled([first.select([]), first]).run_ids == ("1:r0", "1:r1")
    assert pooled([first, first.select([])]).run_ids == ("r0", "r1")
    assert pooled([first]) is first


def test_a_disputed_direction() -> None:
    with pytest.raises(UsageError, match="disagree on the direction of 'loss'"):
        pooled([table(["input", "linear"]), table(["input", "linear"], "max")])
