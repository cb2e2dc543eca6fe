from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import lcode
from lcode.api import resolve_device
from lcode.curves.arrays import curve_arrays
from lcode.ensemble.fitted import EnsembleModel, NetworkAlone
from lcode.errors import CheckpointError, NotEnoughDataError, UsageError
from lcode.forecast import GRID, LEVELS, Forecast
from lcode.forecasters import forecaster
from lcode.forecasters.lcgode import LCGODEForecaster
from lcode.table import RunTable

Tiny = Callable[..., LCGODEForecaster]
RUNS = ("running", "one_epoch", "diverged", "no_miou", "unseen", "nothing", "done")


@pytest.fixture(scope="module")
def fitted(tiny: Tiny, finished: RunTable) -> LCGODEForecaster:
    return tiny(seed=3).fit(finished)


def same(a: Forecast, b: Forecast, tolerance: float = 0.0) -> None:
    np.testing.assert_array_equal(a.epochs, b.epochs)
    np.testing.assert_array_equal(a.status, b.status)
    np.testing.assert_allclose(a.quantiles, b.quantiles, rtol=tolerance, atol=tolerance)


def test_every_run_has_its_place_in_natural_units(fitted: LCGODEForecaster, running: RunTable) -> None:
    forecast = fitted.predict(running)
    assert forecast.run_ids == RUNS and forecast.metrics == running.metrics
    assert forecast.quantiles.shape == (7, 2, 1, len(LEVELS))
    known = forecast.status != "diverged"
    assert np.isfinite(forecast.quantiles[known]).all() and np.isnan(forecast.quantiles[~known]).all()
    assert (forecast.quantiles[known] > -0.5).all() and (forecast.quantiles[known] < 1.5).all()
    assert (np.diff(forecast.quantiles[known], axis=-1) >= 0).all()


def test_full_covers_every_epoch_after_the_prefix(fitted: LCGODEForecaster, running: RunTable) -> None:
    forecast = fitted.predict(running, "full")
    row = forecast.epochs[0]
    assert row[row > 0].tolist() == list(range(6, 21))
    assert np.isfinite(forecast.quantiles[0][:, row > 0]).all()
    same(forecast.final(), fitted.predict(running), 1e-6)


def test_epochs_are_held_against_those_that_were_learned_from(fitted: LCGODEForecaster, running: RunTable) -> None:
    with pytest.raises(UsageError, match=r"multiples of 1, but these are multiples of 0\.5"):
        fitted.predict(replace(running, epoch_unit=0.5))
    doubled = fitted.predict(replace(running, epoch_unit=2.0))
    assert doubled.epoch_unit == 1 and doubled.horizons.tolist() == [40] * len(running)


def test_of_a_far_horizon_a_full_forecast_is_small(fitted: LCGODEForecaster, running: RunTable) -> None:
    (forecast,) = fitted.predict_in_blocks(running.select(["running"]).with_horizon(10**9), "full")
    assert forecast.epochs.shape == (1, GRID) and forecast.epochs[0, -1] == 10**9
    assert np.isfinite(forecast.quantiles).all() and any("on a grid" in note for note in forecast.notes)


def test_a_long_future_is_decoded_at_some_epochs_and_interpolated(fitted: LCGODEForecaster, running: RunTable) -> None:
    one = running.select(["running"]).with_horizon(300)
    full = fitted.predict(one, "full")
    asked = np.array([10, 60, 299])
    exact = fitted.predict(one, {"running": asked})
    away = np.abs(full.quantiles[0][:, asked - 6] - exact.quantiles[0])
    assert away.mean() < 1e-3 and away.max() < 1e-2  # a quantile between two modes of a mixture moves most


def test_a_forecast_depends_on_the_run_alone_whatever_is_forecast_beside_it(
    fitted: LCGODEForecaster, running: RunTable, finished: RunTable
) -> None:
    whole = fitted.predict(running, "full").quantiles

    def close(quantiles: np.ndarray, expected: np.ndarray) -> None:
        np.testing.assert_allclose(quantiles, expected, rtol=1e-4, atol=1e-6)

    close(fitted.predict(running.select(RUNS[::-1]), "full").quantiles[::-1], whole)
    close(fitted.predict(running, "full", context=finished).quantiles, whole)
    company = running.concat(finished.prefix(dict.fromkeys(finished.run_ids, 5)))
    close(fitted.predict(company, "full").quantiles[: len(RUNS)], whole)
    ends = fitted.predict(running).quantiles
    close(np.concatenate([block.quantiles for block in fitted.predict_in_blocks(running, runs=3)]), ends)
    for row, run in enumerate(RUNS):
        close(fitted.predict(running.select([run])).quantiles, ends[[row]])


@pytest.mark.usefixtures("brief_search")
def test_only_finished_runs_are_learned_from(tiny: Tiny, finished: RunTable, running: RunTable) -> None:
    others = running.select([run for run in running.run_ids if run != "done"])
    one, other = tiny(steps=3).fit(finished), tiny(steps=3).fit(finished.concat(others))
    assert one.fitted is not None and other.fitted is not None
    assert one.fitted.runs == other.fitted.runs == 16 and one.fitted.data_digest == other.fitted.data_digest
    same(one.predict(running), other.predict(running))


def test_the_end_is_forecast_far_better_than_by_the_last_value(tiny: Tiny, history: RunTable, fresh: RunTable) -> None:
    cut = fresh.prefix(3)
    truth = np.stack(
        [fresh.points.groupby(["metric", "run"], observed=True)["value"].last()[m.key] for m in fresh.metrics]
    )
    model = tiny(steps=150).fit(history)
    error, naive = (
        np.abs(f.predict(cut).quantile(0.5)[..., 0].T - truth).mean() for f in (model, forecaster("last").fit(history))
    )
    assert error < 0.4 * naive


@pytest.mark.usefixtures("brief_search")
def test_correlations_are_those_of_natural_values(tiny: Tiny, finished: RunTable, running: RunTable) -> None:
    model = tiny(steps=3).fit(finished)
    assert model.fitted is not None and isinstance(model.fitted.model, EnsembleModel)
    context, rows = model.fitted.model.context, RUNS.index("one_epoch")
    learned = context.at(1)
    learned.conformal = replace(learned.conformal, correlation=np.array([[1.0, 0.5], [0.5, 1.0]]))
    forecast = model.predict(running)
    assert [metric.direction for metric in forecast.metrics] == ["min", "max"]
    assert forecast.correlation is not None
    np.testing.assert_allclose(forecast.correlation[rows], [[1, -0.5], [-0.5, 1]])


@pytest.mark.usefixtures("brief_search")
def test_targets_are_forecast_alone_and_the_others_read(tiny: Tiny, finished: RunTable, running: RunTable) -> None:
    model = tiny(steps=3, targets=["depth/miou"]).fit(finished)
    forecast = model.predict(running)
    assert [metric.key for metric in forecast.metrics] == ["depth/miou"] and forecast.quantiles.shape[:2] == (7, 1)
    assert forecast.correlation is not None and forecast.correlation.shape == (7, 1, 1)
    everything = tiny(steps=3).fit(finished).predict(running)
    np.testing.assert_array_equal(forecast.quantiles[:, 0], everything.quantiles[:, 1])
    with pytest.raises(UsageError, match=r"no metric 'depth/iou' .* there are: seg/err, depth/miou"):
        tiny(steps=1, targets=["depth/iou"]).fit(finished)


def test_a_metric_it_was_not_fitted_on_is_refused(small: LCGODEForecaster, family: Callable[..., RunTable]) -> None:
    table = family(2)
    renamed = RunTable.from_points(
        table.points.astype(str).astype({"epoch": int, "value": float}).replace("seg/err", "seg/loss"),
        [lcode.Metric("seg", "loss", "min"), table.metrics[1]],
    )
    with pytest.raises(UsageError, match=r"knows nothing of 'seg/loss'; it was fitted on seg/err, depth/miou"):
        small.predict(renamed)


def test_some_of_its_metrics_are_enough(small: LCGODEForecaster, fresh: RunTable) -> None:
    rows = fresh.points[fresh.points["metric"] == "depth/miou"].astype({"run": str, "metric": str})
    one = RunTable.from_points(rows, [fresh.metric("depth/miou")], runs=fresh.runs, configs=fresh.configs)
    assert np.isfinite(small.predict(one.prefix(3)).quantiles).all()


@pytest.mark.usefixtures("brief_search")
def test_too_few_finished_runs_are_said_with_their_number(tiny: Tiny, finished: RunTable) -> None:
    for table in (finished.select(["f0", "f1", "f2"]), finished.prefix(9).concat(finished.select([]))):
        count = len(table.with_status("finished"))
        with pytest.raises(NotEnoughDataError, match=rf"{count} finished runs with at least two epochs, 4 are needed"):
            tiny().fit(table)
    assert tiny(steps=2).fit(finished.select(["f0", "f1", "f2", "f5"])).fitted is not None


def test_before_a_fit_there_is_nothing_to_forecast_or_save(running: RunTable, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not been fitted"):
        LCGODEForecaster().predict(running)
    with pytest.raises(UsageError, match="nothing to save"):
        LCGODEForecaster().save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_no_runs_to_forecast(small: LCGODEForecaster, fresh: RunTable) -> None:
    forecast = small.predict(fresh.select([]))
    assert forecast.run_ids == () and forecast.to_frame().empty


@pytest.mark.usefixtures("brief_search")
def test_a_single_task_of_logs_without_a_configuration(tiny: Tiny, finished: RunTable) -> None:
    rows = finished.points[finished.points["metric"] == "seg/err"].astype({"run": str}).assign(metric="err")
    bare = RunTable.from_points(rows, [lcode.Metric("main", "err", "min")])
    forecast = tiny(steps=10).fit(bare).predict(bare.prefix(5))
    assert (forecast.status[0] == "ok").all() and np.isfinite(forecast.quantiles[0]).all()


@pytest.mark.usefixtures("brief_search")
def test_curves_that_start_at_epoch_0_with_gaps(tiny: Tiny, finished: RunTable) -> None:
    points = finished.points[finished.points["epoch"] % 3 != 2].astype({"run": str, "metric": str})
    shifted = RunTable.from_points(points.assign(epoch=points["epoch"] - 1), finished.metrics)
    forecast = tiny(steps=10).fit(shifted).predict(shifted.prefix(0), "full")
    assert forecast.observed[0].tolist() == [0, 0]
    assert np.isfinite(forecast.quantiles[0]).all()


def test_the_published_recipe(finished: RunTable, running: RunTable) -> None:
    paper = LCGODEForecaster.paper(seed=1)
    assert paper.settings is not None
    assert paper.settings.likelihood == "gaussian" and paper.settings.fixed_share == 0.2
    assert not paper.settings.schedule and paper.settings.learning_rate == 1e-3
    paper.settings = type(paper.settings)(**{**vars(paper.settings), "steps": 12, "batch": 16})
    fitted = paper.fit(finished).fitted
    assert fitted is not None and isinstance(fitted.model, NetworkAlone)
    network = fitted.model.network
    config = network.config
    assert (config.members, config.latent) == (1, 16)
    assert not (config.coupled or config.anchored or config.controlled)
    assert network.listen is None and network.field.attention is None
    assert paper.trust() == ([], []) and paper.mean_weights() == {}
    assert np.isfinite(paper.predict(running).quantiles[0]).all()
    assert isinstance(forecaster("paper"), LCGODEForecaster)


def test_what_the_left_out_runs_say_is_shown(small: LCGODEForecaster, fresh: RunTable) -> None:
    rows, warnings = small.trust()
    assert len(rows) == 10  # at a horizon of 16, 5 % of it are the first epoch again
    beside = {f"{name}{of}" for name in ("MAE", "τ") for of in ("", " last", " trees")}
    assert rows[0].keys() == {"metric", "seen", *beside, "covers %"}
    assert not any("/" in text for row in rows for name, text in row.items() if name != "metric")
    assert {row["seen"] for row in rows} == {"1st epoch", "10 %", "20 %", "40 %", "70 %"}
    assert all("left-out runs" in warning for warning in warnings)
    of_these, _ = small.trust(fresh.prefix({"n00": 2, "n01": 7}))
    assert {row["seen"] for row in of_these} == {"12 %", "44 %"}
    assert LCGODEForecaster().trust() == ([], [])


@pytest.mark.usefixtures("brief_search")
def test_the_interface_of_the_package(
    monkeypatch: pytest.MonkeyPatch, tiny: Tiny, history: RunTable, tmp_path: Path
) -> None:
    tiny(steps=2).fit(history).save(tmp_path / "model")
    assert isinstance(lcode.load(tmp_path / "model", device="cpu"), LCGODEForecaster)
    with pytest.raises(CheckpointError, match="no model folder"):
        lcode.load(tmp_path)
    with pytest.raises(UsageError, match="'shipped' or 'scratch', not from 'nothing'"):
        lcode.fit(history, start="nothing")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no device 'tpu'; there are: cpu, cuda"):
        lcode.fit(history, device="tpu")
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UsageError, match="no GPU was found"):
        resolve_device("cuda:0")
    assert resolve_device(None) == "cpu"


def test_block_by_block_it_forecasts_the_same(small: LCGODEForecaster, fresh: RunTable) -> None:
    seen = fresh.prefix(4)
    blocks = list(small.predict_in_blocks(seen, "full", runs=3))
    assert [len(block.run_ids) for block in blocks] == [3, 3, 2]
    whole = small.predict(seen, "full").quantiles
    np.testing.assert_allclose(np.concatenate([block.quantiles for block in blocks]), whole, rtol=1e-5)


def test_runs_of_related_problems_help_where_there_are_few_own(tiny: Tiny, family: Callable[..., RunTable]) -> None:
    own, related, new = family(9, seed=3), family(40, seed=4, prefix="o"), family(20, seed=5, prefix="n")
    truth = curve_arrays(new).values[:, :, -1]
    errors = {}
    for name, others in (("with", [related]), ("without", [])):
        model = tiny(steps=40).fit_related(own, others)
        assert model.fitted is not None and model.fitted.runs == 9 + len(others) * 40
        errors[name] = np.abs(model.predict(new.prefix(4)).quantiles[:, :, 0, 10] - truth).mean()
    assert errors["with"] < errors["without"]
    none = tiny(steps=40).fit_related(own.select([]), [related])
    assert np.isfinite(none.predict(new.prefix(4)).quantiles).all()
    with pytest.raises(UsageError, match="related runs must have the same metrics; theirs are seg/err, these"):
        tiny().fit_related(own, [replace(related, metrics=related.metrics[:1])])
    with pytest.raises(UsageError, match="published recipe"):
        lcode.fit(own, paper=True, related=[related])
