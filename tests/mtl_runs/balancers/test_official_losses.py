"""Methods that read losses: numbers that the programs of their authors, or the library that they recommend, have given.

The programs ran in float64 on the inputs of `conftest.py`: LibMTL 4336804, TorchJD 0.18.0, AvivNavon/nash-mtl cce1840,
mtcrawshaw/meta 31a2a2c, Cranial-XIX/FAMO 0a6ad06, autumn9999/GO4Align 5fcbc71 (with scikit-learn's k-means from 50
starts), OptMN-Lab/LDC-MTL 7c39465. LibMTL draws for `rlw` what we draw. The numbers are those of the shared gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import pytest

OfficialDirection = Callable[[str, Mapping[str, Any], str, str], list[float]]


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
        "LibMTL",
        "equal",
        {},
        "sum",
        {
            "two": (0.5210377, 0.432412, -0.102849),
            "eleven": (5.183714, -0.3894917, -4.322196),
            "steps": (-0.4610815, 0.8163035, -2.526139),
        },
    ),
    Pins(
        "nash-mtl",
        "uncertainty",
        {},
        "sum",
        {
            "two": (0.2605189, 0.216206, -0.05142448),
            "eleven": (2.591857, -0.1947458, -2.161098),
            "steps": (-0.2275437, 0.4233509, -1.258633),
        },
    ),
    Pins(
        "TorchJD",
        "imtl_l",
        {},
        "sum",
        {
            "two": (0.5210377, 0.432412, -0.102849),
            "eleven": (5.183714, -0.3894917, -4.322196),
            "steps": (-0.4550875, 0.8467017, -2.517266),
        },
    ),
    Pins(
        "meta",
        "slaw",
        {},
        "sum",
        {
            "two": (0.5210377, 0.432412, -0.102849),
            "eleven": (5.183714, -0.3894917, -4.322196),
            "steps": (-0.4559615, 0.514109, -2.468272),
        },
    ),
    Pins(
        "LibMTL",
        "rlw",
        {},
        "same",
        {
            "two": (0.6705197, 0.3907501, -0.4225283),
            "eleven": (0.6580211, 0.1978686, -0.5382346),
            "steps": (0.1519969, -0.09829474, -0.8679543),
        },
    ),
    Pins(
        "LibMTL",
        "dwa",
        {},
        "sum",
        {
            "two": (0.5210377, 0.432412, -0.102849),
            "eleven": (5.183714, -0.3894917, -4.322196),
            "steps": (-0.4649415, 0.8132366, -2.524286),
        },
    ),
    Pins(
        "TorchJD",
        "stch",
        {},
        "share",
        {
            "two": (0.4415312, 0.2406165, -0.3074536),
            "eleven": (0.04426226, 0.006416836, -0.03863784),
            "steps": (0.03821381, 0.1552571, -0.3223256),
        },
    ),
    Pins(
        "LibMTL",
        "stch",
        {"warmup": 2, "mu": 0.5},
        "sum",
        {
            "two": (0.1782558, 0.2334368, 0.1145271),
            "eleven": (12.15723, -3.856622, -10.26335),
            "steps": (0.1823394, 0.4953876, -2.13848),
        },
    ),
    Pins(
        "LibMTL",
        "gls",
        {},
        "same",
        {
            "two": (0.1216219, 0.1592713, 0.07814054),
            "eleven": (0.9324849, -0.295811, -0.7872204),
            "steps": (-0.7577034, 0.7968788, -1.029531),
        },
    ),
    Pins(
        "FAMO",
        "famo",
        {},
        "same",
        {
            "two": (0.1191373, 0.1560175, 0.07654418),
            "eleven": (0.6257775, -0.1985146, -0.5282925),
            "steps": (-0.558736, 0.576696, -0.7710459),
        },
    ),
    Pins(
        "GO4Align",
        "go4align",
        {"groups": 2, "step_size": 0.01},
        "sum",
        {
            "two": (0.2445177, 0.3236923, 0.1631956),
            "eleven": (13.62408, -4.456545, -11.52377),
            "steps": (-2.934764, 3.284857, -3.932699),
        },
    ),
    Pins(
        "LDC-MTL",
        "ldc_mtl",
        {"scale": "none"},
        "same",
        {
            "two": (0.3119152, 0.2380862, -0.09794479),
            "eleven": (0.4678643, 0.1477658, -0.4227663),
            "steps": (-0.06660076, 0.1950553, -0.8550512),
        },
    ),
    Pins(
        "LDC-MTL",
        "ldc_mtl",
        {"scale": "log"},
        "same",
        {
            "two": (0.08912791, 0.1167184, 0.05726354),
            "eleven": (1.105203, -0.350602, -0.9330317),
            "steps": (-0.7275897, 0.7736491, -1.21375),
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
