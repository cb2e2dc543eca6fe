"""What was understood of logs, in a few lines: seen before anything is scored, so that a wrong guess costs nothing."""

from __future__ import annotations

from collections.abc import Iterable

from lcode.readers.formats import FORMATS
from lcode.readers.run_logs import RUN_LOG
from lcode.show import ARROWS, counted
from lcode.table import RunTable
from lcode.table.axis import epoch_text
from lcode.table.begun import NOT_BEGUN, told_statuses
from lcode.table.reading import SHOWN, listed
from lcode.table.run_rows import STATUSES

NAMES = {**dict.fromkeys(FORMATS, "table"), RUN_LOG: "run log"}
"""How the formats that are no tool's are called."""

REMEDY = (
    "to change it: --only, --ignore, --map 'val/{task}_{metric}', --direction KEY=min|max, --epoch COLUMN, "
    "--config COLUMN, --horizon N; `lcode inspect LOGS` says more"
)


def understood(table: RunTable, *, brief: bool = True) -> list[str]:
    """Lines that say what was read: runs, epochs, horizon, what is scored, signals, configuration, what is left out.

    Args:
        table: as it was read.
        brief: of long lists only the first names are given.
    """
    most = SHOWN if brief else 10_000
    first = f"read {counted(len(table), 'run')}{_origin(table)}: {_tasks(table)}, {_epochs(table)}, {_statuses(table)}"
    lines = [first, _line("scored", (f"{metric.key} {ARROWS[metric.direction]}" for metric in table.metrics), most)]
    signals = sorted({str(name).removeprefix("main/") for name in table.signals["metric"].unique()})
    lines.append(_line("signals", signals, most))
    reading = table.reading
    of_names = () if reading is None else reading.of_names
    settings = [name for name in map(str, table.configs.columns) if name not in of_names]
    lines.append(_line("configuration", settings, most))
    lines.append(_line("configuration from the names", of_names, most))
    if reading is not None and reading.left_out:
        by_reason: dict[str, list[str]] = {}
        for name, reason in reading.left_out.items():
            by_reason.setdefault(reason, []).append(name)
        told = [f"{listed(names, 4 if brief else most)} ({reason})" for reason, names in by_reason.items()]
        lines.append(_line("left out", told, most))
    lines = [line for line in lines if line]
    guessed = reading is not None and (
        reading.left_out or of_names or reading.assumed_horizon or reading.axis not in ((), ("epoch",))
    )
    return [*lines, f"  {REMEDY}"] if guessed or not brief else lines


def _line(name: str, items: Iterable[str], most: int) -> str:
    text = listed(list(items), most)
    return f"  {name}: {text}" if text else ""


def _origin(table: RunTable) -> str:
    sources = {} if table.reading is None else table.reading.sources
    if len(sources) == 1:
        name = next(iter(sources))
        return f" of {NAMES[name]}s" if name in NAMES else f" of {name}"
    told = [f"{runs} of {NAMES[name] + 's' if name in NAMES else name}" for name, runs in sources.items()]
    return f" ({', '.join(told)})" if told else ""


def _tasks(table: RunTable) -> str:
    return counted(len({metric.task for metric in table.metrics}), "task")


def _epochs(table: RunTable) -> str:
    epochs, unit = table.points["epoch"], table.epoch_unit
    axis = table.reading.axis if table.reading is not None and table.reading.axis else ("epoch",)
    word = "epochs" if axis == ("epoch",) else f"{' or '.join(axis)}"
    horizons = table.runs["horizon"]
    ends = [epoch_text(int(end), unit) for end in sorted({horizons.min(), horizons.max()})]
    assumed = ", assumed" if table.reading is not None and table.reading.assumed_horizon else ""
    if not len(epochs):
        return f"no {word} yet (horizon {' to '.join(ends)}{assumed})"
    span = f"{epoch_text(int(epochs.min()), unit)}–{epoch_text(int(epochs.max()), unit)}"
    return f"{word} {span} (horizon {' to '.join(ends)}{assumed})"


def _statuses(table: RunTable) -> str:
    counts = told_statuses(table).value_counts()
    return ", ".join(f"{counts[status]} {status}" for status in (*STATUSES, NOT_BEGUN) if status in counts)
