"""What was learned on other problems, and comes with the package."""

from __future__ import annotations

from dataclasses import dataclass

from lcode.ensemble.settings_prior import SettingsPrior
from lcode.network.in_context import InContextNetwork
from lcode.network.model import LCGODE


@dataclass(frozen=True, eq=False)
class Prior:
    """What a forecast may know before a run of its own problem has finished.

    Attributes:
        network: LC-GODE for any metrics, which reads each curve by itself.
        in_context: the network that takes finished runs for examples; None: there is none.
        settings: what hyper-parameters did; None: it is not known.
    """

    network: LCGODE
    in_context: InContextNetwork | None = None
    settings: SettingsPrior | None = None
