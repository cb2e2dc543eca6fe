"""The run log: one append-only JSONL file per run, readable while it grows. A header, a line per epoch, an end line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, get_args

from lcode.errors import UsageError
from lcode.files import refusals, replacing
from lcode.graphs.arch import ArchGraph
from lcode.json_text import parse_json
from lcode.table.line_file import LineFile
from lcode.table.log_lines import complete_lines, parsed_line
from lcode.table.metric import Metric
from lcode.table.table import RunStatus

FORMAT_VERSION = 1

_SAFE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,239}")
"""What a run may be called: its files are named after it, with endings, and a file's name may have 255 bytes."""


def check_name(run: str) -> None:
    """Refuse the name of a run whose log could not have it.

    Raises:
        UsageError: the text says what a name may hold.
    """
    if not _SAFE_NAME.fullmatch(run):
        raise UsageError(
            f"run name {run[:260]!r} cannot be a file name; use up to 240 letters, digits, '.', '_' and '-', "
            "and no '.' at the beginning"
        )


@dataclass(frozen=True)
class RunHeader:
    """What is known of a run before its first epoch: the first line of its log.

    Attributes:
        run: name of the run, also that of its file: letters, digits, `.`, `_` and `-`.
        horizon: planned last epoch, at least 1.
        metrics: the curves that the epochs may report.
        config: hyper-parameters by name.
        problem: name of the multi-task problem.
        seed: seed of the training.
        arch: name of the architecture; runs of one architecture share its graph.
        graph: the architecture as a graph.
        schedule: planned learning rate for the epochs 1..horizon, shape [horizon].

    Raises:
        UsageError: a name that is no file name, a horizon below 1, a metric named twice, or a schedule whose length
            is not the horizon.

    Examples:
        >>> import lcode
        >>> lcode.RunHeader("a17", horizon=30, metrics=[lcode.Metric("seg", "miou", "max")], config={"lr": 0.1}).horizon
        30
    """

    run: str
    horizon: int
    metrics: tuple[Metric, ...]
    config: Mapping[str, bool | int | float | str | None] = field(default_factory=dict)
    problem: str | None = None
    seed: int | None = None
    arch: str | None = None
    graph: ArchGraph | None = None
    schedule: Sequence[float] | None = None

    def __post_init__(self) -> None:
        check_name(self.run)
        if self.horizon < 1:
            raise UsageError(f"run '{self.run}': the horizon must be at least 1 epoch, not {self.horizon}")
        keys = [metric.key for metric in self.metrics]
        if len(set(keys)) < len(keys):
            raise UsageError(f"run '{self.run}': a metric is named twice in {', '.join(keys)}")
        if self.schedule is not None and len(self.schedule) != self.horizon:
            raise UsageError(
                f"run '{self.run}': the schedule must name a learning rate for each of the {self.horizon} epochs, "
                f"not for {len(self.schedule)}"
            )

    def to_json(self) -> dict[str, Any]:
        """The header line as a JSON object; what is not known is left out."""
        optional = {
            "problem": self.problem,
            "seed": self.seed,
            "arch": self.arch,
            "graph": None if self.graph is None else self.graph.to_json(),
            "schedule": None if self.schedule is None else [float(rate) for rate in self.schedule],
        }
        return {
            "type": "header",
            "version": FORMAT_VERSION,
            "run": self.run,
            "horizon": self.horizon,
            "metrics": [{"task": m.task, "name": m.name, "direction": m.direction} for m in self.metrics],
            "config": dict(self.config),
            **{name: value for name, value in optional.items() if value is not None},
        }


class RunLogWriter:
    """The single writer of one run's log, `<folder>/<run>.jsonl`.

    A new log is created with its header, atomically. An existing one is reopened: a torn last line (the writer was
    killed) is cut off, and writing goes on after the last complete epoch. Each epoch is one `write` of one complete
    line, without a buffer, so that a reader sees whole lines, a killed process loses at most the line it was writing,
    and a line that fails (a full disk) leaves the log as it was and may be written again; `close` also syncs to the
    disk. Use it as a context manager.

    Args:
        folder: folder of the logs; made if missing.
        header: what is known of the run. It must equal the header of the log that is reopened.

    Attributes:
        path: the log file.
        last_epoch: last complete epoch in the log, 0 for a new one.
        status: `running`, or what the last end line says if no epoch follows it.

    Raises:
        UsageError: the log exists with another header; the message says which fields differ. Or the header cannot be
            written as JSON.
        InputError: the log exists and a line other than the last is damaged.
        StorageError: the operating system refuses, here or at any later call.

    Examples:
        >>> import lcode
        >>> header = lcode.RunHeader("a17", horizon=2, metrics=[lcode.Metric("seg", "miou", "max")])
        >>> with lcode.RunLogWriter("runs", header) as log:
        ...     log.epoch(1, {"seg/miou": 0.31})
        ...     log.epoch(2, {"seg/miou": 0.34})
        ...     log.end("finished")
        >>> lcode.read_logs("runs").runs["status"].to_dict()
        {'a17': 'finished'}
    """

    def __init__(self, folder: Path, header: RunHeader) -> None:
        self.path = Path(folder) / f"{header.run}.jsonl"
        self.last_epoch = 0
        self.status: RunStatus = "running"
        self._empty = True
        self._keys = frozenset(metric.key for metric in header.metrics)
        first = _header_line(header)
        lines = complete_lines(self.path)
        if lines:
            _check_same(self.path, parsed_line(self.path, lines[0], 1), parse_json(first))
            for number, line in enumerate(lines[1:], start=2):
                self._follow(parsed_line(self.path, line, number))
        else:
            with refusals(self.path.parent):
                self.path.parent.mkdir(parents=True, exist_ok=True)
            lines = [first]
            _write(self.path, lines)
        self._lines = LineFile(self.path, sum(map(len, lines)))
        if not lines[-1].endswith(b"\n"):
            try:
                self._lines.append(b"\n")
            except BaseException:
                self._lines.close()
                raise

    def epoch(
        self,
        epoch: int,
        values: Mapping[str, float],
        *,
        signals: Mapping[str, float] | None = None,
        lr: float | None = None,
        seconds: float | None = None,
    ) -> None:
        """Append one epoch.

        Args:
            epoch: number of the epoch, larger than `last_epoch`.
            values: metric key -> value in natural units; NaN and infinity say that the run diverged.
            signals: `task/signal` or `task|other/signal` -> value; auxiliary, never forecast.
            lr: learning rate of this epoch.
            seconds: wall time of this epoch.

        Raises:
            UsageError: an epoch that is already in the log (`rewind` first), or a metric that the header lacks.
        """
        # Epochs may count from 0: in a log without an epoch, 0 comes after nothing.
        first = self._empty and epoch == 0
        if epoch <= self.last_epoch and not first:
            raise UsageError(
                f"run '{self.path.stem}': epoch {epoch} comes after epoch {self.last_epoch} in the log; "
                f"call rewind({epoch - 1}) first"
            )
        unknown = values.keys() - self._keys
        if unknown:
            raise UsageError(
                f"run '{self.path.stem}': no metric '{min(unknown)}' in the header; "
                f"there are: {', '.join(sorted(self._keys))}"
            )
        line: dict[str, Any] = {"type": "epoch", "epoch": int(epoch), "values": _floats(values)}
        if signals:
            line["signals"] = _floats(signals)
        if lr is not None:
            line["lr"] = float(lr)
        if seconds is not None:
            line["seconds"] = float(seconds)
        self._append(line)

    def end(self, status: RunStatus, reason: str | None = None) -> None:
        """Append the end line: the run is finished, failed or stopped, and why."""
        if status not in get_args(RunStatus):
            raise UsageError(f"unknown status '{status}'; there are: {', '.join(get_args(RunStatus))}")
        self._append({"type": "end", "status": status, **({} if reason is None else {"reason": reason})})

    def rewind(self, epoch: int) -> None:
        """Forget the epochs after this one and all end lines, to resume from an older checkpoint; atomic."""
        header, *lines = complete_lines(self.path)
        entries = [parsed_line(self.path, line, number) for number, line in enumerate(lines, start=2)]
        kept = [
            (line, entry)
            for line, entry in zip(lines, entries, strict=True)
            if entry["type"] == "epoch" and entry["epoch"] <= epoch
        ]
        self._rewrite([header, *(line for line, _ in kept)], [entry for _, entry in kept])

    def close(self) -> None:
        """Sync to the disk and close; a second call does nothing."""
        self._lines.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _rewrite(self, lines: Sequence[bytes], entries: Sequence[Mapping[str, Any]]) -> None:
        """Let the log consist of these lines, of which those after the header say this; atomic."""
        _write(self.path, lines)
        self._lines.close()
        self._lines = LineFile(self.path, sum(map(len, lines)))
        self.last_epoch, self.status, self._empty = 0, "running", True
        for entry in entries:
            self._follow(entry)

    def _append(self, entry: Mapping[str, Any]) -> None:
        self._lines.append(encoded_line(entry))
        self._follow(entry)

    def _follow(self, entry: Mapping[str, Any]) -> None:
        """Keep `last_epoch` and `status` in step with the line just written or read."""
        if entry["type"] == "epoch":
            self.last_epoch, self.status, self._empty = int(entry["epoch"]), "running", False
        elif entry["type"] == "end":
            self.status = entry["status"]


def _header_line(header: RunHeader) -> bytes:
    """The first line of the log.

    Raises:
        UsageError: it could not be read again.
    """
    try:
        line = encoded_line(header.to_json())
        parse_json(line)
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(
            f"run '{header.run}': the header cannot be written ({error}); hyper-parameters are numbers, texts, truth "
            "values or None"
        ) from error
    return line


def _check_same(path: Path, found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """Refuse to go on with the log of another run."""
    old, new = _flat(found), _flat(expected)
    differing = [
        (name, str(old.get(name)), str(new.get(name)))
        for name in dict.fromkeys((*old, *new))
        if old.get(name) != new.get(name)
    ]
    if differing:
        # Whole schedules and graphs would hide what led to them.
        long = [name for name, before, now in differing if _is_long(before) or _is_long(now)]
        told = [f"{name}: {before} in the log, {now} now" for name, before, now in differing if name not in long]
        told += [f"{name}: not as in the log" for name in long]
        raise UsageError(
            f"{path} is the log of a run with another header ({'; '.join(told)}); "
            "give this run another name, or remove the old log"
        )


def _flat(header: Mapping[str, Any]) -> dict[str, str]:
    """Field -> JSON text, hyper-parameters and metrics one by one; as text, NaN equals NaN."""
    config, metrics = header.get("config"), header.get("metrics")
    config = config if isinstance(config, dict) else {}
    metrics = metrics if isinstance(metrics, list) else []
    fields = {name: value for name, value in header.items() if name not in ("config", "metrics")}
    fields.update({f"config.{name}": value for name, value in config.items()})
    fields.update({f"metrics.{place}": metric for place, metric in enumerate(metrics, 1)})
    return {name: json.dumps(value, sort_keys=True) for name, value in fields.items()}


def _floats(values: Mapping[str, float]) -> dict[str, float]:
    return {key: float(value) for key, value in values.items()}


def encoded_line(entry: Mapping[str, Any]) -> bytes:
    """A line of a log."""
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def _write(path: Path, lines: Sequence[bytes]) -> None:
    """The whole log at once: a reader sees the old or the new one."""
    with replacing(path) as file:
        file.writelines(lines)


def _is_long(text: str) -> bool:
    """Whether a value is no help in a message: a list of many numbers, or a graph."""
    return len(text) > (60 if text.startswith("[") else 200)
