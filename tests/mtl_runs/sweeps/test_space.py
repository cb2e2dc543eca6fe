from __future__ import annotations

from collections import Counter

import numpy as np

from mtl_runs.balancers import BALANCERS
from mtl_runs.problems import make_problem
from mtl_runs.sweeps import sample_runs
from mtl_runs.sweeps.space import ARCHITECTURES, LEARNING_RATES, NOT_DRAWN, archs_for


def test_samples_are_repeatable_and_shorter_sweeps_are_prefixes() -> None:
    long = sample_runs("digits", 3, 48, horizon=40, seed=0)
    assert sample_runs("digits", 3, 20, horizon=40, seed=0) == long[:20]
    assert sample_runs("digits", 3, 20, horizon=40, seed=1) != long[:20]
    assert len({spec.run for spec in long}) == 48
    assert len({spec.seed for spec in long}) == 48
    assert long[7].run == f"r0007-{long[7].config.balancer}-{long[7].config.arch}"


def test_categories_are_evenly_mixed_and_learning_rates_span_two_decades() -> None:
    specs = sample_runs("digits", 3, 240, horizon=40, seed=3)
    for name, n_choices in (("balancer", 8), ("arch", 6), ("schedule", 3), ("batch_size", 3), ("optimizer", 2)):
        counts = Counter(getattr(spec.config, name) for spec in specs)
        assert set(counts.values()) == {240 // n_choices}
    assert {spec.config.balancer for spec in specs} <= set(BALANCERS)
    for optimizer, (low, high) in LEARNING_RATES.items():
        rates = [spec.config.lr for spec in specs if spec.config.optimizer == optimizer]
        assert low * 0.99 <= min(rates)
        assert max(rates) <= high * 1.01
        assert 1.5 < np.ptp(np.log10(rates)) <= 2.01
        assert abs(np.median(np.log10(rates)) - np.log10(low * high) / 2) < 0.3


def test_fixed_weights_have_one_entry_per_task() -> None:
    fixed = [spec.config for spec in sample_runs("digits", 3, 64, horizon=4, seed=0) if spec.config.balancer == "fixed"]
    assert len(fixed) == 8
    assert all(len(config.balancer_settings["weights"]) == 3 for config in fixed)


def test_balancers_around_another_one_are_drawn_with_it() -> None:
    specs = sample_runs("digits", 3, 12, horizon=4, seed=0, balancers=("log", "cr_mogm"))
    assert {spec.config.balancer_settings["of"] for spec in specs} == {"mgda", "cagrad", "imtl_g"}
    for spec in specs:
        spec.config.make_balancer()


def test_all_balancers_but_those_that_have_to_be_told_more_can_be_drawn() -> None:
    names = [name for name in BALANCERS if name not in NOT_DRAWN]
    for spec in sample_runs("digits", 3, len(names), horizon=4, seed=0, balancers=names):
        spec.config.make_balancer().init(3)


def test_architectures_that_are_not_named_suit_the_problem() -> None:
    pixels, table = make_problem("cells"), make_problem("clicks")
    assert archs_for(pixels, ARCHITECTURES) == ("cnn-8x2", "cnn-16x3")
    assert archs_for(table, ARCHITECTURES) == ("mlp-32x2", "mlp-64x2", "mlp-128x3", "mlp-256x1")
    assert archs_for(pixels, ("mlp-64x2",)) == ("cnn-8x2", "cnn-16x3")  # none of those that were given
