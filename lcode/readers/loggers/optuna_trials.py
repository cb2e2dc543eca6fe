"""Optuna's studies and trials, whichever storage they come from, as runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lcode.errors import InputError
from lcode.json_text import parse_json
from lcode.readers.logged.base import Logged
from lcode.readers.logged.cells import columns_of
from lcode.readers.loggers.optuna_told import OWN, reported, reports_of, was_stopped
from lcode.table.metric import Direction
from lcode.table.table import RunStatus

TOOL = "Optuna"

STEP, VALUE = "step", "value"
"""Names of the columns of a trial: Optuna calls what it counts by `step`, and most studies do not name their value."""

METRIC_NAMES = "study:metric_names"
"""The attribute in which Optuna keeps what `study.set_metric_names` was given."""

STATUSES: dict[str, RunStatus] = {"COMPLETE": "finished", "PRUNED": "stopped", "FAIL": "failed"}


@dataclass
class Trial:
    """One trial: `reports` are its intermediate values by step, `attrs` its user attributes."""

    number: int
    state: str = "RUNNING"
    params: dict[str, Any] = field(default_factory=dict)
    reports: dict[int, float] = field(default_factory=dict)
    attrs: dict[str, Any] = field(default_factory=dict)


@dataclass
class Study:
    """A study, its directions in the order of its objectives (None: not set), and what it calls them."""

    name: str
    directions: list[Direction | None]
    metric_names: list[str] | None = None
    trials: list[Trial] = field(default_factory=list)

    @property
    def value_name(self) -> str:
        """What the reported values are called."""
        return self.metric_names[0] if self.metric_names and len(self.metric_names) == 1 else VALUE

    def named_directions(self) -> dict[str, Direction]:
        """Direction by column name, of the objectives that have one."""
        names = self.metric_names or ([self.value_name] if len(self.directions) == 1 else [])
        return {name: way for name, way in zip(names, self.directions, strict=False) if way is not None}


def direction_of(spelled: object) -> Direction | None:
    """Optuna's direction, by its name (SQL) or its number (journal)."""
    ways: dict[object, Direction] = {"MINIMIZE": "min", "MAXIMIZE": "max", 1: "min", 2: "max"}
    return ways.get(spelled)


def param_of(internal: float, distribution: str) -> Any:
    """A parameter's value as the objective saw it.

    Args:
        internal: how the storage holds it: of a category its index.
        distribution: JSON of what it was drawn from.

    Raises:
        ValueError: the distribution cannot be read, or has no such category.
    """
    found = parse_json(distribution)
    if not isinstance(found, dict):
        raise ValueError("it is no distribution")
    kind = str(found.get("name") or found.get("type"))
    options = found.get("attributes", found)
    if kind.lower().startswith("categorical"):
        choices = options["choices"] if isinstance(options, dict) and isinstance(options.get("choices"), list) else []
        if not 0 <= int(internal) < len(choices):
            raise ValueError(f"there is no category {internal:g}")
        return choices[int(internal)]
    return int(internal) if kind.lower().startswith("int") else float(internal)


def runs_of(path: Path, studies: Sequence[Study], notes: Sequence[str] = ()) -> list[Logged]:
    """The trials as runs named `study/trial-N`.

    Trials that ended without a report are left out with a remark: nothing of their course is known. Those that still
    wait or run are kept, with nothing observed.

    Raises:
        InputError: no trial has reported anything.
    """
    runs, silent, unread = [], 0, set()
    for study in studies:
        ways = study.named_directions()
        for trial in study.trials:
            rows, other = _rows(study, trial)
            unread |= other
            if not rows and trial.state in STATUSES:
                silent += 1
                continue
            columns = columns_of(rows, path, TOOL)
            runs.append(
                Logged(
                    file=path,
                    columns=columns,
                    run=f"{study.name}/trial-{trial.number}",
                    axis=STEP if rows else None,
                    config={str(name): value for name, value in trial.params.items()},
                    status=_status(study, trial),
                    directions={name: way for name, way in ways.items() if name in columns},
                )
            )
    if not any(run.columns for run in runs):
        several = any(len(study.directions) > 1 for study in studies)
        remedy = (
            "where a study has several objectives Optuna takes no reports: keep each curve as a user attribute, "
            "trial.set_user_attr('val/acc', [value of each epoch])"
            if several
            else "call trial.report(value, epoch) after every epoch"
        )
        raise InputError(
            f"none of the {silent + len(runs)} trials of Optuna's in it has reported intermediate values, so there are "
            f"no curves; {remedy}",
            path=path,
        )
    remarks = list(notes)
    if silent:
        remarks.append(f"{path.name}: {silent} trial(s) ended without a report and were left out.")
    if unread:
        listed = ", ".join(sorted(unread)[:5]) + (" …" if len(unread) > 5 else "")
        remarks.append(f"{path.name}: user attributes that are no curves by step were left out: {listed}.")
    return [replace(runs[0], notes=tuple(remarks)), *runs[1:]]


def _status(study: Study, trial: Trial) -> RunStatus | None:
    """How it ended; one that was told to stop may have returned its forecast, and so be complete for Optuna."""
    complete = trial.state == "COMPLETE"
    reports = reported(trial.attrs, trial.reports, study.value_name) if complete else []
    return "stopped" if was_stopped(trial.attrs, reports) else STATUSES.get(trial.state)


def _rows(study: Study, trial: Trial) -> tuple[list[dict[str, Any]], set[str]]:
    """A row per step, and the user attributes that are none of its columns."""
    by_step: dict[float, dict[str, Any]] = {step: {study.value_name: value} for step, value in trial.reports.items()}
    for step, values in reports_of(trial.attrs):
        by_step.setdefault(step, {}).update(values)
    steps = sorted(by_step)
    unread = set()
    for name, value in trial.attrs.items():
        if name.startswith(OWN):
            continue
        for key, curve in _curves(name, value, steps):
            if curve is None or key == study.value_name:
                unread.add(name)
            else:
                for step, number in curve.items():
                    by_step.setdefault(step, {})[key] = number
    return [{STEP: step, **by_step[step]} for step in sorted(by_step)], unread


def _curves(name: str, value: Any, steps: Sequence[float]) -> Iterator[tuple[str, Mapping[Any, float] | None]]:
    """The curves in a user attribute, value by step: lists of numbers and mappings from steps, nested or not.

    A list has a value for each reported step, or, where there is no report, for each step from 0. It may be one longer
    or shorter, as in a trial that is between the two calls.
    """
    if isinstance(value, list) and len(value) > (not steps) and all(map(_is_number, value)):
        fits = not steps or abs(len(steps) - len(value)) <= 1
        yield name, dict(zip(steps or range(len(value)), value, strict=False)) if fits else None
    elif isinstance(value, Mapping) and value and all(str(key).isdecimal() for key in value):
        numbers = {int(key): number for key, number in value.items()}
        yield name, numbers if all(map(_is_number, numbers.values())) else None
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _curves(f"{name}/{key}", inner, steps)
    else:
        yield name, None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
