"""Values of several parts of the data behind one name: the held-out ones are the curve, the others a signal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.readers.printed.lines.split_values import with_split_values
from lcode.readers.read import read_logs

Scored = Callable[[Path], dict[str, list[float]]]

EPOCHS = range(1, 6)


def text(line: str) -> str:
    """The text of a training that prints this in each epoch."""
    return "".join(f"{line}\n".format(e=e, a=e / 20, b=e / 40, c=2 / e, d=3 / e) for e in EPOCHS)


@pytest.mark.parametrize(
    "line",
    [
        "Epoch {e}: seg_acc: train={a}, val={b}; depth_rmse: train={c}, val={d}",
        "Epoch {e}\nseg_acc: train={a}, val={b}\ndepth_rmse: train={c}, val={d}",
        "Epoch {e} seg_acc train={a} val={b} depth_rmse train={c} val={d}",
        "Epoch {e} seg_acc: train {a} val {b} depth_rmse: train {c} val {d}",
        "Epoch {e} | seg_acc: train {a} / val {b} | depth_rmse: train {c} / val {d}",
        "Epoch {e} | seg_acc (train {a}, val {b}) | depth_rmse (train {c}, val {d})",
        "Epoch {e} | seg_acc {a}/{b} (train/val) | depth_rmse {c}/{d}",
        "{e}0000/80000 (epoch {e}): seg_acc: train={a}, val={b} depth_rmse: train={c}, val={d} time: train=3s, val=1s",
    ],
)
def test_each_name_has_its_own(tmp_path: Path, scored: Scored, line: str) -> None:
    log = tmp_path / "one.log"
    log.write_text(text(line))
    told = scored(log)
    assert told["one seg/acc max"] == [pytest.approx(e / 40) for e in EPOCHS]
    assert told["one depth/rmse min"] == [pytest.approx(3 / e) for e in EPOCHS]
    assert len(told) == 2
    signals = read_logs(log).signals
    first = signals[signals["metric"].astype(str).str.endswith("train_seg_acc")]
    assert first["value"].tolist() == [pytest.approx(e / 20) for e in EPOCHS]


def test_what_is_not_measured_yet_changes_no_name(tmp_path: Path, scored: Scored) -> None:
    log = tmp_path / "one.log"
    line = "Epoch {e} | loss train: {c}, val: {d}\n"
    log.write_text("".join(line.format(e=e, c=2 / e, d="n/a" if e % 2 else 3 / e) for e in range(1, 8)))
    assert scored(log) == {"one val_loss min": [pytest.approx(3 / e) for e in (2, 4, 6)]}
    assert set(read_logs(log).signals["metric"].astype(str)) == {"main/train_loss"}


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Epoch {e}: train={c}, val={d}", "one loss min"),
        ("Epoch {e} results: train={c}, val={d}", "one loss min"),
        ("Epoch {e} train loss {c} val loss {d}", "one val_loss min"),
        ("Epoch {e} train: loss {c}, val: loss {d}", "one loss min"),
    ],
)
def test_names_of_data_with_no_metric_before_them(tmp_path: Path, scored: Scored, line: str, name: str) -> None:
    log = tmp_path / "one.log"
    log.write_text(text(line))
    assert scored(log) == {name: [pytest.approx(3 / e) for e in EPOCHS]}


@pytest.mark.parametrize(
    "line",
    [
        *(
            f"{now}: train=0.6, val=0.5; {best}: train=0.6, val=0.4"
            for now in ("current", "last")
            for best in ("best", "max")
        ),
        "now: train=0.6, val=0.5; best: train=0.6, val=0.4",
        "Results train 0.6 val 0.5 Final train 0.6 val 0.4",
    ],
)
def test_groups_that_name_no_metric_are_left(line: str) -> None:
    assert with_split_values(line) == line


def test_one_metric_among_the_names_is_enough() -> None:
    told = with_split_values("loss: train=1.0, val=1.5; distance: train=2.0, val=2.5")
    assert "val_loss: 1.5" in told and "val_distance: 2.5" in told
