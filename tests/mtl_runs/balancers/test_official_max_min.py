"""Methods that look for the worst or the fairest mixture: numbers that the programs of their authors have given.

The programs ran in float64 on the inputs of `conftest.py`: AvivNavon/nash-mtl cce1840 (for MGDA with Sener & Koltun's
solver), OptMN-Lab/fairgrad 2b8cba1 and sdmgrad 8333f9e, zzpustc/IMGrad 79b64bc (its 3 replaced by K), LibMTL 4336804,
TorchJD 0.18.0, jianke0604/MTLlib e647792 for PIVRG. Inputs on which a program stops short of its problem's solution are
left out: the convex programs of Nash-MTL fail on "three" and "louder", Frank-Wolfe is 4 % off on "louder".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import pytest

OfficialDirection = Callable[[str, Mapping[str, Any], str, str], list[float]]

SLSQP = 2e-3
"""Their solver stops where the objective changes by less than 1e-6; the minimum is flat."""

FRANK_WOLFE = 2e-4
"""Their iteration stops where the weights change by less than 1e-5, or after 250 steps."""


class Pins(NamedTuple):
    """What a program gives for the tasks together, in the last step.

    Attributes:
        program: where the numbers come from.
        balancer: our name.
        settings: of our balancer, those that the program ran with.
        scale: "sum" where the program adds up what we average, "share" where it has the K-th part, else "same".
        expected: first three parameters, by the input.
        tolerance: relative to the largest of the three.
    """

    program: str
    balancer: str
    settings: dict[str, Any]
    scale: Literal["sum", "share", "same"]
    expected: dict[str, tuple[float, float, float]]
    tolerance: float = 1e-6


PINS = [
    Pins(
        "nash-mtl",
        "mgda",
        {},
        "same",
        {
            "two": (0.2136889, 0.1962697, -0.00903728),
            "three": (0.3026186, -0.2773358, 0.2145497),
            "eleven": (0.4888135, 0.03335703, -0.3631142),
            "steps": (-0.1114617, 0.06535628, -0.8149823),
        },
        FRANK_WOLFE,
    ),
    Pins(
        "nash-mtl",
        "cagrad",
        {},
        "sum",
        {
            "three": (1.386643, -0.5448414, 0.3209837),
            "louder": (-5.155572, -29.04734, 50.08738),
            "conflict": (0.9805701, 0.06154305, -0.273167),
            "steps": (-0.2397273, 0.2698453, -2.875714),
        },
        SLSQP,
    ),
    Pins(
        "IMGrad",
        "imgrad",
        {},
        "same",
        {
            "two": (0.2488788, 0.2216255, -0.02272213),
            "louder": (6.164353, -11.97212, 11.86805),
            "conflict": (0.1120681, -0.04922052, 0.02062227),
            "steps": (-0.1348132, 0.1281164, -0.9097578),
        },
        SLSQP,
    ),
    Pins(
        "sdmgrad",
        "sdmgrad",
        {"solver": "paper_sgd", "lr": 10.0},
        "same",
        {
            "two": (0.8013183, 0.4464332, -0.5409181),
            "louder": (-2.484625, -1.186324, 4.453196),
            "conflict": (-0.2380187, -0.1686586, 0.2079709),
            "steps": (0.2697172, -0.5359398, -0.8198239),
        },
    ),
    Pins(
        "LibMTL",
        "sdmgrad",
        {"solver": "paper_sgd", "lr": 5.0},
        "same",
        {
            "two": (0.3714682, 0.2634389, -0.151848),
            "louder": (-2.484625, -1.186324, 4.453196),
            "conflict": (1.067122, 0.2402386, -0.5061477),
            "steps": (0.2697172, -0.5359398, -0.8198239),
        },
    ),
    Pins(
        "fairgrad",
        "fairgrad",
        {"alpha": 1.0},
        "sum",
        {
            "two": (0.5772837, 0.5071583, -0.06480517),
            "louder": (3.309419, -1.895945, 1.277265),
            "conflict": (2.273691, -3.411204, 2.808522),
            "eleven": (15.98906, -0.3486564, -12.74132),
            "steps": (-0.4972131, 0.8085193, -3.935226),
        },
    ),
    Pins(
        "fairgrad",
        "fairgrad",
        {"alpha": 2.0},
        "sum",
        {
            "two": (0.4775824, 0.4263341, -0.04176562),
            "louder": (2.782232, -1.404112, 0.6958711),
            "conflict": (3.861653, -6.040079, 5.009542),
            "eleven": (10.53107, 0.020431, -8.236387),
            "steps": (-0.3578901, 0.5229625, -3.171888),
        },
    ),
    Pins(
        "MTLlib",
        "pivrg",
        {"reference": [0.5, 1.25, 2.0]},
        "sum",
        {
            "three": (3.208132, -2.252905, 1.631388),
            "louder": (2.782232, -1.404112, 0.6958711),
            "conflict": (3.861653, -6.040079, 5.009542),
            "steps": (-0.267042, 0.2257635, -3.176113),
        },
    ),
    Pins(
        "nash-mtl",
        "nash_mtl",
        {},
        "sum",
        {
            "two": (0.2886418, 0.2535791, -0.03240259),
            "conflict": (0.7578972, -1.137068, 0.936174),
            "eleven": (1.45355, -0.03169604, -1.158301),
            "steps": (-0.1657377, 0.2695064, -1.311742),
        },
    ),
    Pins(
        "LibMTL",
        "modo",
        {"gamma": 0.001},
        "same",
        {
            "two": (0.2598979, 0.2159416, -0.05086239),
            "louder": (0.9826903, -0.1382358, -0.3115758),
            "conflict": (0.5720972, 0.1275195, -0.2437388),
            "eleven": (0.4716205, -0.03500983, -0.3932685),
            "steps": (-0.1549636, 0.272427, -0.8416998),
        },
    ),
    Pins(
        "TorchJD",
        "modo",
        {},
        "same",
        {
            "two": (0.1984179, 0.1897686, 0.004784936),
            "louder": (0.9989413, -0.6935251, 0.007963184),
            "conflict": (0.3326489, 0.0487713, -0.111979),
            "eleven": (0.5086236, 0.004441825, -0.4270857),
            "steps": (-0.1808835, 0.2321664, -0.8253869),
        },
    ),
    Pins(
        "fairgrad",
        "log",
        {"of": "cagrad"},
        "sum",
        {
            "louder": (-2.860847, -27.63795, 45.20086),
            "conflict": (3.927161, -0.1124628, -1.364338),
            "steps": (-1.974652, 1.806074, -5.008811),
        },
        SLSQP,
    ),
    Pins(
        "fairgrad",
        "log",
        {"of": "imtl_g"},
        "same",
        {
            "louder": (1.109704, -0.9996565, 0.7638625),
            "conflict": (0.03014849, -0.04669912, 0.03850375),
            "steps": (-0.2611181, 0.1028772, -1.062628),
        },
    ),
]


@pytest.mark.parametrize(
    ("pins", "case"),
    [pytest.param(p, case, id=f"{p.balancer}-{p.program}-{case}") for p in PINS for case in p.expected],
)
def test_numbers_of_the_authors_program(official_direction: OfficialDirection, pins: Pins, case: str) -> None:
    found = official_direction(pins.balancer, pins.settings, case, pins.scale)
    expected = pins.expected[case]
    assert found[:3] == pytest.approx(expected, rel=0, abs=pins.tolerance * max(map(abs, expected)))
