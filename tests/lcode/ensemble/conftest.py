"""What is learned from twenty finished runs, by a network that was adapted to them and as it came."""

from __future__ import annotations

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
def context(history: RunTable) -> Context:
    """With every base model there is."""
    return context_of(LCGODEForecaster(settings=FitSettings(steps=20, batch=16), pretrained=SHIPPED).fit(history))
