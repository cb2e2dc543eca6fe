"""A metric before several values that are named by what they are of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.readers.read import read_logs

Scored = Callable[[Path], dict[str, list[float]]]

EPOCHS = range(4)


@pytest.mark.parametrize("tests", [0, 2])
def test_it_is_that_of_each(tmp_path: Path, scored: Scored, tests: int) -> None:
    train = "Epoch: [{e}][20/20] | Time (0.1) | Loss 9.5 (9.5) | MAE e {v} ({v})  f {w} ({w})  s {v} ({v})\n"
    test = "Test: [{b}/2] | Loss 0.5 (0.5) | MAE e 0.5 (0.5)  f 0.5 (0.5)  s 0.5 (0.5)\n"
    end = "*   e_MAE ({v})\tf_MAE ({w})\ts_MAE ({v})\t\n"
    log = tmp_path / "one.log"
    blocks = []
    for e in EPOCHS:
        v, w = 2 / (e + 1), 3 / (e + 1)
        blocks.append(train.format(e=e, v=v, w=w) + "".join(test.format(b=b) for b in range(1, tests + 1)))
        blocks.append(end.format(v=v / 2, w=w / 2))
    log.write_text("".join(blocks))
    told = scored(log)
    assert {name: values for name, values in told.items() if "Loss" not in name} == {
        f"one {task}/MAE min": [pytest.approx(first / (e + 1)) for e in EPOCHS]
        for task, first in (("e", 1), ("f", 1.5), ("s", 1))
    }
    signals = read_logs(log).signals
    of_stress = signals[signals["metric"].astype(str) == "train/s/MAE"]
    assert of_stress["value"].tolist() == [pytest.approx(2 / (e + 1)) for e in EPOCHS]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("epoch {e} val IoU road {v} car {v}", {"road/IoU", "car/IoU"}),
        ("epoch {e} val acc {v} f1 {v}", {"val_acc", "f1"}),
        ("epoch {e} val acc top1 {v} top5 {v}", {"val_acc_top1", "top5"}),
        ("epoch {e} f1 macro {v} micro {v}", {"f1_macro", "f1_micro"}),
        ("epoch {e} val f1 weighted {v} macro {v}", {"val_f1_weighted", "val_f1_macro"}),
        ("epoch {e} MAE mean {v} max {v}", {"MAE_mean", "MAE_max"}),
        ("epoch {e} loss cls {v} reg {v} total {v}", {"cls/loss", "reg/loss", "loss_total"}),
        ("epoch {e} val loss {v} lr 0.1 time 3", {"val_loss"}),
    ],
)
def test_neighbours(tmp_path: Path, scored: Scored, line: str, names: set[str]) -> None:
    log = tmp_path / "one.log"
    log.write_text("".join(f"{line}\n".format(e=e, v=(e + 1) / 10) for e in EPOCHS))
    assert {name.split()[1] for name in scored(log)} == names
