from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import norm, spearmanr

from lcode.curves.arrays import curve_arrays
from lcode.decisions import FinalValue, final_values, rank
from lcode.decisions.final import HORIZON, path_places
from lcode.errors import UsageError
from lcode.forecast import LEVELS, Forecast, query_epochs
from lcode.forecasters.assemble import assemble
from lcode.table import Metric, RunTable

METRICS = (Metric("seg", "miou", "max"), Metric("depth", "abs_err", "min"))
BEST, LAST3 = FinalValue.parse("best"), FinalValue.parse("last:3")


def table(curves: Mapping[str, list[float]], *, horizon: int = 6, epochs: list[int] | None = None) -> RunTable:
    """Runs whose seg/miou is as given from epoch 1 (or at `epochs`), and whose depth/abs_err is 1 less that."""
    rows = [
        (run, epoch, metric.key, value)
        for run, curve in curves.items()
        for epoch, seg in zip(epochs or range(1, 100), curve, strict=False)
        for metric, value in zip(METRICS, (seg, 1 - seg), strict=True)
    ]
    points = pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"])
    return RunTable.from_points(points, METRICS, runs=pd.DataFrame({"horizon": horizon}, index=list(curves)))


def band(seen: RunTable, width: float = 0.1, at: str = "full", persistence: float = 0.8) -> Forecast:
    """The last value of each curve, normally distributed around it."""
    arrays, epochs = curve_arrays(seen), query_epochs(seen, "full" if at == "full" else "horizon")
    spread = width * norm.ppf(LEVELS)
    values = np.broadcast_to(arrays.last_values[..., None, None] + spread, (*arrays.lengths.shape, epochs.shape[1], 21))
    return assemble(seen, arrays, epochs, values, persistence=persistence)


def quantiles(final: FinalValue, seen: RunTable, **options: float) -> NDArray[np.float64]:
    return final.of_forecast(band(seen, **options), seen).quantiles[:, :, 0]  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "window"), [("horizon", 1), ("last:1", 1), ("last:12", 12), ("best", None)])
def test_what_may_be_asked_for(text: str, window: int | None) -> None:
    assert FinalValue.parse(text) == FinalValue(window) == FinalValue.parse(FinalValue(window))


@pytest.mark.parametrize("text", ["", "first", "last", "last:", "last:0", "last:-2", "last:x", "best:2", "horizon:1"])
def test_anything_else_names_the_allowed_forms(text: str) -> None:
    with pytest.raises(UsageError, match=f"no final value '{text}'; there are: horizon, best, last:5"):
        FinalValue.parse(text)


def test_measured_final_values_by_hand() -> None:
    runs = table({"a": [0.1, 0.5, 0.4, 0.3, 0.2, 0.3], "b": [0.1, 0.2, np.nan], "c": []})
    for final, seg in ((HORIZON, 0.3), (BEST, 0.5), (LAST3, (0.3 + 0.2 + 0.3) / 3)):
        np.testing.assert_allclose(final.of_table(runs)[0], [seg, 1 - seg])
        assert np.isnan(final.of_table(runs)[1:]).all()
    np.testing.assert_array_equal(final_values(runs), HORIZON.of_table(runs))


def test_the_last_epochs_of_a_curve_with_gaps_are_those_before_its_last_point() -> None:
    runs = table({"a": [0.1, 0.2, 0.4]}, horizon=9, epochs=[1, 7, 9])
    assert LAST3.of_table(runs)[0, 0] == pytest.approx((0.2 + 0.4) / 2)


def test_a_finished_run_ends_as_measured_and_a_diverged_one_with_nothing() -> None:
    runs = table({"a": [0.1, 0.5, 0.4, 0.3, 0.2, 0.3], "b": [0.1, 0.9, np.nan]})
    for final in (HORIZON, BEST, LAST3):
        found = quantiles(final, runs)
        np.testing.assert_allclose(found[0], np.repeat(final.of_table(runs)[0][:, None], 21, axis=1))
        assert np.isnan(found[1]).all()


def test_the_mean_joins_what_was_seen_with_what_is_to_come() -> None:
    seen = table({"a": [0.0, 0.0, 0.0, 0.9, 0.3]})
    found = quantiles(LAST3, seen, width=0.0)
    np.testing.assert_allclose(found[0, 0], (0.9 + 0.3 + 0.3) / 3)
    np.testing.assert_allclose(found[0, 1], (0.1 + 0.7 + 0.7) / 3)


def test_the_best_of_a_certain_future_is_the_best_seen_or_still_to_come() -> None:
    seen = table({"past": [0.8, 0.4], "now": [0.2, 0.4]})
    assert quantiles(BEST, seen, width=0.0)[:, 0, 10] == pytest.approx([0.8, 0.4])


def test_the_more_epochs_hang_together_the_less_their_best_gains() -> None:
    seen = table({"a": [0.5]}, horizon=40)
    medians = [quantiles(BEST, seen, persistence=p)[0, 0, 10] for p in (0.0, 0.5, 0.9, 1.0)]
    assert medians == sorted(medians, reverse=True)
    # Independent normal values: the median of the best of 39 is at the level 0.5^(1/39).
    assert medians[0] == pytest.approx(0.5 + 0.1 * norm.ppf(0.5 ** (1 / 39)), abs=0.01)
    assert medians[-1] == pytest.approx(0.5, abs=1e-3)


def test_paths_have_the_forecasts_persistence_on_average() -> None:
    for persistence in (0.3, 0.7):
        places = path_places(np.arange(1, 41), persistence)
        levels = np.interp(places, np.arange(len(LEVELS)), LEVELS)
        correlation = spearmanr(levels.T).statistic
        mean = correlation[np.triu_indices(40, 1)].mean()
        assert mean == pytest.approx(persistence, abs=0.06)


def test_a_runs_final_value_does_not_depend_on_the_others() -> None:
    seen = table({"a": [0.1, 0.2], "b": [0.3], "c": [0.1, 0.5, 0.2, 0.2]}, horizon=12)
    together = quantiles(BEST, seen)
    for i, run in enumerate(seen.run_ids):
        np.testing.assert_array_equal(quantiles(BEST, seen.select([run]))[0], together[i])


def test_of_a_far_horizon_the_grid_is_enough() -> None:
    seen = table({"a": [0.1, 0.2], "b": [0.3]}, horizon=10**9)
    assert (quantiles(BEST, seen)[:, 0, 10] >= [0.2, 0.3]).all()
    assert np.isfinite(quantiles(LAST3, seen)).all()


def test_the_last_epochs_are_those_of_the_user() -> None:
    whole = table({"a": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]})
    half = replace(whole, epoch_unit=0.5)  # epochs 0.5 to 3
    assert LAST3.of_table(half)[0, 0] == pytest.approx(0.35) and LAST3.of_table(whole)[0, 0] == pytest.approx(0.5)


def test_the_value_at_the_horizon_is_one_value_where_an_epoch_is_evaluated_often() -> None:
    tenths = replace(table({"a": [0.1, 0.5, 0.9]}), epoch_unit=0.1)
    assert HORIZON.of_table(tenths)[0].tolist() == pytest.approx([0.9, 0.1])


def test_what_lies_after_the_forecasts_last_epoch_is_not_looked_at() -> None:
    whole = table({"a": [0.1, 0.2, 0.9, 0.9, 0.9, 0.9]})
    seen = whole.prefix(2)
    for final in (BEST, LAST3):
        late = final.of_forecast(band(seen), whole)
        np.testing.assert_array_equal(late.quantiles, final.of_forecast(band(seen), seen).quantiles)


def test_missing_epochs_runs_or_tables_are_named() -> None:
    seen = table({"a": [0.1, 0.2]})
    with pytest.raises(UsageError, match=r"best value .* run 'a' lacks some of 3 to 6: .*predict\(table, 'full'\)"):
        BEST.of_forecast(band(seen, at="horizon"), seen)
    with pytest.raises(UsageError, match="run 'a' lacks some of 4 to 6"):
        LAST3.of_forecast(band(seen, at="horizon"), seen)
    with pytest.raises(UsageError, match="give the table that the forecast was made from"):
        LAST3.of_forecast(band(seen))
    with pytest.raises(UsageError, match="no run 'a' in this table"):
        BEST.of_forecast(band(seen), table({"b": [0.1]}))


curves = st.lists(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12), min_size=1, max_size=4)


@settings(max_examples=40, deadline=None)
@given(curves=curves, width=st.floats(0.0, 1.0), window=st.integers(2, 15))
def test_final_values_keep_their_order(curves: list[list[float]], width: float, window: int) -> None:
    seen = table({f"r{i}": curve for i, curve in enumerate(curves)}, horizon=12)
    forecast = band(seen, width)
    best = BEST.of_forecast(forecast, seen)
    mean = FinalValue(window).of_forecast(forecast, seen)
    last = FinalValue.parse("last:1").of_forecast(forecast, seen)
    np.testing.assert_array_equal(last.quantiles, forecast.final().quantiles)
    so_far, signs = BEST.of_table(seen), np.array([metric.sign for metric in METRICS])[:, None]
    for final in (best, mean):
        assert (np.diff(final.quantiles, axis=-1) >= -1e-12).all()
        assert final.epochs.shape == (len(seen), 1) and final.run_ids == seen.run_ids
    gain = signs * (best.quantiles[:, :, 0] - so_far[..., None])
    assert (gain >= -1e-9).all()
    # No mean of a curve, and no single value, is better than its best one.
    for final in (mean, last):
        middle = signs[:, 0] * (best.quantile(0.5) - final.quantile(0.5))[..., 0]
        assert (middle >= -1e-9 - 0.02 * width).all()


def test_a_ranking_by_the_best_value_puts_a_run_with_a_good_past_first() -> None:
    runs = table({"past": [0.2, 0.8, 0.4], "now": [0.2, 0.4, 0.5], "over": [0.1, 0.1, 0.1, 0.6, 0.1, 0.1]})
    forecast, baseline = band(runs, 0.01), {"seg/miou": 0.5, "depth/abs_err": 0.5}
    by = {final: rank(forecast, table=runs, baseline=baseline, final=final) for final in ("horizon", "best", "last:1")}
    assert by["horizon"].runs == ("now", "past", "over")
    assert by["best"].runs == ("past", "over", "now")
    pd.testing.assert_frame_equal(by["last:1"].to_frame(), by["horizon"].to_frame())
    assert by["best"].score[1] == pytest.approx(20, abs=0.01)  # 0.6 and 0.4 against 0.5: 20 % each
    assert "final value: the best value of each metric's curve" in by["best"].notes
    assert not any("final value:" in note for note in by["last:1"].notes)
    with pytest.raises(UsageError, match="no final value 'last'"):
        rank(forecast, table=runs, final="last")


def test_references_are_final_values_of_the_same_kind() -> None:
    runs = table({"over": [0.1, 0.1, 0.8, 0.6, 0.4, 0.4], "now": [0.2, 0.8]})
    ranking = rank(band(runs, 0.0), table=runs, final="best")
    assert ranking.score.tolist() == pytest.approx([0, 0])
    assert ranking.notes[0].startswith("Δm: mean relative gain over the median final value of 1 runs")
