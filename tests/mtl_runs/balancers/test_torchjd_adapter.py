"""Methods of torchjd as balancers."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers import BALANCERS, Balancer, Generators, Needs, TaskStatistics, make_balancer
from mtl_runs.balancers.torchjd_adapter import OWN

aggregation: ModuleType = pytest.importorskip("torchjd.aggregation")
scalarization: ModuleType = pytest.importorskip("torchjd.scalarization")


def sampled(n_tasks: int) -> Tensor:
    return torch.randn(n_tasks, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def direction(balancer: Balancer, losses: Tensor, jacobian: Tensor, generator: Generators = None) -> Tensor:
    rows, state = balancer.transform(balancer.init(len(jacobian)), losses, jacobian, generator)
    weights, _ = balancer.update(state, TaskStatistics(losses, rows @ rows.T), generator)
    return weights @ rows


AGGREGATORS: dict[str, dict[str, Any]] = {
    "AlignedMTL": {},
    "CAGrad": {"c": 0.4},
    "ConFIG": {},
    "Constant": {"weights": [1, 2, 4, 8]},
    "DualProj": {},
    "FairGrad": {"alpha": 1.0},
    "GradDrop": {},
    "IMTLG": {},
    "Krum": {"n_byzantine": 0},
    "MGDA": {},
    "Mean": {},
    "PCGrad": {},
    "Random": {},
    "Sum": {},
    "TrimmedMean": {"trim_number": 1},
    "UPGrad": {"pref_vector": [1, 2, 3, 4]},
}


def adapted(name: str, **arguments: Any) -> Balancer:
    try:
        return make_balancer("torchjd", name=name, **arguments)
    except UsageError as error:
        if "to be installed" in str(error):
            pytest.skip(str(error))
        raise


@pytest.mark.parametrize(("name", "arguments"), AGGREGATORS.items())
def test_an_aggregator_as_a_balancer(name: str, arguments: dict[str, Any]) -> None:
    balancer = adapted(name, **arguments)
    tensors = {k: torch.tensor(v).double() if isinstance(v, list) else v for k, v in arguments.items()}
    theirs = getattr(aggregation, name)(**tensors)
    jacobian = sampled(4)
    seed = int(float(torch.rand(1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)) * 2**53)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        expected = theirs(jacobian)
    before = torch.random.get_rng_state()
    found = direction(balancer, torch.ones(4), jacobian, torch.Generator().manual_seed(0))
    torch.testing.assert_close(found, expected)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert not balancer.scales_heads


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("COSMOS", {"lambda_": 1.0, "weights": [1, 2, 3]}),
        ("GeometricMean", {}),
        ("PBI", {"theta": 2.0, "weights": [1, 2, 3]}),
        ("STCH", {"mu": 0.2, "reference": [0.1, 0.2, 0.3]}),
        ("scalarization.Constant", {"weights": [1, 2, 3]}),
        ("scalarization.Mean", {}),
    ],
)
def test_a_scalarizer_as_a_balancer(name: str, arguments: dict[str, Any]) -> None:
    balancer = make_balancer("torchjd", name=name, **arguments)
    assert (balancer.needs, balancer.scales_heads) == (Needs.LOSSES, True)
    tensors = {k: torch.tensor(v).double() if isinstance(v, list) else v for k, v in arguments.items()}
    losses = torch.tensor([1.0, 0.5, 2.0], dtype=torch.float64, requires_grad=True)
    (expected,) = torch.autograd.grad(getattr(scalarization, name.split(".")[-1])(**tensors)(losses), losses)
    weights, _ = balancer.update({}, TaskStatistics(losses, torch.full((3, 3), torch.nan)))
    torch.testing.assert_close(weights, expected)


@pytest.mark.parametrize("name", ["ConFIG", "IMTLG", "scalarization.STCH"])
def test_torchjd_does_not_see_an_inactive_task(name: str) -> None:
    more = {"mu": 0.2, "weights": [1, 2, 3]} if "STCH" in name else {}
    fewer = {"mu": 0.2, "weights": [1, 3]} if "STCH" in name else {}
    jacobian = sampled(3)
    jacobian[1] = 0
    losses = torch.tensor([1.0, torch.nan, 2.0], dtype=torch.float64)

    found = direction(make_balancer("torchjd", name=name, **more), losses, jacobian)
    left = [0, 2]
    expected = direction(make_balancer("torchjd", name=name, **fewer), losses[left], jacobian[left])
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("Upgrad", {}, "torchjd has no method 'Upgrad'; there are: AlignedMTL, CAGrad"),
        ("WeightedAggregator", {}, "torchjd has no method 'WeightedAggregator'"),
        ("aggregation.STCH", {}, "torchjd has no method 'aggregation.STCH'"),
        ("NashMTL", {"n_tasks": 3}, "torchjd's NashMTL has a memory that no checkpoint would hold; use .* 'nash_mtl'"),
        ("SDMGradWeighting", {}, "use balancer 'sdmgrad'"),
        ("PCD", {}, "torchjd's PCD has a memory that no checkpoint would hold; use balancer 'pcd'"),
        ("MGDA", {"alpha": 1}, "torchjd's MGDA: .*unexpected keyword argument 'alpha'"),
        ("MGDA", {"max_iters": 0}, "torchjd's MGDA: max_iters must be a positive integer"),
    ],
)
def test_what_cannot_be_a_balancer(name: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_balancer("torchjd", name=name, **arguments)


def test_too_few_tasks_are_found_out_at_the_start() -> None:
    with pytest.raises(UsageError, match="torchjd's Krum cannot balance 2 tasks"):
        make_balancer("torchjd", name="Krum", n_byzantine=1).init(2)


def test_every_method_with_a_memory_is_refused() -> None:
    from torchjd import Stateful

    kinds = [getattr(module, name) for module in (aggregation, scalarization) for name in module.__all__]
    stateful = {kind.__name__.removesuffix("Weighting") for kind in kinds if issubclass(kind, Stateful)}
    assert stateful == OWN.keys()
    assert set(OWN.values()) <= BALANCERS.keys()


def test_without_torchjd_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchjd", None)
    with pytest.raises(UsageError, match=r"needs the package torchjd.*pip install 'lcode\[torchjd\]'"):
        make_balancer("torchjd", name="MGDA")
