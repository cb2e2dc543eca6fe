from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from lcode.curves.collate import Preprocessor
from lcode.ensemble.fitted import EnsembleModel
from lcode.ensemble.folds import assign_folds
from lcode.forecasters.lcgode import LCGODEForecaster
from lcode.network.loop import FitSettings, Source, fit_model
from lcode.network.model import LCGODE, LCGODEConfig
from lcode.table import RunTable

Tiny = Callable[..., LCGODEForecaster]


def member_weights(history: RunTable, train: RunTable) -> LCGODE:
    """A model without graphs after a few steps on `train`, scaled and folded as `history`."""
    preprocessor = Preprocessor.fit(history)
    runs, _ = preprocessor.tensors(train)
    config = LCGODEConfig(
        2, len(preprocessor.signals), preprocessor.config.width, members=3, latent=3, hidden=8, nodes=3, tasks=2
    )
    model = LCGODE(config, torch.Generator().manual_seed(0))
    folds = torch.from_numpy(assign_folds(history, 5, 0))
    source = Source(runs, None, torch.tensor([0, 1]), folds)
    fit_model(model, [source], FitSettings(steps=3, batch=64), torch.Generator().manual_seed(0))
    return model


def test_the_fit_improves_on_what_was_left_out(tiny: Tiny, history: RunTable) -> None:
    losses: list[float] = []
    seen: list[tuple[int, int]] = []

    def progress(step: int, steps: int, loss: float) -> None:
        seen.append((step, steps))
        losses.append(loss)

    model = tiny(progress=progress).fit(history)
    assert model.fitted is not None
    report = model.fitted.report
    assert losses[-1] < 0.7 * losses[0]
    assert report.validation_loss == min(losses) and not report.interrupted
    assert report.steps == 60 and seen[-1] == (60, 60) and report.seconds > 0


def test_the_same_seed_gives_the_same_model(
    tiny: Tiny, small: LCGODEForecaster, history: RunTable, fresh: RunTable
) -> None:
    cut = fresh.prefix(4)
    again = tiny().fit(history).predict(cut)
    np.testing.assert_array_equal(again.quantiles, small.predict(cut).quantiles)
    other = tiny(seed=1, steps=2).fit(history).predict(cut)
    assert (other.quantiles != again.quantiles).any()


def test_a_member_never_learns_from_the_fold_it_leaves_out(history: RunTable) -> None:
    points = history.points.copy()
    folds = assign_folds(history, 5, 0)
    spoilt = {run for run, fold in zip(history.run_ids, folds, strict=True) if fold == 1}
    points.loc[points["run"].isin(spoilt), "value"] *= 0.5
    changed = RunTable(**{**vars(history), "points": points})
    before, after = member_weights(history, history), member_weights(history, changed)
    differs = torch.zeros(3, dtype=torch.bool)
    for (name, a), b in zip(before.named_parameters(), after.parameters(), strict=True):
        differs |= (a != b).movedim(LCGODE.member_axis(name), 0).flatten(1).any(1)
    assert differs.tolist() == [True, False, True]


@pytest.mark.usefixtures("brief_search")
def test_ctrl_c_keeps_the_best_so_far(tiny: Tiny, history: RunTable, fresh: RunTable) -> None:
    losses: list[float] = []

    def interrupt(step: int, steps: int, loss: float) -> None:
        losses.append(loss)
        if step >= 30:
            raise KeyboardInterrupt

    model = tiny(progress=interrupt).fit(history)
    assert model.fitted is not None
    report = model.fitted.report
    assert report.interrupted and report.steps == 30
    assert report.validation_loss == min(losses)
    assert np.isfinite(model.predict(fresh.prefix(3)).quantiles).all()


@pytest.mark.usefixtures("brief_search")
def test_nothing_global_is_touched(tiny: Tiny, history: RunTable, fresh: RunTable) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        torch_state = torch.get_rng_state()
        numpy_state = np.random.get_state()[1].copy()  # type: ignore[index]  # noqa: NPY002
        tiny(steps=2).fit(history).predict(fresh.prefix(3)).sample(3)
        assert torch.equal(torch.get_rng_state(), torch_state)
        np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)  # type: ignore[index]  # noqa: NPY002
        assert torch.get_num_threads() == 2
        with pytest.raises(ZeroDivisionError):
            tiny(steps=2, progress=lambda *_: 1 / 0).fit(history)
        assert torch.get_num_threads() == 2
        assert torch.is_grad_enabled()
    finally:
        torch.set_num_threads(threads)


@pytest.mark.usefixtures("brief_search")
def test_patience_ends_a_fit_that_no_longer_improves(tiny: Tiny, history: RunTable) -> None:
    steps: list[int] = []
    settings = FitSettings(steps=48, batch=8, learning_rate=0.0, patience=3)
    model = LCGODEForecaster(
        settings=settings, progress=lambda step, *_: steps.append(step), hidden=8, latent=2, members=2, nodes=2
    ).fit(history)
    assert model.fitted is not None and model.fitted.report.steps == steps[-1] <= 10


@pytest.mark.usefixtures("brief_search")
def test_logs_without_a_configuration_train_every_member(tiny: Tiny, history: RunTable) -> None:
    bare = RunTable.from_points(history.points.astype({"run": str, "metric": str}), history.metrics)
    model = tiny(steps=4).fit(bare)
    assert model.fitted is not None and isinstance(model.fitted.model, EnsembleModel)
    network = model.fitted.model.context.adapted
    assert network is not None
    for name, parameter in network.named_parameters():
        if name == "decoder.net.layers.1.bias":
            assert parameter.abs().flatten(1).sum(1).gt(0).all()


def test_an_interrupt_before_the_first_validation_leaves_no_model(
    family: Callable[..., RunTable], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lcode.network.loop._loss", interrupt)
    forecaster = LCGODEForecaster(settings=FitSettings(steps=24))
    with pytest.raises(KeyboardInterrupt):
        forecaster.fit(family(8))
    assert forecaster.fitted is None
