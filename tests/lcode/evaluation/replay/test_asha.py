from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from lcode.evaluation.replay import RecordedSweep
from lcode.evaluation.replay.asha import Asha

Recorded = Callable[..., RecordedSweep]


def flat(levels: Iterable[float], horizon: int = 12) -> list[list[float]]:
    return [[level] * horizon for level in levels]


def test_where_the_best_come_first_few_are_promoted(recorded: Recorded) -> None:
    sweep = recorded(flat(np.linspace(0.9, 0.1, 9)))
    course = Asha(first=2, eta=3).play(sweep, range(9), workers=1)
    # After three runs the first goes on, after six the second, after nine the third; then the best of these to the end.
    assert course.reports.tolist() == [12, 6, 6, 2, 2, 2, 2, 2, 2]


def test_where_every_run_is_better_than_those_before_many_are_promoted(recorded: Recorded) -> None:
    sweep = recorded(flat(np.linspace(0.1, 0.9, 9)))
    course = Asha(first=2, eta=3).play(sweep, range(9), workers=1)
    assert course.reports.tolist() == [2, 2, 6, 6, 12, 12, 12, 12, 12]


def test_with_as_many_workers_as_runs_nobody_is_promoted_too_early(recorded: Recorded) -> None:
    sweep = recorded(flat(np.linspace(0.1, 0.9, 9)))
    course = Asha(first=2, eta=3).play(sweep, range(9), workers=9)
    assert course.reports.tolist() == [2, 2, 2, 2, 2, 2, 6, 6, 12]


def test_where_too_few_runs_come_to_the_highest_rung_its_best_is_finished(recorded: Recorded) -> None:
    sweep = recorded(flat([0.3, 0.5, 0.4, 0.1]))
    course = Asha(first=2, eta=4).play(sweep, range(4), workers=1)
    assert course.reports.tolist() == [2, 12, 2, 2]
