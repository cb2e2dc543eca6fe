"""`trainer_state.json`, in which Hugging Face's Trainer saves what it has logged with every checkpoint."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, ClassVar

from lcode.errors import InputError
from lcode.json_text import as_float, parse_json
from lcode.readers.logged.base import Logged
from lcode.readers.logged.cells import columns_of
from lcode.readers.logged.lines import head_of, refused, text_of
from lcode.readers.logged.settings import plain
from lcode.readers.logged.several import parsed, sound_runs
from lcode.table.table import RunStatus

TOOL = "Hugging Face"

STATE = "trainer_state.json"

_LOGGED = re.compile(rb'"log_history"\s*:\s*\[')

_CHECKPOINT = re.compile(r"checkpoint-\d+")

_TRAINING = {"loss": "train/loss"}
"""A name that does not say that it is of the training, and the one that the Trainer's own reports to trackers have."""

_END = "train_runtime"
"""What the Trainer logs once, when the training has ended, whether planned or not."""


@dataclass(frozen=True, eq=False)
class _State:
    """A saved state.

    Attributes:
        path: the file.
        told: what stands in it.
        rows: what had been logged until then.
    """

    path: Path
    told: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]]

    def number(self, name: str) -> float:
        """A number of the state, 0 where it is none."""
        value = self.told.get(name)
        number = as_float(value) if isinstance(value, (int, float)) else 0.0
        return number if isfinite(number) else 0.0

    @property
    def age(self) -> tuple[float, int]:
        """What orders the states of one training: a later one holds all that an earlier one does."""
        return self.number("global_step"), len(self.rows)


class HuggingFaceReader:
    """Reads output folders of the Trainer: the newest state of each."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether it is named as the Trainer names its state, or holds what was logged as the state does."""
        if path.name == STATE:
            return path.is_file()
        return path.suffix == ".json" and _LOGGED.search(head_of(path, 4096)) is not None

    def owns(self, path: Path) -> Path:
        """The output folder; checkpoints lie in folders within. A state that was renamed lies anywhere."""
        if path.name != STATE:
            return path
        return path.parent.parent if _CHECKPOINT.fullmatch(path.parent.name) else path.parent

    def read(self, paths: Sequence[Path]) -> Iterable[Logged]:
        """The runs of these states, one per output folder.

        Raises:
            InputError: no state can be read, or none has logged anything.
        """
        states, damaged = parsed(paths, _state)
        newest: dict[Path, _State] = {}
        for state in states:
            folder = self.owns(state.path)
            newest[folder] = max(newest.get(folder, state), state, key=lambda state: state.age)
        return sound_runs(newest.items(), lambda found: [_run(*found)], damaged)


def _state(path: Path) -> _State:
    text, _ = text_of(path, TOOL)
    try:
        told = parse_json(text)
    except ValueError as error:
        raise refused(path, TOOL, f"it is no whole JSON ({error})") from error
    rows = told.get("log_history") if isinstance(told, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise refused(path, TOOL, "it has no list log_history")
    return _State(path, told, rows)


def _run(folder: Path, state: _State) -> Logged:
    if not state.rows:
        raise InputError(
            f"is a state of {TOOL}'s Trainer that has logged nothing yet; set logging_steps or eval_strategy, or read "
            "it after the next checkpoint",
            path=state.path,
        )
    columns = columns_of([row for row in state.rows if _END not in row], state.path, TOOL)
    by_epochs = _by_epochs(state)
    given = state.told.get("trial_params")
    config = {"train_batch_size": state.told.get("train_batch_size"), **(given if isinstance(given, dict) else {})}
    return Logged(
        # The run is named by the output folder, whichever checkpoint holds the newest state.
        file=folder if folder == state.path else folder / STATE,
        columns={_TRAINING.get(name, name): column for name, column in columns.items()},
        axis="epoch" if by_epochs else "step",
        config={name: value for name, value in plain(config).items() if value is not None},
        horizon=state.number("num_train_epochs" if by_epochs else "max_steps") or None,
        status=_status(state),
    )


def _by_epochs(state: _State) -> bool:
    """Whether it was evaluated at the ends of epochs; else at steps, of which an epoch may have any number."""
    epochs = [row.get("epoch") for row in state.rows if any(name.startswith("eval_") for name in row)]
    return bool(epochs) and all(isinstance(epoch, (int, float)) and as_float(epoch).is_integer() for epoch in epochs)


def _status(state: _State) -> RunStatus | None:
    planned = state.number("max_steps")
    if planned and state.number("global_step") >= planned:
        return "finished"
    return "stopped" if any(_END in row for row in state.rows) else None
