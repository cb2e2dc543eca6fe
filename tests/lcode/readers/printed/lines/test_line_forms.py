"""A metric and where it was measured in words: `loss at step 100: 0.3`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("before", "name"),
    [
        ("loss", "loss"),
        ("validation loss", "validation/loss"),
        ("eval/nq.open/loss", "eval/nq.open/loss"),
        ("[INFO] my.trainer loss", "trainer_loss"),
        ("[INFO] my.trainer.loss", "loss"),
    ],
)
def test_a_name_before_its_step_has_dots_only_beside_slashes(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]], before: str, name: str
) -> None:
    log = tmp_path / "one.log"
    log.write_text("".join(f"{before} at step {e}00: {2 / e}\n" for e in range(1, 6)))
    assert scored(log) == {f"one {name} min": [2 / e for e in range(1, 6)]}
