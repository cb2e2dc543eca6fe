from __future__ import annotations

import pytest
import torch

from lcode.errors import UsageError
from mtl_runs.balancers import InverseNorm, TaskStatistics


@pytest.mark.parametrize("target", ["norm_of_sum", "mean_of_norms", "sum_to_k"])
def test_the_size_of_one_loss_does_not_change_the_direction(target: str) -> None:
    jacobian = torch.randn(3, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    balancer = InverseNorm(target)  # type: ignore[arg-type]

    def unit(rows: torch.Tensor) -> torch.Tensor:
        weights, _ = balancer.update({}, TaskStatistics(torch.ones(3), rows @ rows.T))
        norms = (weights.unsqueeze(-1) * rows).norm(dim=-1)
        torch.testing.assert_close(norms, norms.mean().expand(3))
        combined = weights @ rows
        return combined / combined.norm()

    scaled = jacobian * torch.tensor([[1.0], [1000.0], [1.0]])
    torch.testing.assert_close(unit(scaled), unit(jacobian))


def test_a_nearly_solved_task_does_not_explode(direction) -> None:  # type: ignore[no-untyped-def]
    weights, _ = direction(InverseNorm("sum_to_k", floor=0.01), [[1, 0], [0, 1e-9]])
    assert weights[1] / weights[0] == pytest.approx(100)


def test_unknown_target() -> None:
    with pytest.raises(UsageError, match="target must be one of norm_of_sum, mean_of_norms, sum_to_k; found 'mean'"):
        InverseNorm("mean")  # type: ignore[arg-type]
