"""Numbers as programs print them: none at all, with units behind them, counts in thousands."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.readers.read import read_logs


@pytest.mark.parametrize("odd", ["nan", "NaN", "inf", "-inf"])
@pytest.mark.parametrize(
    ("line", "keys"),
    [
        ("step {e}0/400: loss {v}, val acc {v}\n", ["val_acc"]),
        ("step {e}k/400k: loss {v}, val acc {v}\n", ["val_acc"]),
        ("Epoch {e} depth RMSE {v}m absRel {v}\n", ["depth_RMSE", "absRel"]),
        ("Epoch {e} depth RMSE {v} m absRel {v}\n", ["depth_RMSE", "absRel"]),
        ("Epoch {e}\n[val] seg: loss={v}, acc={v}\n[val] cls: loss={v}, acc={v}\n",
         ["seg/loss", "seg/acc", "cls/loss", "cls/acc"]),
        ("Epoch {e}: {{'age': {{'acc': {v}, 'loss': {v}}}, 'sex': {{'acc': {v}, 'loss': {v}}}}}\n",
         ["age/acc", "age/loss", "sex/acc", "sex/loss"]),
        ("json {{'epoch': {e}, 'age': {{'acc': {v}, 'loss': {v}}}}}\n", ["age/acc", "age/loss"]),
        ("{e}: validation loss at step {e}: {v}, acc: {v}\n", ["validation/loss", "validation/acc"]),
    ],
)  # fmt: skip
def test_a_run_that_diverged_is_read_as_the_others(tmp_path: Path, line: str, keys: list[str], odd: str) -> None:
    for run in range(3):
        values = [round(0.9 - 0.1 * e - 0.01 * run, 4) for e in range(1, 6)]
        told = [odd if run == 2 and e > 3 else value for e, value in enumerate(values, start=1)]
        (tmp_path / f"r{run}.log").write_text("".join(line.format(e=e, v=v) for e, v in enumerate(told, start=1)))
    table = read_logs(tmp_path)
    assert {metric.key for metric in table.metrics} == set(keys)
    assert table.points.groupby("metric", observed=True).size().to_dict() == dict.fromkeys(keys, 15)
    lost = table.points[~table.points["value"].map(math.isfinite)]
    assert set(lost["run"]) == {"r2"} and len(lost) == 2 * len(keys)


@pytest.mark.parametrize("unit", ["m", "dB", "px", " dB", "meV/atom", "%", "deg"])
def test_a_unit_is_no_name(tmp_path: Path, unit: str, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    log = tmp_path / "one.log"
    log.write_text("".join(f"Epoch {e} MAE 0.{9 - e}{unit} acc 0.{e}\n" for e in range(1, 5)))
    assert {name.split()[1] for name in scored(log)} == {"MAE", "acc"}


def test_counts_in_thousands(tmp_path: Path) -> None:
    log = tmp_path / "one.log"
    counts = ("500", "1k", "1.5k", "2k")
    log.write_text("".join(f"step {at}/0.4M: val acc 0.{e}\n" for e, at in enumerate(counts, start=1)))
    table = read_logs(log)
    assert (table.points["epoch"] * table.epoch_unit).tolist() == [500, 1000, 1500, 2000]
    assert table.runs["horizon"].tolist() == [400_000 / table.epoch_unit]


def test_thousands_may_have_decimals(tmp_path: Path) -> None:
    log = tmp_path / "one.log"
    values = ("1,234.5", "1,101.25", "987.5", "12,345,678.5")
    log.write_text("".join(f"Epoch {e} val ppl {value} val reward 1,{e}00\n" for e, value in enumerate(values, 1)))
    points = read_logs(log).points
    told = {str(name): own["value"].tolist() for name, own in points.groupby("metric", observed=True)}
    assert told == {"val_ppl": [1234.5, 1101.25, 987.5, 12345678.5], "val_reward": [1100, 1200, 1300, 1400]}


@pytest.mark.parametrize(
    "line",
    ["Epoch {e}/4: val loss = 0,{e}812, val acc = 27,{e} %", "Epoch {e}/4 val loss 0,{e}812 val acc 27,{e}"],
)
def test_decimals_may_stand_behind_a_comma(tmp_path: Path, line: str) -> None:
    log = tmp_path / "one.log"
    log.write_text("Torch 2.13\n" + "".join(line.format(e=e) + "\n" for e in range(1, 5)))
    points = read_logs(log).points
    told = {str(name): own["value"].tolist() for name, own in points.groupby("metric", observed=True)}
    assert told == {
        "val_loss": [pytest.approx(0.0812 + e / 10) for e in range(1, 5)],
        "val_acc": [pytest.approx(27 + e / 10) for e in range(1, 5)],
    }


def test_a_comma_before_a_point_elsewhere_ends_a_number(tmp_path: Path) -> None:
    log = tmp_path / "one.log"
    log.write_text("".join(f"Epoch {e}, val loss: 0.{9 - e}, seen 1,20{e}, val acc: 0.{e}\n" for e in range(1, 5)))
    points = read_logs(log).points
    assert points[points["metric"] == "val/acc"]["value"].tolist() == [0.1, 0.2, 0.3, 0.4]


@pytest.mark.parametrize("one", ["mAP@0.5", "mAP@.5", "mAP50"])
@pytest.mark.parametrize("all_of_them", ["mAP@0.5:0.95", "mAP@.5:.95", "mAP@[0.5:0.95]", "mAP50-95", "mAP@50:95"])
@pytest.mark.parametrize("form", ["{name}: {value}", "{name}({value})", "{name} {value}"])
def test_precision_over_thresholds_is_a_metric_of_its_own(
    tmp_path: Path, one: str, all_of_them: str, form: str
) -> None:
    log = tmp_path / "one.log"
    lines = (
        f"Epoch {e}/4 val "
        + "  ".join(form.format(name=n, value=f"{v:.2f}") for n, v in ((one, 0.5), (all_of_them, 0.3)))
        for e in range(1, 5)
    )
    log.write_text("\n".join(lines) + "\n")
    points = read_logs(log).points
    assert sorted(points.groupby("metric", observed=True)["value"].mean().round(6)) == [0.3, 0.5]
