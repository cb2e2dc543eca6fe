"""Who takes part in a bench: forecasters, and what each of them is where there is no run to learn from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lcode.evaluation.bench.protocols import Division
from lcode.forecasters import FORECASTERS, Forecaster, ForecasterFactory, forecaster

TWIN = "twin"
"""No forecaster: another seed of the same configuration, as the forecast of a run. Nothing that knows no more than
the configuration can be better on average."""


@dataclass(frozen=True)
class Entrant:
    """A forecaster under a name, for a bench.

    With several workers it travels to other processes, so functions must be found by name: no lambdas.

    Attributes:
        name: as in the results.
        factory: makes it from a seed; None: the one of this name in `FORECASTERS`.
        untrained: makes from a seed what forecasts without any run to learn from; None: it must learn from none.
        settings: what else tells results apart, such as the version of a checkpoint; part of their key.
        pretrained_on: names of benchmarks that a checkpoint was trained on, test runs among them; its figures there
            are marked.
    """

    name: str
    factory: ForecasterFactory | None = None
    untrained: ForecasterFactory | None = None
    settings: str = ""
    pretrained_on: frozenset[str] = frozenset()

    def make(self, seed: int) -> Forecaster:
        """The forecaster, not fitted."""
        if self.factory is not None:
            return self.factory(seed)
        return _ablation(self.name, seed) if _is_ablation(self.name) else forecaster(self.name, seed)

    def can_learn_from(self, division: Division) -> bool:
        """Whether there are runs enough, as far as can be told without trying."""
        runs = len(division.train) + sum(map(len, division.related))
        return runs > 0 or self.untrained is not None or self.make(0).min_finished == 0

    def learn(self, division: Division, seed: int) -> Forecaster:
        """The forecaster, fitted on what a division has to learn from."""
        if division.related:
            return self.make(seed).fit_related(division.train, division.related)
        if not len(division.train) and self.untrained is not None:
            return self.untrained(seed)
        return self.make(seed).fit(division.train)


def entrants(names: Sequence[str]) -> tuple[Entrant, ...]:
    """Forecasters by their names in `FORECASTERS`, or in `ABLATIONS`.

    Raises:
        UsageError: no such forecaster; the text lists those there are.
    """
    for name in names:
        if name not in FORECASTERS and not _is_ablation(name):
            forecaster(name)
    return tuple(_KNOWN[name]() if name in _KNOWN else Entrant(name) for name in dict.fromkeys(names))


def _is_ablation(name: str) -> bool:
    return name.startswith(("lcode-", "net")) and name in _ablations()


def _ablation(name: str, seed: int) -> Forecaster:
    return _ablations()[name](seed)


def _ablations() -> dict[str, ForecasterFactory]:
    from lcode.forecasters.ablations import ABLATIONS  # brings torch

    return ABLATIONS


def _lcode() -> Entrant:
    """Starts from the shipped checkpoint, and is that checkpoint itself where no run is finished."""
    from lcode.forecasters.lcgode import SHIPPED

    meta = json.loads((SHIPPED / "model.json").read_text(encoding="utf-8"))
    # Of the corpus it saw the training part alone, and the protocols keep that out of the test.
    whole = frozenset(name for name in meta.get("sources", ()) if not name.startswith("mtl_curves/"))
    weights = hashlib.sha256((SHIPPED / "model.safetensors").read_bytes()).hexdigest()
    return Entrant("lcode", untrained=_shipped, settings=f"shipped {weights[:8]}", pretrained_on=whole)


def _shipped(seed: int) -> Forecaster:
    from lcode.forecasters.lcgode import SHIPPED, LCGODEForecaster

    return LCGODEForecaster.load(SHIPPED)


_KNOWN: dict[str, Callable[[], Entrant]] = {"lcode": _lcode}
"""Forecasters with more than a name."""
