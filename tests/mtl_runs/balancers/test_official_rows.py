"""Methods that keep or change whole gradients: numbers that the programs of their authors have given.

The programs ran in float64 on the inputs of `conftest.py`: LibMTL 4336804 (by the authors of DB-MTL; MoCo and ExcessMTL
after their authors' code), tum-pbs/ConFIG 9486243, OptMN-Lab/fairgrad 2b8cba1 for GradDrop, which draws what we draw,
EnnengYang/AdaTask 84853de. LibMTL takes a softmax of MoCo's λ where the paper projects; here its code ran with a
projection in that place.
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
        "imtl",
        {},
        "same",
        {
            "two": (0.2325459, 0.2042974, -0.02610532),
            "louder": (0.5820824, -0.5243584, 0.4006753),
            "conflict": (0.04059038, -0.06287331, 0.05183948),
            "eleven": (0.4882602, 0.03426624, -0.3728244),
            "steps": (-0.1898585, 0.07480177, -0.7726343),
        },
    ),
    Pins(
        "ConFIG",
        "m_config",
        {},
        "same",
        {
            "two": (1.0, 1.0, -0.9999998),
            "louder": (1.0, -1.0, 1.0),
            "conflict": (0.9999999, -1.0, 1.0),
            "eleven": (1.0, 1.0, -1.0),
            "steps": (0.02570047, 0.1163475, -0.1377994),
        },
    ),
    Pins(
        "fairgrad",
        "graddrop",
        {},
        "sum",
        {
            "two": (-0.4425204, 0.5155014, 0.5849172),
            "louder": (-44.25204, -9.002465, 58.49968),
            "conflict": (-0.4817791, 0.6426955, -1.079092),
            "eleven": (-1.174947, -2.68773, -5.94692),
            "steps": (-0.9488445, 1.594656, -2.526139),
        },
    ),
    Pins(
        "LibMTL, projected",
        "moco",
        {},
        "same",
        {
            "two": (0.1387584, 0.09949586, -0.05481136),
            "louder": (0.1117342, 0.05036254, -0.03526085),
            "conflict": (-0.04257647, -0.02601789, 0.04999425),
            "eleven": (0.06987579, 0.01296081, -0.0584594),
            "steps": (0.004234733, 0.02837217, -0.06155072),
        },
    ),
    Pins(
        "LibMTL",
        "db_mtl",
        {},
        "sum",
        {
            "two": (0.04019194, 0.03530963, -0.004511898),
            "louder": (12.26405, -2.193109, -0.3854646),
            "conflict": (0.5090814, 0.04720317, -0.141123),
            "eleven": (2.660987, -0.1894212, -2.161502),
            "steps": (0.1669181, -0.08442132, -0.451636),
        },
    ),
    Pins(
        "LibMTL",
        "db_mtl",
        {"sigma": 0.5},
        "sum",
        {
            "two": (0.04019194, 0.03530963, -0.004511898),
            "louder": (12.26405, -2.193109, -0.3854646),
            "conflict": (0.5090814, 0.04720317, -0.141123),
            "eleven": (2.660987, -0.1894212, -2.161502),
            "steps": (1.349372, -0.441334, -4.449637),
        },
    ),
    Pins(
        "LibMTL",
        "excess_mtl",
        {"step_size": 1.0},
        "sum",
        {
            "two": (0.5210377, 0.432412, -0.102849),
            "louder": (-42.28954, -8.486964, 57.81192),
            "conflict": (1.723548, 0.3849448, -0.7352091),
            "eleven": (5.183714, -0.3894917, -4.322196),
            "steps": (-0.8799686, 1.231567, -2.472459),
        },
    ),
    Pins(
        "AdaTask",
        "adatask",
        {},
        "sum",
        {
            "louder": (1.0, -1.0, 0.9999988),
            "conflict": (1.0, 1.0, -1.0),
            "eleven": (5.0, 1.0, -3.000001),
            "steps": (0.1229719, 0.09729112, -0.4215219),
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
