"""What programs that many people use print, as a whole: what of it is scored, what is of the training, what is set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.table.table import RunTable

LOSSES = (0.9, 0.7, 0.6, 0.5)

Read = Callable[[Path, str, str], RunTable]
Curve = Callable[[RunTable, str], list[tuple[float, float]]]


def _icefall() -> str:
    settings = "{'best_train_loss': inf, 'warm_step': 2000, 'num_epochs': 30, 'base_lr': 0.01}"
    text = f"2031-02-03 10:00:00,210 INFO [train.py:966] {settings}\n"
    for epoch, loss in enumerate(LOSSES, start=1):
        for batch in (0, 50):
            own, so_far = f"loss={loss + 1}, simple_loss={loss + 2}", f"loss={loss + 3}, simple_loss={loss + 4}"
            text += (
                f"2031-02-03 10:01:00,482 INFO [train.py:898] Epoch {epoch}, batch {batch}, loss[{own}, over 17000.00 "
                f"frames. ], tot_loss[{so_far}, over 3300000.00 frames. ], batch size: 80, lr: {0.1 / epoch:.2e}\n"
            )
        text += (
            f"2031-02-03 10:01:52,001 INFO [train.py:927] Epoch {epoch}, validation: loss={loss}, "
            f"simple_loss={loss / 2}, over 944034.00 frames. \n"
            f"2031-02-03 10:01:52,101 INFO [train.py:928] Maximum memory allocated so far is 1823{epoch}MB\n"
        )
    return text


def test_icefall(tmp_path: Path, read: Read, curve: Curve) -> None:
    table = read(tmp_path, "log-train-2031.log", _icefall())
    assert [metric.key for metric in table.metrics] == ["loss", "simple_loss"]
    assert curve(table, "loss") == [*enumerate(LOSSES, start=1)]
    assert set(table.configs.columns) >= {"num_epochs", "base_lr"}
    assert list(table.runs["horizon"] * table.epoch_unit) == [30]
    told = table.signals[table.signals["metric"] == "train/loss"]["value"]
    assert list(told) == pytest.approx([loss + 3 for loss in LOSSES])
    assert set(table.signals["metric"]) == {"train/loss", "train/simple_loss", "main/lr"}


@pytest.mark.parametrize("head", ["2031-02-03 10:00:10 | INFO | valid | ", "| "])
def test_each_of_fairseq_s_sets_by_itself(tmp_path: Path, read: Read, curve: Curve, head: str) -> None:
    text = ""
    for epoch, loss in enumerate(LOSSES, start=1):
        text += f"{head}epoch {epoch:03} | valid on 'valid' subset | loss {loss} | num_updates {300 * epoch}\n"
        text += f"{head}epoch {epoch:03} | valid on 'test' subset | loss {loss + 1} | num_updates {300 * epoch}\n"
        text += f"{head.replace('valid', 'train')}epoch {epoch:03} | loss {loss / 2} | num_updates {300 * epoch}\n"
    table = read(tmp_path, "train.log", text)
    assert [metric.key for metric in table.metrics] == ["loss"]
    assert [value for _, value in curve(table, "loss")] == list(LOSSES)
    assert table.reading is not None and table.reading.left_out["test/loss"] == "test set"


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        ("Epoch {e}/8 - perte : {t} - perte_val : {v} - précision_val : {s}", {"loss_val", "precision_val"}),
        ("Époque {e}/8\n perte : {t}\n perte_val : {v}, précision_val : {s}", {"loss_val", "precision_val"}),
        ("Epoche {e}/8 Verlust: {t} Validierungsverlust: {v}", {"val_loss"}),
        ("Durchgang {e}/8 Trainingsverlust: {t} Validierungsverlust: {v}", {"val_loss"}),
        ("Epoca {e}/8 - perdida: {t} - perdida_val: {v}", {"loss_val"}),
    ],
)
def test_names_in_other_languages(tmp_path: Path, read: Read, curve: Curve, line: str, keys: set[str]) -> None:
    text = "\n".join(line.format(e=e, t=v + 1, v=v, s=1 - v) for e, v in enumerate(LOSSES, start=1))
    table = read(tmp_path, "train.log", text.replace("0.", "0,") if "é" in line else text)
    assert {metric.key for metric in table.metrics} == keys
    loss = next(key for key in keys if "loss" in key)
    assert curve(table, loss) == [*enumerate(LOSSES, start=1)]
    assert {key.removeprefix("main/") for key in table.signals["metric"]} <= {"train/loss", "train_loss"}
