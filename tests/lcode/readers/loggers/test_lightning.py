"""Lightning's CSV folders as the library has written them (`write_lightning.py`), growing and damaged."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from lcode.errors import InputError
from lcode.readers import read_logs
from lcode.readers.loggers import LOGGERS, Logged

DATA = Path(__file__).parent / "data" / "lightning"

reader = LOGGERS["lightning"]


def read(folder: Path) -> list[Logged]:
    return list(reader.read([path for path in sorted(folder.rglob("*")) if reader.sniff(path)]))


def version(folder: Path, metrics: str | bytes = "epoch,step,loss\n0,1,0.5\n1,3,0.25\n", hparams: str = "") -> Path:
    path = folder / "version_0" / "metrics.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(metrics if isinstance(metrics, bytes) else metrics.encode())
    if hparams:
        path.with_name("hparams.yaml").write_text(hparams)
    return path


def cells(run: Logged, *names: str) -> list[tuple[Any, ...]]:
    return list(zip(*(run.columns[name].to_pylist() for name in names), strict=True))


def test_what_the_library_has_written() -> None:
    first, second = read(DATA)
    assert first.run == "" and first.file.parent.name == "version_0" and reader.owns(first.file) == first.file.parent
    assert first.axis == "epoch" and first.horizon == second.horizon == 3  # four epochs, counted from 0
    assert first.config == {"act": "ReLU", "data": None, "lr": 0.1, "max_epochs": 4}
    assert cells(first, "epoch", "train/loss_epoch", "val/seg_loss")[:4] == [
        (0, None, None), (0, None, 2), (0, 1, None), (1, None, None)
    ]  # fmt: skip
    depth = first.columns["val/depth_acc"]
    assert depth.null_count == 8 and math.isnan(depth[4].as_py()) and depth[10].as_py() == 0.75
    assert len(second.columns["epoch"]) == 9 and second.lines == list(range(2, 11)) and second.notes == ()


@pytest.mark.parametrize(
    ("hparams", "expected"),
    [
        ("max_epochs: 20\n", 19),
        ("trainer:\n  max_epochs: 20\n", 19),
        ("a:\n  max_epochs: 20\nb:\n  max_epochs: 30\n", None),
        ("max_epochs: -1\n", None),
        ("max_epochs: null\n", None),
        ("max_epochs: true\n", None),
        ("epochs: 20\n", None),
    ],
)
def test_the_horizon_is_the_trainers_argument(tmp_path: Path, hparams: str, expected: float | None) -> None:
    version(tmp_path, hparams=hparams)
    assert read(tmp_path)[0].horizon == expected


def test_without_epochs_the_axis_is_the_step(tmp_path: Path) -> None:
    version(tmp_path, "step,loss\n1,0.5\n3,0.25\n", "max_epochs: 20\n")
    (run,) = read(tmp_path)
    assert run.axis == "step" and run.horizon is None


@pytest.mark.parametrize(("hparams", "axis"), [("", "step"), ("max_epochs: 1\n", "step"), ("max_epochs: 9\n", "epoch")])
def test_a_training_of_one_epoch_is_counted_in_steps(tmp_path: Path, hparams: str, axis: str) -> None:
    rows = "".join(f"0,{9 * at},{1 / at},\n0,{9 * at},,{2 / at}\n" for at in (1, 2, 4))
    version(tmp_path, "epoch,step,loss,val_loss\n" + rows, hparams)
    assert read(tmp_path)[0].axis == axis


@pytest.mark.parametrize("first", [0, 1])
def test_planned_steps_are_so_many_epochs(tmp_path: Path, first: int) -> None:
    rows = "".join(
        f"{first + at},{125 * at + 49},{1 / (at + 1)},\n{first + at},{125 * at + 124},,{1 / (at + 2)}\n"
        for at in range(9)
    )
    version(tmp_path, f"epoch,step,loss,val_loss\n{rows}{first + 9},1150,0.05,\n", "max_steps: 5000\nmax_epochs: -1\n")
    table = read_logs(tmp_path)
    assert table.runs["horizon"].tolist() == [39 + first] and table.runs["status"].tolist() == ["running"]


def test_a_test_behind_a_training_of_one_epoch_is_no_second_one(tmp_path: Path) -> None:
    rows = "".join(f"0,{9 * at},{1 / at},\n" for at in (1, 2, 4))
    version(tmp_path, f"epoch,step,val_loss,test_loss\n{rows}1,36,,0.5\n", "max_epochs: 1\n")
    table = read_logs(tmp_path)
    assert table.points["epoch"].tolist() == [9, 18, 36]


def test_what_the_command_line_was_given_is_configuration_too(tmp_path: Path) -> None:
    path = version(tmp_path, hparams="lr: 0.5\n")
    path.with_name("config.yaml").write_text("lr: 1\ntrainer:\n  max_epochs: 9\nmodel:\n  init_args:\n    width: 3\n")
    (run,) = read(tmp_path)
    assert run.config == {"lr": 0.5, "trainer.max_epochs": 9, "model.init_args.width": 3} and run.horizon == 8


def test_objects_in_the_settings_are_not_made(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    hparams = f"""
run: !!python/object/apply:os.system ["touch {trap}"]
net: !!python/object:nowhere.Net {{width: 3, act: !!python/name:torch.nn.ReLU ''}}
pair: !!python/tuple [1, 2]
plain: 0.1
"""
    version(tmp_path, hparams=hparams)
    (run,) = read(tmp_path)
    assert run.config == {"run": None, "net.width": 3, "net.act": "ReLU", "pair": None, "plain": 0.1}
    assert not trap.exists()


BOMB = "a: &a0 {x: 1}\n" + "".join(
    f"b{i}: &a{i} {{{', '.join(f'k{j}: *a{i - 1}' for j in range(9))}}}\n" for i in range(1, 9)
)


@pytest.mark.parametrize("hparams", ["lr: [1\n", "a: \0", "a: &a\n  b: *a\n", "- 1\n", BOMB, "{[1]: 2}"])
def test_settings_that_cannot_be_read_cost_no_run(tmp_path: Path, hparams: str) -> None:
    version(tmp_path, hparams=hparams)
    (run,) = read(tmp_path)
    assert len(run.columns["loss"]) == 2
    assert hparams == "- 1\n" or "hparams.yaml: cannot be read" in run.notes[0]


@pytest.mark.parametrize(
    ("tail", "rows", "note"),
    [
        ("2,5", 2, "incomplete"),
        ("2,5,0.1\n3,7\n4,9,0.1\n", 4, "1 torn line"),
        ("2,5,inf\n2,5,-inf\n", 4, ""),
        ("\0\0\0\0", 2, "zero bytes"),
        (f"{10**15},{2**62},0.1\n", 3, ""),
        ("epoch,step,loss\n0,1,0.5\n", 3, ""),
    ],
    ids=["torn end", "torn middle", "infinite", "zeros", "huge", "header again"],
)
def test_growing_and_damaged_files(tmp_path: Path, tail: str, rows: int, note: str) -> None:
    version(tmp_path, "epoch,step,loss\n0,1,0.5\n1,3,0.25\n" + tail)
    (run,) = read(tmp_path)
    assert len(run.columns["loss"]) == rows
    assert len(run.notes) == bool(note) and all(note in told for told in run.notes)


def test_many_columns_with_unicode_names(tmp_path: Path) -> None:
    names = [f"Größe {i}→" for i in range(3000)]
    version(tmp_path, f"epoch,step,{','.join(names)}\n0,1,{','.join('1' for _ in names)}\n")
    (run,) = read(tmp_path)
    assert list(run.columns) == ["epoch", "step", *names]


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        (b"", "is empty"),
        (bytes(300), "is empty"),
        (b"epoch,step,loss\n", "has a header and no row"),
        (b"epoch,step,loss\n0,1\n1,2\n2\n", "does not have the 3 cells"),
        (b"epoch,step,loss\n0,\xff,1\n", "line 2.*not UTF-8"),
        (b"epoch,step,loss,loss\n0,1,2,3\n", "two columns 'loss'"),
    ],
)
def test_a_file_with_nothing_to_read_is_refused_alone_and_left_out_beside_others(
    tmp_path: Path, metrics: bytes, expected: str
) -> None:
    path = version(tmp_path / "bad", metrics)
    assert reader.sniff(path) or metrics == bytes(300)
    with pytest.raises(InputError, match=expected) as caught:
        list(reader.read([path]))
    assert "Lightning" in str(caught.value) and "metrics.csv" in str(caught.value)
    (run,) = reader.read([path, version(tmp_path / "good")])
    assert len(run.notes) == 1 and "left out" in run.notes[0]


def test_files_that_are_none_of_its(tmp_path: Path) -> None:
    shutil.copy(version(tmp_path), tmp_path / "metrics.csv")
    other = tmp_path / "version_1" / "metrics.csv"
    other.mkdir(parents=True)
    table = tmp_path / "version_2" / "metrics.csv"
    table.parent.mkdir()
    table.write_text("epoch,loss\n1,2\n")
    assert not any(reader.sniff(path) for path in (tmp_path / "metrics.csv", other, table, tmp_path / "absent"))


@pytest.mark.parametrize("logged", [1, 12, 20])
def test_a_training_that_goes_on_ends_at_the_last_of_its_epochs(tmp_path: Path, logged: int) -> None:
    rows = "".join(f"{epoch},{epoch},{1 / (epoch + 1)}\n" for epoch in range(logged))
    table = read_logs(version(tmp_path, f"epoch,step,val_loss\n{rows}", hparams="max_epochs: 20\n").parent)
    assert table.runs["horizon"].tolist() == [19]


def test_a_constant_that_is_the_same_in_all_runs_is_no_configuration(tmp_path: Path) -> None:
    for run, decay in (("a", 0.1), ("b", 0.2)):
        rows = "".join(f"{epoch},{epoch},{1 / (epoch + 1)},0.5,{decay}\n" for epoch in range(4))
        version(tmp_path / run, f"epoch,step,val_loss,frozen_mean,decay\n{rows}", hparams="lr: 1\n")
    table = read_logs(tmp_path)
    assert set(table.configs) == {"decay", "lr"}
    assert table.reading is not None and table.reading.left_out["frozen_mean"] == "constant"
