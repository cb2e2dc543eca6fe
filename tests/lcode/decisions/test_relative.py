from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lcode.decisions import Hypervolume, MeanRank, ParetoFront, RelativeObjective, make_objective
from lcode.decisions.pareto import volume_shares
from lcode.table import Metric

SEG, PIX = Metric("seg", "miou", "max"), Metric("seg", "pixacc", "max")
DEPTH = Metric("depth", "abs_err", "min")
TWO = (SEG, DEPTH)
UNIT = {"seg/miou": 1.0, "depth/abs_err": 1.0}
ZERO = {"seg/miou": 0.0, "depth/abs_err": 0.0}


def test_the_mean_rank_of_a_table_of_balancers() -> None:
    # Ranks by miou: 1, 2.5, 2.5, 4; by the error: 2, 1, 3, 4.
    values = np.array([[0.9, 0.2], [0.8, 0.1], [0.8, 0.3], [0.1, 0.4]])
    objective = MeanRank()
    scores = objective.score(values, TWO)
    assert scores.tolist() == [-1.5, -1.75, -2.75, -4.0]
    assert objective.direction == "min" and objective.told(scores).tolist() == [1.5, 1.75, 2.75, 4.0]


def test_a_run_without_a_value_has_no_rank_and_takes_none_from_others() -> None:
    scores = MeanRank().score(np.array([[[0.9, np.nan], [0.1, 0.2], [0.5, 0.3]]]), TWO)
    np.testing.assert_array_equal(scores, [[np.nan, -2.0, -2.0]])


def test_expected_ranks_are_means_over_samples() -> None:
    samples = np.array([[[0.9, 0.1], [0.1, 0.4]], [[0.9, 0.4], [0.1, 0.1]]])
    assert MeanRank().score(samples, TWO).mean(0).tolist() == [-1.25, -1.75]


def test_the_front_is_that_of_tasks_each_with_the_mean_of_its_metrics() -> None:
    metrics = (SEG, PIX, DEPTH)
    front = ParetoFront({m.key: 0.0 for m in metrics}, {m.key: 1.0 for m in metrics})
    # seg: 0.5, 0.5, 0.2; the second's pixel accuracy alone would put it on a front of metrics.
    values = np.array([[0.6, 0.4, 0.1], [0.3, 0.7, 0.2], [0.2, 0.2, 0.0]])
    assert front.score(values, metrics).tolist() == [1.0, 0.0, 1.0]


def test_the_volume_that_a_run_alone_dominates() -> None:
    # Above the medians (0, 0): rectangles 2 × 1 and 1 × 2, and one that the first covers.
    values = np.array([[2.0, -1.0], [1.0, -2.0], [1.5, -0.5], [3.0, 1.0]])
    scores = Hypervolume(ZERO, UNIT).score(values, TWO)
    # The first loses to the third what both cover; the fourth is worse than the median in depth.
    np.testing.assert_allclose(scores, [0.75, 1.0, 0.0, 0.0], atol=0.01)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(2, 4), st.integers(1, 6))
def test_contributions_are_what_the_volume_lacks_without_the_run(seed: int, tasks: int, runs: int) -> None:
    values = np.random.default_rng(seed).uniform(0.2, 1, (runs, tasks))
    lacking = [volume(values) - volume(np.delete(values, i, 0)) for i in range(runs)]
    np.testing.assert_allclose(volume_shares(values[None])[0], lacking, atol=0.01)


def volume(points: NDArray[np.float64]) -> float:
    """Of the union of boxes from 0, by inclusion and exclusion."""
    subsets = (list(chosen) for size in range(1, len(points) + 1) for chosen in combinations(range(len(points)), size))
    return float(sum((-1) ** (len(chosen) + 1) * points[chosen].min(0).prod() for chosen in subsets))


@pytest.mark.parametrize("spec", ["mean_rank", "pareto", "hypervolume"])
def test_they_are_made_by_their_words_and_scales_do_not_matter(spec: str) -> None:
    values = np.random.default_rng(0).uniform(0.1, 1, (7, 2))
    objective = make_objective(spec, TWO, population=values)
    assert isinstance(objective, RelativeObjective) and objective.unit
    scaled = values * [100, 0.01]
    other = make_objective(spec, TWO, population=scaled)
    np.testing.assert_allclose(objective.score(values, TWO), other.score(scaled, TWO), rtol=1e-9)
