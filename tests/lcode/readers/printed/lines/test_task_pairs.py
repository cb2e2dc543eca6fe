"""Loss and metric of each task, as Auto-Lambda prints them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.readers.read import read_logs

EPOCHS = range(4)


@pytest.mark.parametrize("mark", ["", "| "])
def test_each_number_is_what_the_task_says(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]], mark: str
) -> None:
    tasks = f"Seg {{l}} {{a}} {mark}Depth {{l}} {{l}} {mark}Normal {{l}} {{n}} | All -{{d}}"
    line = f"Epoch {{e:04d}} | TRAIN: {tasks.replace('{l}', '9.5')} || TEST: {tasks} | Best: All 0.75\n"
    log = tmp_path / "one.log"
    other = "Task Weighting | Seg 0.25 Depth 0.25 Normal 0.5 \n"
    log.write_text(
        "".join(line.format(e=e, l=2 / (e + 1), a=e / 8, n=40.5 - e, d=0.5 / (e + 1)) + other for e in EPOCHS)
    )
    losses = [2 / (e + 1) for e in EPOCHS]
    assert scored(log) == {
        "one Seg/loss min": losses,
        "one Seg/mIoU max": [e / 8 for e in EPOCHS],
        "one Depth/loss min": losses,
        "one Depth/abs_err min": losses,
        "one Normal/loss min": losses,
        "one Normal/mean_angle min": [40.5 - e for e in EPOCHS],
    }
    signals = read_logs(log).signals
    assert set(signals[signals["metric"].astype(str) == "train/Seg/loss"]["value"]) == {9.5}
    assert signals[signals["metric"].astype(str) == "main/All"]["value"].tolist() == [-loss / 4 for loss in losses]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("TRAIN: loss 9.5 12 TEST: loss {v} 12", {"loss min"}),
        ("TRAIN: acc 0.5 0.4 TEST: acc {v} 0.4", {"acc max"}),
        ("TRAIN: Acc 0.5 0.4 F1 0.5 0.4 TEST: Acc {v} 0.4 F1 {v} 0.4", {"Acc max", "F1 max"}),
    ],
)
def test_a_metric_is_no_task(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]], line: str, names: set[str]
) -> None:
    log = tmp_path / "one.log"
    log.write_text("".join(f"epoch {e} | {line}\n".format(v=(e + 1) / 8) for e in EPOCHS))
    assert scored(log) == {f"one {name}": [(e + 1) / 8 for e in EPOCHS] for name in names}
