from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lcode.curves.common_settings import COMMON_SETTINGS, FARTHEST, CommonSettings


def places(configs: pd.DataFrame) -> dict[str, np.ndarray]:
    return dict(zip(COMMON_SETTINGS, CommonSettings.among(configs).places(configs).T, strict=True))


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("lr", "learning rate"),
        ("optim/base_lr", "learning rate"),
        ("optimizer.Learning-Rate", "learning rate"),
        ("lr0", "learning rate"),
        ("train_batch_size", "batch size"),
        ("wd", "weight decay"),
        ("max_dropout", "dropout"),
        ("num_layers", "depth"),
        ("model.hidden_dim", "width"),
        ("n_units_2", "width"),
    ],
)
def test_settings_are_known_by_the_last_part_of_their_names(name: str, setting: str) -> None:
    found = places(pd.DataFrame({name: [0.1, 0.2, 0.4], "seed": [1, 2, 3]}))
    assert found[setting][0] < 0 < found[setting][2]
    assert all((value == 0).all() for other, value in found.items() if other != setting)


def test_rates_are_compared_by_factors_and_a_decay_of_nothing_is_a_small_one() -> None:
    found = places(pd.DataFrame({"lr": [1e-3, 1e-2, 1e-1], "weight_decay": [0.0, 1e-4, 1e-2]}))
    np.testing.assert_allclose(found["learning rate"], [-np.sqrt(1.5), 0, np.sqrt(1.5)])
    np.testing.assert_allclose(found["weight decay"], [-np.sqrt(1.5), 0, np.sqrt(1.5)])


def test_the_rate_of_a_part_is_not_that_of_the_training() -> None:
    found = places(pd.DataFrame({"lr": [0.1, 0.2, 0.4], "gradnorm.lr": [1.0, 1e-9, 3.0]}))
    np.testing.assert_allclose(found["learning rate"], [-np.sqrt(1.5), 0, np.sqrt(1.5)])


def test_widths_of_several_layers_are_one() -> None:
    found = places(pd.DataFrame({"units_1": [8, 32, 8], "units_2": [32, 8, 8]}))
    assert found["width"][0] == pytest.approx(found["width"][1]) and found["width"][2] < found["width"][0]


@pytest.mark.parametrize("adaptive", ["adam", "AdamW", "rmsprop", "Lion"])
def test_optimizers_are_of_adams_kind_or_not(adaptive: str) -> None:
    found = places(pd.DataFrame({"optimizer": [adaptive, "sgd", "Nesterov", adaptive, "shampoo"]}))
    np.testing.assert_allclose(found["adaptive optimizer"], [1, -1, -1, 1, 0])


def test_what_is_unknown_or_the_same_for_all_says_nothing() -> None:
    """And what a run does far out of the sweep counts as `FARTHEST` deviations."""
    sweep = CommonSettings.among(pd.DataFrame({"lr": [0.1, 0.2] * 10 + ["auto"], "momentum": 0.9}))
    new = sweep.places(pd.DataFrame({"lr": [1e9, None, -1], "momentum": [0.0, 0.5, 0.9]}))
    np.testing.assert_array_equal(new[:, COMMON_SETTINGS.index("learning rate")], [FARTHEST, 0, 0])
    assert (new[:, 1:] == 0).all()
    mixed = pd.DataFrame({"lr": [0.1, 0.2, None, None], "batch_size": [16, 32, 64, 128]})
    assert all((value == 0).all() for value in places(mixed).values())  # trainings of different kinds
    assert (CommonSettings.among(pd.DataFrame(index=range(3))).places(pd.DataFrame(index=range(2))) == 0).all()
