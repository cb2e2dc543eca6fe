"""A run log that is damaged costs its run, not the folder; files that are no files do not hang."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from lcode.errors import InputError
from lcode.readers import read_logs
from lcode.table import Metric
from lcode.table.runlog import RunHeader, RunLogWriter

MIOU = Metric("seg", "miou", "max")


def write(folder: Path, run: str, epochs: int = 4) -> Path:
    with RunLogWriter(folder, RunHeader(run, 9, (MIOU,))) as log:
        for epoch in range(1, epochs + 1):
            log.epoch(epoch, {"seg/miou": epoch / 10})
    return log.path


def replace_line(path: Path, number: int, line: str) -> None:
    lines = path.read_text().split("\n")
    lines[number - 1] = line
    path.write_text("\n".join(lines))


DAMAGE = {
    "a torn epoch in the middle": (3, '{"type":"epo{"type":"epoch","epoch":2,"values":{"seg/miou":0.2}}', "not JSON"),
    "an epoch twice": (4, '{"type":"epoch","epoch":2,"values":{"seg/miou":0.9}}', "0.9 here, but 0.2 on line 3"),
    "text for a number": (3, '{"type":"epoch","epoch":2,"values":{"seg/miou":"x"}}', "is not a number"),
    "nested too deeply": (3, "[" * 100_000 + "]" * 100_000, "nested too deeply"),
    "half a surrogate pair": (3, '{"type":"end","status":"\\ud800"}', "half a surrogate pair"),
    "zeros after a power cut": (3, "\0" * 40, "not JSON"),
    "a header of a newer version": (1, '{"type":"header","version":99}', "upgrade lcode"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_log_is_left_out_with_file_and_line_and_the_others_are_read(name: str, tmp_path: Path) -> None:
    line, text, expected = DAMAGE[name]
    for run in "abc":
        write(tmp_path, run)
    replace_line(tmp_path / "b.jsonl", line, text)
    table = read_logs(tmp_path)
    assert table.run_ids == ("a", "c")
    assert table.last_epochs.tolist() == [4, 4]
    (note,) = [note for note in table.notes if "b.jsonl" in note]
    where = 4 if name == "an epoch twice" else line
    assert f"b.jsonl, line {where}" in note and expected in note and "The other 2 logs are read" in note
    # Alone it is an error, and so is a folder in which nothing is left.
    for logs in (tmp_path / "b.jsonl", tmp_path):
        for other in "ac":
            (tmp_path / f"{other}.jsonl").unlink(missing_ok=True)
        with pytest.raises(InputError, match=r"b\.jsonl, line"):
            read_logs(logs)


def test_a_log_without_a_whole_header_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, "a")
    replace_line(write(tmp_path, "b"), 1, '{"type":"header","ver')
    (tmp_path / "c.jsonl").write_text('{"type":"hea')
    table = read_logs(tmp_path)
    assert table.run_ids == ("a",)
    (note,) = table.notes
    assert "b.jsonl (its first line is no whole header), c.jsonl (its" in note


def test_what_two_logs_disagree_on_is_an_error_beside_a_damaged_one(tmp_path: Path) -> None:
    for run in "abcde":
        write(tmp_path, run)
    replace_line(tmp_path / "c.jsonl", 3, "?")
    (tmp_path / "f.jsonl").write_text((tmp_path / "a.jsonl").read_text().replace('"config":{}', '"config":{"lr":1}'))
    with pytest.raises(InputError, match=r"f\.jsonl, line 1.*: run 'a' has another 'config' here .*a\.jsonl"):
        read_logs(tmp_path)


def test_of_many_damaged_logs_ten_are_described(tmp_path: Path) -> None:
    for i in range(40):
        write(tmp_path, f"r{i:02d}", epochs=2)
        if i % 3:
            replace_line(tmp_path / f"r{i:02d}.jsonl", 2, '{"type":"epoch","epoch":1,"values":{"seg/miou":"x"}}')
    table = read_logs(tmp_path)
    assert len(table) == 14
    notes = [note for note in table.notes if note.startswith("left out")]
    assert len(notes) == 10 and "(16 more are left out). The other 14 logs are read." in notes[-1]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
@pytest.mark.parametrize("name", ["runs.csv", "runs.parquet", "runs.jsonl"])
def test_a_pipe_or_a_device_does_not_hang(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(InputError, match="is a pipe or a device"):
        read_logs(tmp_path / name)
    device = tmp_path / f"zero-{name}"
    device.symlink_to("/dev/zero")
    with pytest.raises(InputError, match="is a pipe or a device"):
        read_logs(device)
    with pytest.raises(InputError, match="holds no logs"):
        read_logs(tmp_path)


def test_a_name_of_300_letters_is_refused_by_the_operating_system(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"File name too long; choose a shorter name"):
        read_logs(tmp_path / ("x" * 300 + ".csv"))


def test_an_integer_beyond_all_floats_is_infinite(tmp_path: Path) -> None:
    path = write(tmp_path, "a")
    replace_line(path, 5, json.dumps({"type": "epoch", "epoch": 4, "values": {"seg/miou": -(10**400)}}))
    value = read_logs(tmp_path).points["value"].iloc[-1]
    assert value == float("-inf")
