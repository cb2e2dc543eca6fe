"""What a training loop hands over, checked once at the border: plain numbers come out, or one clear error."""

from __future__ import annotations

import difflib
import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from numbers import Integral
from types import MappingProxyType
from typing import Any

from lcode.arguments import as_number, check_count, check_kind, found
from lcode.errors import UsageError
from lcode.graphs import ArchGraph
from lcode.table import RunTable, Schedule
from lcode.table.axis import DIGITS, MAX_TICKS
from lcode.table.given import check_table

OTHER_TOOLS = {
    "max_t": "horizon",
    "n_warmup_steps": "min_epochs",
    "grace_period": "min_epochs",
    "start_from_epoch": "min_epochs",
    "interval_steps": "every",
}
"""What Optuna, Ray Tune, Syne Tune and Keras call options of their own rules, and what these are called here."""

INSTEAD = {
    "mode": "say it with the metric, such as {'val_loss': 'min'}",
    "patience": "forecasts say when to stop, and none is asked before min_epochs",
    "restore_best_weights": "a checkpoint callback of your framework keeps them, such as Keras' ModelCheckpoint",
}
"""What other tools have options for, and what does it here."""


def check_passed_on(
    options: Mapping[str, object],
    called: Callable[..., Any],
    *to: Callable[..., Any],
    said_by: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Refuse an option that is unknown to what a hook passes its options on to, and that its user never called.

    Args:
        options: what is passed on, by name.
        called: what the user has called.
        to: what takes the options.
        said_by: options of these that `called` sets itself, and what they are called there.

    Raises:
        UsageError: the text names what was called, the option, and those that there are.
    """
    known = [name for each in (called, *to) for name in _parameters(each) if name not in said_by]
    unknown = next((name for name in options if name not in known), None)
    if unknown is None:
        return
    here = {**OTHER_TOOLS, **said_by}.get(unknown)
    near = difflib.get_close_matches(unknown, known, 1)
    hint = f" (here that is '{here}')" if here in known else f" (is '{near[0]}' meant?)" if near else ""
    hint = f" ({INSTEAD[unknown]})" if unknown in INSTEAD else hint
    raise UsageError(
        f"{called.__name__}(…) has no option '{unknown}'{hint}; there are: {', '.join(dict.fromkeys(known))}"
    )


def as_run(run: object) -> str:
    """The name of a run; a number, such as that of a trial, is one as well.

    Raises:
        UsageError: anything else.
    """
    if isinstance(run, str) and run:
        return run
    if isinstance(run, Integral) and not isinstance(run, bool):
        return str(run)
    raise UsageError(f"run is {found(run)}; a run is named by text, such as 'a17'")


def as_epoch(epoch: object, run: str) -> int | float:
    """An epoch: an `int` where it is whole, such as 12, 12.0 or `tensor(12)`, else a fraction with six decimals.

    Args:
        epoch: what was given.
        run: the run, for the message.

    Raises:
        UsageError: no number, or none that is an epoch.
    """
    return _on_axis(epoch, run, "epoch")


def as_horizon(horizon: object, run: str | None = None) -> int | float:
    """A planned last epoch, read as an epoch is, above 0.

    Args:
        horizon: what was given.
        run: the run, for the message; None: it is that of all runs.

    Raises:
        UsageError: no number, or none that is a horizon.
    """
    number = _on_axis(horizon, run, "horizon")
    if number == 0:
        raise UsageError(f"{_of(run)}horizon is {horizon}; it is above 0")
    return number


def as_values(values: object, run: str, epoch: float, *, what: str = "values") -> dict[str, float]:
    """Values by name as Python's floats; numpy's and torch's numbers count, on whatever device.

    Args:
        values: what was given.
        run: the run, for the message.
        epoch: the epoch, for the message.
        what: the argument: `values` or `signals`.

    Raises:
        UsageError: no mapping from names to numbers; the text names the run, the metric and what was found.
    """
    if not isinstance(values, Mapping):
        raise UsageError(
            f"run '{run}', epoch {epoch}: {what} is {found(values)}; "
            "give a mapping from metric to number, such as {'seg/miou': 0.31}"
        )
    numbers: dict[str, float] = {}
    for name, value in values.items():
        if not isinstance(name, str):
            raise UsageError(f"run '{run}', epoch {epoch}: a metric is named {found(name)}; a name is text")
        number = as_number(value)
        if number is None:
            raise UsageError(
                f"run '{run}', epoch {epoch}: {name} is {found(value)}; "
                "give a single number, and leave out what was not measured"
            )
        numbers[name] = number
    return numbers


def as_schedule(schedule: object, run: str) -> Schedule:
    """A planned learning rate, from one rate for each of the epochs 1 to the horizon.

    Raises:
        UsageError: no sequence of numbers.
    """
    if isinstance(schedule, Schedule):
        return schedule
    try:
        rates = [as_number(rate) for rate in schedule]  # type: ignore[attr-defined]
    except TypeError:
        rates = []
    if not rates or None in rates or isinstance(schedule, str | Mapping):
        raise UsageError(f"run '{run}': schedule is {found(schedule)}; give one learning rate for each epoch")
    return Schedule.of(rates)  # type: ignore[arg-type]


def check_options(history: object, *, directions: object, nan: object, dry_run: object, num_threads: object) -> None:
    """Refuse options of a monitor that are of another type or make no sense together.

    Raises:
        UsageError: the text says what was found and what is expected.
    """
    check_table("history", history)
    check_kind("dry_run", dry_run, bool, "True or False")
    check_count("num_threads", num_threads, 1)
    if nan not in ("stop", "skip"):
        raise UsageError(f"nan is {nan!r}; there are: stop, skip")
    if directions is not None:
        check_kind("directions", directions, Mapping, "min or max by metric, such as {'seg/foo': 'max'}")
        if isinstance(history, RunTable) and history.metrics:
            raise UsageError("the directions of the metrics are those of the history; leave directions out")


@contextmanager
def whole_state(of: str) -> Iterator[None]:
    """Refuse a state that is not as it was saved.

    Args:
        of: what saved it, for the message.

    Raises:
        UsageError: what is read in the block lacks something, or is of another type.
    """
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"this is no whole state of a {of} ({type(error).__name__}: {error}); give what its state_dict() returned"
        ) from error


def check_architecture(run: str, arch: object, graph: object) -> None:
    """Refuse a key that is no text, and a graph that is none.

    Raises:
        UsageError: the text says what was found.
    """
    if arch is not None:
        check_kind(f"run '{run}': arch", arch, str, "the key of an architecture, as text")
    if graph is not None:
        check_kind(f"run '{run}': graph", graph, ArchGraph, "an ArchGraph, such as lcode.trace_graph(module, example)")


def _parameters(of: Callable[..., Any]) -> list[str]:
    """The names of what it takes."""
    every = inspect.signature(of).parameters.values()
    return [one.name for one in every if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]


def _of(run: str | None) -> str:
    """How a message begins."""
    return "" if run is None else f"run '{run}': "


def _on_axis(epoch: object, run: str | None, what: str) -> int | float:
    number = as_number(epoch)
    if number is None or math.isnan(number):
        raise UsageError(f"{_of(run)}{what} is {found(epoch)}; give a number, counted from 0 or 1")
    if number < 0:
        raise UsageError(f"{_of(run)}{what} is {epoch}; it is at least 0")
    if number > MAX_TICKS:
        raise UsageError(
            f"{_of(run)}{what} is {epoch}; it is at most {MAX_TICKS:,}: count epochs or steps, not samples or seconds"
        )
    return int(number) if number == math.floor(number) else round(number, DIGITS)
