"""Data frames in JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LOSSES = (0.9, 0.7, 0.5)


@pytest.mark.parametrize(
    "found",
    [
        {"loss": {"0": 9.5, "1": 9.5, "2": 9.5}, "val_loss": {"2": 0.5, "0": 0.9, "1": 0.7}},
        {str(e): {"loss": 9.5, "val_loss": v} for e, v in enumerate(LOSSES)},
        {f"epoch_{e}": {"train": {"loss": 9.5}, "val": {"loss": v}} for e, v in enumerate(LOSSES)},
        {"columns": ["loss", "val_loss"], "index": [0, 1, 2], "data": [[9.5, v] for v in LOSSES]},
        {"train_history": [{"loss": 9.5}] * 3, "val_history": [{"loss": v} for v in LOSSES]},
    ],
)
def test_each_way_of_writing_them(
    tmp_path: Path, found: dict[str, Any], scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    (tmp_path / "history.json").write_text(json.dumps(found))
    assert list(scored(tmp_path / "history.json").values()) == [list(LOSSES)]
