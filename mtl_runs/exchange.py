"""The rules of a population whose members exchange networks and loss weights. No torch here."""

from __future__ import annotations

from dataclasses import dataclass

from lcode.errors import UsageError

INTERVAL = 5
"""Epochs between two exchanges: our choice, seven exchanges within the 40 epochs of a sweep."""

QUANTILE = 0.25
"""Share of the population that is replaced, and share that is copied: Ray Tune's default; Royer et al. used its PBT."""

PERTURBATION = 0.2
"""A copied weight is multiplied by 1.2 or 0.8: Jaderberg et al. (2017, arXiv 1711.09846), and Ray Tune's default."""


def out_of_range(rule: str, value: float) -> str | None:
    """What a rule of an exchange (`interval`, `quantile` or `perturbation`) must be, where this value is not that."""
    holds, text = {
        "interval": (value >= 1 and value % 1 == 0, "a whole number of epochs, at least 1"),
        "quantile": (0 < value <= 0.5, "a share above 0 and up to 0.5"),
        "perturbation": (0 < value < 1, "a number above 0 and below 1"),
    }[rule]
    return None if holds else text


@dataclass(frozen=True)
class Exchange:
    """Membership of a population that is trained as `mtl_runs.sweeps.pbt` says.

    All of it is in the header of the run's log, for a run that goes on under other rules would be another run.

    Attributes:
        member: number of this member, from 0; the others' logs name it by that.
        members: how many there are.
        interval: epochs between two exchanges, at least 1.
        quantile: share of the members that is replaced by copies, and that is copied, above 0 and up to 0.5.
        perturbation: a copied loss weight is multiplied by 1 + or 1 - this, above 0 and below 1.
        objective: name of the score by which members are compared.
        seed: decides who copies whom, and which weights grow.

    Raises:
        UsageError: a value out of its range; the message gives the range.
    """

    member: int
    members: int
    objective: str
    seed: int
    interval: int = INTERVAL
    quantile: float = QUANTILE
    perturbation: float = PERTURBATION

    def __post_init__(self) -> None:
        for name in ("interval", "quantile", "perturbation"):
            if text := out_of_range(name, getattr(self, name)):
                raise UsageError(f"the {name} of an exchange must be {text}; found {getattr(self, name)}")

    def epochs(self, horizon: int) -> range:
        """The epochs after which members are exchanged; there is none at the end."""
        return range(self.interval, horizon, self.interval)

    def for_log(self) -> dict[str, int | float | str]:
        """As named scalars, for the header of the run log."""
        return {f"pbt.{name}": value for name, value in vars(self).items()}
