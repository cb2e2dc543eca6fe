"""Flat minima for every task: per-task sharpness-aware gradients (Phan et al., ICCV 2025, arXiv 2211.13723).

Each task's parameters are moved uphill along its own gradient, the shared ones and its own by the radius ρ each:
`θ + ρ g_k/‖g_k‖`, `φ_k + ρ h_k/‖h_k‖`. The gradient there is the task's SAM gradient. Its shared part is split into
the gradient at θ and the rest, `g_k^flat = g_k^SAM - g_k`, and each is balanced for itself:
`d = agg(g_1, …, g_K) + agg(g_1^flat, …, g_K^flat)`, by two instances of the balancer, since a memory of gradients
must not mix the two. A task's own parameters take the plain SAM gradient. Reduction and clip come once, at the end.

What the paper leaves to the reader, and how it is here:

- One radius serves both parts; the paper has two and finds that they hardly matter.
- Both instances see the losses at θ. Where a balancer scales the heads, the weights of the first one do.
- A loss weighting has weights that depend on losses only, equal for both parts: they apply to the SAM gradients,
  `d = Σ_k w_k g_k^SAM`, which is SAM of the weighted sum but for a perturbation for each task. No second instance.
- Flat parts are short. Balancers that are not scale-equivariant (Nash-MTL, FairGrad, NGDiff, inverse norms, …)
  inflate them; MGDA, IMTL-G, PCGrad, CAGrad and their like do not.
- A gradient that is zero, NaN or infinite moves nothing.

Where the authors' code does something else:

- The radius there is that of adaptive SAM by default: every parameter is moved in proportion to its own square. Here it
  is plain, as in the paper's equations.
- Its MGDA for NYUv2 scales the gradients of all tasks, and their flat parts, to unit length before either is balanced,
  so that the two parts count alike; for its other data sets it takes them as they are, as here.
- It multiplies the sum of both parts by K, which is `reduction="sum"`.

A step costs K forward and K backward passes more than that of a gradient method.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mtl_runs.training.gradients import Gradients, TaskGradients


def sam_gradients(
    gradients: Gradients, here: TaskGradients, inputs: Tensor, targets: Sequence[Tensor], radius: Tensor
) -> TaskGradients:
    """Each task's gradients at its own perturbed parameters, which are then put back exactly.

    Args:
        gradients: of the population.
        here: the tasks' gradients at its parameters, on the same batch.
        inputs: [R, B, *input_shape].
        targets: per task, [R, B, *].
        radius: ρ, [R, 1].
    """
    parameters, groups = gradients.population.parameters, gradients.population.groups
    kept = parameters.clone()
    rows, heads = [], []
    for k, own in enumerate(groups[1:]):
        parameters[:, groups[0]] += uphill(here.rows[:, k], radius)
        parameters[:, own] += uphill(here.heads[k], radius)
        with gradients.population.buffers_kept():
            row, head = gradients.of_task(k, inputs, targets[k])
        parameters.copy_(kept)
        rows.append(row)
        heads.append(head)
    return TaskGradients(torch.stack(rows, 1), heads)


def uphill(gradient: Tensor, radius: Tensor) -> Tensor:
    """A vector of length `radius` along each gradient, [R, P]; zero where that is zero, NaN or infinite."""
    # By its largest entry first: squares of very small or large entries leave the range of float32.
    largest = gradient.abs().amax(1, keepdim=True)
    usable = largest.isfinite() & (largest > 0)
    scaled = torch.where(usable, gradient, 0.0) / torch.where(usable, largest, 1.0)
    length = torch.where(usable, scaled.norm(dim=1, keepdim=True), 1.0)
    return scaled * (radius / length)
