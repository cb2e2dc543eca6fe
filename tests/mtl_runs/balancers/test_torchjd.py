"""Agreement with torchjd, method by method."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from types import ModuleType
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mtl_runs.balancers import BALANCERS, MGDA, Balancer, Generators, TaskStatistics, make_balancer

aggregation: ModuleType = pytest.importorskip("torchjd.aggregation")
scalarization: ModuleType = pytest.importorskip("torchjd.scalarization")
linalg: ModuleType = pytest.importorskip("torchjd._linalg._dual_cone")

Pairs = Iterator[tuple[Tensor, Tensor]]
"""What we have and what they have, both to be of size about 1."""


def fresh() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def sampled(seed: int, n_tasks: int, rank: int, scale: float) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    left = torch.randn(n_tasks, rank, generator=generator, dtype=torch.float64)
    return scale * left @ torch.randn(rank, 12, generator=generator, dtype=torch.float64)


def first_direction(balancer: Balancer, jacobian: Tensor, generator: Generators = None) -> Tensor:
    losses = torch.ones(len(jacobian), dtype=torch.float64)
    rows, state = balancer.transform(balancer.init(len(jacobian)), losses, jacobian, generator)
    weights, _ = balancer.update(state, TaskStatistics(losses, rows @ rows.T), generator)
    return weights @ rows


def made(make: Callable[[], Any]) -> Any:
    """Their object, if what it needs is installed."""
    try:
        return make()
    except ImportError as error:
        pytest.skip(f"torchjd wants more than torchjd: {error}")


def shortest(jacobian: Tensor) -> float:
    """Length of the shortest mixture of gradients, relative to theirs: 0 where no direction helps all tasks."""
    return float(first_direction(MGDA(), jacobian).norm() / jacobian.norm())


def mean(jacobian: Tensor) -> Pairs:
    yield first_direction(make_balancer("equal"), jacobian), aggregation.Mean()(jacobian)


def constant(jacobian: Tensor) -> Pairs:
    weights = torch.arange(1, len(jacobian) + 1) / 10
    theirs = aggregation.Constant((weights / weights.sum()).double())
    yield first_direction(make_balancer("fixed", weights=weights.tolist()), jacobian), theirs(jacobian)


def orders(n_tasks: int, own: bool) -> Iterator[Tensor]:
    """The orders that we draw first, as torchjd draws them: over all tasks, or over the others."""
    for i, order in enumerate(torch.rand(n_tasks, n_tasks, generator=fresh()).argsort(-1).tolist()):
        yield torch.tensor(order if own else [j - (j > i) for j in order if j != i])


def in_order(make: Callable[[Tensor], Any], own: bool, jacobian: Tensor, name: str) -> Pairs:
    drawn = orders(len(jacobian), own)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "randperm", lambda _: next(drawn))
        theirs = make(jacobian)(jacobian)
    yield len(jacobian) * first_direction(make_balancer(name), jacobian, fresh()), theirs


def mgda(jacobian: Tensor) -> Pairs:
    theirs = aggregation.MGDA(epsilon=1e-6, max_iters=2000)(jacobian).norm()
    ours = first_direction(MGDA(), jacobian).norm()
    # Its iteration stops early, so ours is at most as long, and about as long.
    assert float(ours) <= float(theirs) + 1e-9 * float(jacobian.norm())
    yield 0.01 * ours, 0.01 * theirs


def cagrad(jacobian: Tensor) -> Pairs:
    theirs = made(lambda: aggregation.CAGrad(c=0.4))
    if shortest(jacobian) > 0.01:
        yield 0.1 * first_direction(make_balancer("cagrad", c=0.4, rescale=0), jacobian), 0.1 * theirs(jacobian)


def fairgrad(jacobian: Tensor) -> Pairs:
    if shortest(jacobian) > 0.05:
        for alpha in (1.0, 2.0):
            ours = first_direction(make_balancer("fairgrad", alpha=alpha), jacobian)
            yield 0.01 * ours, 0.01 * aggregation.FairGrad(alpha=alpha)(jacobian)


def nash(jacobian: Tensor) -> Pairs:
    theirs = made(lambda: aggregation.NashMTL(len(jacobian), max_norm=0, optim_niter=100))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cvxpy on torchjd's problem
        weights = theirs.weighting(jacobian)
    # Where its programs fail it returns what does not solve the system.
    if float((jacobian @ jacobian.T @ weights * weights - 1).abs().max()) < 1e-3:
        yield 0.01 * len(jacobian) * first_direction(make_balancer("nash_mtl"), jacobian), 0.01 * weights @ jacobian


def imtl_g(jacobian: Tensor) -> Pairs:
    if torch.linalg.matrix_rank(jacobian, rtol=1e-3) == len(jacobian):
        yield 0.01 * first_direction(make_balancer("imtl_g"), jacobian), 0.01 * aggregation.IMTLG()(jacobian)


def config(jacobian: Tensor) -> Pairs:
    units = jacobian / jacobian.norm(dim=1, keepdim=True)
    # Neither tells dependent from nearly dependent gradients where the other does.
    eigenvalues = torch.linalg.eigvalsh(units @ units.T)
    if not ((eigenvalues > 1e-13) & (eigenvalues < 1e-4)).any():
        theirs = aggregation.ConFIG()(jacobian)
        if float((torch.linalg.pinv(units) @ torch.ones(len(units), dtype=torch.float64)).norm()) > 1e-3:
            yield 0.1 * len(jacobian) * first_direction(make_balancer("config"), jacobian), 0.1 * theirs


def aligned_mtl(jacobian: Tensor) -> Pairs:
    eigenvalues = torch.linalg.eigvalsh(jacobian @ jacobian.T) / float(jacobian.norm()) ** 2
    if not ((eigenvalues > 1e-17) & (eigenvalues < 1e-5)).any():
        for mode in ("min", "rmse"):
            theirs = aggregation.AlignedMTL(scale_mode=mode)(jacobian)
            yield 0.1 * first_direction(make_balancer("aligned_mtl", scale=mode), jacobian), 0.1 * theirs


def dual_cone(jacobian: Tensor, name: str, theirs: str) -> Pairs:
    projector = made(lambda: linalg.QuadprogProjector(norm_eps=0, reg_eps=1e-7))
    ours = first_direction(make_balancer(name), jacobian)
    yield 0.01 * ours, 0.01 * getattr(aggregation, theirs)(projector=projector)(jacobian)


def graddrop(jacobian: Tensor) -> Pairs:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        theirs = aggregation.GradDrop()(jacobian)
    yield len(jacobian) * first_direction(make_balancer("graddrop"), jacobian, fresh()), theirs


def several(jacobian: Tensor) -> list[Tensor]:
    """Jacobians of some steps, the first as given."""
    generator = torch.Generator().manual_seed(len(jacobian))
    mixing = torch.randn(5, len(jacobian), len(jacobian), generator=generator, dtype=torch.float64)
    return [jacobian, *(mixing @ jacobian)]


def excess_mtl(jacobian: Tensor) -> Pairs:
    ours = make_balancer("excess_mtl", step_size=0.3, warmup=2)
    theirs = aggregation.ExcessMTLWeighting(robust_step_size=0.3, n_warmup_steps=2)
    state, losses = ours.init(len(jacobian)), torch.ones(len(jacobian), dtype=torch.float64)
    # It adds 1e-7 to the excess of the warm-up.
    for current in several(jacobian / jacobian.norm()):
        rows, state = ours.transform(state, losses, current)
        weights, state = ours.update(state, TaskStatistics(losses, rows @ rows.T))
        yield weights, theirs(current)


def two_batches(ours: Balancer, theirs: Callable[[Tensor], Tensor], jacobian: Tensor) -> Pairs:
    """Over steps, on products of two Jacobians."""
    state, losses = ours.init(len(jacobian)), torch.ones(len(jacobian), dtype=torch.float64)
    steps = several(jacobian)
    for one, other in pairwise(steps):
        product = one @ (one + 0.3 * other).T
        if not (product.diagonal() > 0).any():
            return
        weights, state = ours.update(state, TaskStatistics(losses, product))
        yield weights, theirs(product)


def modo(jacobian: Tensor) -> Pairs:
    yield from two_batches(make_balancer("modo"), aggregation.MoDoWeighting(), jacobian)


def sdmgrad(jacobian: Tensor) -> Pairs:
    jacobian = 1e4 * jacobian  # it adds 1e-8 to the scale
    for lr in (0.5, 10):
        ours = make_balancer("sdmgrad", solver="paper_sgd", lr=lr)
        yield from two_batches(ours, aggregation.SDMGradWeighting(lr=lr), jacobian)


def pcd(jacobian: Tensor) -> Pairs:
    """Three steps, of which each task has its own change of length."""
    for tau in (0.0, 0.02, 0.3):
        ours, theirs = make_balancer("pcd", tau=tau), aggregation.PCDWeighting(tau=tau)
        state = ours.init(len(jacobian))
        for t in range(3):
            rows = jacobian * (1 + t * torch.arange(len(jacobian))).unsqueeze(-1)
            gramian = rows @ rows.T
            weights, state = ours.update(state, TaskStatistics(torch.ones(len(rows)), gramian))
            expected = theirs(gramian)
            parts = expected.unsqueeze(-1) * rows
            if expected.any() and float(parts.sum(0).norm()) < 3e-3 * float(parts.norm(dim=1).sum()):
                continue  # so short that it counts as 0 here
            yield weights @ rows, expected @ rows


def cr_mogm(jacobian: Tensor) -> Pairs:
    theirs = aggregation.CRMOGMWeighting(aggregation.AlignedMTLWeighting(), alpha=0.7)
    ours = make_balancer("cr_mogm", of="aligned_mtl", smoothing=0.7)
    state = ours.init(len(jacobian))
    for t in range(3):
        rows = jacobian.roll(t, 1) + jacobian
        gramian = rows @ rows.T
        weights, state = ours.update(state, TaskStatistics(torch.ones(len(rows)), gramian))
        expected = theirs(gramian)
        # Where the gradients are dependent, ours and theirs drop other eigenvalues, as the class says.
        if torch.linalg.matrix_rank(gramian) == len(rows) and torch.linalg.cond(gramian) < 1e5:
            yield weights / len(rows), expected / len(rows)
        else:
            return


def of_losses(jacobian: Tensor, name: str, make: Callable[[int], Any], factor: Callable[[int], float]) -> Pairs:
    """A loss weighting's weights against the derivatives of the scalar, at losses of the size of the gradients."""
    n_tasks = len(jacobian)
    losses = (jacobian[:, 0].abs() + 0.01 * jacobian.norm()).requires_grad_()
    (derivative,) = torch.autograd.grad(make(n_tasks)(losses), losses)
    balancer = make_balancer(name, **({"mu": 0.3} if name == "stch" else {}))
    weights, _ = balancer.update(balancer.init(n_tasks), TaskStatistics(losses, torch.eye(n_tasks)))
    expected = factor(n_tasks) * derivative
    yield weights / expected.abs().max(), expected / expected.abs().max()


PLAIN: dict[str, Callable[[Tensor], Pairs]] = {
    "equal": mean,
    "fixed": constant,
    "pcgrad": partial(in_order, lambda _: aggregation.PCGrad(), True, name="pcgrad"),
    "gradvac": partial(
        in_order, lambda jacobian: aggregation.GradVac(eps=1e-14 * float(jacobian.norm()) ** 2), False, name="gradvac"
    ),
    "mgda": mgda,
    "config": config,
    "aligned_mtl": aligned_mtl,
    "upgrad": partial(dual_cone, name="upgrad", theirs="UPGrad"),
    "dualproj": partial(dual_cone, name="dualproj", theirs="DualProj"),
    "graddrop": graddrop,
    "pcd": pcd,
}
"""Methods without thresholds: compared on gradients of any size, and the results divided by it."""

THRESHOLDS: dict[str, Callable[[Tensor], Pairs]] = {
    "cagrad": cagrad,
    "fairgrad": fairgrad,
    "nash_mtl": nash,
    "imtl_g": imtl_g,
    "sdmgrad": sdmgrad,
}
"""TorchJD's have absolute thresholds or start values, so both get gradients of norm 1; that ours do not mind the size
is seen where directions are scaled with the gradients."""

UNITLESS: dict[str, Callable[[Tensor], Pairs]] = {
    "cr_mogm": cr_mogm,
    "excess_mtl": excess_mtl,
    "modo": modo,
    "uncertainty": partial(of_losses, name="uncertainty", make=scalarization.UW, factor=lambda n: 1 / n),
    "imtl_l": partial(of_losses, name="imtl_l", make=scalarization.IMTLL, factor=lambda n: 1 / n),
    "dwa": partial(of_losses, name="dwa", make=lambda _: scalarization.DWA(), factor=lambda n: 1 / n),
    "stch": partial(of_losses, name="stch", make=lambda _: scalarization.STCH(0.3), factor=float),
    "gls": partial(of_losses, name="gls", make=lambda _: scalarization.GeometricMean(), factor=lambda _: 1),
    "famo": partial(of_losses, name="famo", make=lambda n: scalarization.FAMO(n), factor=lambda _: 1),
}
"""Methods that return weights to compare as they are; over steps they are compared in the tests of each."""

EXPLAINED = {
    "rlw": "not the numbers that TorchJD draws",
    "rgw": "not the numbers that TorchJD draws",
    "torchjd": "as torchjd computes it",
}
"""Why a method of this name is not compared, in the words of its class."""

DEVIATIONS = {
    "mgda": "published code",
    "cagrad": "TorchJD returns d = 0",
    "fairgrad": "no solution",
    "nash_mtl": "no solution",
    "imtl_g": "TorchJD takes",
    "config": "divided by K",
    "upgrad": "TorchJD calls a general solver",
    "dualproj": "Solved as in UPGrad",
    "pcd": "with TorchJD it has its length restored",
    "cr_mogm": "As in TorchJD",
    "excess_mtl": "TorchJD moves them by that first value",
    "aligned_mtl": "Eigenvalues below 1e-6",
}
"""Where the comparison is not on all gradients or not exact, and what the class says of it."""

SYNONYMS = {"uncertainty": "uw", "gls": "geometricmean", "equal": "mean", "fixed": "constant", "rlw": "random"}
HAVE_NONE = [name for name in BALANCERS if name not in (*PLAIN, *THRESHOLDS, *UNITLESS, *EXPLAINED)]


def test_every_method_that_torchjd_has_is_compared_or_explained() -> None:
    theirs = {name.removesuffix("Weighting").lower() for name in aggregation.__all__ + scalarization.__all__}
    assert {SYNONYMS.get(name, name.replace("_", "")) for name in HAVE_NONE} & theirs == set()
    for name, words in (EXPLAINED | DEVIATIONS).items():
        assert words in " ".join((inspect.getdoc(BALANCERS[name]) or "").split()), name


CASES = {
    "seed": st.integers(0, 10**6),
    "n_tasks": st.integers(2, 5),
    "rank_below": st.integers(0, 4),
    "scale": st.sampled_from([1e-6, 1e-3, 1.0, 1e3, 1e6]),
}


@pytest.mark.parametrize("name", [*PLAIN, *THRESHOLDS, *UNITLESS])
@settings(max_examples=25, deadline=None)
@given(**CASES)
def test_agreement(name: str, seed: int, n_tasks: int, rank_below: int, scale: float) -> None:
    jacobian = sampled(seed, n_tasks, max(1, n_tasks - rank_below), scale)
    if name in THRESHOLDS:
        jacobian = jacobian / jacobian.norm()
    size = 1.0 if name in UNITLESS else float(jacobian.norm())
    for ours, theirs in {**PLAIN, **THRESHOLDS, **UNITLESS}[name](jacobian):
        torch.testing.assert_close(ours / size, theirs / size, rtol=1e-4, atol=2e-4)


def test_the_exact_sdmgrad_is_where_its_inner_loop_ends_once_that_converges() -> None:
    for seed in range(4):
        gramian = sampled(seed, 3, 8, 1.0) @ sampled(seed, 3, 8, 1.0).T
        theirs = aggregation.SDMGradWeighting(lr=0.3, n_iter=1500)(gramian / gramian.diagonal().mean())
        ours, _ = make_balancer("sdmgrad").update({}, TaskStatistics(torch.ones(3), gramian))
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_excess_mtl_without_warm_up_differs_in_the_first_step_only() -> None:
    ours, theirs = make_balancer("excess_mtl", step_size=0.3), aggregation.ExcessMTLWeighting(robust_step_size=0.3)
    state, losses = ours.init(3), torch.ones(3, dtype=torch.float64)
    _, state = ours.transform(state, losses, sampled(0, 3, 3, 1.0))
    weights, state = ours.update(state, TaskStatistics(losses, torch.eye(3)))
    first = theirs(sampled(0, 3, 3, 1.0))
    assert weights.tolist() == pytest.approx([1 / 3] * 3)
    for t in range(1, 8):
        expected = theirs(sampled(t, 3, 3, 1.0)) / first
        _, state = ours.transform(state, losses, sampled(t, 3, 3, 1.0))
        weights, state = ours.update(state, TaskStatistics(losses, torch.eye(3)))
        torch.testing.assert_close(weights / weights[0], expected / expected[0], rtol=1e-5, atol=0)


def test_gradvac_of_two_tasks_over_steps() -> None:
    theirs, ours = aggregation.GradVac(beta=0.3), make_balancer("gradvac", beta=0.3)
    state, generator = ours.init(2), fresh()
    for seed in range(12):
        jacobian = sampled(seed, 2, 6, 1.0)
        weights, state = ours.update(state, TaskStatistics(torch.ones(2), jacobian @ jacobian.T), generator)
        torch.testing.assert_close(2 * weights @ jacobian, theirs(jacobian), rtol=1e-5, atol=1e-6)
