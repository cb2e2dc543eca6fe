"""Loss and metric of each task without their names: `TRAIN: Seg 1.2 0.3 Depth 0.8 0.7 || TEST: Seg 1.4 0.2 …`.

So do Auto-Lambda and the programs made after it tell an epoch; which metric it is follows from the task.
"""

from __future__ import annotations

import re

from lcode.readers.printed.lines.form_parts import NUMBER
from lcode.table.metric_names import known_metric

TWO_OF_EACH_TASK = re.compile(
    r"\bTRAIN: (?P<train>[^:]*?)[\s|]*TEST: (?P<test>[^:]*?)(?:[ |]*\| *Best: .*)?\s*$", re.DOTALL
)
"""The end of the line of an epoch; what is the best so far is of another one."""

_TASK = re.compile(
    rf"(?P<task>[A-Za-z][\w-]*(?: \d+(?= [+-]?\d+\.))?) (?P<loss>{NUMBER}) (?P<metric>{NUMBER})(?![\w.])"
)

_METRICS = {
    "seg": "mIoU",
    "part_seg": "mIoU",
    "depth": "abs_err",
    "disp": "abs_err",
    "normal": "mean_angle",
    "class": "acc",
}
"""What these programs measure of a task of such a name, which may have a number."""

_OF_ALL = re.compile(rf"(?<![\w-])All (?={NUMBER})")
"""How far the tasks together are above those trained alone."""


def of_tasks(found: re.Match[str]) -> str:
    """The same with a name before each number."""
    tasks = [one["task"] for one in _TASK.finditer(found["train"] + " " + found["test"])]
    if not tasks or any(known_metric(task) is not None for task in tasks):  # `TRAIN: loss 1.0 12 TEST: loss 1.1 12`
        return found.group()
    train, test = (_OF_ALL.sub("All: ", _TASK.sub(_named, found[data])) for data in ("train", "test"))
    return f"train: {train} | test: {test}"


def _named(found: re.Match[str]) -> str:
    """A task with the names of its loss and its metric."""
    metric = _METRICS.get(found["task"].lower().partition(" ")[0], "metric")
    task = found["task"].replace(" ", "_")
    return f"{task}/loss: {found['loss']}, {task}/{metric}: {found['metric']},"
