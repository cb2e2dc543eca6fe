from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from lcode.forecast import Forecast
from lcode.forecasters.base import At, Forecaster
from lcode.forecasters.in_sweep import InSweep, taken_up
from lcode.table import Metric, RunTable


class Pupil(Forecaster):
    """Remembers the names of the finished runs that it has taken up."""

    name: ClassVar[str] = "pupil"
    min_finished: ClassVar[int] = 4

    def __init__(self, known: Sequence[str] = ()) -> None:
        self.known = tuple(known)

    def fit(self, table: RunTable) -> Self:
        return self

    def in_context(self, runs: RunTable) -> Pupil:
        return Pupil(runs.run_ids)

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        raise NotImplementedError


class Learned(Pupil):
    """Has learned from twenty runs before."""

    @property
    def learned_from(self) -> int:
        return 20

    def in_context(self, runs: RunTable) -> Learned:
        return Learned(runs.run_ids)


def table(*names: str) -> RunTable:
    points = pd.DataFrame(
        [(run, epoch, "seg/loss", 1 / epoch) for run in names for epoch in (1, 2, 3)],
        columns=["run", "epoch", "metric", "value"],
    )
    return RunTable.from_points(points, (Metric("seg", "loss", "min"),), runs=pd.DataFrame(index=list(names)))


def known_after(model: InSweep, finished: Sequence[str]) -> tuple[str, ...]:
    forecaster = model.knowing(finished, lambda runs: table(*runs))
    assert isinstance(forecaster, Pupil)
    return forecaster.known


def test_finished_runs_are_taken_up_when_there_are_a_quarter_more() -> None:
    rungs = sorted({taken_up(count, 4) for count in range(40)})
    assert rungs == [0, 4, 5, 6, 8, 10, 13, 16, 20, 25, 31, 39]


@given(st.integers(0, 5000), st.integers(0, 20))
def test_no_more_than_a_fifth_of_the_finished_runs_waits(finished: int, first: int) -> None:
    count = taken_up(finished, first)
    assert count <= finished
    assert count <= taken_up(finished + 1, first)
    if finished >= max(first, 1):
        assert finished < 1.25 * count + 1.5


def test_runs_of_the_sweep_count_as_they_finish() -> None:
    model = InSweep(Pupil(), table())
    names = [f"r{i}" for i in range(9)]
    known = [len(known_after(model, names[:count])) for count in range(10)]
    assert known == [0, 0, 0, 0, 4, 5, 6, 6, 8, 8]
    assert known_after(model, names[::-1]) == tuple(names[:0:-1])


def test_fewer_finished_runs_than_it_takes_to_learn_leave_the_model_as_it_came() -> None:
    pupil = Pupil(["before"])
    assert InSweep(pupil, table("h0")).knowing(["a", "b"], lambda runs: table(*runs)) is pupil


def test_what_is_known_does_not_depend_on_when_it_is_asked() -> None:
    names, often = [f"r{i}" for i in range(12)], InSweep(Pupil(), table("h0", "h1"))
    for count in range(12):
        last = known_after(often, names[:count])
        assert last == known_after(InSweep(Pupil(), table("h0", "h1")), names[:count])


def test_a_run_of_the_history_that_was_trained_anew_counts_once() -> None:
    model = InSweep(Pupil(), table("a", "b", "c", "d"))
    assert known_after(model, []) == ("a", "b", "c", "d")
    assert known_after(model, ["b"]) == ("a", "c", "d", "b")


def test_a_run_of_the_history_that_ended_anew_is_no_longer_known_by_its_former_end() -> None:
    names = [f"h{i}" for i in range(6)]
    model = InSweep(Pupil(), table(*names))
    assert known_after(model, []) == tuple(names)
    assert known_after(model, ["h5"]) == known_after(InSweep(Pupil(), table(*names)), ["h5"])


def test_it_learns_anew_when_another_metric_is_measured() -> None:
    model, asked = InSweep(Pupil(), table()), []

    def table_of(runs: Sequence[str]) -> RunTable:
        asked.append(tuple(runs))
        return table(*runs)

    names, one, two = ["a", "b", "c", "d"], Metric("seg", "loss", "min"), Metric("seg", "acc", "max")
    for metrics in ((one,), (one,), (one, two), (one, two)):
        model.knowing(names, table_of, metrics)
    assert asked == [tuple(names)] * 2


def test_what_is_no_forecaster_of_ours_is_left_as_it_is() -> None:
    class Anything:
        def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
            raise NotImplementedError

    model = Anything()
    assert InSweep(model, table("a")).knowing(["b"], table) is model  # type: ignore[arg-type]


def test_a_fitted_model_counts_the_runs_of_its_fit() -> None:
    """Five more than twenty are a quarter; those of its fit may be the history, and are not asked for again."""
    names = [f"r{i}" for i in range(11)]
    for history in (table(), table(*(f"h{i}" for i in range(20)))):
        model = InSweep(Learned(), history)
        assert [len(model.known(names[:count]).sweep) for count in (4, 5, 10, 11)] == [0, 5, 5, 11]
    assert known_after(InSweep(Learned(), table()), names[:5]) == tuple(names[:5])
    assert known_after(InSweep(Learned(), table()), names[:4]) == ()
