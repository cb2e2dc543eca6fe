"""The log of a run that others watch: each line says when it was written, and the header grows with what is known."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lcode.errors import UsageError
from lcode.files import replacing
from lcode.table.log_lines import complete_lines, parsed_line
from lcode.table.metric import Metric
from lcode.table.runlog import RunHeader, RunLogWriter, encoded_line


class LiveLog(RunLogWriter):
    """The single writer of a run that is shared by a folder.

    What it writes is a run log as `RunLogWriter` writes it, with two things more. Every line has its `time`, in
    seconds since 1970: in this order, whoever reads all logs of the folder sees the sweep as it went. And there are
    lines of the type `verdict`, with what the run was told.

    A log that is reopened keeps what its header says of the problem and the seed; the horizon, the metrics, the graph
    and the planned rates may be others now, and the header is then replaced, atomically.

    Args:
        folder: folder of the logs; made if missing.
        header: what is known of the run.
        clock: says the time.

    Raises:
        UsageError: the log is that of a run with another configuration; the message says what differs.
        InputError: a line of the log other than the last is damaged.
        StorageError: the operating system refuses, here or at any later call.
    """

    def __init__(self, folder: Path, header: RunHeader, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._reported = frozenset[str]()
        self.header = _grown(Path(folder) / f"{header.run}.jsonl", header)
        super().__init__(folder, self.header)

    def report(
        self,
        epoch: int,
        values: Mapping[str, float],
        signals: Mapping[str, float],
        *,
        whole: Mapping[str, float],
        restarted: bool,
    ) -> None:
        """Write down a report, whichever epoch it is of: a line at the end where that will do, else the log anew.

        Args:
            epoch: number of the epoch.
            values: what was reported of it now.
            signals: auxiliary values.
            whole: all that is known of the epoch, with what was reported now.
            restarted: the run was started again from here: what the log has of later epochs was given up.
        """
        if self._empty or epoch > self.last_epoch:
            self.epoch(epoch, values, signals=signals)
        elif epoch == self.last_epoch and not self._reported & values.keys():
            self._append(_line(epoch, values, signals))
        else:
            self._amend(epoch, _line(epoch, whole, signals), restarted=restarted)

    def verdict(self, epoch: int, plain: Mapping[str, Any]) -> None:
        """Append what the run was told after this epoch."""
        self._append({"type": "verdict", **plain, "epoch": epoch})

    def _amend(self, epoch: int, line: Mapping[str, Any], *, restarted: bool) -> None:
        """Let this line be all that the log says of its epoch."""
        header, *lines = complete_lines(self.path)
        before: list[tuple[bytes, dict[str, Any]]] = []
        after: list[tuple[bytes, dict[str, Any]]] = []
        for number, text in enumerate(lines, start=2):
            entry = parsed_line(self.path, text, number)
            at = entry.get("epoch")
            if at is None or (at == epoch and entry["type"] == "epoch"):
                continue  # an end, or what the line replaces
            if at < epoch:
                before.append((text, entry))
            elif not restarted:
                after.append((text, entry))
        now = self._stamped(line)
        kept = [*before, (encoded_line(now), now), *after]
        self._rewrite([header, *(text for text, _ in kept)], [entry for _, entry in kept])

    def _append(self, entry: Mapping[str, Any]) -> None:
        super()._append(self._stamped(entry))

    def _stamped(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        return {**entry, "time": round(self._clock(), 6)}

    def _follow(self, entry: Mapping[str, Any]) -> None:
        if entry["type"] == "epoch":
            again = not self._empty and entry["epoch"] == self.last_epoch
            self._reported = frozenset(entry["values"]) | (self._reported if again else frozenset())
        super()._follow(entry)


def _line(epoch: int, values: Mapping[str, float], signals: Mapping[str, float]) -> dict[str, Any]:
    line: dict[str, Any] = {"type": "epoch", "epoch": epoch, "values": dict(values)}
    return {**line, "signals": dict(signals)} if signals else line


def _grown(path: Path, header: RunHeader) -> RunHeader:
    """The header of an existing log with what is known now, which that log has from now on.

    Raises:
        UsageError: the log is that of another run.
    """
    lines = complete_lines(path)
    if not lines:
        return header
    found = parsed_line(path, lines[0], 1)
    now = header.to_json()
    for what in ("run", "config", "arch"):
        # As text: NaN equals NaN, and the order of hyper-parameters says nothing.
        if json.dumps(found.get(what), sort_keys=True) != json.dumps(now.get(what), sort_keys=True):
            raise UsageError(
                f"{path} is the log of a run with another '{what}': {found.get(what)} in the log, {now.get(what)} now; "
                "give this run another name, or remove the old log"
            )
    before = [Metric(metric["task"], metric["name"], metric["direction"]) for metric in found.get("metrics", [])]
    header = replace(
        header,
        metrics=tuple(dict.fromkeys((*before, *header.metrics))),
        problem=found.get("problem"),
        seed=found.get("seed"),
    )
    first = encoded_line(header.to_json())
    if first != lines[0]:
        with replacing(path) as file:
            file.writelines([first, *lines[1:]])
    return header
