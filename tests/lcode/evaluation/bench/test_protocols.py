from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lcode.errors import NotEnoughDataError, UsageError
from lcode.evaluation.bench import PROTOCOLS, Source
from lcode.evaluation.bench.protocols import by_schedule, default_protocol, divide
from lcode.evaluation.bench.sources import Problem, load_problem
from lcode.table import RunTable
from lcode.table.groups import configuration_groups

CELLS, FOG = Source("mtl_curves/cells"), Source("mtl_curves/scenes-fog")
"""A problem that the shipped checkpoint never saw, and one that it was pretrained on."""


def widths(table: RunTable) -> set[float]:
    return set(table.configs["width"])


def test_smaller_numbers_of_training_runs_are_parts_of_larger_ones(low: Source) -> None:
    whole, ten, four, none = (divide(low, "by-run", train, 0) for train in ("all", "10", "4", "0"))
    assert [len(d.train) for d in (whole, ten, four, none)] == [18, 10, 4, 0]
    assert set(four.train.run_ids) < set(ten.train.run_ids) < set(whole.train.run_ids)
    assert len({d.test.run_ids for d in (whole, ten, four, none)}) == 1
    assert not set(whole.train.run_ids) & set(whole.test.run_ids)


def test_seeds_differ_and_repeat(low: Source) -> None:
    first, again, other = (divide.__wrapped__(low, "by-run", "10", seed) for seed in (0, 0, 1))
    assert first.train.run_ids == again.train.run_ids and first.test.run_ids == again.test.run_ids
    assert first.test.run_ids != other.test.run_ids and first.train.run_ids != other.train.run_ids


def test_a_number_that_is_no_smaller_case_is_refused(low: Source) -> None:
    with pytest.raises(UsageError, match="only 18 runs to learn from, so 18 of them"):
        divide(low, "by-run", "18", 0)


def test_no_tested_configuration_is_among_the_siblings(low: Source) -> None:
    division = divide(low, "siblings", "4", 0)
    assert len(division.train) == 4
    (related,) = division.related  # toys/other measures something else
    assert len(related) == 24 - len(division.test)
    assert not widths(related) & widths(division.test)
    assert division.test.run_ids == divide(low, "by-run", "4", 0).test.run_ids


@pytest.mark.parametrize("protocol", ["by-run", "by-config", "by-arch"])
def test_of_a_problem_of_the_corpus_no_run_is_tested_that_the_shipped_model_learned_from(protocol: str) -> None:
    if protocol == "by-run":
        with pytest.raises(UsageError, match="the shipped model was pretrained on some of these runs"):
            divide(FOG, protocol, "all", 0)
        return
    division, splits = divide(FOG, protocol, "all", 0), load_problem(FOG).splits
    assert splits is not None
    assert set(splits.loc[list(division.test.run_ids), "split"]) <= {"test", "validation"}
    column = "split" if protocol == "by-config" else "arch_split"
    learned = set(splits.loc[list(division.train.run_ids), column])
    assert learned == {"train"} and not learned & set(splits.loc[list(division.test.run_ids), column])


def test_held_out_problems_are_divided_by_run_and_the_others_by_configuration(low: Source) -> None:
    assert [default_protocol(source) for source in (CELLS, FOG, low)] == ["by-run", "by-config", "by-run"]
    assert set(load_problem(CELLS).table.runs["status"]) == {"finished"}
    tested = divide(CELLS, "by-arch", "all", 0).test
    assert len(tested) > 10 and "train" in set(load_problem(CELLS).splits.loc[list(tested.run_ids), "split"])  # type: ignore[union-attr]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("source", [CELLS, FOG, Source("toys/low"), Source("twinned/only")], ids=lambda s: s.name)
def test_a_configuration_is_never_on_both_sides(protocol: str, source: Source) -> None:
    try:
        division = divide(source, protocol, "all", 1)
    except UsageError as error:
        assert any(word in str(error) for word in ("pretrained", "no fixed splits", "same metrics", "schedules"))
        return
    table = load_problem(source).table
    groups = dict(zip(table.run_ids, configuration_groups(table), strict=True))
    train, test = ({groups[run] for run in part.run_ids} for part in (division.train, division.test))
    assert train and test and not train & test


def test_other_schedules_are_tested_than_were_learned_from(low: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["constant_9", "cosine_9", "wsd", "wsdcon_3"]
    table = load_problem(low).table
    named = replace(table, configs=table.configs.assign(schedule=[names[i % 4] for i in range(len(table))]))
    monkeypatch.setattr("lcode.evaluation.bench.protocols.load_problem", lambda source: Problem(named))
    division = by_schedule(low, 0)
    assert set(division.train.configs["schedule"]) == {"constant_9", "cosine_9"}
    assert set(division.test.configs["schedule"]) == {"wsd", "wsdcon_3"} and len(division.test) == 12


def test_too_few_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    path = f"{tmp_path}/few.csv"
    with open(path, "w", encoding="utf-8") as file:
        file.write("run,epoch,loss\n" + "".join(f"r{i},{e},{1 / e}\n" for i in range(3) for e in (1, 2, 3)))
    with pytest.raises(NotEnoughDataError, match="2 finished runs to learn from and 1 to test; at least 3 and 2"):
        divide(Source(path, logs=True), "by-run", "all", 0)


def test_the_test_runs_are_a_fair_share(low: Source) -> None:
    sizes = [len(divide(low, "by-run", "all", seed).test) for seed in range(5)]
    assert np.mean(sizes) == pytest.approx(6, abs=1)
