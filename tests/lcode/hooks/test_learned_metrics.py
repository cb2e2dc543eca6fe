"""A monitor to which nothing was said before the first report."""

from __future__ import annotations

import pytest

from lcode.errors import UsageError
from lcode.forecasters.last_value import LastValueForecaster
from lcode.hooks import Monitor
from lcode.table import Metric


def values(seg: float) -> dict[str, float]:
    return {"seg/miou": seg, "loss": 1.5 - seg}


def test_metrics_and_directions_come_from_the_reports() -> None:
    watch = Monitor(LastValueForecaster(), keep=0)
    for run, seg in (("a", 0.6), ("b", 0.7), ("c", 0.8)):
        watch.start(run, horizon=10)
        for epoch in range(1, 11):
            verdict = watch.report(run, epoch, values(seg))
        assert verdict.reason == "finished: reached its last epoch 10"
    assert watch.metrics == (Metric("seg", "miou", "max"), Metric("main", "loss", "min"))
    # Three have finished: the next one, which nobody announced, is compared with them.
    verdict = [watch.report("d", epoch, values(0.5)) for epoch in range(1, 4)][-1]
    assert verdict.stop and "P(beats c" in verdict.reason


def test_a_metric_that_comes_later_is_added_and_the_comparison_begins_anew() -> None:
    watch = Monitor(LastValueForecaster(), keep=0)
    for run, seg in (("a", 0.6), ("b", 0.7), ("c", 0.8)):
        watch.start(run, horizon=5)
        watch.report(run, 5, values(seg))
    assert watch.objective is not None
    assert not watch.report("d", 4, {**values(0.5), "depth/abs_err": 0.3}).stop
    assert [metric.key for metric in watch.metrics] == ["seg/miou", "loss", "depth/abs_err"]
    assert watch.objective is None
    for run, seg in (("e", 0.6), ("f", 0.7), ("g", 0.8)):
        watch.report(run, 5, {**values(seg), "depth/abs_err": 0.3})
    assert watch.report("d", 4, {**values(0.5), "depth/abs_err": 0.4}).stop


def test_a_direction_that_no_name_tells_is_to_be_stated() -> None:
    with pytest.raises(UsageError, match=r"'seg/quux' are better; state it with Monitor\(directions="):
        Monitor(LastValueForecaster()).report("a", 1, {"seg/quux": 1.0})
    watch = Monitor(LastValueForecaster(), directions={"quux": "max"})
    watch.start("a", horizon=5)
    watch.report("a", 1, {"seg/quux": 1.0})
    assert watch.metrics == (Metric("seg", "quux", "max"),)
    with pytest.raises(UsageError, match="'Max'"):
        Monitor(LastValueForecaster(), directions={"quux": "Max"})  # type: ignore[dict-item]


def test_what_the_model_was_fitted_on_tells_directions() -> None:
    class Fitted(LastValueForecaster):
        known_metrics = (Metric("seg", "quux", "max"),)

    watch = Monitor(Fitted())
    watch.start("a", horizon=5)
    watch.report("a", 1, {"seg/quux": 1.0})
    assert watch.metrics[0].direction == "max"


def test_runs_that_cannot_be_compared_go_on() -> None:
    watch = Monitor(LastValueForecaster(), keep=0)
    for run in ("a", "b", "c"):
        watch.start(run, horizon=5)
        watch.report(run, 5, {"seg/miou": 0.0, "loss": 0.0})
    verdict = watch.report("d", 4, values(0.1))
    assert not verdict.stop and "the reference of 'seg/miou' is 0" in verdict.reason
    assert "mean or worst" in verdict.reason


def test_without_any_horizon_one_is_asked_for() -> None:
    watch = Monitor(LastValueForecaster())
    with pytest.raises(UsageError, match="horizon=30"):
        watch.report("a", 1, values(0.5))
    watch.start("b", horizon=7)
    watch.report("a", 1, values(0.5))
    assert watch.state_dict()["runs"][1]["horizon"] == 7


def test_learned_metrics_survive_a_resume() -> None:
    first, second = Monitor(LastValueForecaster()), Monitor(LastValueForecaster())
    first.start("a", horizon=5)
    first.report("a", 0.5, values(0.5))
    second.load_state_dict(first.state_dict())
    assert second.metrics == first.metrics
    assert second.report("a", 5, values(0.6)) == first.report("a", 5, values(0.6))
    assert second.state_dict() == first.state_dict()
