from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lcode.errors import InputError, UsageError
from lcode.readers import read_logs
from lcode.table import Metric
from lcode.table.runlog import RunHeader, RunLogWriter

METRICS = (Metric("seg", "miou", "max"), Metric("depth", "err", "min"))


def header(**changes: object) -> RunHeader:
    return RunHeader(**({"run": "a", "horizon": 9, "metrics": METRICS, "config": {"lr": 0.1}} | changes))  # type: ignore[arg-type]


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_log_is_a_header_epochs_and_an_end(tmp_path: Path) -> None:
    with RunLogWriter(tmp_path / "new", header(schedule=[0.1] * 9, seed=2)) as log:
        assert (log.last_epoch, log.status) == (0, "running")
        log.epoch(1, {"seg/miou": 0.5}, signals={"seg|depth/cosine": -0.1}, lr=0.1, seconds=2)
        log.epoch(3, {"depth/err": float("nan")})
        log.end("failed", "diverged")
        assert (log.last_epoch, log.status) == (3, "failed")
    first, one, three, end = lines(tmp_path / "new" / "a.jsonl")
    assert first["type"] == "header" and first["version"] == 1 and "graph" not in first
    assert one["signals"] == {"seg|depth/cosine": -0.1} and one["lr"] == 0.1 and one["seconds"] == 2
    assert three["epoch"] == 3 and "signals" not in three
    assert end == {"type": "end", "status": "failed", "reason": "diverged"}


def test_reopening_goes_on_after_the_last_complete_line(tmp_path: Path) -> None:
    with RunLogWriter(tmp_path, header()) as log:
        log.epoch(1, {"seg/miou": 0.5})
        log.end("stopped")
    with log.path.open("ab") as file:
        file.write(b'{"type":"epoch","epo')
    with RunLogWriter(tmp_path, header()) as log:
        assert (log.last_epoch, log.status) == (1, "stopped")
        log.epoch(2, {"seg/miou": 0.6})
        assert log.status == "running"
    assert [line.get("epoch") for line in lines(log.path)] == [None, 1, None, 2]


def test_a_whole_last_line_without_newline_is_kept(tmp_path: Path) -> None:
    with RunLogWriter(tmp_path, header()) as log:
        log.epoch(1, {"seg/miou": 0.5})
    log.path.write_bytes(log.path.read_bytes()[:-1])
    with RunLogWriter(tmp_path, header()) as log:
        assert log.last_epoch == 1
        log.epoch(2, {})
    assert [line.get("epoch") for line in lines(log.path)] == [None, 1, 2]


def test_a_torn_header_is_written_anew(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"type":"hea')
    with RunLogWriter(tmp_path, header()) as log:
        log.epoch(1, {})
    assert [line["type"] for line in lines(log.path)] == ["header", "epoch"]


def test_rewinding_forgets_later_epochs_and_ends(tmp_path: Path) -> None:
    with RunLogWriter(tmp_path, header()) as log:
        for epoch in (1, 2, 3):
            log.epoch(epoch, {"seg/miou": epoch})
        log.end("stopped")
        log.rewind(2)
        assert (log.last_epoch, log.status) == (2, "running")
        log.epoch(3, {"seg/miou": 0.25})
        log.rewind(9)
    assert [line.get("values", {}) for line in lines(log.path)] == [
        {},
        {"seg/miou": 1.0},
        {"seg/miou": 2.0},
        {"seg/miou": 0.25},
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"config": {"lr": 0.2}}, r"config\.lr: 0\.1 in the log, 0\.2 now"),
        ({"horizon": 10}, "horizon: 9 in the log, 10 now"),
        ({"seed": 1}, "seed: None in the log, 1 now"),
        ({"metrics": METRICS[:1]}, r"\(metrics\.2: {.*} in the log, None now\)"),
        (
            {"horizon": 90, "schedule": [0.1] * 90},
            r"\(horizon: 9 in the log, 90 now; schedule: not as in the log\); give this run another name",
        ),
        ({"schedule": [0.1] * 9}, r"schedule: None in the log, \[0\.1, .*\] now"),
        ({"config": {"data": "x" * 90}}, 'None in the log, "x{90}" now'),
    ],
)
def test_another_header_is_refused(changes: dict[str, object], text: str, tmp_path: Path) -> None:
    RunLogWriter(tmp_path, header()).close()
    with pytest.raises(UsageError, match=text):
        RunLogWriter(tmp_path, header(**changes))


def test_a_nan_in_the_configuration_equals_itself(tmp_path: Path) -> None:
    for _ in range(2):
        RunLogWriter(tmp_path, header(config={"clip": float("nan"), "opt": None})).close()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"run": "a/b"}, "'a/b' cannot be a file name"),
        ({"run": ".a"}, "cannot be a file name"),
        ({"horizon": 0}, "at least 1"),
        ({"schedule": [0.1]}, "each of the 9 epochs, not for 1"),
        ({"metrics": METRICS * 2}, "named twice"),
    ],
)
def test_a_header_that_makes_no_sense_is_refused(changes: dict[str, object], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        header(**changes)


def test_wrong_calls_are_refused(tmp_path: Path) -> None:
    with RunLogWriter(tmp_path, header()) as log:
        log.epoch(2, {})
        with pytest.raises(UsageError, match=r"call rewind\(1\) first"):
            log.epoch(2, {})
        with pytest.raises(UsageError, match=r"no metric 'seg/acc'.*depth/err, seg/miou"):
            log.epoch(3, {"seg/acc": 1.0})
        with pytest.raises(UsageError, match="unknown status 'done'"):
            log.end("done")  # type: ignore[arg-type]


def test_a_damaged_line_in_the_middle_is_not_cut_silently(tmp_path: Path) -> None:
    with RunLogWriter(tmp_path, header()) as log:
        log.epoch(1, {})
    log.path.write_text(log.path.read_text().replace('"epoch":1', "?") + '{"type":"epoch","epoch":2,"values":{}}\n')
    with pytest.raises(InputError, match="line 2"):
        RunLogWriter(tmp_path, header())


# Forking a bare interpreter gives fifty writers in the time that importing pandas once takes.
LIVES_AND_DEATHS = """
import json, os, random, signal, sys, time
from pathlib import Path
from lcode.table import Metric
from lcode.table.runlog import RunHeader, RunLogWriter

folder, lives = Path(sys.argv[1]), int(sys.argv[2])
header = RunHeader("a", 10**8, tuple(Metric("task", f"err{i}", "min") for i in range(20)))
rng = random.Random(0)
complete = []
log = folder / "a.jsonl"

def lines():
    return max(log.read_bytes().count(b"\\n") - 1, 0) if log.exists() else 0

for life in range(lives):
    child = os.fork()
    if child == 0:
        with RunLogWriter(folder, header) as log:
            while True:
                epoch = log.last_epoch + 1
                log.epoch(epoch, {metric.key: epoch for metric in header.metrics}, lr=0.1)
    time.sleep(rng.uniform(0, 0.03))
    while life == lives - 1 and lines() <= lives:  # the last one lives for long enough on a busy machine, too
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    complete.append(lines())
print(json.dumps(complete))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_no_complete_epoch_is_lost_when_the_writer_is_killed(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", LIVES_AND_DEATHS, str(tmp_path), "50"], capture_output=True, text=True, check=True
    )
    complete = json.loads(run.stdout)
    assert len(complete) == 50
    assert complete == sorted(complete) and complete[-1] > 50
    table = read_logs(tmp_path)
    n = int(table.last_epochs["a"])
    assert n >= complete[-1]
    for metric in table.metrics:
        curve = table.curve("a", metric.key)
        assert curve.epochs.tolist() == list(range(1, n + 1)) == curve.values.tolist()
    assert len(table.points) == 20 * n


def test_epochs_may_count_from_zero(tmp_path: Path) -> None:
    header = RunHeader(run="zero", horizon=3, metrics=(Metric("a", "err", "min"),), config={})
    with RunLogWriter(tmp_path, header) as log:
        log.epoch(0, {"a/err": 0.9})
        with pytest.raises(UsageError, match="epoch 0 comes after epoch 0"):
            log.epoch(0, {"a/err": 0.8})
    with RunLogWriter(tmp_path, header) as log:
        log.epoch(1, {"a/err": 0.7})
    assert read_logs(tmp_path).curve("zero", "a/err").epochs.tolist() == [0, 1]
