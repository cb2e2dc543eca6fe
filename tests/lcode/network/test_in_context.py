"""The in-context network: a forecast depends on the run and on the set of examples."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lcode.curves.common_settings import COMMON_SETTINGS
from lcode.curves.prefix import SIDE, Evidence
from lcode.curves.tokens import Prefixes
from lcode.network.in_context import InContextConfig, InContextNetwork
from lcode.regressors.kernel_regression import Columns

LEADS = np.array([0.25, 1.0])


@pytest.fixture(scope="module")
def network() -> InContextNetwork:
    return InContextNetwork(InContextConfig(width=16, layers=2, heads=2), torch.Generator().manual_seed(0))


def runs(count: int, seed: int) -> Prefixes:
    draw = np.random.default_rng(seed)
    points = draw.standard_normal((count, 6)).cumsum(1)
    settings = draw.standard_normal((count, len(COMMON_SETTINGS)))
    evidence = Evidence(settings, Columns(np.arange(settings.shape[1]), np.full(settings.shape[1], SIDE)))
    return Prefixes.thinned(points, np.full(count, 6), np.full(count, 0.3), settings, evidence)


def test_quantiles_ascend_at_every_lead(network: InContextNetwork) -> None:
    told = network.learn(runs(9, 0), np.random.default_rng(1).standard_normal((9, 2)), LEADS).quantiles(runs(5, 2))
    assert told.shape == (5, 2, 21) and (np.diff(told, axis=-1) > 0).all()


def test_neither_company_nor_the_order_of_the_examples_matters(network: InContextNetwork) -> None:
    known, came, asked = runs(9, 0), np.random.default_rng(1).standard_normal((9, 2)), runs(5, 2)
    examples = network.learn(known, came, LEADS)
    together = examples.quantiles(asked)
    order = np.random.default_rng(3).permutation(9)
    shuffled = network.learn(known.rows(order), came[order], LEADS).quantiles(asked)
    alone = examples.quantiles(asked.rows(np.array([3])))
    np.testing.assert_allclose(shuffled, together, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(alone[0], together[3], rtol=1e-4, atol=1e-5)


def test_an_example_counts(network: InContextNetwork) -> None:
    known, came, asked = runs(9, 0), np.random.default_rng(1).standard_normal((9, 2)), runs(5, 2)
    changed = came.copy()
    changed[4] += 1.0
    plain, other = (network.learn(known, values, LEADS).quantiles(asked) for values in (came, changed))
    assert not np.allclose(plain, other, rtol=1e-3)


def test_the_same_seed_makes_the_same_network() -> None:
    first, second = (InContextNetwork(InContextConfig(), torch.Generator().manual_seed(7)) for _ in range(2))
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
