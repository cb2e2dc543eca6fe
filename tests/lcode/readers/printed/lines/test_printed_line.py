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


@pytest.mark.parametrize("head", ["[epoch=1][batch={s}/160]:", "[batch={s}/160]:"])
def test_how_far_an_evaluation_is_counts_nothing(tmp_path: Path, head: str) -> None:
    text = "".join(
        head.format(s=10 * n)
        + f"\n\t Train loss/train/total: {9 / n:.4f}\n\t Train metrics/train/CrossEntropy: {8 / n:.4f}\n"
        f"[Eval batch=8/8] Eval on eval data:\n\t Eval metrics/eval/CrossEntropy: {10 / n:.4f}\n"
        for n in range(1, 6)
    )
    (tmp_path / "a.log").write_text(text)
    table = read_logs(tmp_path / "a.log")
    assert [metric.key for metric in table.metrics] == ["CrossEntropy"]
    assert table.points["epoch"].tolist() == [10, 20, 30, 40, 50]
    assert table.points["value"].tolist() == [round(10 / n, 4) for n in range(1, 6)]
    assert table.runs["horizon"].tolist() == [160] and table.runs["status"].tolist() == ["running"]


def test_batches_of_an_evaluation_tell_what_was_measured_in_them(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    text = "".join(f"epoch {e}\ntrain loss: {9 / e:.3f}\nval batch 8/8 loss: 0.{9 - e}\n" for e in range(1, 5))
    (tmp_path / "a.log").write_text(text)
    assert [0.8, 0.7, 0.6, 0.5] in scored(tmp_path / "a.log").values()


def test_of_three_numbers_none_is_the_end(tmp_path: Path) -> None:
    text = "".join(
        f"At iteration {97 * n}/{100 * n}/{101 * n}, mean rms={5 / n:.3f}%, delta={9 / n:.3f}%, "
        f"BCER train={50 / n:.3f}%, BWER train={80 / n:.3f}%, skip ratio=0.1%, wrote checkpoint.\n"
        for n in range(1, 6)
    )
    (tmp_path / "a.log").write_text(text)
    table = read_logs(tmp_path / "a.log")
    assert [(metric.key, metric.direction) for metric in table.metrics] == [
        ("BCER_train", "min"),
        ("BWER_train", "min"),
    ]
    assert table.points["epoch"].max() == 485 and any("no horizon" in note for note in table.notes)


@pytest.mark.parametrize("unit", ["", " seconds"])
def test_a_verb_names_no_metric(tmp_path: Path, unit: str, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    text = "".join(
        f"epoch {e} val loss: 0.{9 - e}\ntime consuming of epoch {e} is: 60.{e}000{unit}\n" for e in range(1, 5)
    )
    (tmp_path / "a.log").write_text(text)
    assert [*scored(tmp_path / "a.log")] == ["a val/loss min"]


def test_an_inception_score_is_one(tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    (tmp_path / "a.log").write_text("".join(f"epoch {e} fid: {90 - e}.5, IS: {e}.5\n" for e in range(1, 5)))
    assert set(scored(tmp_path / "a.log")) == {"a fid min", "a IS max"}


def test_a_quoted_name_has_its_value_behind_a_mark(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    text = "".join(
        f"INFO:gluonts.trainer:Epoch[{e}] Evaluation metric '{name}'={value:.6f}\n"
        for e in range(4)
        for name, value in (("epoch_loss", 3 / (e + 1)), ("validation_epoch_loss", 4 / (e + 1)))
    )
    (tmp_path / "a.log").write_text(text)
    assert scored(tmp_path / "a.log") == {"a validation_epoch_loss min": [4.0, 2.0, 1.333333, 1.0]}


def test_the_step_of_an_evaluation_counts(tmp_path: Path) -> None:
    text = "".join(f"Validation step {100 * n}/900\nval_loss: {9 / n:.3f}\n" for n in range(1, 5))
    (tmp_path / "a.log").write_text(text)
    table = read_logs(tmp_path / "a.log")
    assert table.points["epoch"].tolist() == [100, 200, 300, 400] and table.runs["horizon"].tolist() == [900]


@pytest.mark.parametrize("head", ["{n}\tstep={n}00", "4711\tepoch={n}", "170000{n}\titer={n}00"])
def test_a_number_before_a_counter_counts_nothing(tmp_path: Path, head: str) -> None:
    text = "".join(head.format(n=n) + f"\tloss-train=0.{9 - n}\tval_acc=0.{n}\n" for n in range(1, 8))
    (tmp_path / "a.log").write_text(text)
    assert read_logs(tmp_path / "a.log").points["epoch"].max() == (7 if "epoch" in head else 700)
