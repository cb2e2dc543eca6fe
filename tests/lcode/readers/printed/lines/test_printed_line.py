"""On which data the values of a line were measured that it tells beside those of other data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("block", "keys"),
    [
        (
            "round {e}, validation score: 0.{e}, mini-batch error: {v}, validation error: 0.1{e}\n",
            {"score max", "error min"},
        ),
        ("epoch {e}, validation acc: 0.1{e}, minibatch loss: {v}\n", {"acc max"}),
        ("epoch {e}, losses by head: {v}, dev iou: 0.1{e}\n", {"iou max"}),
        ("-- train iter {e} loss {v} iou 0.9\n-- heldout iter {e} loss 0.7{e} iou 0.1{e}\n", {"loss min", "iou max"}),
        (">> epoch {e} train loss={v}\n>> holdout: acc=0.1{e}\n", {"acc max"}),
    ],
)
def test_what_is_of_the_training_is_not_scored_beside_held_out_data(
    tmp_path: Path, block: str, keys: set[str], scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    values = [0.83, 0.72, 0.64]
    (tmp_path / "a.log").write_text("".join(block.format(e=e, v=v) for e, v in enumerate(values, start=1)))
    found = {key.removeprefix("a "): told for key, told in scored(tmp_path / "a.log").items()}
    assert {key.removeprefix("dev_") for key in found} == keys
    assert values not in found.values()
