from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cache

import numpy as np
import pytest

from mtl_runs.balancers import BALANCERS
from mtl_runs.corpus import Entry, corpus_entries, corpus_runs
from mtl_runs.corpus.space import HELD_OUT_ARCHS, HELD_OUT_PROBLEMS, LEARNING_RATES, PLANS
from mtl_runs.problems import PROBLEMS, make_problem

DENSE = ("scenes", "scenes-fog", "cells")
"""They have other architectures and batch sizes."""


@cache
def entries() -> list[Entry]:
    return corpus_entries()


def entropy(values: Iterable[object]) -> float:
    counts = np.array(list(Counter(values).values()))
    shares = counts / counts.sum()
    return float(-(shares * np.log2(shares)).sum())


def multi() -> list[Entry]:
    return [entry for entry in entries() if not entry.single]


def test_the_definition_is_a_pure_function_of_its_seed() -> None:
    assert corpus_runs() == [entry.spec for entry in entries()]
    assert corpus_runs(1)[0].seed != entries()[0].spec.seed
    assert len({entry.spec.run for entry in entries()}) == len(entries())


def test_a_problem_does_not_depend_on_the_others() -> None:
    (name, *_) = PLANS
    assert corpus_entries(plans={name: PLANS[name]}) == [e for e in entries() if e.spec.problem == name]


def test_it_is_large_and_diverse() -> None:
    specs = [entry.spec for entry in multi()]
    assert len(specs) >= 4000
    problems = {spec.problem for spec in specs}
    assert problems <= set(PROBLEMS) and len(problems - set(HELD_OUT_PROBLEMS)) >= 8
    balancers = Counter(spec.config.balancer for spec in specs)
    assert set(balancers) <= set(BALANCERS) and len(balancers) >= 15 and min(balancers.values()) >= 50
    assert len({spec.config.arch for spec in specs}) >= 20


def test_what_is_a_choice_is_evenly_mixed() -> None:
    for name in ("schedule", "optimizer", "clip"):
        counts = Counter(getattr(entry.spec.config, name) for entry in multi())
        assert min(counts.values()) > 0.9 * len(multi()) / len(counts)


@pytest.mark.parametrize("optimizer", LEARNING_RATES)
def test_learning_rates_span_two_decades(optimizer: str) -> None:
    rates = np.log10([e.spec.config.lr for e in multi() if e.spec.config.optimizer == optimizer])
    assert np.ptp(rates) > 1.9
    assert np.histogram(rates, bins=4)[0].min() > 0.2 * len(rates)


def test_the_batch_size_is_not_tied_to_the_architecture() -> None:
    """Of what a batch size could tell of the architecture, in bits, it tells next to nothing."""
    pairs = [(e.spec.config.arch, e.spec.config.batch_size) for e in multi() if e.spec.problem not in DENSE]
    archs, sizes = zip(*pairs, strict=True)
    together = entropy(archs) + entropy(sizes) - entropy(pairs)
    assert together < 0.1 * min(entropy(archs), entropy(sizes))


def test_twins_differ_in_the_seed_only_and_share_their_place() -> None:
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in multi():
        groups[entry.configuration].append(entry)
    for group in groups.values():
        assert len({entry.spec.seed for entry in group}) == len(group)
        first = group[0]
        for entry in group:
            assert entry.spec.config == first.spec.config and entry.spec.problem == first.spec.problem
            assert entry.split == first.split
    sizes = Counter(map(len, groups.values()))
    assert (len(groups) - sizes[1]) / len(groups) >= 0.1 and sizes[5] > 0


def test_no_part_sees_what_another_is_tested_on() -> None:
    for entry in multi():
        assert (entry.arch_split == "test") == (entry.spec.config.arch in HELD_OUT_ARCHS)
        assert (entry.problem_split == "test") == (entry.spec.problem in HELD_OUT_PROBLEMS)
    assert len(HELD_OUT_PROBLEMS) == 2
    for field in ("split", "arch_split", "problem_split"):
        counts = Counter(getattr(entry, field) for entry in multi())
        assert 0.1 < counts["test"] / len(multi()) < 0.5


def test_every_task_has_a_reference_on_every_architecture() -> None:
    for problem, plan in PLANS.items():
        single = [e.spec.config for e in entries() if e.single and e.spec.problem == problem]
        assert {(config.arch, config.tasks) for config in single} == {(a, (t,)) for a in plan.archs for t in plan.tasks}
        assert {e.spec.config.arch for e in multi() if e.spec.problem == problem} == set(plan.archs)


@pytest.mark.parametrize("problem", PLANS)
def test_the_tasks_of_a_plan_are_those_of_the_problem(problem: str) -> None:
    assert tuple(task.name for task in make_problem(problem).tasks) == tuple(PLANS[problem].tasks)
