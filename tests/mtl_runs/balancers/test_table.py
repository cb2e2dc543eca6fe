"""Every balancer by name: what it gives on the same small inputs, what it says of itself, and its settings."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from math import exp, sqrt
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from lcode.errors import UsageError
from mtl_runs.balancers import BALANCERS, Balancer, make_balancer

Direction = Callable[..., tuple[list[float], list[float]]]

ORTHONORMAL = [[1.0, 0.0], [0.0, 1.0]]
STRETCHED = [[2.0, 0.0], [0.0, 1.0]]
CONFLICT = [[1.0, 0.0], [-0.5, 1.0]]
DOMINATED = [[10.0, 0.0], [-0.5, 1.0]]
SIGMOID_1 = 1 / (1 + exp(-1))
PROJECTED = [[-4.0, 1.0, 1.0], [6.0, 1.0, 1.0]]


class D(NamedTuple):
    """A pinned direction d of the first step, all losses 1."""

    gradients: Sequence[Sequence[float]]
    expected: Sequence[float]
    settings: Mapping[str, Any] = MappingProxyType({})


class W(NamedTuple):
    """Pinned weights of the first step, orthonormal gradients."""

    losses: Sequence[float]
    expected: Sequence[float]
    settings: Mapping[str, Any] = MappingProxyType({})


PINS: dict[str, list[D | W]] = {
    "equal": [W([1, 2, 9], [1 / 3] * 3), D(CONFLICT, [0.25, 0.5])],
    "fixed": [W([1, 2, 9], [0.25, 0.25, 0.5], {"weights": [1, 1, 2]})],
    # The papers' sum is twice our mean: (5, 5).
    "inverse_norm": [
        D([[3, 0], [0, 4]], [2.5, 2.5]),
        D([[3, 0], [0, 4]], [3.5 / 2, 3.5 / 2], {"target": "mean_of_norms"}),
        D([[3, 0], [0, 4]], [12 / 7, 12 / 7], {"target": "sum_to_k"}),
    ],
    # Weights of 1/2, 1 and of 1/3, 1/4, over their sum.
    "autoscale": [D(STRETCHED, [2 / 3, 2 / 3]), D([[3, 0], [0, 4]], [12 / 7, 12 / 7]), W([1, 4], [0.5, 0.5])],
    "uncertainty": [W([1, 4], [0.25, 0.25])],
    "uw_o": [W([1, 2, 4], [1 / 3, 1 / 6, 1 / 12])],
    "uw_so": [
        W([1, 2, 4], [0.48102, 0.29176, 0.22722]),
        W([1, 2, 4], [0.62853, 0.23122, 0.14024], {"temperature": 0.5}),
        W([1, 2, 4], [1 / 3, 1 / 3, 1 / 3], {"temperature": 1e6}),
        W([1e-4, 1, 1], [1, 0, 0]),
    ],
    "imtl_l": [W([1, 4], [0.5, 0.5])],
    # IMTL-G's direction; the heads' weights are IMTL-L's.
    "imtl": [D(STRETCHED, [2 / 3, 2 / 3]), W([1, 4], [0.5, 0.5])],
    "slaw": [W([1, 4], [0.5, 0.5])],
    "rlw": [W([1, 4], [0.79159, 0.20841])],
    "dwa": [W([1, 4], [0.5, 0.5])],
    "stch": [
        W([1, 4], [0, 1]),
        W([1, 4], [0.5, 0.5], {"mu": 1e6}),
        W([1, 4], [0.5, 0.125], {"warmup": 3}),
    ],
    "gls": [W([1, 4], [1, 0.25])],
    "gradnorm": [W([1, 4], [0.5, 0.5])],
    "famo": [W([1, 4], [0.8, 0.2])],
    # v = Σ L / (3 L) = 13/3, 13/6, 13/30 at equal p: each, in two groups, in one; then a third.
    "go4align": [
        W([1, 2, 10], [13 / 9, 13 / 18, 13 / 90], {"groups": 3, "step_size": 0}),
        W([1, 2, 10], [13 / 9, 13 * 0.3 / 9, 13 * 0.3 / 9], {"step_size": 0}),
        W([1, 2, 10], [13 * 1.6 / 27] * 3, {"groups": 1, "step_size": 0}),
        # p = e^-1, e^-4 over their sum.
        W([1, 4], [5 / (1 + exp(-3)) / 2, 5 / 4 / (1 + exp(3)) / 2], {"step_size": 1}),
    ],
    # σ = sigmoid(1) for all; the larger of two losses is pulled down.
    "ldc_mtl": [
        W([1, 4], [0.5 - 0.05 * SIGMOID_1, 0.5 + 0.05 * SIGMOID_1]),
        W([4, 4], [0.5, 0.5]),
        W([1, 4, 2], [1 / 3 - 0.1 * SIGMOID_1, 1 / 3 + 0.2 * SIGMOID_1, 1 / 3 - 0.1 * SIGMOID_1], {"penalty": 0.1}),
        W([1, 4], [0.5, 0.125], {"scale": "log"}),
        W([1, 4], [0.5, 0.125], {"scale": "first"}),
    ],
    # One task at first, whose turn was drawn.
    "sel_update": [W([1, 4], [0, 0.5])],
    "pcgrad": [D(CONFLICT, [0.4, 0.7]), D(STRETCHED, [1, 0.5])],
    "gradvac": [D(CONFLICT, [0.4, 0.7])],
    "mgda": [D(ORTHONORMAL, [0.5, 0.5]), D(STRETCHED, [0.4, 0.8]), D(CONFLICT, [0.3077, 0.4615])],
    "cagrad": [
        D(ORTHONORMAL, [0.7, 0.7], {"rescale": 0}),
        D(CONFLICT, [0.4256, 0.6384], {"rescale": 0}),
        D(STRETCHED, [1.0, 0.9472], {"rescale": 0}),
        D(ORTHONORMAL, [0.7 / 1.16, 0.7 / 1.16]),
        D(ORTHONORMAL, [0.5, 0.5], {"rescale": 2}),
        D(CONFLICT, [0.25, 0.5], {"c": 0}),
    ],
    "imgrad": [
        D(ORTHONORMAL, [0.7, 0.7], {"c": 0.4, "rescale": 0}),
        D(CONFLICT, [0.402, 0.664], {"c": 0.4, "rescale": 0}),
        D(CONFLICT, [0.5268, 0.8513], {"rescale": 0}),
    ],
    "conicgrad_exact": [
        D(ORTHONORMAL, [0.5, 0.5], {"c": 0.1}),
        D(ORTHONORMAL, [0.5, 0.5], {"c": 0.9}),
        D(STRETCHED, [0.5, 1.0]),
        D(STRETCHED, [0.6821, 0.8859], {"c": 0.9}),
        D(DOMINATED, [1.942, 4.364]),
        D(DOMINATED, [4.632, 1.165], {"c": 0.99}),
        D(DOMINATED, [4.75, 0.5], {"c": 1}),
    ],
    "sdmgrad": [
        D(ORTHONORMAL, [0.5, 0.5], {"regularisation": 0}),
        D(STRETCHED, [0.4, 0.8], {"regularisation": 0}),
        D(STRETCHED, [0.4, 0.8]),
        D(STRETCHED, [0.4, 0.8], {"regularisation": 0.6}),
        D(CONFLICT, [0.3077, 0.4615]),
        D(CONFLICT, [0.3077, 0.4615], {"solver": "paper_sgd"}),
        # Where the published learning rate ends: w = (0, 1), in conflict with the first task.
        D(CONFLICT, [-0.3269, 0.8846], {"solver": "paper_sgd", "lr": 10}),
    ],
    "sdmgrad_os": [D(CONFLICT, [0.3077, 0.4615], {"n_sampled": 2})],
    "fairgrad": [
        D(ORTHONORMAL, [1, 1], {"alpha": 1}),
        D(ORTHONORMAL, [1, 1]),
        D(STRETCHED, [1, 1], {"alpha": 1}),
        D(STRETCHED, [0.7937, 1]),
        D(CONFLICT, [0.7435, 1.2030], {"alpha": 1}),
        D(CONFLICT, [0.8246, 1.2921]),
        D([[3, 4]], [0.3509, 0.4678]),
        D(STRETCHED, [1, 0.5], {"alpha": 0}),
    ],
    # As FairGrad in the first epoch.
    "pivrg": [
        D(STRETCHED, [0.7937, 1], {"reference": [1, 2]}),
        D(CONFLICT, [0.8246, 1.2921], {"reference": [1, 2]}),
    ],
    # The paper's sum is twice the mean: α = 1 for unit gradients at right angles.
    "nash_mtl": [D([[3, 4]], [0.6, 0.8]), D(ORTHONORMAL, [0.5, 0.5]), D(STRETCHED, [0.5, 0.5])],
    "imtl_g": [D(STRETCHED, [2 / 3, 2 / 3])],
    # The paper's sum is (1, 1).
    "config": [D(ORTHONORMAL, [0.5, 0.5])],
    # The first step of Adam along ConFIG's direction.
    "m_config": [D(STRETCHED, [1, 1]), D(CONFLICT, [1, 1])],
    "aligned_mtl": [D(CONFLICT, [0.2840, 0.4734]), D(STRETCHED, [0.5, 0.5])],
    # TorchJD, with 1e-4 on the diagonal, gives (0.2929, 1.9004, 1.9004).
    "upgrad": [
        D(PROJECTED, [(10 / 9 - 10 / 19) / 2, (20 / 9 + 30 / 19) / 2, (20 / 9 + 30 / 19) / 2]),
        D(STRETCHED, [1, 0.5]),
    ],
    "dualproj": [D(PROJECTED, [1 - 4 / 9, 1 + 1 / 9, 1 + 1 / 9])],
    # At τ = 0 the part that opposes the second gradient is taken out, and the length restored; τ = 1 is more than the
    # first gradient gives: (1, 1, 0) for unit gradients.
    "pcd": [
        D(CONFLICT, [0.8944, 0.4472], {"tau": 0}),
        D(CONFLICT, [0, sqrt(1.25)], {"tau": 0, "primary": 1}),
        D([[3, 0, 0], [0, 2, 0], [5, 0, 0]], [2.1213, 2.1213, 0], {"tau": 1}),
        D(STRETCHED, [2 / sqrt(1.0004), 0.04 / sqrt(1.0004)]),
    ],
    "ngdiff": [D([[3, 4], [0, -2]], [0.3, -0.1])],
    "rgw": [W([1, 4], [0.79159, 0.20841])],
    # No coordinate has two signs.
    "graddrop": [D(STRETCHED, [1, 0.5])],
    # y is half of the unit gradient.
    "moco": [D(STRETCHED, [0.25, 0.25])],
    # λ = Π(½ - 0.1 (2 + 0.05), ½ - 0.1 (½ + 0.05)).
    "modo": [D(STRETCHED, [0.85, 0.575])],
    # A tenth of the gradient, at the norm of the longest.
    "db_mtl": [D(STRETCHED, [0.1, 0.1])],
    "excess_mtl": [D(STRETCHED, [1, 0.5]), D(STRETCHED, [1, 0.5], {"warmup": 3})],
    "adatask": [D(STRETCHED, [0.5, 0.5])],
    # MGDA's weights for (1, 0) / 1 and (0, 1) / 0.5 are 0.8 and 0.2.
    "log": [D(STRETCHED, [0.4, 0.8], {"of": "mgda"}), W([1, 0.5], [0.8, 0.4], {"of": "mgda"})],
    "cr_mogm": [D(STRETCHED, [0.4, 0.8], {"of": "mgda"}), W([1, 4], [1, 0.25], {"of": "gls"})],
    "torchjd": [
        D(STRETCHED, [0.4, 0.8], {"name": "MGDA"}),
        D(ORTHONORMAL, [1, 1], {"name": "ConFIG"}),
        W([1, 4], [1, 0.25], {"name": "GeometricMean"}),
    ],
}


def test_the_table_has_every_balancer() -> None:
    assert PINS.keys() == BALANCERS.keys()
    assert all(PINS.values())


@pytest.mark.parametrize(("name", "pin"), [(name, pin) for name, pins in PINS.items() for pin in pins])
def test_pinned_numbers(direction: Direction, name: str, pin: D | W) -> None:
    if name == "torchjd":
        pytest.importorskip("torchjd")
    balancer = make_balancer(name, **pin.settings)
    if isinstance(pin, D):
        _, found = direction(balancer, pin.gradients)
        assert found == pytest.approx(pin.expected, abs=5e-4)
    else:
        n_tasks = len(pin.losses)
        found, _ = direction(balancer, [[float(i == k) for i in range(n_tasks)] for k in range(n_tasks)], pin.losses)
        assert found == pytest.approx(pin.expected, abs=1e-5)


@pytest.mark.parametrize("kind", BALANCERS.values())
def test_the_class_says_what_happens_at_the_edges(kind: type[Balancer]) -> None:
    text = " ".join((inspect.getdoc(kind) or "").split())
    if kind.__mro__[1] is Balancer:  # another says how it differs from its parent
        for words in ("K = 1", "ero", "heads are", "tate"):
            assert words in text
        assert "zero, NaN or infinite" in text or "finite loss" in text or "NaN or infinite loss" in text


def test_a_wrong_name_lists_the_right_ones() -> None:
    with pytest.raises(UsageError, match="no balancer 'mdga'; there are: equal, fixed"):
        make_balancer("mdga")
    with pytest.raises(UsageError, match="'cagrad' has no setting 'alpha'; its settings are: c, rescale"):
        make_balancer("cagrad", alpha=1)
    with pytest.raises(UsageError, match="'mgda' has no setting 'c'; it has no settings"):
        make_balancer("mgda", c=1)
    with pytest.raises(UsageError, match="'fixed' needs its setting 'weights'"):
        make_balancer("fixed")
    with pytest.raises(UsageError, match="'torchjd' needs its setting 'name'"):
        make_balancer("torchjd", alpha=1)
