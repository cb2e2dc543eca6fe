"""Event files as torch's and TensorBoard's own writers leave them, whole, growing and damaged."""

from __future__ import annotations

import builtins
import math
import shutil
import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.plugins.hparams.summary_v2 import hparams_pb
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from torch.utils.tensorboard import SummaryWriter

from lcode.errors import InputError, MissingExtraError
from lcode.readers import Choices, read_logs
from lcode.readers.loggers import LOGGERS, Logged
from lcode.readers.loggers.points import Points, rows_of

reader = LOGGERS["tensorboard"]


def read(folder: Path) -> list[Logged]:
    return list(reader.read([path for path in sorted(folder.rglob("*")) if reader.sniff(path)]))


def cells(run: Logged, *names: str) -> list[tuple[Any, ...]]:
    return list(zip(*(run.columns[name].to_pylist() for name in names), strict=True))


def write(folder: Path, curves: Mapping[str, Sequence[float]], start: int = 0) -> Path:
    """One event file with a record per value, step by step."""
    before = set(folder.glob("*")) if folder.exists() else set()
    with SummaryWriter(str(folder)) as writer:
        for i, values in enumerate(zip(*curves.values(), strict=True)):
            for name, value in zip(curves, values, strict=True):
                writer.add_scalar(name, value, start + i)
    (path,) = (path for path in set(folder.glob("events*")) - before)
    return path


def test_one_row_per_step_and_a_column_per_tag(tmp_path: Path) -> None:
    write(tmp_path / "a", {"val/seg/loss": [1.5, 1.25], "val/depth/loss": [math.nan, -math.inf]})
    write(tmp_path / "b", {"val/seg/loss": [0.5]}, start=2**40)
    first, second = read(tmp_path)
    assert first.axis == "step" and first.file.parent == tmp_path / "a" and first.notes == ()
    assert list(first.columns) == ["step", "wall_time", "val/seg/loss", "val/depth/loss"]
    assert cells(first, "step", "val/seg/loss") == [(0, 1.5), (1, 1.25)]
    assert math.isnan(first.columns["val/depth/loss"][0].as_py())
    assert first.columns["val/depth/loss"][1].as_py() == -math.inf
    assert cells(second, "step", "val/seg/loss") == [(2**40, 0.5)]


@pytest.mark.parametrize("name", ["epoch", "train/epoch"])
def test_an_epoch_logged_beside_each_step_is_the_axis_unless_steps_are_asked_for(tmp_path: Path, name: str) -> None:
    for run in (1, 2):
        with SummaryWriter(str(tmp_path / str(run))) as writer:
            writer.add_scalar("hp_metric", -1, 0)
            for step in range(9, 80, 10):
                writer.add_scalar(name, step // 20, step)
                writer.add_scalar("train/loss" if step % 20 == 9 else "val/acc", run / step, step)
    table = read_logs(tmp_path)
    assert table.reading is not None and table.reading.axis == (name,)
    accuracy = table.points[table.points["metric"] == "acc"]
    assert accuracy["epoch"].tolist() == [0, 1, 2, 3] * 2
    steps = read_logs(tmp_path, choices=Choices(epoch="step")).in_unit(1.0)
    assert steps.points["epoch"].max() == 79


def test_a_restart_with_epochs_beside_the_steps_leaves_no_curve_of_steps(tmp_path: Path) -> None:
    for first, last in ((0, 6), (3, 9)):
        with SummaryWriter(str(tmp_path / "a")) as writer:
            for epoch in range(first, last):
                writer.add_scalar("epoch", epoch, 100 * epoch + 99)
                writer.add_scalar("val/acc", (epoch + first) / 100, 100 * epoch + 99)
    table = read_logs(tmp_path, directions={"acc": "max"})
    assert [metric.key for metric in table.metrics] == ["val/acc"]
    assert table.points["value"].round(4).tolist() == [0, 0.01, 0.02, 0.06, 0.07, 0.08, 0.09, 0.1, 0.11]
    assert table.reading is not None and "step" not in table.reading.left_out


def test_where_one_run_says_no_epochs_the_steps_of_all_count(tmp_path: Path) -> None:
    write(tmp_path / "a", {"epoch": [0, 0, 1, 1], "val/acc": [0.1, 0.2, 0.3, 0.4]})
    write(tmp_path / "b", {"val/acc": [0.2, 0.3, 0.5, 0.6]})
    table = read_logs(tmp_path)
    assert table.reading is not None and table.reading.axis == ("step",)
    assert table.points["epoch"].tolist() == [0, 1, 2, 3] * 2


def test_curves_written_one_after_the_other_share_their_rows(tmp_path: Path) -> None:
    with SummaryWriter(str(tmp_path)) as writer:
        for name in ("a", "b"):
            for step in range(3):
                writer.add_scalar(name, step + (name == "b") * 10, step)
    (run,) = read(tmp_path)
    assert cells(run, "step", "a", "b") == [(0, 0, 10), (1, 1, 11), (2, 2, 12)]


def test_a_restart_adds_rows_for_the_steps_that_come_again(tmp_path: Path) -> None:
    write(tmp_path, {"a": [0, 1, 2], "b": [0, 1, 2]})
    write(tmp_path, {"a": [11, 12], "b": [11, 12]}, start=1)
    (run,) = read(tmp_path)
    assert cells(run, "step", "a", "b") == [(0, 0, 0), (1, 1, 1), (2, 2, 2), (1, 11, 11), (2, 12, 12)]


def test_what_a_restarted_training_measures_rarely_stands_with_the_rest_of_it(tmp_path: Path) -> None:
    for start, rare in ((0, 2), (2, 4)):
        with SummaryWriter(str(tmp_path)) as writer:
            for step in range(start, start + 4):
                writer.add_scalar("often", start, step)
                if step == rare:
                    writer.add_scalar("rare", start, step)
    (run,) = read(tmp_path)
    assert cells(run, "step", "often", "rare")[4:] == [(2, 2, None), (3, 2, None), (4, 2, 2), (5, 2, None)]


def test_two_writers_at_once_in_one_folder_are_no_restart(tmp_path: Path) -> None:
    train, val = SummaryWriter(str(tmp_path)), SummaryWriter(str(tmp_path))
    for step in range(2):
        train.add_scalar("train", step, step)
        val.add_scalar("val", step, step)
    train.close()
    val.close()
    (run,) = read(tmp_path)
    assert cells(run, "step", "train", "val") == [(0, 0, 0), (1, 1, 1)]


def test_values_without_a_step_are_rows_in_the_order_of_logging(tmp_path: Path) -> None:
    with SummaryWriter(str(tmp_path)) as writer:
        for value in (3, 2, 1):
            writer.add_scalar("a", value)
    (run,) = read(tmp_path)
    assert cells(run, "step", "a") == [(0, 3), (1, 2), (2, 1)]


def test_a_value_logged_twice_at_each_step_goes_not_back(tmp_path: Path) -> None:
    with SummaryWriter(str(tmp_path)) as writer:
        for step in range(2):
            for name in ("a", "b", "a"):
                writer.add_scalar(name, step, step)
    (run,) = read(tmp_path)
    assert cells(run, "step", "a", "b") == [(0, 0, 0), (0, 0, None), (1, 1, 1), (1, 1, None)]


def test_add_scalars_writes_folders_that_belong_to_the_run(tmp_path: Path) -> None:
    for name in ("r1", "r2"):
        with SummaryWriter(str(tmp_path / name)) as writer:
            for step in range(2):
                writer.add_scalars("val/loss", {"seg": step, "depth_x": step + 0.5}, step)
    runs = read(tmp_path)
    assert [run.file.parent.parent for run in runs] == [tmp_path, tmp_path]
    assert cells(runs[0], "step", "val/loss_seg", "val/loss_depth_x") == [(0, 0, 0.5), (1, 1, 1.5)]


def test_hyperparameters_are_the_configuration_and_their_final_values_no_curve(tmp_path: Path) -> None:
    with SummaryWriter(str(tmp_path)) as writer:
        for step in range(2):
            writer.add_scalar("acc", step, step)
        writer.add_hparams({"lr": 0.1, "opt": "adam", "nested": True}, {"final/acc": 1.0, "acc": 7.0})
    (run,) = read(tmp_path)
    assert run.config == {"lr": 0.1, "opt": "adam", "nested": True}
    assert set(run.columns) == {"step", "wall_time", "acc"} and cells(run, "acc") == [(0,), (1,)]
    assert run.status is None  # the plugin says success before the training has begun


def put(writer: EventFileWriter, summary: Summary, step: int) -> None:
    writer.add_event(Event(wall_time=1.0 + step, step=step, summary=summary))


def test_keras_folders_of_training_and_validation_are_one_run(tmp_path: Path) -> None:
    for name in ("r1", "r2"):
        root = EventFileWriter(str(tmp_path / name))
        put(root, hparams_pb({"units": 32}), 0)
        root.close()
        for split in ("train", "validation"):
            writer = EventFileWriter(str(tmp_path / name / split))
            for step in range(2):
                put(writer, scalar_pb("epoch_loss", step + (split == "train")), step)
            writer.close()
    runs = read(tmp_path)
    assert [run.file.parent for run in runs] == [tmp_path / "r1", tmp_path / "r2"]
    assert cells(runs[0], "step", "train/epoch_loss", "validation/epoch_loss") == [(0, 1, 0), (1, 2, 1)]
    assert runs[0].config == {"units": 32}


@pytest.mark.parametrize(
    ("tensor", "expected"),
    [
        (TensorProto(dtype=1, float_val=[0.5]), 0.5),
        (TensorProto(dtype=1, tensor_content=struct.pack("<f", 0.5)), 0.5),
        (TensorProto(dtype=2, double_val=[0.1]), 0.1),
        (TensorProto(dtype=9, int64_val=[-3]), -3.0),
        (TensorProto(dtype=10, bool_val=[True]), 1.0),
        (TensorProto(dtype=19, half_val=[0x3800]), 0.5),
        (TensorProto(dtype=14, half_val=[0x3F00]), 0.5),
        (TensorProto(dtype=7, string_val=[b"text"]), None),
        (TensorProto(dtype=1, float_val=[1.0, 2.0], tensor_shape={"dim": [{"size": 2}]}), None),
        (TensorProto(dtype=1), None),
    ],
)
def test_a_tensor_without_dimensions_is_a_scalar(tmp_path: Path, tensor: TensorProto, expected: float | None) -> None:
    writer = EventFileWriter(str(tmp_path))
    put(writer, Summary(value=[Summary.Value(tag="kept", simple_value=1.0)]), 0)
    put(writer, Summary(value=[Summary.Value(tag="x", tensor=tensor)]), 0)
    writer.close()
    (run,) = read(tmp_path)
    assert ([] if expected is None else [(expected,)]) == (cells(run, "x") if "x" in run.columns else [])


def test_many_tags_and_unicode_names(tmp_path: Path) -> None:
    names = [f"Aufgabe {i}/größe→{i}" for i in range(2000)]
    writer = EventFileWriter(str(tmp_path / "lauf é"))
    for step in range(2):
        put(writer, Summary(value=[Summary.Value(tag=name, simple_value=step) for name in names]), step)
    writer.close()
    (run,) = read(tmp_path)
    assert list(run.columns) == ["step", "wall_time", *names] and len(run.columns["step"]) == 2


def test_a_tag_named_as_the_readers_own_columns_is_kept_beside_them(tmp_path: Path) -> None:
    write(tmp_path, {"step": [7.0], "wall_time": [8.0]})
    (run,) = read(tmp_path)
    assert cells(run, "step", "step (logged)", "wall_time (logged)") == [(0, 7, 8)]


def test_a_torn_end_is_left_out_at_every_length(tmp_path: Path) -> None:
    path = write(tmp_path, {"a": [0, 1, 2, 3]})
    data = path.read_bytes()
    for size in range(len(data) - 1, len(data) - 60, -1):
        path.write_bytes(data[:size])
        (run,) = read(tmp_path)
        whole = len(run.columns["a"])
        assert cells(run, "step", "a") == [(i, i) for i in range(whole)] and 2 <= whole <= 3
        assert all("torn" in note for note in run.notes) and len(run.notes) <= 1


def test_a_damaged_record_is_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, {"a": [0, 1, 2.7182817, 3]})
    data = bytearray(path.read_bytes())
    at = data.index(struct.pack("<f", 2.7182817))  # bytes that no time stamp or length has by chance
    data[at + 2] ^= 1
    path.write_bytes(data)
    (run,) = read(tmp_path)
    assert cells(run, "step", "a") == [(0, 0), (1, 1), (3, 3)]
    (note,) = run.notes
    assert (
        note.startswith(f"{tmp_path.name}/{path.name}: damaged, so that 1 record in its midst") and "torn" not in note
    )


def test_what_follows_a_damaged_length_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, {"a": [0, 1, 2.7182817, 3, 4]})
    data = bytearray(path.read_bytes())
    value = data.index(struct.pack("<f", 2.7182817))
    for at in range(value - 40, value - 20):  # the length stands somewhere before the value
        damaged = data.copy()
        damaged[at] ^= 8
        path.write_bytes(damaged)
        (run,) = read(tmp_path)
        kept = cells(run, "step", "a")
        assert set(kept) >= {(0, 0), (3, 3), (4, 4)} and len(kept) == 4
        (note,) = run.notes
        assert "1 record in its midst" in note and "torn" not in note
    path.write_bytes(damaged[:-5])
    (run,) = read(tmp_path)
    assert len(cells(run, "a")) == 3 and [("midst" in note, "torn" in note) for note in run.notes] == [
        (True, False),
        (False, True),
    ]


@pytest.mark.parametrize("tail", [b"\0" * 100, b"x" * 100, b"\xff" * 16], ids=["zeros", "text", "length"])
def test_what_follows_the_records_and_is_none_is_left_out(tmp_path: Path, tail: bytes) -> None:
    path = write(tmp_path, {"a": [0, 1]})
    whole = path.read_bytes()
    path.write_bytes(whole + tail)
    (run,) = read(tmp_path)
    assert cells(run, "step", "a") == [(0, 0), (1, 1)]
    assert len(run.notes) == 1 and f"damaged from byte {len(whole)} on" in run.notes[0]


def no_scalar(path: Path) -> None:
    with SummaryWriter(str(path.parent / "texts")) as writer:
        writer.add_text("a", "b")
    shutil.copy(next((path.parent / "texts").iterdir()), path)
    shutil.rmtree(path.parent / "texts")


REFUSED: dict[str, Callable[[Path], object]] = {
    "is empty": lambda path: path.write_bytes(b""),
    "no event file": lambda path: path.write_bytes(b"epoch,loss\n1,2\n" * 10),
    "was cut within its first record": lambda path: path.write_bytes(b'\x18\0\0\0\0\0\0\0\xa3\x7fK"\t'),
    "first record": lambda path: path.write_bytes(b"\0" * 4096),
    "without a scalar": no_scalar,
}


@pytest.mark.parametrize("expected", REFUSED)
def test_a_file_with_nothing_to_read_is_refused_alone_and_left_out_beside_others(tmp_path: Path, expected: str) -> None:
    path = tmp_path / "bad" / "events.out.tfevents.1700000000.host.1.0"
    path.parent.mkdir()
    REFUSED[expected](path)
    with pytest.raises(InputError, match=expected) as caught:
        read(tmp_path)
    assert "TensorBoard" in str(caught.value) and path.name in str(caught.value)
    write(tmp_path / "good", {"a": [0, 1]})
    (run,) = read(tmp_path)
    assert len(run.notes) == 1 and expected in run.notes[0]


def test_names_that_are_no_event_files(tmp_path: Path) -> None:
    for name in ("events.out.tfevents.1.host.profile-empty", "metrics.csv"):
        (tmp_path / name).write_bytes(b"")
        assert not reader.sniff(tmp_path / name)
    (tmp_path / "events.out.tfevents.1").mkdir()
    assert not reader.sniff(tmp_path / "events.out.tfevents.1") and not reader.sniff(tmp_path / "tfevents.absent")


def test_without_tensorboard_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"a": [0]})
    original = builtins.__import__

    def missing(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("tensorboard"):
            raise ImportError(name)
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(MissingExtraError, match=r"pip install 'lcode\[tensorboard\]'"):
        read(tmp_path)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4)), min_size=1, max_size=30))
def test_no_value_is_lost_and_each_curve_keeps_its_order(logged: list[tuple[int, int]]) -> None:
    codes, steps = (np.array(column, np.int64) for column in zip(*logged, strict=True))
    values = np.arange(len(logged), dtype=float)
    columns = rows_of([Points(["a", "b", "c"], codes, steps, values, values)], Path("file"), "a tool")
    for code, name in enumerate("abc"):
        column = columns[name]
        kept = column.is_valid()
        assert column.filter(kept).to_pylist() == values[codes == code].tolist()
        assert pa.array(columns["step"]).filter(kept).to_pylist() == steps[codes == code].tolist()


def test_what_lightning_saves_beside_its_events_is_the_configuration(tmp_path: Path) -> None:
    write(tmp_path / "version_0", {"epoch": (0, 1, 2), "val_loss": (3.0, 2.0, 1.5)})
    (tmp_path / "version_0" / "hparams.yaml").write_text("lr: 0.1\nmax_epochs: 10\n")
    (run,) = read(tmp_path)
    assert run.config == {"lr": 0.1, "max_epochs": 10} and run.horizon == 9


def test_what_keras_counts_by_batch_is_left_out_beside_what_it_counts_by_epoch(tmp_path: Path) -> None:
    write(tmp_path / "run", {"epoch_loss": (3.0, 2.0)})
    write(tmp_path / "run", {"evaluation_loss_vs_iterations": (3.0, 2.0)}, start=500)
    (run,) = read(tmp_path)
    assert cells(run, "step", "epoch_loss") == [(0, 3.0), (1, 2.0)]
    assert set(run.columns) == {"step", "wall_time", "epoch_loss"}


def test_a_training_that_is_started_again_in_the_same_folder_is_another_run(tmp_path: Path) -> None:
    for values in ((3.0, 2.0, 1.5, 1.0), (5.0, 4.0), (9.0, 8.0, 7.0)):
        write(tmp_path / "logs", {"val/loss": values})
    write(tmp_path / "logs", {"val/loss": (6.5,)}, start=2)  # resumed
    first, _ = read(tmp_path)
    assert cells(first, "step", "val/loss") == [(0, 3.0), (1, 2.0), (2, 1.5), (3, 1.0)]
    table = read_logs(tmp_path)
    assert table.run_ids == ("logs", "logs#2") and any("begin anew 1 times" in note for note in table.notes)
    again = table.points[table.points["run"] == "logs#2"]
    assert again["value"].tolist() == [9.0, 8.0, 6.5]
