"""Reads damaged inputs one after the other and collects what neither was read nor refused."""

from __future__ import annotations

import shutil
import signal
import threading
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from types import FrameType

from lcode.errors import LcodeError
from lcode.fuzzing.targets import Target, target_of

PATIENCE = 30.0
"""Seconds of computing after which a reader counts as hung; the slowest input takes a few."""


@dataclass(frozen=True)
class Finding:
    """An input that a reader should have read or refused.

    Attributes:
        target: name of the target.
        index: number of the input; with the seed it makes the input again, see `damaged`.
        place: the last line of ours that ran.
        error: what was raised.
        trace: the whole traceback.
    """

    target: str
    index: int
    place: str
    error: str
    trace: str


def damaged(target: str, index: int, seed: int) -> dict[str, bytes]:
    """The input of this number: content by file name."""
    return _damaged(target_of(target), target, index, seed)


def _damaged(made: Target, target: str, index: int, seed: int) -> dict[str, bytes]:
    rng = Random(f"{seed}/{target}/{index}")
    files = dict(made.files())
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        # The weights of a model are read only if they have the digest that its description names.
        name = rng.choice([name for name in sorted(files) if not name.endswith(".safetensors")])
        files[name] = rng.choice(made.mutations)(rng, files[name])
    return files


def fuzz(target: str, inputs: int, *, seed: int = 0, first: int = 0) -> list[Finding]:
    """Read so many damaged inputs; a result and an `LcodeError` are right, everything else is found, warnings too.

    Args:
        target: name of a target, or a folder of logs.
        inputs: how many.
        seed: decides how the inputs are damaged.
        first: number of the first one.
    """
    findings = []
    made = target_of(target)
    with TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("error")
        folder = Path(name)
        for index in range(first, first + inputs):
            own = folder / str(index)
            for file, content in _damaged(made, target, index, seed).items():
                (own / file).parent.mkdir(parents=True, exist_ok=True)
                (own / file).write_bytes(content)
            try:
                with _patience():
                    made.read(own)
            except LcodeError:
                continue
            except Exception as error:
                findings.append(_finding(target, index, error))
            finally:
                shutil.rmtree(own)
    return findings


@contextmanager
def _patience() -> Iterator[None]:
    """Raise `TimeoutError` in a block that computes without end, where the operating system has such alarms."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def hung(_: int, __: FrameType | None) -> None:
        raise TimeoutError(f"not done after {PATIENCE:g} seconds of computing")

    before = signal.signal(signal.SIGPROF, hung)
    signal.setitimer(signal.ITIMER_PROF, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _finding(target: str, index: int, error: Exception) -> Finding:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "lcode" in Path(frame.filename).parts and "fuzzing" not in frame.filename]
    last = (ours or frames)[-1]
    return Finding(
        target,
        index,
        f"{Path(last.filename).name}:{last.lineno}",
        f"{type(error).__name__}: {error}"[:300],
        "".join(traceback.format_exception(error)),
    )


__all__ = ["Finding", "Target", "damaged", "fuzz"]
