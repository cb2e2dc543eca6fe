from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lcode.decisions import rank
from lcode.forecast import LEVELS, Forecast
from lcode.report.cells import run_rows
from lcode.table import Metric, RunTable

METRICS = (Metric("seg", "miou", "max"), Metric("depth", "abs_err", "min"))
BASELINE = {"seg/miou": 0.5, "depth/abs_err": 1.0}
COLUMNS = ["run", "rank", "score", "score_q05", "score_q95", "p_best", "p_top_10pct", "action"]


def forecast(medians: list[float], widths: list[float] | float = 0.05, status: list[str] | None = None) -> Forecast:
    """Runs whose tasks are both as good as `medians`, uniform with half-width `widths`."""
    runs = len(medians)
    centre, width = np.array(medians), np.broadcast_to(np.array(widths, dtype=float), (runs,))
    seg = centre[:, None] + np.outer(width, 2 * LEVELS - 1)
    depth = 1.5 - centre[:, None] + np.outer(width, 2 * LEVELS - 1)
    state = np.array(status or ["ok"] * runs, dtype="<U9")[:, None].repeat(2, axis=1)
    quantiles = np.where((state == "diverged")[..., None], np.nan, np.stack([seg, depth], axis=1))
    return Forecast(
        run_ids=tuple(f"r{i:02d}" for i in range(runs)),
        metrics=METRICS,
        epochs=np.full((runs, 1), 20),
        quantiles=quantiles[:, :, None],
        status=state,
        observed=np.full((runs, 2), 5),
        horizons=np.full(runs, 20),
    )


def shuffled(whole: Forecast, order: list[int]) -> Forecast:
    return Forecast(
        tuple(whole.run_ids[i] for i in order),
        whole.metrics,
        whole.epochs[order],
        whole.quantiles[order],
        whole.status[order],
        whole.observed[order],
        whole.horizons[order],
    )


def test_clear_cut_runs_are_ordered_best_first() -> None:
    frame = rank(forecast([0.4, 0.9, 0.6], 0.01), baseline=BASELINE).to_frame()
    assert list(frame.columns) == COLUMNS
    assert frame["run"].tolist() == ["r01", "r02", "r00"]
    assert frame["rank"].tolist() == [1, 2, 3]
    assert frame["p_best"].tolist() == [1, 0, 0]
    assert frame["p_top_10pct"].tolist() == [1, 0, 0]
    assert frame["action"].tolist() == ["continue", "stop", "stop"]
    # Δm of r01: (0.9 - 0.5)/0.5 = 80 %, (1 - 0.6)/1 = 40 %
    assert frame["score"][0] == pytest.approx(60, abs=0.5)
    assert (frame["score_q05"] <= frame["score"]).all() and (frame["score"] <= frame["score_q95"]).all()


def test_runs_that_tie_share_the_places_in_the_top_tenth() -> None:
    frame = rank(forecast([0.5] * 20, 0.0), baseline=BASELINE).to_frame()
    assert frame["p_top_10pct"].tolist() == pytest.approx([0.1] * 20)
    frame = rank(forecast([0.9] + [0.5] * 19, 0.0), baseline=BASELINE).to_frame()
    assert frame["p_top_10pct"].tolist() == pytest.approx([1.0] + [1 / 19] * 19)


def test_diverged_runs_come_last_and_stop_and_none_is_dropped() -> None:
    ranking = rank(forecast([0.4, 0.9, 0.6], status=["ok", "diverged", "too_short"]), baseline=BASELINE)
    assert ranking.runs == ("r02", "r00", "r01")
    assert np.isnan(ranking.score[2]) and ranking.action[2] == "stop"
    assert ranking.p_best[2] == ranking.p_top_10pct[2] == 0


def test_a_run_without_a_forecast_of_every_task_is_not_stopped_for_it() -> None:
    whole = forecast([0.4, 0.9], status=["too_short", "ok"])
    whole.quantiles[0, 0] = np.nan
    ranking = rank(whole, baseline=BASELINE)
    assert ranking.runs == ("r01", "r00")
    assert ranking.action == ("continue", "continue") and np.isnan(ranking.score[1])


def lost_depth(whole: Forecast, runs: list[int]) -> Forecast:
    """The forecast with the depth of these runs diverged."""
    whole.quantiles[runs, 1], whole.status[runs, 1] = np.nan, "diverged"
    return whole


@pytest.mark.parametrize("baseline", [BASELINE, None])
def test_a_metric_lost_in_every_run_is_left_out_and_stops_nobody(baseline: dict[str, float] | None) -> None:
    whole = lost_depth(forecast([0.60, 0.64, 0.62], 0.2, status=["finished", "ok", "ok"]), [0, 1, 2])
    ranking = rank(whole, baseline=baseline)
    assert ranking.runs == ("r01", "r02", "r00") and np.isfinite(ranking.score).all()
    assert ranking.action == ("continue",) * 3
    assert any("left out of the score" in note and "depth/abs_err" in note for note in ranking.notes)


def test_a_metric_lost_in_the_finished_runs_alone_counts_for_the_others() -> None:
    ranking = rank(lost_depth(forecast([0.9, 0.5, 0.6], 0.2, status=["finished", "ok", "ok"]), [0]))
    assert ranking.runs == ("r02", "r01", "r00") and np.isnan(ranking.score[2])
    assert ranking.action == ("continue", "continue", "stop")
    assert not any("left out" in note for note in ranking.notes)


def test_all_diverged() -> None:
    frame = rank(forecast([0.4, 0.9], status=["diverged"] * 2), baseline=BASELINE).to_frame()
    assert frame["action"].tolist() == ["stop", "stop"]
    assert frame["p_best"].sum() == 0


def test_equal_runs_share_the_probability_to_be_best() -> None:
    ranking = rank(forecast([0.6, 0.6], 0.0), baseline=BASELINE)
    assert ranking.p_best.tolist() == [0.5, 0.5]
    assert ranking.runs == ("r00", "r01")


def test_runs_that_are_forecast_alike_are_told_alike_in_the_order_of_their_names() -> None:
    whole = forecast([0.5, 0.6, 0.6, 0.7, 0.6, 0.6], [0.1, 0.1, 0.1, 0.2, 0.1, 0.1])
    correlation = np.broadcast_to([[1, 0.5], [0.5, 1]], (6, 2, 2)).copy()
    # The last digits of a forecast depend on its place in a batch.
    quantiles = whole.quantiles * (1 + np.array([0, 0, 1, 0, 2, -1])[:, None, None, None] * 1e-16)
    frame = rank(replace(whole, quantiles=quantiles, correlation=correlation), baseline=BASELINE).to_frame()
    assert frame["run"].tolist() == ["r03", "r01", "r02", "r04", "r05", "r00"]
    for column in ("score", "score_q05", "score_q95", "p_best", "p_top_10pct"):
        assert np.ptp(frame[column][1:5]) < 1e-9, column
    assert frame["p_best"].sum() == pytest.approx(1) and frame["p_best"][1] > 0


def test_the_score_of_one_metric_has_the_quantiles_of_its_forecast() -> None:
    whole = forecast([0.4, 0.6], 0.1)
    frame = rank(whole, lambda values, metrics: values[..., 0]).to_frame().set_index("run")
    exact = [whole.quantile(level)[:, 0, 0] for level in (0.5, 0.05, 0.95)]
    np.testing.assert_allclose(frame.loc[["r00", "r01"], ["score", "score_q05", "score_q95"]], np.transpose(exact))


def test_finished_runs_continue_and_set_the_incumbent() -> None:
    medians = [0.9, 0.85, *[0.4] * 18]
    done = ["finished", *["ok"] * 19]
    ranking = rank(forecast(medians, [0.0, 0.01, *[0.01] * 18], done), baseline=BASELINE)
    action = dict(zip(ranking.runs, ranking.action, strict=True))
    assert action["r00"] == "continue"
    assert action["r01"] == "continue"  # one of the top two of twenty
    assert all(action[f"r{i:02d}"] == "stop" for i in range(2, 20))
    worst = rank(forecast([0.4, 0.9], 0.01, ["finished", "ok"]), baseline=BASELINE)
    assert worst.runs[-1] == "r00" and worst.action[-1] == "continue"


def test_a_run_that_may_beat_the_given_incumbent_goes_on() -> None:
    whole = forecast([0.9, 0.6], 0.01)
    assert rank(whole, baseline=BASELINE).action == ("continue", "stop")
    assert rank(whole, baseline=BASELINE, incumbent=0.0).action == ("continue", "continue")


def test_references_come_from_the_finished_runs_of_the_table() -> None:
    points = pd.DataFrame(
        [
            (f"r{i:02d}", epoch, metric.key, value)
            for i in range(3)
            for epoch in range(1, 21 if i < 2 else 6)
            for metric, value in zip(METRICS, (0.5, 1.0), strict=True)
        ],
        columns=["run", "epoch", "metric", "value"],
    )
    table = RunTable.from_points(points, METRICS)
    assert table.runs["status"].tolist() == ["finished", "finished", "running"]
    ranking = rank(forecast([0.5, 0.5, 0.9], 0.0), table=table)
    assert ranking.runs[0] == "r02"
    assert ranking.score[0] == pytest.approx(60)
    assert any("median final value of 2 runs" in note for note in ranking.notes)


@pytest.mark.parametrize("status", ["stopped", "failed"])
def test_a_run_that_will_end_nowhere_is_no_rival(status: str) -> None:
    points = pd.DataFrame(
        [(f"r{i:02d}", epoch, m.key, 0.5) for i in range(3) for epoch in range(1, 6) for m in METRICS],
        columns=["run", "epoch", "metric", "value"],
    )
    states = pd.DataFrame({"horizon": 20, "status": ["running", "running", status]}, index=["r00", "r01", "r02"])
    ranking = rank(
        forecast([0.6, 0.4, 0.9], 0.01), baseline=BASELINE, table=RunTable.from_points(points, METRICS, runs=states)
    )
    assert ranking.runs == ("r02", "r00", "r01")
    assert ranking.p_best.tolist() == [0, 1, 0] and ranking.p_top_10pct.tolist() == [0, 1, 0]
    assert ranking.action[1:] == ("continue", "stop")
    over = states.assign(status=status)
    ranking = rank(
        forecast([0.6, 0.4, 0.9], 0.01), baseline=BASELINE, table=RunTable.from_points(points, METRICS, runs=over)
    )
    assert ranking.p_best.tolist() == [1, 0, 0]  # nobody is left: who would have ended best


def test_without_a_finished_run_the_forecasts_set_the_references() -> None:
    ranking = rank(forecast([0.4, 0.5, 0.6], 0.0))
    assert ranking.score[1] == pytest.approx(0)
    assert rank(forecast([0.4, 0.5, 0.6], 0.0), "worst").runs == ("r02", "r01", "r00")


def test_little_evidence_is_said_and_changes_nothing() -> None:
    whole = forecast([0.4, 0.9, 0.6, 0.5], status=["ok", "ok", "diverged", "finished"])
    plenty = rank(whole, baseline=BASELINE)
    assert not any("has finished" in note or "seen up to" in note for note in plenty.notes)
    early = replace(whole, observed=np.array([[5, 1], [1, -1], [0, 0], [1, 1]]))
    barely = rank(early, baseline=BASELINE)
    assert any(note.startswith("1 of 4 runs were seen up to epoch 1 at most") for note in barely.notes)
    pd.testing.assert_frame_equal(barely.to_frame(), plenty.to_frame())
    nothing = rank(replace(whole, observed=np.array([[5, 1], [-1, -1], [0, 0], [1, 1]])), baseline=BASELINE)
    assert any(note.startswith("1 candidate not begun") for note in nothing.notes)
    assert not any("seen up to" in note for note in nothing.notes)
    assert any(note.startswith("no run has finished") for note in rank(forecast([0.4, 0.9]), baseline=BASELINE).notes)


@settings(max_examples=25, deadline=None)
@given(data=st.data(), medians=st.lists(st.floats(0.2, 0.9), min_size=1, max_size=12))
def test_the_ranking_is_a_permutation_that_does_not_depend_on_the_given_order(
    data: st.DataObject, medians: list[float]
) -> None:
    runs = len(medians)
    status = data.draw(st.lists(st.sampled_from(["ok", "ok", "diverged", "too_short"]), min_size=runs, max_size=runs))
    order = data.draw(st.permutations(range(runs)))
    whole = forecast(medians, 0.1, status)
    ranking = rank(whole, baseline=BASELINE, n_samples=64)
    assert sorted(ranking.runs) == sorted(whole.run_ids)
    if any(state != "diverged" for state in status):
        assert ranking.p_best.sum() == pytest.approx(1)
        assert ranking.p_top_10pct.sum() >= 1 - 1e-9
    again = rank(shuffled(whole, list(order)), baseline=BASELINE, n_samples=64)
    pd.testing.assert_frame_equal(again.to_frame(), ranking.to_frame())


def test_a_drop_is_told_as_papers_print_it_and_changes_nothing_else() -> None:
    whole = forecast([0.4, 0.9, 0.6])
    gain, drop = (rank(whole, spec, baseline=BASELINE) for spec in ("delta_m", "delta_m:drop"))
    assert drop.runs == gain.runs and drop.action == gain.action
    np.testing.assert_allclose(drop.score, -gain.score)
    np.testing.assert_allclose(drop.score_q05, -gain.score_q95)
    np.testing.assert_array_equal(drop.p_best, gain.p_best)
    assert (np.diff(drop.score) > 0).all()
    assert gain.score_title == "score (Δm %)" and drop.score_title == "score (Δm drop % ↓)"


def test_the_mean_rank_is_the_expected_one_among_all_runs() -> None:
    ranking = rank(forecast([0.4, 0.9, 0.6, 0.9], [0.01, 0.01, 0.01, 0.01]), "mean_rank")
    assert ranking.runs == ("r01", "r03", "r02", "r00")
    # Both metrics of the two best are a coin's toss.
    np.testing.assert_allclose(ranking.score, [1.5, 1.5, 3, 4], atol=0.08)
    assert ranking.p_best[:2] == pytest.approx([0.5, 0.5], abs=0.05)
    assert ranking.action == ("continue", "continue", "stop", "stop")


def front_forecast(status: list[str] | None = None) -> Forecast:
    """Three runs good in one task each or both halfway, and a fourth that the third dominates."""
    whole = forecast([0.5] * 4, 0.01, status)
    ends = np.array([[0.9, 0.9], [0.1, 0.1], [0.5, 0.5], [0.4, 0.6]])  # miou and error
    whole.quantiles[:] = ends[:, :, None, None] + 0.01 * (2 * LEVELS - 1)
    return whole


def test_whoever_may_end_on_the_front_goes_on() -> None:
    ranking = rank(front_forecast(), "pareto")
    assert ranking.score.tolist() == [1, 1, 1, 0] and ranking.runs[3] == "r03"
    np.testing.assert_array_equal(ranking.score_q05, ranking.score)
    assert ranking.action == ("continue", "continue", "continue", "stop")
    volume = rank(front_forecast(), "hypervolume")
    assert volume.runs[0] == "r02" and volume.score[0] > 0


def test_a_stopped_run_takes_no_place_on_the_front() -> None:
    whole = front_forecast()
    runs = pd.DataFrame({"horizon": 20, "status": ["running", "running", "stopped", "running"]}, index=whole.run_ids)
    points = pd.DataFrame({"run": [], "epoch": [], "metric": [], "value": []})
    table = RunTable.from_points(points, METRICS, runs=runs)
    ranking = rank(whole, "pareto", table=table)
    assert ranking.score[:3].tolist() == [1, 1, 1] and np.isnan(ranking.score[3])
    assert ranking.runs[3] == "r02" and ranking.action == ("continue", "continue", "continue", "stop")


def test_constraints_enter_the_order_the_probabilities_and_the_action() -> None:
    # Errors are 1.5 − median ± 0.05: 0.6, 0.85 (feasible in half of the samples) and 1.1.
    whole = forecast([0.9, 0.65, 0.4])
    plain = rank(whole, baseline=BASELINE)
    assert "p_feasible" not in plain.to_frame() and plain.p_feasible is None
    ranking = rank(whole, baseline=BASELINE, constraints=["depth/abs_err>=0.85"])
    frame = ranking.to_frame().set_index("run")
    assert list(frame.columns) == [*COLUMNS[1:], "p_feasible"]
    np.testing.assert_allclose(frame["p_feasible"][["r00", "r01", "r02"]], [0, 0.5, 1], atol=0.01)
    assert ranking.runs[-1] == "r00"
    assert frame["action"].to_dict() == {"r00": "stop", "r01": "continue", "r02": "continue"}
    np.testing.assert_allclose(frame["p_best"][["r00", "r01", "r02"]], [0, 0.5, 0.5], atol=0.01)
    # The scores are what they were.
    np.testing.assert_allclose(frame["score"][list(plain.runs)], plain.score)
    assert ranking.stopping is not None and np.isfinite(ranking.stopping.regret[:-1]).all()


def test_where_nothing_is_feasible_nobody_is_best() -> None:
    ranking = rank(forecast([0.9, 0.65]), baseline=BASELINE, constraints=["depth/abs_err<=0.1"])
    assert ranking.p_best.tolist() == [0, 0] and ranking.action == ("stop", "stop")
    assert ranking.p_feasible is not None and ranking.p_feasible.tolist() == [0, 0]


def test_an_infeasible_finished_run_is_no_incumbent() -> None:
    whole = forecast([0.9, 0.65], [0.0, 0.05], ["finished", "ok"])
    assert rank(whole, baseline=BASELINE).action == ("continue", "stop")
    assert rank(whole, baseline=BASELINE, constraints=["depth/abs_err>=0.7"]).runs == ("r01", "r00")
    assert rank(whole, baseline=BASELINE, constraints=["depth/abs_err>=0.7"]).action == ("continue", "continue")


def test_what_a_finished_run_never_measured_is_told_of_and_marked() -> None:
    known = forecast([0.6, 0.5, 0.4], [0.05, 0.0, 0.0], status=["finished", "finished", "ok"])
    known = replace(known, observed=np.array([[20, -1], [20, 20], [5, -1]]))
    ranking = rank(known, baseline=BASELINE)
    (told,) = (note for note in ranking.notes if "finished without" in note)
    assert told.startswith("r00 finished without depth/abs_err: what is shown of it (~) is a forecast")
    _, rows = run_rows(known, ranking)
    cells = {row.run: row.cells[1:3] for row in rows}
    assert cells["r00"][1].startswith("~0.9") and not any(cell.startswith("~") for cell in cells["r01"] + cells["r02"])
    assert not any("finished without" in note for note in rank(replace(known, observed=np.full((3, 2), 20))).notes)


def test_references_say_of_how_many_runs_they_are() -> None:
    known = forecast([0.6, 0.5, 0.4], 0.0, status=["finished"] * 3)
    quantiles = known.quantiles.copy()
    quantiles[0, 1] = np.nan
    assert "the median final value of 3 runs" in " ".join(rank(known).notes)
    assert "the median final value of 2 to 3 runs" in " ".join(rank(replace(known, quantiles=quantiles)).notes)


def test_a_bound_that_nobody_keeps_is_doubted() -> None:
    known = forecast([0.6, 0.5], 0.01)
    doubted = rank(known, baseline=BASELINE, constraints=["depth/abs_err<=0.0001"])
    assert any("no run is likely to keep depth/abs_err ≤ 0.0001: the best chance is 0" in one for one in doubted.notes)
    kept = rank(known, baseline=BASELINE, constraints=["depth/abs_err<=0.95"])
    assert not any("is likely to keep" in note for note in kept.notes)
