from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lcode import plot
from lcode.errors import UsageError
from lcode.evaluation.replay import Replay
from lcode.forecast import LEVELS
from lcode.plot.fan import HIGHLIGHTED


def _named(figure: Any, name: str, panel: str = "x") -> list[Any]:
    return [trace for trace in figure.data if trace.name == name and trace.xaxis == panel]


def test_fan_opens_at_the_last_point_and_ends_at_the_horizon(sweep: Any) -> None:
    figure = plot.curves(sweep.table, sweep.forecast, truth=sweep.truth, runs=["run-31"])
    outer, inner, median, true, observed, ring = _named(figure, "run-31", "x2")
    k, i = 1, sweep.forecast.run_ids.index("run-31")
    assert observed.x.tolist() == [1, 2, 3, 4, 5] and observed.marker.symbol == "circle"
    assert (ring.x.tolist(), ring.y.tolist()) == ([5], [observed.y[-1]])
    assert median.x.tolist() == list(range(5, 21))
    assert median.y[0] == observed.y[-1]
    np.testing.assert_array_equal(median.y[1:], sweep.forecast.quantile(0.5)[i, k])
    np.testing.assert_array_equal(outer.y[1:16], sweep.forecast.quantile(0.95)[i, k])
    np.testing.assert_array_equal(outer.y[16:-1][::-1], sweep.forecast.quantile(0.05)[i, k])
    np.testing.assert_array_equal(inner.y[1:16], sweep.forecast.quantile(0.75)[i, k])
    np.testing.assert_array_equal(true.y, sweep.truth.curve("run-31", "depth/abs_err").values[4:])
    assert true.line.dash == "dash"


def test_the_axis_is_in_the_users_epochs(sweep: Any) -> None:
    table, truth, forecast = (
        dataclasses.replace(part, epoch_unit=0.5) for part in (sweep.table, sweep.truth, sweep.forecast)
    )
    figure = plot.curves(table, forecast, truth=truth, runs=["run-31"])
    _, _, median, true, observed, ring = _named(figure, "run-31", "x2")
    assert observed.x.tolist() == [0.5, 1, 1.5, 2, 2.5] and ring.x.tolist() == [2.5]
    assert median.x.tolist() == [tick / 2 for tick in range(5, 21)] and true.x.tolist() == median.x.tolist()
    assert "epoch 2.5" in ring.hovertemplate and figure.layout.xaxis.range[1] == pytest.approx(10.2)


def test_panels_are_metrics_with_direction_and_shared_epochs(sweep: Any) -> None:
    layout = plot.curves(sweep.table, sweep.forecast).layout
    assert [a.text for a in layout.annotations] == [
        "<b>seg/miou (higher is better)</b>",
        "<b>depth/abs_err (lower is better)</b>",
    ]
    assert [layout.xaxis.title.text, layout.yaxis2.title.text] == ["epoch", "abs_err"]
    assert layout.xaxis2.matches == "x"


def test_few_runs_are_highlighted_and_the_others_grey(sweep: Any) -> None:
    figure = plot.curves(sweep.table, sweep.forecast, runs=list(reversed(sweep.forecast.run_ids)))
    legend = [trace.name for trace in figure.data if trace.showlegend]
    assert legend[:1] == ["44 other runs"]
    assert legend[1 : 1 + HIGHLIGHTED] == [f"run-{i}" for i in (49, 48, 47, 46, 45, 44)]
    grey = figure.data[0]
    assert set(grey.text) == {f"run-{i:02d}" for i in range(44)}
    assert np.isnan(grey.y).sum() == 44  # a gap after each run
    default = [t.name for t in plot.curves(sweep.table, sweep.forecast).data if t.showlegend]
    assert default[1 : 1 + HIGHLIGHTED] == [f"run-{i}" for i in range(30, 36)]


def test_unknown_run_is_named(sweep: Any) -> None:
    with pytest.raises(UsageError, match="no run 'nobody' in this forecast of 50 runs"):
        plot.curves(sweep.table, sweep.forecast, runs=["nobody"])


def test_diverged_run_has_a_cross_and_no_fan(odd_sweep: Any) -> None:
    figure = plot.curves(odd_sweep.table, odd_sweep.forecast, runs=odd_sweep.forecast.run_ids)
    observed, cross = _named(figure, "blown")
    assert observed.x.tolist() == [1, 2]
    assert cross.marker.symbol == "x" and "diverged at epoch 3" in cross.hovertemplate
    assert len(_named(figure, "done")) == 1  # nothing to forecast, nothing to mark
    assert [trace.name for trace in figure.data if trace.showlegend][:5] == list(odd_sweep.forecast.run_ids)


def test_many_others_are_cut_and_counted(sweep: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lcode.plot.fan.BACKGROUND", 10)
    figure = plot.curves(sweep.table, sweep.forecast)
    assert figure.data[0].name == "10 of 44 other runs"
    assert len(set(figure.data[0].text)) == 10


def test_run_without_a_point_has_a_fan_from_its_first_epoch(odd_sweep: Any) -> None:
    i = odd_sweep.forecast.run_ids.index("silent")
    quantiles = odd_sweep.forecast.quantiles.copy()
    quantiles[i] = np.linspace(0, 1, len(LEVELS))
    forecast = dataclasses.replace(odd_sweep.forecast, quantiles=quantiles)
    figure = plot.curves(odd_sweep.table, forecast, runs=["silent"])
    outer, _, median, observed = _named(figure, "silent")
    assert median.x.tolist() == list(range(1, 21)) and not len(observed.x)
    assert outer.y.max() == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize("name", ["last", "drift"])
def test_one_run_alone(make_case: Callable[..., Any], name: str) -> None:
    case = make_case(["only"], {"only": 3}, name=name)
    figure = plot.curves(case.table, case.forecast, truth=case.truth)
    assert len(_named(figure, "only")) == 6
    assert len(plot.ranking(case.ranking).data) == 2
    assert "1 run<" in plot.calibration(case.forecast, case.truth).layout.annotations[0].text


def test_horizon_alone_gives_a_straight_fan(sweep: Any) -> None:
    figure = plot.curves(sweep.table, sweep.forecast.final(), runs=["run-30"])
    assert _named(figure, "run-30")[2].x.tolist() == [5, 20]


def test_ranking_is_best_first_and_coloured_by_action(sweep: Any) -> None:
    figure = plot.ranking(sweep.ranking)
    drawn = {int(y): x for trace in figure.data for x, y in zip(trace.x, trace.y, strict=True)}
    assert [drawn[i] for i in sorted(drawn)] == sweep.ranking.score[:40].tolist()
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]  # rank 1 on top
    assert figure.layout.annotations[0].text == "<b>best 40 of 50 runs</b>"
    assert [trace.marker.symbol for trace in figure.data] == ["circle", "x"]
    bars = figure.data[0].error_x
    best = np.flatnonzero(np.array(sweep.ranking.action[:40]) == "continue")
    np.testing.assert_allclose(figure.data[0].x + bars.array, sweep.ranking.score_q95[best])
    np.testing.assert_allclose(figure.data[0].x - bars.arrayminus, sweep.ranking.score_q05[best])


def test_ranking_counts_runs_without_a_score(odd_sweep: Any) -> None:
    figure = plot.ranking(odd_sweep.ranking)
    scored = int(np.isfinite(odd_sweep.ranking.score).sum())
    assert scored < 5
    assert sum(len(trace.x) for trace in figure.data) == scored
    assert f"best {scored} of 5 runs" in figure.layout.annotations[0].text


def test_predicted_against_true_states_tau_of_the_open_runs(sweep: Any) -> None:
    figure = plot.calibration(sweep.forecast, sweep.truth)
    points = _named(figure, "run: median and 5–95 % interval")[0]
    assert len(points.x) == 20
    row = list(points.text).index("run-40")
    assert points.x[row] == sweep.truth.curve("run-40", "seg/miou").values[-1]
    true_order = np.sign(np.subtract.outer(points.x, points.x))
    predicted_order = np.sign(np.subtract.outer(points.y, points.y))
    tau = (true_order * predicted_order).sum() / (20 * 19)
    assert f"τ = {tau:.2f}, 20 runs" in figure.layout.annotations[0].text
    assert figure.layout.xaxis.range == figure.layout.yaxis.range


def test_truth_may_lack_runs_and_ends(sweep: Any) -> None:
    some = sweep.truth.select(["run-35", "run-36", "run-37"]).prefix({"run-37": 12})
    figure = plot.calibration(sweep.forecast, some)
    assert "2 runs" in figure.layout.annotations[0].text
    nothing = plot.calibration(sweep.forecast, sweep.table)
    assert not nothing.data and nothing.layout.annotations[0].text == "<b>seg/miou: 0 runs</b>"
    fans = plot.curves(sweep.table, sweep.forecast, truth=some, runs=["run-37", "run-38"])
    assert len(_named(fans, "run-37")) == 6 and len(_named(fans, "run-38")) == 5


def test_names_are_literal_in_figures(make_case: Callable[..., Any]) -> None:
    hostile = "<b>bold</b> %{y} $x$ <a href='x'>"
    case = make_case([hostile, "other"], {hostile: 4}, objective="mean")
    metrics = (dataclasses.replace(case.forecast.metrics[0], name="m<i>iou"), *case.forecast.metrics[1:])
    forecast = dataclasses.replace(case.forecast, metrics=metrics)
    table = dataclasses.replace(case.table, metrics=metrics)
    table = dataclasses.replace(table, points=table.points.assign(metric=table.points["metric"].cat.rename_categories(
        [metric.key for metric in metrics]
    )))  # fmt: skip
    for figure in (
        plot.curves(table, forecast),
        plot.ranking(case.ranking),
        plot.calibration(forecast, table),
    ):
        text = figure.to_json().replace("\\u003c", "<").replace("\\u003e", ">").replace("\\u002f", "/")
        assert "<b>bold" not in text and "<a" not in text and "<i>" not in text and "$x$" not in text
        assert not any("%{y} " in (trace.hovertemplate or "") for trace in figure.data)


def _replay(saved: float, regret: float) -> Replay:
    return Replay((), round(1000 * (1 - saved)), 1000, {}, None, regret, ())


def test_savings_have_one_point_per_policy() -> None:
    figure = plot.savings(
        {"forecast": [_replay(0.5, 0.0), _replay(0.7, 1.0)], "<none>": [_replay(0.0, 0.0)]}, unit="Δm %"
    )
    first, second = figure.data
    assert first.x[0] == pytest.approx(60) and first.y[0] == pytest.approx(0.5)
    assert first.error_x.array[0] == pytest.approx(10) and first.error_y.arrayminus[0] == pytest.approx(0.5)
    assert second.name == "&lt;none&gt;" and second.marker.symbol != first.marker.symbol
    assert figure.layout.yaxis.title.text == "regret (Δm %)"


def test_savings_without_a_known_regret() -> None:
    figure = plot.savings({"forecast": [_replay(0.5, float("nan"))]})
    assert figure.layout.yaxis.range[1] > 0


def test_levels_hold_the_bands() -> None:
    assert {0.05, 0.25, 0.5, 0.75, 0.95} <= set(LEVELS.round(2))


FIGURES: Any = plot  # to which anything may be given
REFUSED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "curves, swapped": (
        lambda case: FIGURES.curves(case.forecast, case.table),
        "table is of type Forecast; give a table",
    ),
    "curves of no forecast": (
        lambda case: FIGURES.curves(case.table, case.table),
        "forecast is of type RunTable; give a ",
    ),
    "truth": (
        lambda case: FIGURES.curves(case.table, case.forecast, truth="logs"),
        "truth is 'logs' .str.; give a table",
    ),
    "one run": (lambda case: FIGURES.curves(case.table, case.forecast, runs="a"), "runs is 'a' .str.; give the names"),
    "ranking": (lambda case: FIGURES.ranking(case.forecast), "order is of type Forecast; give a ranking"),
    "stopping": (lambda case: FIGURES.stopping(case.forecast), "order is of type Forecast; give a ranking"),
    "calibration": (
        lambda case: FIGURES.calibration(case.table, case.table),
        "forecast is of type RunTable; give a forecast",
    ),
    "no truth": (lambda case: FIGURES.calibration(case.forecast, None), "truth is None .NoneType.; give a table"),
    "pareto": (lambda case: FIGURES.pareto(case.table), "forecast is of type RunTable; "),
    "seed": (lambda case: FIGURES.pareto(case.forecast, seed=-1), "seed is -1; it must be a whole number"),
    "replays": (lambda case: FIGURES.savings([_replay(0.5, 0.0)]), "replays is .*; give replays by the policy's name"),
    "no replay": (lambda case: FIGURES.savings({"lcode": []}), r"replays\['lcode'\] is \[\] .list.; give replays"),
    "one replay": (
        lambda case: FIGURES.savings({"lcode": _replay(0.5, 0.0)}),
        r"replays\['lcode'\] is .*; give replays",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_nothing_to_draw_is_refused(sweep: Any, what: str) -> None:
    draw, message = REFUSED[what]
    with pytest.raises(UsageError, match=message):
        draw(sweep)
