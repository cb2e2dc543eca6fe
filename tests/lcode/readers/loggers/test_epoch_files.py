"""An object of JSON per epoch."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

VALUES = {1: 0.9, 2: 0.7, 10: 0.6}


@pytest.mark.parametrize(
    "name", ["epoch_{e}_metrics.json", "val_results_epoch{e}.json", "checkpoint-{e}/eval_results.json"]
)
def test_files_that_differ_in_the_epoch_are_one_run(
    tmp_path: Path, name: str, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    for epoch, value in VALUES.items():
        file = tmp_path / "run" / name.format(e=epoch)
        file.parent.mkdir(parents=True, exist_ok=True)
        inner = {"val": {"loss": value, "pr_auc": [0.5, 1 - value]}, "train": {"loss": 9.5}}
        file.write_text(json.dumps(inner if name.startswith("epoch") else {"loss": value}))
    found = scored(tmp_path / "run")
    assert [values for key, values in found.items() if key.endswith("loss min")] == [list(VALUES.values())]
    if name.startswith("epoch"):
        assert found["run pr_auc_0 max"] == [0.5] * 3  # a class each
