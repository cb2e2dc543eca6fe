"""What is learned from twenty finished runs and related ones, by an adapted network and as it came."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lcode.ensemble.context import Context
from lcode.ensemble.fitted import EnsembleModel
from lcode.forecasters.lcgode import SHIPPED, LCGODEForecaster
from lcode.network.loop import FitSettings
from lcode.table import RunTable


def context_of(model: LCGODEForecaster) -> Context:
    assert model.fitted is not None and isinstance(model.fitted.model, EnsembleModel)
    return model.fitted.model.context


@pytest.fixture(scope="session")
def context(history: RunTable, family: Callable[..., RunTable]) -> Context:
    """With every base model there is."""
    forecaster = LCGODEForecaster(settings=FitSettings(steps=20, batch=16), pretrained=SHIPPED)
    return context_of(forecaster.fit_related(history, [family(15, seed=9)]))
