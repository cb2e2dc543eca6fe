"""Files of tools that a crash, a full disk or a stranger has spoilt: a refusal that helps, or a remark."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from lcode.errors import InputError
from lcode.readers.logged.lines import numbered_objects
from lcode.readers.loggers import LOGGERS, Logged
from lcode.readers.read import read_logs

DATA = Path(__file__).parent / "data"

FILES = {
    "ray-tune": "ray_tune/asha/train_6c3c0_00001_1_lr=0.0100_2026-11-28_07-22-15/result.json",
    "stable-baselines3": "stable_baselines3/ppo_0/progress.csv",
    "ultralytics": "ultralytics/detect/train1/results.csv",
    "mmengine": "mmengine/epochs/lr_0.0001/20261128_073715/vis_data/scalars.json",
    "detectron2": "detectron2/mask_rcnn_0/metrics.json",
    "mace": "mace/water/results/water_run-0_train.txt",
    "nequip": "nequip/toluene-1/metrics_epoch.csv",
    "libmtl": "libmtl/validated/EW_0.log",
}
"""A file of each tool that writes text; it lies in a folder of its own."""

ALONE = ("ray-tune", "ultralytics", "mmengine")
"""Tools whose files are known by what lies beside them, whatever is in them."""

each = pytest.mark.parametrize("tool", FILES)


@pytest.fixture
def log(tool: str, tmp_path: Path) -> Path:
    """A copy that may be spoilt."""
    original = DATA / FILES[tool]
    parts = original.relative_to(DATA).parts[1:]
    shutil.copytree(DATA / original.relative_to(DATA).parts[0], tmp_path / "logs")
    path = tmp_path.joinpath("logs", *parts)
    assert path.is_file()
    return path


def read(tool: str, path: Path) -> Logged:
    reader = LOGGERS[tool]
    assert reader.sniff(path)
    (run,) = reader.read([path])
    return run


def rows(run: Logged) -> int:
    return max(map(len, run.columns.values()))


def refusal(tool: str, path: Path) -> str:
    """The message, which must name the file and the tool, and say what to do."""
    if not LOGGERS[tool].sniff(path):
        return ""  # the others' to judge, by its ending
    with pytest.raises(InputError) as caught:
        list(LOGGERS[tool].read([path]))
    message = str(caught.value)
    assert str(path) in message and LOGGERS[tool].tool in message
    assert "restore it" in message or "move it away" in message
    return message


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


@each
def test_a_torn_end(tool: str, log: Path) -> None:
    whole = rows(read(tool, log))
    *kept, last = lines_of(log) if tool != "libmtl" else [line for line in lines_of(log) if line[:1] == b"E"][:3]
    head = b"" if tool != "libmtl" else b"".join(lines_of(log)[:6])
    log.write_bytes(head + b"".join(kept) + last[: len(last) // 2])
    run = read(tool, log)
    assert rows(run) == (whole - 1 if tool != "libmtl" else 2)
    assert any("incomplete" in note and log.name in note for note in run.notes)


@each
def test_a_torn_line_amid_others(tool: str, log: Path) -> None:
    whole = rows(read(tool, log))
    lines = lines_of(log)
    at = 2 if tool != "libmtl" else 7
    lines[at] = lines[at][: len(lines[at]) // 2] + b"\n"
    log.write_bytes(b"".join(lines))
    run = read(tool, log)
    assert rows(run) == whole - 1
    assert any(str(at + 1) in note and "left out" in note for note in run.notes)


@each
def test_zero_bytes_at_the_end_as_after_a_power_cut(tool: str, log: Path) -> None:
    whole = rows(read(tool, log))
    log.write_bytes(log.read_bytes() + b"\0" * 4096)
    run = read(tool, log)
    assert rows(run) == whole
    assert any("zero bytes" in note for note in run.notes)


@each
def test_zero_bytes_in_the_middle(tool: str, log: Path) -> None:
    lines = lines_of(log)
    log.write_bytes(b"".join([*lines[:-1], b"\0" * 5, lines[-1]]))
    assert f"line {len(lines)}: is read as a file of" in refusal(tool, log)


@each
def test_a_block_of_zero_bytes_in_the_middle_costs_the_line_that_it_cuts(tool: str, log: Path) -> None:
    lines = lines_of(log)
    log.write_bytes(b"".join(lines[:-1]))
    without = read(tool, log)
    log.write_bytes(b"".join([*lines[:-1], b"\0" * 512, lines[-1]]))
    run = read(tool, log)
    assert any("1 block of zero bytes" in note for note in run.notes)
    assert rows(run) == rows(without)


@each
@pytest.mark.parametrize("content", [b"", b"\n\n", b"\0" * 64], ids=["empty", "blank", "zero"])
def test_nothing_in_it(tool: str, log: Path, content: bytes) -> None:
    log.write_bytes(content)
    if tool == "ray-tune" and not content.strip():
        run = read(tool, log)
        assert not run.columns and run.config
        assert any("nothing yet" in note for note in run.notes)
    elif tool in ALONE:
        assert "is empty, so" in refusal(tool, log)
    else:
        assert not LOGGERS[tool].sniff(log)


@each
@pytest.mark.parametrize(
    "content",
    [
        b"<html><body>404</body></html>\n",
        b"\x89PNG\r\n\x1a\n\xff\xfe\x00",
        b"[1, 2, 3]\n",
        b"a,b\n1,2\n",
        b"{}\n",
        b'"x"',
    ],
    ids=["html", "png", "list", "table", "object", "text"],
)
def test_something_else_under_its_name(tool: str, log: Path, content: bytes) -> None:
    log.write_bytes(content)
    refusal(tool, log)


@each
def test_another_encoding(tool: str, log: Path) -> None:
    lines = lines_of(log)
    log.write_bytes(b"".join([*lines[:-1], "größe".encode("latin-1"), lines[-1]]))
    assert f"line {len(lines)}: " in refusal(tool, log)


@each
def test_a_folder_of_its_name(tool: str, log: Path) -> None:
    log.unlink()
    log.mkdir()
    assert not LOGGERS[tool].sniff(log)


@each
def test_missing(tool: str, log: Path) -> None:
    log.unlink()
    assert not LOGGERS[tool].sniff(log)


@each
def test_line_ends_of_windows_and_a_byte_order_mark(tool: str, log: Path) -> None:
    whole = read(tool, log)
    log.write_bytes(b"\xef\xbb\xbf" + log.read_bytes().replace(b"\n", b"\r\n"))
    run = read(tool, log)
    assert list(run.columns) == list(whole.columns)
    assert all(run.columns[name].equals(whole.columns[name]) for name in whole.columns)


@each
def test_rows_that_come_again_are_kept_as_they_came(tool: str, log: Path) -> None:
    whole = rows(read(tool, log))
    lines = lines_of(log)
    again = [line for line in lines if line[:6] == b"Epoch:"] if tool == "libmtl" else lines[1:]
    log.write_bytes(b"".join(lines) + b"".join(again))
    assert sum(map(rows, LOGGERS[tool].read([log]))) == whole + len(again)  # of another run where epochs begin anew


@each
def test_one_damaged_file_among_others_is_left_out_with_a_remark(tool: str, log: Path, tmp_path: Path) -> None:
    reader = LOGGERS[tool]
    lines = lines_of(log)
    log.write_bytes(b"".join([*lines[:-1], b"\xff\n", lines[-1]]))
    mine = [path for path in sorted((tmp_path / "logs").rglob("*")) if reader.sniff(path)]
    runs = list(reader.read(mine))
    assert len(mine) > 1 and runs
    (note,) = [note for run in runs for note in run.notes if "left out: " in note and str(log) in note]
    assert reader.tool in note


JSON = ("ray-tune", "mmengine", "detectron2", "mace")


@pytest.mark.parametrize("tool", JSON)
def test_numbers_out_of_the_way(tool: str, log: Path) -> None:
    lines = lines_of(log)
    strange = (
        b'"new": 1e400, "more": NaN, "less": -Infinity, "huge": 123456789012345678901, "text": "\xc3\xa4", "l": [1], '
    )
    log.write_bytes(b"".join([lines[0], lines[1].replace(b"{", b"{" + strange, 1), *lines[2:]]))
    run = read(tool, log)
    found = {name.rpartition("/")[2]: column.drop_null().to_pylist() for name, column in run.columns.items()}
    strange_ones = [found[name] for name in ("new", "less", "huge", "text")]
    assert strange_ones == [[float("inf")], [-float("inf")], [123456789012345678901.0], ["ä"]]
    assert found["more"][0] != found["more"][0]
    assert "l" not in found


@pytest.mark.parametrize("tool", [tool for tool in FILES if tool not in JSON and tool != "libmtl"])
def test_cells_out_of_the_way(tool: str, log: Path) -> None:
    lines = log.read_text().splitlines()
    cells = ["ä", "1e400", "nan", "-inf", ""]
    lines = [lines[0] + ",größe,new,more,less,none"] + [f"{line},{','.join(cells)}" for line in lines[1:]]
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    run = read(tool, log)
    assert run.columns["größe"].to_pylist()[0] == "ä"
    assert [run.columns[name].to_pylist()[0] for name in ("new", "less")] == [float("inf"), -float("inf")]
    assert run.columns["more"].null_count == 0 and "none" not in run.columns


@pytest.mark.parametrize("tool", [tool for tool in FILES if tool not in JSON and tool != "libmtl"])
def test_two_columns_of_one_name(tool: str, log: Path) -> None:
    lines = log.read_text().splitlines()
    log.write_text("\n".join(f"{line},{line.split(',')[0]}" for line in lines) + "\n", encoding="utf-8")
    assert "line 1: " in refusal(tool, log)


@pytest.mark.parametrize("tool", ["detectron2"])
def test_a_name_of_its_own_in_every_line(tool: str, log: Path) -> None:
    log.write_text("".join(f'{{"iteration": {i}, "loss_{i}": 1.0}}\n' for i in range(4000)))
    with pytest.raises(
        InputError, match=r"metrics\.json: is read as a file of detectron2, but has 4001 different names"
    ):
        read(tool, log)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("| surface_normal_LOSS mean <11.25 ", "", 7),
        ("LOG FORMAT | segmentation_LOSS", "LOG FORMAT | segmentation", 6),
        ("segmentation_LOSS mIoU pixAcc | surface_normal_LOSS mean <11.25 | depth_LOSS abs_err | ", "", 6),
    ],
)  # fmt: skip
@pytest.mark.parametrize("tool", ["libmtl"])
def test_a_header_that_does_not_fit(tool: str, log: Path, old: str, new: str, line: int) -> None:
    text = log.read_text()
    assert old in text
    log.write_text(text.replace(old, new))
    assert f"line {line}: " in refusal(tool, log)


@pytest.mark.parametrize("tool", ["libmtl"])
def test_a_training_that_has_just_begun_or_failed(tool: str, log: Path) -> None:
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join(lines[:6]))
    assert "no epoch is complete yet" in refusal(tool, log)
    log.write_text("".join(lines[:8]) + "Traceback (most recent call last):\n  ...\nRuntimeError: out of memory\n")
    run = read(tool, log)
    assert (run.status, rows(run)) == ("failed", 2)


def archive(folder: Path, text: str) -> Path:
    path = folder / "asha" / "results.csv.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("results.csv", text)
    return path


HEADER = "epoch,acc,st_decision,trial_id,config_lr\n"


@pytest.mark.parametrize(
    "text",
    ["", "\n", HEADER, "epoch,acc\n1,0.5\n", HEADER + "1,0.5,CONTINUE,0\n", HEADER + "1,0.5,CONTINUE,0,0.1,9\n"],
    ids=["empty", "blank", "no row", "no trial", "too few cells", "too many cells"],
)
def test_tables_of_syne_tune(tmp_path: Path, text: str) -> None:
    refusal("syne-tune", archive(tmp_path, text))


@pytest.mark.parametrize("spoil", ["empty", "text", "torn", "flipped", "no member"])
def test_archives_of_syne_tune(tmp_path: Path, spoil: str) -> None:
    path = archive(tmp_path, HEADER + "".join(f"{i},0.{i},CONTINUE,0,0.1\n" for i in range(1, 99)))
    data = bytearray(path.read_bytes())
    if spoil == "no member":
        with zipfile.ZipFile(path, "w"):
            pass
    elif spoil == "flipped":
        data[len(data) // 3] ^= 0xFF
        path.write_bytes(data)
    else:
        path.write_bytes({"empty": b"", "text": b"epoch,acc\n1,2\n", "torn": bytes(data[: len(data) // 2])}[spoil])
    refusal("syne-tune", path)


@pytest.mark.parametrize("metadata", [None, "", "[]", "{", '{"metric_names": "acc", "scheduler_kwargs": []}'])
def test_metadata_of_syne_tune_that_say_nothing(tmp_path: Path, metadata: str | None) -> None:
    path = archive(tmp_path, HEADER + "0,0.5,CONTINUE,7,0.1\n1,inf,STOP,7,0.1\n")
    if metadata is not None:
        path.with_name("metadata.json").write_text(metadata)
    (run,) = LOGGERS["syne-tune"].read([path])
    assert (run.run, run.axis, run.status, run.directions) == ("asha/7", "epoch", "stopped", {})
    assert run.columns["acc"].to_pylist() == [0.5, float("inf")]


@pytest.mark.parametrize("tool", ["detectron2", "mace", "ray-tune", "ultralytics", "nequip"])
@pytest.mark.parametrize("step", [10**15, 10**30])
def test_a_huge_step(tool: str, log: Path, step: int) -> None:
    whole = read(tool, log)
    assert whole.axis is not None
    *kept, last = lines_of(log)
    axis = f'"{whole.axis}": '.encode()
    if tool in JSON:
        head, _, tail = last.partition(axis)
        last = head + axis + str(step).encode() + tail[tail.index(b"," if b"," in tail else b"}") :]
    else:
        last = str(step).encode() + last[last.index(b",") :]
    log.write_bytes(b"".join([*kept, last]))
    steps = read(tool, log).columns[whole.axis].to_pylist()
    assert len(steps) == rows(whole) and float(steps[-1]) == float(step)


@pytest.mark.parametrize(
    ("settings", "told"),
    [("epochs: [", True), ("- 4\n", False), ("\0", True), ("epochs: many\n", False), ("4: {5: 6}\n", False)],
)
@pytest.mark.parametrize("tool", ["ultralytics"])
def test_a_damaged_configuration_costs_no_curve(tool: str, log: Path, settings: str, told: bool) -> None:
    whole = read(tool, log)
    log.with_name("args.yaml").write_text(settings)
    run = read(tool, log)
    assert rows(run) == rows(whole) and run.horizon is None
    assert any("args.yaml: cannot be read" in note for note in run.notes) == told


@pytest.mark.parametrize("tool", ["ultralytics"])
def test_objects_of_python_in_a_configuration_are_not_made(tool: str, log: Path) -> None:
    log.with_name("args.yaml").write_text("epochs: 4\nmodel: !!python/object/apply:os.getcwd []\n")
    run = read(tool, log)
    assert not run.config.get("model")
    assert rows(run) == 4


@pytest.mark.parametrize("tool", ["ray-tune"])
@pytest.mark.parametrize("state", ["", "{", "[]", '{"trial_data": 3}', '{"trial_data": [["{"], [], 4, "null"]}'])
def test_a_damaged_state_of_the_experiment_costs_no_curve(tool: str, log: Path, state: str) -> None:
    for path in log.parent.parent.glob("experiment_state*"):
        path.write_text(state)
    run = read(tool, log)
    assert rows(run) == 4 and run.status is None


@pytest.mark.parametrize("name", ["log.txt", "train.log"])
def test_a_text_that_is_nested_without_end_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text('{"epoch": ' + "[" * 100_000)
    with pytest.raises(InputError):
        read_logs(tmp_path / name)


def test_the_lines_of_objects_over_several_lines() -> None:
    assert numbered_objects('{"a": 1}\n{"a":\n 2}\nand {"a": 3}') == ([{"a": 1}, {"a": 2}, {"a": 3}], [1, 2, 4])


@pytest.mark.parametrize("tool", ["nequip"])
def test_a_count_that_is_no_number_is_told_with_its_column(tool: str, log: Path) -> None:
    lines = log.read_text().splitlines()
    lines[2] = lines[2].replace("2,", "tw0,", 1)
    log.write_text("\n".join([*lines, ""]))
    with pytest.raises(InputError, match="tw0") as refused:
        read_logs(log)
    assert refused.value.path == log
