"""Nothing that a script switches on changes our numbers, and nothing of the script's is changed."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import pytest
import torch

import lcode
from lcode.forecasters.lcgode import SHIPPED, LCGODEForecaster
from lcode.isolation import isolated
from lcode.network.loop import FitSettings
from lcode.table import RunTable

pytestmark = pytest.mark.usefixtures("brief_searches")

Family = Callable[..., RunTable]


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@contextmanager
def default_device(device: str) -> Iterator[None]:
    torch.set_default_device(device)
    try:
        yield
    finally:
        torch.set_default_device(None)


SWITCHED_ON: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "inference mode": torch.inference_mode,
    "no gradients": torch.no_grad,
    "float64": lambda: default_dtype(torch.float64),
    "bfloat16": lambda: default_dtype(torch.bfloat16),
    "float16": lambda: default_dtype(torch.float16),
    "default device": lambda: default_device("meta"),
    "device block": lambda: torch.device("meta"),
}


def reported(model: LCGODEForecaster, table: RunTable) -> list[lcode.Verdict]:
    """Verdicts of a monitor on a run that it did not know."""
    monitor = lcode.Monitor(model, history=table, objective="mean", min_epochs=2, keep=0)
    return [
        monitor.report("new", epoch, {"seg/err": 0.5 / epoch, "depth/miou": 0.3 + 0.1 * epoch}) for epoch in (1, 2, 3)
    ]


def everything(table: RunTable) -> list[Any]:
    """Forecasts and verdicts of the shipped model and of one fitted here."""
    shipped = LCGODEForecaster.load(SHIPPED)
    fitted = LCGODEForecaster(settings=FitSettings(steps=3, batch=8), hidden=16, latent=4, members=2, nodes=4).fit(
        table
    )
    live = table.prefix(6)
    return [
        shipped.predict(live, "full").quantiles.tolist(),
        reported(shipped, table),
        fitted.predict(live, "full").quantiles.tolist(),
        reported(fitted, table),
    ]


@pytest.fixture(scope="module")
def small_table(family: Family) -> RunTable:
    return family(10, seed=5)


@pytest.fixture(scope="module")
def plain(small_table: RunTable) -> list[Any]:
    return everything(small_table)


@pytest.mark.slow
@pytest.mark.parametrize("name", SWITCHED_ON)
def test_numbers_are_the_same_to_the_last_bit(name: str, small_table: RunTable, plain: list[Any]) -> None:
    with SWITCHED_ON[name]():
        assert everything(small_table) == plain


@pytest.mark.parametrize("name", SWITCHED_ON)
def test_forecasts_of_the_shipped_model_are_the_same(name: str, small_table: RunTable) -> None:
    model, live = LCGODEForecaster.load(SHIPPED), small_table.prefix(6).select(small_table.run_ids[:3])
    expected = model.predict(live).quantiles
    with SWITCHED_ON[name]():
        np.testing.assert_array_equal(model.predict(live).quantiles, expected)
        np.testing.assert_array_equal(LCGODEForecaster.load(SHIPPED).predict(live).quantiles, expected)


def test_the_global_generators_are_not_used(small_table: RunTable) -> None:
    before = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()  # type: ignore[index]  # noqa: NPY002
    LCGODEForecaster.load(SHIPPED).predict(small_table.prefix(6))
    after = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()  # type: ignore[index]  # noqa: NPY002
    assert torch.equal(before[0], after[0]) and before[1:] == after[1:]


def test_what_is_loaded_at_a_report_draws_nothing_either() -> None:
    script = """
import random, sys
import lcode
random.seed(0)
before = random.getstate()
monitor = lcode.Monitor(horizon=30)
for epoch in range(1, 5):
    monitor.report("a", epoch, {"seg/miou": 0.1 * epoch})
sys.exit("sklearn" not in sys.modules or random.getstate() != before)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize("name", SWITCHED_ON)
def test_all_is_as_it_was_after_a_block(name: str) -> None:
    def state() -> list[Any]:
        return [
            torch.is_autocast_enabled("cpu"), torch.is_inference_mode_enabled(), torch.is_grad_enabled(),
            torch.get_default_dtype(), torch.get_default_device(), torch.get_num_threads(),
        ]  # fmt: skip

    with SWITCHED_ON[name]():
        before = state()
        with isolated():
            assert state() == [False, False, True, torch.get_default_dtype(), torch.device("cpu"), 1]
            assert torch.ones(2, requires_grad=True).mul(2).sum().requires_grad
        with pytest.raises(ValueError, match="inside"), isolated():
            raise ValueError("inside")
        assert state() == before
