"""The adapters, with stand-ins of the packages' public faces that check what they are given."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lcode.errors import NotEnoughDataError, UsageError
from lcode.forecasters import forecaster
from lcode.forecasters.prior_fitted import UnitScale
from lcode.table import Metric, RunTable

NAMES = ("lcpfn", "ftpfn")
PACKAGES = {"lcpfn": "lcpfn", "ftpfn": "ifbo"}
FILES = ("ftpfnv0.0.1.tar.gz", "weights.pt")
RUNS = ("running", "one_epoch", "diverged", "no_miou", "unseen", "nothing", "done")

Seen = list[dict[str, torch.Tensor]]


class Layer(torch.nn.Module):
    """Knows the argument of old versions of torch alone, as the layers of `lcpfn` do."""

    def forward(self, src: torch.Tensor, src_mask: Any = None) -> torch.Tensor:
        return src


def certain(values: torch.Tensor, level: float) -> torch.Tensor:
    """Half-way from the values to the best, and a little spread: the forecast of both stand-ins."""
    return (1 + values) / 2 + 0.1 * (level - 0.5)


def fake_lcpfn(seen: Seen) -> ModuleType:
    class Network:
        def __init__(self) -> None:
            self.transformer_encoder = torch.nn.TransformerEncoder(
                torch.nn.TransformerEncoderLayer(4, 1), 1, enable_nested_tensor=False
            )
            self.transformer_encoder.layers = torch.nn.ModuleList([Layer(), Layer()])

    class LCPFN:
        def __init__(self, model_name: str = "EMSIZE512_NLAYERS12_NBUCKETS1000") -> None:
            if Path(model_name).read_text() != "weights":
                raise pickle.UnpicklingError("Weights only load failed")
            self.model = Network()

        def predict_quantiles(
            self, x_train: torch.Tensor, y_train: torch.Tensor, x_test: torch.Tensor, qs: list[float]
        ) -> torch.Tensor:
            assert x_train.shape == y_train.shape and x_train.shape[1] == x_test.shape[1] == 1
            assert x_train.dtype == y_train.dtype == x_test.dtype == torch.float32
            assert ((y_train >= 0) & (y_train <= 1)).all() and (x_train >= 0).all() and (x_test >= 0).all()
            seen.append({"x": x_train, "y": y_train, "at": x_test})
            y = self.model.transformer_encoder(y_train[-1:, None], None)[:, 0]
            return torch.cat([certain(y.expand(len(x_test), 1), q) for q in qs], dim=1)

    module = ModuleType("lcpfn")
    module.__dict__["LCPFN"] = LCPFN
    return module


def fake_ifbo(seen: Seen) -> tuple[ModuleType, ModuleType]:
    class Criterion:
        def icdf(self, logits: torch.Tensor, left_prob: float) -> torch.Tensor:
            return certain(logits[..., 0], left_prob)

    class Transformer(torch.nn.Module):
        criterion = Criterion()

    class FTPFN(torch.nn.Module):
        def __init__(self, target_path: Path | None = None, version: str = "0.0.1", device: Any = None) -> None:
            super().__init__()
            assert target_path is not None and version == "0.0.1"
            self.model = Transformer()

        def forward(self, x_train: torch.Tensor, y_train: torch.Tensor, x_test: torch.Tensor) -> torch.Tensor:
            assert x_train.dtype == y_train.dtype == x_test.dtype == torch.float32
            assert 0 < len(x_train) == len(y_train) <= 1000 and 3 <= x_train.shape[1] == x_test.shape[1] <= 12
            assert ((y_train >= 0) & (y_train <= 1)).all()
            for x in (x_train, x_test):
                assert ((x[:, 1:] >= 0) & (x[:, 1:] <= 1)).all() and ((x[:, 0] >= 0) & (x[:, 0] <= 1000)).all()
            seen.append({"x": x_train, "y": y_train, "at": x_test})
            return y_train[-1].expand(len(x_test), 1, 5)

    @dataclass
    class PredictionResult:
        logits: torch.Tensor
        criterion: Criterion

        def quantile(self, q: float) -> torch.Tensor:
            return self.criterion.icdf(self.logits, q).squeeze(1)

    module, download = ModuleType("ifbo"), ModuleType("ifbo.download")
    module.__dict__.update(FTPFN=FTPFN, PredictionResult=PredictionResult, download=download)
    download.__dict__.update(FILENAME=lambda version: FILES[0], WEIGHTS_FINAL_NAME=lambda version: FILES[1])
    return module, download


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Seen:
    """Puts the stand-ins and their weights into place; collects what the networks are shown."""
    calls: Seen = []
    monkeypatch.setitem(sys.modules, "lcpfn", fake_lcpfn(calls))
    for module in fake_ifbo(calls):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    folder = tmp_path / ".model"
    folder.mkdir()
    for name in (*FILES, "lcpfn.pt"):
        (folder / name).write_text("weights")
    monkeypatch.setenv("LCODE_LCPFN", str(folder / "lcpfn.pt"))
    monkeypatch.setenv("LCODE_FTPFN", str(folder))
    return calls


@pytest.mark.parametrize("name", NAMES)
def test_better_is_up_for_the_network_and_natural_units_come_back(
    name: str, seen: Seen, finished: RunTable, running: RunTable
) -> None:
    forecast = forecaster(name).fit(finished).predict(running, "full")
    assert forecast.run_ids == RUNS and np.isfinite(forecast.quantiles[0, :, :15]).all()
    steps = np.diff(forecast.quantiles[:2, :, :15], axis=-1)
    assert (steps >= 0).all() and (steps > 0).any()
    last = [running.curve("running", metric.key).values[-1] for metric in running.metrics]
    better = forecast.quantile(0.5)[0, :, 0]
    assert better[0] < last[0] and better[1] > last[1]  # an error rate and a score
    assert all(call["y"][-1] < 1 for call in seen)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_but_the_finished_runs_and_the_own_prefix_is_used(
    name: str,
    seen: Seen,
    finished: RunTable,
    whole: RunTable,
    running: RunTable,
    hidden: Callable[[RunTable], RunTable],
) -> None:
    model = forecaster(name).fit(finished)
    forecast = model.predict(running)
    alone = model.predict(running.select(["running"]))
    np.testing.assert_array_equal(alone.quantiles, forecast.quantiles[:1])
    points = whole.points.copy()
    points.loc[(points["epoch"] > 5) & (points["run"] != "done"), "value"] *= 7
    other = model.predict(hidden(replace(whole, points=points)))
    np.testing.assert_array_equal(other.quantiles, forecast.quantiles)
    turned = forecaster(name).fit(finished.select(finished.run_ids[::-1]))
    np.testing.assert_array_equal(turned.predict(running).quantiles, forecast.quantiles)


@pytest.mark.parametrize("name", NAMES)
def test_no_finished_run_is_needed(name: str, seen: Seen, finished: RunTable, running: RunTable) -> None:
    forecast = forecaster(name).fit(finished.select([])).predict(running)
    assert np.isfinite(forecast.quantiles[:2]).all()
    assert np.isnan(forecast.quantiles[RUNS.index("nothing")]).all()
    assert forecast.status[RUNS.index("nothing")].tolist() == ["too_short", "too_short"]


def long_runs(count: int, epochs: int, columns: int) -> RunTable:
    generator = np.random.default_rng(0)
    names = [f"r{i:03}" for i in range(count)]
    epoch = np.arange(epochs)
    frames = [pd.DataFrame({"run": n, "epoch": epoch, "metric": "acc", "value": epoch / epochs}) for n in names]
    table = pd.concat(frames)
    ends = np.arange(count) // 2 / count  # runs come in pairs of one configuration
    table.loc[table["epoch"] == epochs - 1, "value"] = ends
    configs = pd.DataFrame(generator.normal(size=(count // 2, columns)).repeat(2, axis=0), index=names)
    configs.columns = pd.Index([f"c{i:02}" for i in range(columns)])
    configs.loc[:, "c11"] = ends
    horizon = pd.DataFrame({"horizon": epochs - 1}, index=pd.Index(names, name="run"))
    return RunTable.from_points(table, [Metric("main", "acc", "max")], runs=horizon, configs=configs)


def test_lcpfn_sees_a_hundred_epochs_at_most(seen: Seen) -> None:
    table = long_runs(2, 401, 12)
    model = forecaster("lcpfn").fit(table.select(["r000"]))
    model.predict(table.select(["r001"]).prefix(300), "full")
    (call,) = seen
    assert len(call["x"]) == 99 and call["at"].max() == 100
    assert 0 < call["x"].min() < 1 and call["x"].max() < call["at"].min()


def test_ftpfn_sees_what_it_was_trained_on(seen: Seen) -> None:
    table = long_runs(40, 401, 15)
    known = table.run_ids[1:]
    forecaster("ftpfn").fit(table.select(known)).predict(table.select(["r000"]).prefix(200))
    (call,) = seen
    numbers = call["x"][:, 0].unique()
    assert len(call["x"]) > 900 and call["x"].shape[1] == 12
    assert len(numbers) == 40, "runs of equal configuration are runs of their own"
    own = call["x"][:, 0] == call["at"][0, 0]
    assert own.sum() == 99 and torch.equal(call["y"][own][-1], call["y"].new_tensor(200 / 401))
    others = call["x"][~own]
    ends = [others[others[:, 0] == number][0, 2:] for number in numbers[:-1]]
    # Of fifteen columns ten are kept, the one that tells the end among them.
    steps = torch.stack(ends).diff(dim=0)
    assert ((steps >= 0).all(dim=0)).sum() == 1


def test_ftpfn_knows_a_curve_that_has_not_begun(seen: Seen) -> None:
    table = long_runs(6, 21, 12)
    forecast = forecaster("ftpfn").fit(table.select(table.run_ids[1:])).predict(table.select(["r000"]).prefix(-1))
    assert np.isfinite(forecast.quantiles).all()
    assert (seen[0]["at"][:, 0] == 0).all() and (seen[0]["x"][:, 0] > 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_missing_is_named_with_the_remedy(
    name: str, seen: Seen, finished: RunTable, running: RunTable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    variable = f"LCODE_{name.upper()}"
    with pytest.raises(NotEnoughDataError, match="call fit before predict"):
        forecaster(name).predict(running)
    monkeypatch.setenv(variable, str(tmp_path / "nowhere" / ".model"))
    with pytest.raises(UsageError, match=rf"forecaster '{name}': {variable} names .*nowhere.*\. Install it with `pip"):
        forecaster(name).fit(finished)
    monkeypatch.delenv(variable)
    with pytest.raises(UsageError, match=rf"{variable} is not set\. Install it .* set {variable} to "):
        forecaster(name).fit(finished)
    monkeypatch.setitem(sys.modules, PACKAGES[name], None)
    with pytest.raises(UsageError, match=rf"package {PACKAGES[name]} cannot be imported .*; .* {variable} is not set"):
        forecaster(name).fit(finished)


def test_ftpfn_is_never_led_to_a_download(seen: Seen, finished: RunTable, tmp_path: Path) -> None:
    (tmp_path / ".model" / FILES[0]).unlink()
    with pytest.raises(UsageError, match=rf"which lacks {FILES[0]}\."):
        forecaster("ftpfn").fit(finished)


def test_a_pickled_network_needs_the_users_word(seen: Seen, finished: RunTable, tmp_path: Path) -> None:
    (tmp_path / ".model" / "lcpfn.pt").write_text("a pickle")
    with pytest.raises(UsageError, match=r"if you trust .* TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1"):
        forecaster("lcpfn").fit(finished)


FINITE = st.floats(-1e3, 1e3)


@given(
    known=st.lists(FINITE, max_size=6),
    prefix=st.lists(FINITE, min_size=1, max_size=6),
    name=st.sampled_from(["loss", "acc", "score", "err"]),
    larger=st.booleans(),
)
def test_a_scale_holds_the_prefix_and_goes_back(
    known: list[float], prefix: list[float], name: str, larger: bool
) -> None:
    scale = UnitScale.of(Metric("main", name, "max" if larger else "min"), np.array(known), np.array(prefix))
    assert scale.low < scale.high
    share = scale.forward(np.array(prefix))
    assert ((share >= 0) & (share <= 1)).all()
    np.testing.assert_allclose(scale.inverse(share), prefix, atol=1e-9 * (scale.high - scale.low))
    ends = scale.inverse(np.array([0.0, 1.0]))
    assert (ends[1] > ends[0]) == larger
