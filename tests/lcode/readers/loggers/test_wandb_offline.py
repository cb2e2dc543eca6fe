"""`.wandb` files: two that W&B has written (`write_wandb.py`), and records written here, whole, growing and damaged."""

from __future__ import annotations

import math
import shutil
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from lcode.errors import InputError
from lcode.readers import read_logs
from lcode.readers.loggers import LOGGERS, Logged

DATA = Path(__file__).parent / "data" / "wandb"
HISTORY, CONFIG, METRIC, RUN, EXIT = 2, 5, 12, 17, 18

reader = LOGGERS["wandb"]


def read(folder: Path) -> list[Logged]:
    return list(reader.read([path for path in sorted(folder.rglob("*")) if reader.sniff(path)]))


def varint(value: int) -> bytes:
    return bytes([value]) if value < 0x80 else bytes([value & 0x7F | 0x80]) + varint(value >> 7)


def field(number: int, content: bytes | str | int) -> bytes:
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    data = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(data)) + data


def row(values: Mapping[str, str]) -> bytes:
    """A record of the history; values as JSON."""
    return field(HISTORY, b"".join(field(1, field(2, name) + field(16, text)) for name, text in values.items()))


def framed(records: list[bytes]) -> bytes:
    """A file of these records."""
    out = bytearray(b":W&B\xe1\xbe\x00")
    for record in records:
        first = True
        while first or record:
            left = 32768 - len(out) % 32768
            if left < 7:
                out += bytes(left)
                continue
            part, record = record[: left - 7], record[left - 7 :]
            kind = bytes([{(True, True): 1, (True, False): 2, (False, False): 3, (False, True): 4}[first, not record]])
            out += struct.pack("<IH", crc32(kind + part), len(part)) + kind + part
            first = False
    return bytes(out)


def write(path: Path, values: list[float], *more: bytes, id: str = "abc", start: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    run = field(RUN, field(1, id) + field(8, f"name of {id}"))
    rows = [row({"_step": str(start + i), "loss": str(value)}) for i, value in enumerate(values)]
    path.write_bytes(framed([run, *rows, *more]))
    return path


def cells(run: Logged, *names: str) -> list[tuple[Any, ...]]:
    return list(zip(*(run.columns[name].to_pylist() for name in names), strict=True))


def test_what_the_library_has_written() -> None:
    first, second = read(DATA)
    assert (first.run, first.status, second.run, second.status) == ("sweep-00", "finished", "sweep-01", "failed")
    assert first.config == {"lr": 0.1, "model.width": 32, "model.act": "relu", "layers": [64, 64], "late": True}
    assert first.axis == "epoch"  # by define_metric
    assert first.directions == {"val/acc/seg": "max"}
    names = {"_step", "_runtime", "_timestamp", "epoch", "val/loss/seg", "val/loss/depth", "val/acc/seg"}
    assert {*first.columns} == {*names, "nested.grad.norm"}  # the histogram is none
    assert cells(second, "epoch", "val/loss/seg") == [(0, 2.0), (1, 1.5), (2, 1 / 3 + 1), (3, 1.25)]
    depth = first.columns["val/loss/depth"].to_pylist()
    assert depth[:2] == [0.5, 0.25] and math.isnan(depth[2]) and depth[3] == math.inf
    assert first.notes == second.notes == ()


def test_files_of_one_run_are_one_run_that_was_resumed(tmp_path: Path) -> None:
    write(tmp_path / "run-1" / "a.wandb", [3, 2], id="x")
    write(tmp_path / "run-2" / "a.wandb", [1], field(EXIT, b""), id="x", start=2)
    write(tmp_path / "run-3" / "a.wandb", [9], id="y")
    one, other = read(tmp_path)
    assert cells(one, "_step", "loss") == [(0, 3), (1, 2), (2, 1)] and one.status == "finished"
    assert other.run == "name of y" and other.status is None


def test_values_of_every_kind_that_the_format_has(tmp_path: Path) -> None:
    values = [
        field(1, "plain") + field(5, 5),  # zigzag: -3
        field(1, "number") + varint(6 << 3 | 1) + struct.pack("<d", 0.25),
        field(1, "flag") + field(4, 1),
        field(1, "text") + field(7, "word"),
        field(2, "outer") + field(2, "inner") + field(16, "7"),
        field(1, "object") + field(8, '{"a": {"b": 1.5}}'),
        field(1, "long " + "x" * 300) + field(16, "1"),
        field(1, "nothing") + field(3, 0),
    ]
    record = field(HISTORY, b"".join(field(1, value) for value in values) + field(2, field(1, 4)))
    path = tmp_path / "a.wandb"
    path.write_bytes(framed([field(RUN, field(1, "x")), record]))
    (run,) = read(tmp_path)
    expected = {"plain": -3, "number": 0.25, "flag": "True", "text": "word", "outer.inner": 7, "object.a.b": 1.5}
    expected |= {"_step": 4, "long " + "x" * 300: 1}
    assert {name: column.to_pylist() for name, column in run.columns.items()} == {
        name: [value] for name, value in expected.items()
    }


def test_settings_may_be_wrapped_changed_and_removed(tmp_path: Path) -> None:
    def change(kind: int, name: str, text: str = "null") -> bytes:
        return field(CONFIG, field(kind, field(1, name) + field(16, text)))

    changes = [change(1, "lr", '{"desc": null, "value": 0.1}'), change(1, "gone", "1"), change(2, "gone")]
    write(tmp_path / "a.wandb", [1], *changes, change(1, "_wandb", '{"value": {"x": 1}}'), change(1, "größe", '"é"'))
    (run,) = read(tmp_path)
    assert run.config == {"lr": 0.1, "größe": "é"}


def test_metrics_may_be_drawn_against_one_that_is_named_by_its_place(tmp_path: Path) -> None:
    metrics = [field(METRIC, field(1, "epoch")), field(METRIC, field(1, "loss") + field(5, 1) + field(8, 1))]
    rows = [row({"epoch": "0", "loss": "2"}), row({"epoch": "1", "loss": "1"})]
    write(tmp_path / "a.wandb", [], *metrics, *rows)
    (run,) = read(tmp_path)
    assert run.axis == "epoch" and run.directions == {"loss": "min"}


@pytest.mark.parametrize("step", ["train/global_step", "trainer/global_step", "my_step"])
def test_an_epoch_beside_an_integrations_step_is_the_axis_and_beside_the_users_own_is_not(
    tmp_path: Path, step: str
) -> None:
    declared = [field(METRIC, field(1, step)), field(METRIC, field(2, "*") + field(4, step))]
    for run, name in enumerate(("a", "b"), start=1):
        rows = [
            row({"_step": str(at), step: str(10 * at), "train/epoch": str(at / 4), "eval/loss": str(run / (at + 1))})
            for at in range(9)
        ]
        write(tmp_path / f"{name}.wandb", [], *declared, *rows, id=name)
    table = read_logs(tmp_path)
    assert table.reading is not None
    assert table.reading.axis == ((step,) if step == "my_step" else ("train/epoch",))
    assert table.points["epoch"].max() * table.epoch_unit == (80 if step == "my_step" else 2)


def test_records_longer_than_a_block_and_thousands_of_names(tmp_path: Path) -> None:
    names = [f"layer {i}/grad" for i in range(3000)]
    rows = [row({"_step": str(step)} | dict.fromkeys(names, str(step))) for step in range(3)]
    write(tmp_path / "a.wandb", [], *rows)
    (run,) = read(tmp_path)
    assert len(run.columns) == 3001 and cells(run, "_step", names[-1]) == [(0, 0), (1, 1), (2, 2)]


def test_a_torn_end_is_left_out_at_every_length(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wandb", [3, 2, 1])
    data = path.read_bytes()
    whole = len(framed([field(RUN, field(1, "abc") + field(8, "name of abc"))]))
    length = (len(data) - whole) // 3
    for size in range(whole + length, len(data)):
        path.write_bytes(data[:size])
        (run,) = read(tmp_path)
        assert cells(run, "_step", "loss") == [(0, 3), (1, 2), (2, 1)][: (size - whole) // length]
        assert len(run.notes) == ((size - whole) % length > 0) and all("torn" in note for note in run.notes)


def test_damage_costs_its_block_and_no_more(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wandb", [float(i) for i in range(3000)])
    data = bytearray(path.read_bytes())
    assert len(data) > 3 * 32768
    data[32768 + 5000] ^= 1
    path.write_bytes(data)
    (run,) = read(tmp_path)
    steps = run.columns["_step"].to_pylist()
    assert steps == sorted(steps) and steps[0] == 0 and steps[-1] == 2999 and 1500 < len(steps) < 3000
    assert len(run.notes) == 1 and "damaged" in run.notes[0]


def test_zero_bytes_at_the_end_are_no_record(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wandb", [2, 1])
    path.write_bytes(path.read_bytes() + bytes(100))
    (run,) = read(tmp_path)
    assert cells(run, "_step", "loss") == [(0, 2), (1, 1)] and len(run.notes) == 1


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty"),
        (bytes(5000), "is empty"),
        (b"epoch,loss\n1,2\n", "is no file of W&B"),
        (b":W&B\xe1\xbe\x00", "has logged nothing"),
        (framed([field(RUN, field(1, "x"))]), "has logged nothing"),
        (framed([b"\xff" * 20, b"\x0b"]), "has logged nothing"),
        (b":W&B\xe1\xbe\x00" + b"\xff" * 100_000, "has logged nothing"),
    ],
    ids=["empty", "zeros", "csv", "header", "no row", "no records", "noise"],
)
def test_a_file_with_nothing_to_read_is_refused_alone_and_left_out_beside_others(
    tmp_path: Path, content: bytes, expected: str
) -> None:
    path = tmp_path / "bad.wandb"
    path.write_bytes(content)
    with pytest.raises(InputError, match=expected) as caught:
        read(tmp_path)
    assert "W&B" in str(caught.value) and path.name in str(caught.value)
    write(tmp_path / "good.wandb", [1])
    (run,) = read(tmp_path)
    assert len(run.notes) == 1 and expected in run.notes[0]


def test_names_that_are_no_files_of_the_tool(tmp_path: Path) -> None:
    (tmp_path / "run.wandb").mkdir()
    shutil.copy(next(DATA.rglob("*.wandb")), tmp_path / "run.wandb.synced")
    assert not any(reader.sniff(path) for path in [*tmp_path.iterdir(), tmp_path / "absent.wandb"])
    path = write(tmp_path / "wandb" / "run-1" / "run-1.wandb", [1])
    assert reader.sniff(path) and reader.owns(path) == path.parent


def test_an_evaluation_without_an_epoch_does_not_decide_how_trainings_are_counted(tmp_path: Path) -> None:
    training = [row({"_step": str(10 * e), "epoch": str(e), "val/acc": f"0.{e}"}) for e in range(1, 4)]
    for name, records in (("run-1-a", training), ("run-2-b", [row({"_step": "0", "test/acc": "0.5"})])):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.wandb").write_bytes(framed(records))
    table = read_logs(tmp_path)
    assert len(table.runs) == 1 and table.points["epoch"].tolist() == [1, 2, 3]
    assert any("one evaluation without an epoch and no curve" in note for note in table.notes)
