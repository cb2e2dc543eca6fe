from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lcode import plot
from lcode.errors import UsageError


def test_runs_are_where_they_are_forecast_to_end(sweep: Any) -> None:
    figure = plot.pareto(sweep.forecast)
    unlikely, likely = figure.data
    assert len(unlikely.x) + len(likely.x) == 50 and len(likely.x) >= 1
    row = sweep.forecast.run_ids.index(likely.text[0])
    assert likely.x[0] == sweep.forecast.final().quantile(0.5)[row, 0, 0]
    assert (np.array(likely.customdata, float) >= 0.05).all() and (np.array(unlikely.customdata, float) < 0.05).all()
    assert "depth/abs_err (lower is better)" in figure.layout.yaxis.title.text


def test_metrics_are_chosen_by_key(sweep: Any) -> None:
    figure = plot.pareto(sweep.forecast, y="seg/miou")
    assert "depth/abs_err" in figure.layout.xaxis.title.text and "seg/miou" in figure.layout.yaxis.title.text
    with pytest.raises(UsageError, match="no metric 'a/b'"):
        plot.pareto(sweep.forecast, x="a/b")
    with pytest.raises(UsageError, match="name two metrics"):
        plot.pareto(sweep.forecast, x="seg/miou", y="seg/miou")


def test_one_metric_has_no_front(make_case: Any) -> None:
    from lcode.table import Metric

    with pytest.raises(UsageError, match="needs two metrics"):
        plot.pareto(make_case(["a", "b"], {"a": 3}, [Metric("seg", "miou", "max")]).forecast)
