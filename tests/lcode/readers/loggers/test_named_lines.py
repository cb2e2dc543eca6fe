"""Several models that are trained by turns and printed into one text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

LOSSES = (0.9, 0.7, 0.5)


@pytest.mark.parametrize(
    "block",
    [
        "Epoch {e}/9\nModel A: val loss {v}\nModel B: val loss {w}\n",
        "[A] Epoch {e}/9 val loss {v}\n[B] Epoch {e}/9 val loss {w}\n",
        "Model: A hinge: relu, epoch: {e}\nval loss: {v}\nModel: B hinge: relu, epoch: {e}\nval loss: {w}\n",
    ],
)
def test_each_is_a_run(tmp_path: Path, block: str, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    log = tmp_path / "both.log"
    log.write_text("".join(block.format(e=e, v=v, w=v + 1) for e, v in enumerate(LOSSES, start=1)))
    told = scored(log)
    assert sorted(told.values()) == [list(LOSSES), [v + 1 for v in LOSSES]]
    assert sorted(name[0] for name in told) == ["A", "B"]


@pytest.mark.parametrize(
    "block",
    [
        "[trainer] epoch {e} train loss 9.5\n[evaluator] epoch {e} val loss {v}\n",
        "[Generator] epoch {e} loss 9.5\n[Discriminator] epoch {e} loss 9.5\nval loss {v}\n",
    ],
)
def test_parts_of_one_training_are_none(
    tmp_path: Path, block: str, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "one.log"
    log.write_text("".join(block.format(e=e, v=v) for e, v in enumerate(LOSSES, start=1)))
    assert scored(log) == {"one val_loss min": list(LOSSES)}
