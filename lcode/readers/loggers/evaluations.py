"""`evaluations.npz`, in which the `EvalCallback` of stable-baselines3 keeps what each evaluation came to."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lcode.readers.logged.base import Logged
from lcode.readers.logged.lines import head_of, refused
from lcode.readers.loggers.per_file import RunPerFile

TOOL = "stable-baselines3 (EvalCallback)"

AXIS = "timesteps"

_CURVES = {"results": "eval/mean_reward", "ep_lengths": "eval/mean_ep_length", "successes": "eval/success_rate"}
"""Array of all episodes of each evaluation, and the name that its mean has where stable-baselines3 logs it."""


class EvaluationsReader(RunPerFile):
    """Reads the arrays, a run per file. Objects of Python in them, which are pickles, are refused."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether it is an archive with the arrays of evaluations."""
        if path.suffix != ".npz" or not head_of(path, 4).startswith(b"PK"):
            return False
        try:
            with zipfile.ZipFile(path) as archive:
                return {f"{AXIS}.npy", "results.npy"} <= set(archive.namelist())
        except (OSError, zipfile.BadZipFile):
            return False

    def logged(self, path: Path) -> Logged:
        """The run of a file."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                found = {name: arrays[name] for name in (AXIS, *_CURVES) if name in arrays}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise refused(path, TOOL, f"its arrays cannot be read ({error})") from error
        steps = found.pop(AXIS)
        columns = {AXIS: pa.array(steps.astype(np.int64))} if steps.ndim == 1 and steps.dtype.kind in "iuf" else {}
        for name, array in found.items():
            if columns and array.ndim == 2 and len(array) == len(steps) and array.dtype.kind in "iufb":
                columns[_CURVES[name]] = pa.array(_means(array))
        if len(columns) < 2:
            raise refused(path, TOOL, f"'{AXIS}' and 'results' are no arrays of numbers that belong together")
        return Logged(path, columns, axis=AXIS)


def _means(array: NDArray[np.generic]) -> NDArray[np.float64]:
    """The mean of each evaluation's episodes, [N, episodes] to [N]; NaN where it had none."""
    numbers = array.astype(np.float64)
    return numbers.mean(axis=1) if numbers.shape[1] else np.full(len(numbers), np.nan)
