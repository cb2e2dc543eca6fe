"""Methods that weigh or turn gradients by lengths and angles: numbers that the programs of their authors have given.

The programs ran in float64 on the inputs of `conftest.py`: mtcrawshaw/meta 31a2a2c, AvivNavon/nash-mtl cce1840, LibMTL
4336804, TorchJD 0.18.0, tum-pbs/ConFIG 9486243, SamsungLabs/MTL 3f577f1. They go over the tasks in the orders, and have
the random numbers, that we draw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import pytest

OfficialDirection = Callable[[str, Mapping[str, Any], str, str], list[float]]

RIDGE = 1e-3
"""They put 1e-4 on the diagonal of the Gramian of trace 1."""


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
        "meta",
        "inverse_norm",
        {"target": "sum_to_k"},
        "sum",
        {
            "two": (0.4650918, 0.4085949, -0.05221065),
            "louder": (2.21089, -0.3953606, -0.06948937),
            "conflict": (0.7829965, 0.07260115, -0.2170553),
            "eleven": (5.203719, -0.3704244, -4.226946),
            "steps": (-0.3844424, 0.7735942, -2.542513),
        },
    ),
    Pins(
        "meta",
        "gradnorm",
        {},
        "sum",
        {
            "two": (0.5210377, 0.432412, -0.102849),
            "louder": (-42.28954, -8.486964, 57.81192),
            "conflict": (1.723548, 0.3849448, -0.7352091),
            "eleven": (5.183714, -0.3894917, -4.322196),
            "steps": (-0.5990034, 1.024196, -2.522482),
        },
    ),
    Pins("meta", "gradnorm", {"alpha": 0.5}, "sum", {"steps": (-0.5880433, 1.036555, -2.528461)}),
    Pins("meta", "gradnorm", {"alpha": 0.0}, "sum", {"steps": (-0.4908286, 0.8119065, -2.515652)}),
    Pins(
        "nash-mtl",
        "pcgrad",
        {},
        "sum",
        {
            "two": (0.6004451, 0.5070723, -0.103185),
            "louder": (45.06065, -48.3998, 46.72434),
            "conflict": (0.7861525, -0.4049691, 0.1599271),
            "eleven": (6.539377, -0.1049281, -5.461416),
            "steps": (-0.5121214, 0.8219533, -2.706172),
        },
    ),
    Pins(
        "LibMTL",
        "gradvac",
        {},
        "sum",
        {
            "two": (0.6004451, 0.5070723, -0.103185),
            "louder": (45.06065, -48.3998, 46.72434),
            "conflict": (0.7861525, -0.4049691, 0.1599271),
            "eleven": (6.539377, -0.1049281, -5.461416),
            "steps": (-0.4589141, 0.819075, -2.537654),
        },
    ),
    Pins(
        "nash-mtl",
        "imtl_g",
        {},
        "same",
        {
            "two": (0.2325459, 0.2042974, -0.02610532),
            "louder": (0.5820824, -0.5243584, 0.4006753),
            "conflict": (0.04059038, -0.06287331, 0.05183948),
            "eleven": (0.4882602, 0.03426624, -0.3728244),
            "steps": (-0.1942275, 0.07652312, -0.7904142),
        },
    ),
    Pins(
        "ConFIG",
        "config",
        {},
        "sum",
        {
            "two": (0.4658293, 0.4092428, -0.05229343),
            "louder": (29.98361, -27.01019, 20.63916),
            "conflict": (0.1569862, -0.2431669, 0.2004928),
            "eleven": (5.35667, 0.3759325, -4.090231),
            "steps": (-0.5724287, 0.2255295, -2.329515),
        },
    ),
    Pins(
        "MTL",
        "aligned_mtl",
        {"scale": "min"},
        "sum",
        {
            "two": (0.4661966, 0.40755, -0.05586369),
            "louder": (0.8680133, -0.5189227, 0.5514995),
            "conflict": (0.1499772, -0.1016664, 0.06774564),
            "eleven": (3.735878, -0.03632885, -2.952838),
            "steps": (-0.1628804, 0.2361367, -1.144399),
        },
    ),
    Pins(
        "MTL",
        "aligned_mtl",
        {"scale": "rmse"},
        "sum",
        {
            "two": (0.524016, 0.4580959, -0.06279211),
            "louder": (76.70998, -45.85937, 48.73832),
            "conflict": (1.986206, -1.346407, 0.8971817),
            "eleven": (5.066852, -0.04927165, -4.004839),
            "steps": (-0.3034299, 0.439899, -2.1319),
        },
    ),
    Pins(
        "TorchJD",
        "upgrad",
        {},
        "same",
        {
            "two": (0.3002167, 0.2535295, -0.05159445),
            "three": (0.6094023, -0.2732866, 0.1659851),
            "eleven": (0.5984659, -0.006186684, -0.5005788),
            "steps": (-0.1707035, 0.2739855, -0.9020399),
        },
        RIDGE,
    ),
    Pins(
        "TorchJD",
        "dualproj",
        {},
        "same",
        {
            "two": (0.2605189, 0.216206, -0.05142448),
            "three": (0.4948814, -0.08924925, -0.01606021),
            "eleven": (0.4712467, -0.03540833, -0.3929269),
            "steps": (-0.1536938, 0.2721012, -0.8420463),
        },
        RIDGE,
    ),
    Pins(
        "TorchJD",
        "pcd",
        {},
        "same",
        {
            "two": (0.8776952, 0.5057459, -0.5631259),
            "louder": (0.9354196, 0.4307181, -0.5120369),
            "conflict": (0.4316855, -0.6045672, 0.4903292),
            "eleven": (1.248214, 0.6030358, -0.9665695),
            "steps": (0.2783781, -0.6590591, -0.9107432),
        },
    ),
    Pins(
        "TorchJD",
        "rgw",
        {},
        "same",
        {
            "two": (0.6705197, 0.3907501, -0.4225283),
            "louder": (-7.530811, -1.261708, 10.50279),
            "conflict": (-0.06072539, -0.07834759, 0.1040317),
            "eleven": (0.6580211, 0.1978686, -0.5382346),
            "steps": (0.1519969, -0.09829474, -0.8679543),
        },
    ),
    Pins(
        "TorchJD",
        "cr_mogm",
        {"of": "aligned_mtl"},
        "same",
        {
            "two": (0.2330983, 0.203775, -0.02793184),
            "louder": (0.2893378, -0.1729742, 0.1838332),
            "conflict": (0.04999241, -0.03388879, 0.02258188),
            "eleven": (0.3396253, -0.003302622, -0.2684398),
            "steps": (-0.1893435, 0.3155805, -0.618204),
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
