"""On which data the values of a line were measured that it tells beside those of other data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.readers.read import read_logs


@pytest.mark.parametrize(
    ("block", "keys"),
    [
        (
            "epoch {e}, Validation F1: 0.{e}, Mini-batch MAE: {v}, Validation MAE: 0.1{e}\n",
            {"Validation_F1 max", "MAE min"},
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


@pytest.mark.parametrize(
    "line",
    [
        "Epoch {e}: 100%|##########| 20/20 [00:09<00:00, 2.1it/s, v_num=1{e}, val_acc={v}]",
        "epoch {e} val_acc=array({v}, dtype=float32)",
        "2031-02-03 04:05:06 | INFO     | nets.core.trainer:27{e} - epoch: {e}/9, val_acc: {v}",
        "2031-02-03 04:05:06.789\thost:0\tnets.train:97{e}\tINFO\t[step={e}/6000] val_acc={v}",
    ],
)
def test_who_tells_it_and_how_it_is_wrapped_is_no_value(tmp_path: Path, line: str) -> None:
    values = [0.52, 0.61, 0.67, 0.71]
    (tmp_path / "a.log").write_text("".join(line.format(e=e, v=v) + "\n" for e, v in enumerate(values, start=1)))
    table = read_logs(tmp_path / "a.log")
    assert table.points["metric"].unique().tolist() == ["val_acc"]
    assert table.points["value"].tolist() == values
    assert not len(table.signals)
    assert not table.configs.shape[1]
