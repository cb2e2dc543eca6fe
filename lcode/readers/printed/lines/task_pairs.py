"""Loss and metric of each task without their names: `TRAIN: Seg 1.2 0.3 Depth 0.8 0.7 || TEST: Seg 1.4 0.2 …`.

So do Auto-Lambda and the programs made after it tell an epoch; which metric it is follows from the task.
"""

from __future__ import annotations

import re

from lcode.readers.printed.lines.form_parts import NUMBER

TWO_OF_EACH_TASK = re.compile(
    r"\bTRAIN: (?P<train>[^:]*?)[\s|]*TEST: (?P<test>[^:]*?)(?:[ |]*\| *Best: .*)?\s*$", re.DOTALL
)
"""The end of the line of an epoch; what is the best so far is of another one."""

_TASK = re.compile(
    rf"(?P<task>[A-Za-z][\w-]*(?: \d+(?= [+-]?\d+\.))?) (?P<loss>{NUMBER}) (?P<metric>{NUMBER})(?![\w.])"
)

_METRICS = (
    (re.compile(r"seg", re.IGNORECASE), "mIoU"),
    (re.compile(r"depth|disp", re.IGNORECASE), "abs_err"),
    (re.compile(r"norm", re.IGNORECASE), "mean_angle"),
    (re.compile(r"class", re.IGNORECASE), "acc"),
)
"""What these programs measure of a task of such a name."""

_OF_ALL = re.compile(rf"(?<![\w-])All (?={NUMBER})")
"""How far the tasks together are above those trained alone."""


def of_tasks(found: re.Match[str]) -> str:
    """The same with a name before each number."""
    if _TASK.search(found["train"]) is None:
        return found.group()
    train, test = (_OF_ALL.sub("All: ", _TASK.sub(_named, found[data])) for data in ("train", "test"))
    return f"train: {train} | test: {test}"


def _named(found: re.Match[str]) -> str:
    """A task with the names of its loss and its metric."""
    metric = next((metric for words, metric in _METRICS if words.search(found["task"])), "metric")
    task = found["task"].replace(" ", "_")
    return f"{task}/loss: {found['loss']}, {task}/{metric}: {found['metric']},"
