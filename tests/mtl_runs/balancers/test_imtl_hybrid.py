from __future__ import annotations

import torch
from torch import Tensor

from mtl_runs.balancers import IMTL, IMTLG, IMTLL, TaskStatistics


def sampled(seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(3, generator=generator, dtype=torch.float64) + 0.2, torch.randn(
        3, 7, generator=generator, dtype=torch.float64
    )


def test_heads_follow_imtl_l_and_the_shared_part_imtl_g_of_the_scaled_losses() -> None:
    hybrid, by_losses = IMTL(lr=0.3), IMTLL(lr=0.3)
    state, own = hybrid.init(3), by_losses.init(3)
    for seed in range(6):
        losses, jacobian = sampled(seed)
        scales = own["log_scale"].exp()
        rows, state = hybrid.transform(state, losses, jacobian)
        weights, state = hybrid.update(state, TaskStatistics(losses, rows @ rows.T))
        expected, own = by_losses.update(own, TaskStatistics(losses, torch.eye(3)))
        torch.testing.assert_close(weights, expected)
        torch.testing.assert_close(state["log_scale"], own["log_scale"])
        scaled = scales.unsqueeze(-1) * jacobian
        coefficients, _ = IMTLG().update({}, TaskStatistics(losses, scaled @ scaled.T))
        torch.testing.assert_close(weights @ rows, coefficients @ scaled)


def test_projections_are_equal() -> None:
    losses, jacobian = sampled(9)
    balancer = IMTL()
    rows, state = balancer.transform(balancer.init(3), losses, jacobian)
    weights, _ = balancer.update(state, TaskStatistics(losses, rows @ rows.T))
    projections = jacobian @ (weights @ rows) / jacobian.norm(dim=1)
    torch.testing.assert_close(projections, projections[:1].expand(3))
