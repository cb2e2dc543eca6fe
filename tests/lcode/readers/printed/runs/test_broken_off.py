"""A run below whose last values an error or the end of its job is told has failed or was stopped; a note says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from lcode.readers.read import read_logs

ERROR = 'Traceback (most recent call last):\n  File "t.py", line 8, in <module>\n    main()\n'


def told(path: Path, text: str) -> list[str]:
    log = path / "run.log"
    log.write_text(text)
    return [*read_logs(log).runs["status"]]


def epochs(first: int, last: int, of: int = 20) -> str:
    return "".join(f"Epoch {e}/{of} train_loss={9 / e:.3f} val_acc=0.{e:02d}\n" for e in range(first, last + 1))


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (f"{ERROR}RuntimeError: CUDA error: device-side assert triggered\n", "failed"),
        (f"{ERROR}torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB\n", "failed"),
        (f"{ERROR}RuntimeError: CUDA error\nFor debugging consider passing CUDA_LAUNCH_BLOCKING=1.\n", "failed"),
        (
            f"{ERROR}mine.Diverged: nan\nwandb: Waiting for W&B process to finish...\n" + "wandb: more\n" * 20,
            "failed",
        ),
        ("".join(f"[rank{r}]: {line}\n" for r in (0, 1) for line in f"{ERROR}ValueError: x".splitlines()), "failed"),
        ("Killed\n", "failed"),
        ("run.sh: line 3: 12345 Segmentation fault      (core dumped) python train.py\n", "failed"),
        ("Segmentation fault (core dumped)\n", "failed"),
        ("slurmstepd: error: Detected 1 oom-kill event(s) in StepId=1.batch.\n", "failed"),
        ("torch.cuda.OutOfMemoryError: CUDA out of memory.\n", "failed"),
        ("slurmstepd: error: *** JOB 1 ON n1 CANCELLED AT 2031-02-03T04:05:06 DUE TO TIME LIMIT ***\n", "stopped"),
        (f"{ERROR}KeyboardInterrupt\n", "stopped"),
        ("KeyboardInterrupt\n", "stopped"),
        (f"{ERROR}ValueError: a sample\nSkipping this sample.\n", "running"),
        (f"{ERROR}ValueError: a sample\nEpoch 10/20\n", "running"),
        (f"{ERROR}ValueError: a sample\n" + "loading a shard\n" * 20, "running"),
        ("the process was not killed\n", "running"),
        ("Training finished.\n" + ERROR + "ValueError: no display\n", "finished"),
    ],
)
def test_what_stands_below_the_last_values(tmp_path: Path, said: str, status: str) -> None:
    assert told(tmp_path, epochs(1, 9) + said) == [status]


def test_the_reason_is_told(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.write_text(f"{epochs(1, 9)}{ERROR}RuntimeError: CUDA error\nsrun: error: n1: task 0: Exited with exit code 1\n")
    assert any(
        note.endswith("failed, by what stands below the last values: RuntimeError: CUDA error")
        for note in read_logs(log).notes
    )


def test_an_error_after_which_the_training_goes_on(tmp_path: Path) -> None:
    error = f"{ERROR}RuntimeError: CUDA error\n"
    assert told(tmp_path, epochs(1, 9) + error + epochs(8, 12)) == ["running"]
    assert told(tmp_path, epochs(1, 20) + error) == ["finished"]


def test_each_of_several_runs(tmp_path: Path) -> None:
    text = epochs(1, 9) + f"{ERROR}ValueError: x\n" + "loading\n" * 30 + epochs(1, 20) + epochs(1, 5) + "Killed\n"
    assert told(tmp_path, text) == ["failed", "finished", "failed"]


def test_below_a_table(tmp_path: Path) -> None:
    table = "epoch train_loss val_acc\n" + "".join(f"{e} {9 / e:.3f} 0.{e:02d}\n" for e in range(1, 10))
    assert told(tmp_path, f"{table}Killed\n") == ["failed"]
