from __future__ import annotations

import pandas as pd

from lcode.report.understood import understood
from lcode.table import Metric, RunTable
from lcode.table.candidates import candidates


def test_a_run_that_has_not_begun_is_not_called_running() -> None:
    points = pd.DataFrame(
        [("done", 1, "seg/loss", 0.5), ("done", 2, "seg/loss", 0.4), ("half", 1, "seg/loss", 0.6)],
        columns=["run", "epoch", "metric", "value"],
    )
    table = RunTable.from_points(points, (Metric("seg", "loss", "min"),))
    whole = table.concat(candidates([{"lr": 0.1}, {"lr": 0.2}], like=table))
    assert understood(whole)[0].endswith("1 running, 1 finished, 2 not begun")
