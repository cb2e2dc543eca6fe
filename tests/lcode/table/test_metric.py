from __future__ import annotations

import pytest

from lcode.errors import UsageError
from lcode.table import MAIN_TASK, Metric, infer_direction, split_key


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("acc", "max"),
        ("val_miou", "max"),
        ("F1", "max"),
        ("r2", "max"),
        ("loss", "min"),
        ("abs_err", "min"),
        ("RMSE", "min"),
        ("accuracy_loss", "min"),
        ("top1_err", "min"),
        ("class", None),
        ("foo", None),
    ],
)
def test_well_known_names_have_a_direction(name: str, direction: str | None) -> None:
    assert infer_direction(name) == direction


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("seg/miou", ("seg", "miou")),
        ("acc", (MAIN_TASK, "acc")),
        ("a/b/acc", ("a/b", "acc")),
        ("main/acc", ("main", "acc")),
    ],
)
def test_keys_split_at_the_last_slash(key: str, parts: tuple[str, str]) -> None:
    assert split_key(key) == parts


def test_the_main_task_has_bare_keys() -> None:
    assert Metric(MAIN_TASK, "acc", "max").key == "acc"
    assert Metric("seg", "miou", "max").key == "seg/miou"
    assert (Metric("seg", "miou", "max").sign, Metric("seg", "err", "min").sign) == (1, -1)


@pytest.mark.parametrize("direction", ["up", "Max", "MAX", "maximize", "", None, 1])
def test_a_direction_is_min_or_max_or_an_error(direction: object) -> None:
    with pytest.raises(UsageError, match="write 'min' if smaller values are better, 'max' if larger ones are"):
        Metric("seg", "miou", direction)  # type: ignore[arg-type]


def test_a_key_whose_last_part_says_only_when_is_read_on() -> None:
    assert (infer_direction("Loss/train"), infer_direction("accuracy/val"), infer_direction("losses/clipfrac")) == (
        "min",
        "max",
        None,
    )
