"""What a forecast is made of: the base models, by name, in the order in which they are learned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lcode.curves.collate import Preprocessor
from lcode.ensemble.base_model import BaseModel, Forecasts
from lcode.ensemble.forests import Surprises, Values
from lcode.ensemble.history import History
from lcode.ensemble.in_context import InContext, Related
from lcode.ensemble.names import IN_CONTEXT, NETWORK, PRETRAINED, PROCESS, RELATED, RESCALED, SURPRISES, VALUES
from lcode.ensemble.networks import Adapted, AnyMetrics, Pretrained, expected
from lcode.ensemble.process import Process
from lcode.ensemble.related import Beside
from lcode.ensemble.tuning import InContextMembers
from lcode.network.in_context import InContextNetwork
from lcode.network.quantiles import OutOfFoldNetwork


@dataclass(frozen=True, eq=False)
class Learning:
    """What a base model may learn from.

    Attributes:
        history: the finished runs from the cutoff.
        preprocessor: how tables become tensors for the adapted network.
        adapted: the network that learned from the finished runs; None: there is none.
        pretrained: the network as it came; None: there is none.
        in_context: the network that takes them for examples, tuned to them or not; None: there is none.
        related: the finished runs beside those of related problems, and the network that takes both for examples; None:
            there are none.
        seed: of the trees.
    """

    history: History
    preprocessor: Preprocessor
    adapted: OutOfFoldNetwork | None
    pretrained: AnyMetrics | None
    in_context: InContextMembers | None
    related: tuple[Beside, InContextNetwork] | None
    seed: int


def _adapted(given: Learning, before: Forecasts) -> BaseModel | None:
    return None if given.adapted is None else Adapted(given.history, given.adapted, given.preprocessor)


def _pretrained(given: Learning, before: Forecasts) -> BaseModel | None:
    return None if given.pretrained is None else Pretrained(given.history, given.pretrained)


def _in_context(given: Learning, before: Forecasts) -> BaseModel | None:
    return None if given.in_context is None else InContext(given.history, given.in_context)


def _related(given: Learning, *, rescaled: bool) -> BaseModel | None:
    if given.related is None:
        return None
    beside, network = given.related
    return Related(beside.rescaled if rescaled else beside.as_they_are, network)


def _surprises(given: Learning, before: Forecasts) -> BaseModel:
    history = given.history
    return Surprises(history, given.seed, expected(before, max(history.cutoff, 0) / history.horizons))


BASE_MODELS: dict[str, Callable[[Learning, Forecasts], BaseModel | None]] = {
    NETWORK: _adapted,
    PRETRAINED: _pretrained,
    IN_CONTEXT: _in_context,
    RELATED: lambda given, before: _related(given, rescaled=False),
    RESCALED: lambda given, before: _related(given, rescaled=True),
    PROCESS: lambda given, before: Process(given.history, before),
    VALUES: lambda given, before: Values(given.history, given.seed),
    SURPRISES: _surprises,
}
"""Name -> what makes it of `Learning` and of the left-out forecasts by those before it; None: it has nothing to say."""

PARTS = tuple(BASE_MODELS)
