"""Gaussian-process regression of several outputs on grouped features, with left-out folds in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor

from lcode.regressors.half_ranks import HalfRanks

STEPS = 10
"""Iterations of the search for hyper-parameters; 20 and 40 were no better: the CRPS of the process was within 1 %, with
200 runs 1 % larger (six tables of LCBench's design half; 10, 30 and 200 runs; one and five evaluations, a fifth)."""

SUBSET = 160
"""Training rows that the hyper-parameters are chosen on: there are few of them, and a step costs the cube of this."""

JITTER = 1e-4

TIGHT = (0.5, 0.25, 0.25, 0.25)
"""How narrow the priors of `Hyperparameters` are, in its order: one over twice their variance. On those tables 1 for
the length scales changed the CRPS by -4 % with 10 runs after a fifth of the horizon and by +3 % after five evaluations
with 30, 0.25 by +5 and -2 %."""

BOUND = 8.0
"""How large the logarithm of a hyper-parameter may become."""


@dataclass(frozen=True)
class Hyperparameters:
    """Logarithms of what the kernel depends on.

    Attributes:
        length: one length scale per feature group, [G]; a long one switches its group off.
        amplitude, linear, noise: variance of the smooth part, of the linear part and of the noise, per output, [O].
    """

    length: Tensor
    amplitude: Tensor
    linear: Tensor
    noise: Tensor

    @classmethod
    def initial(cls, groups: int, varying: int, outputs: int) -> Hyperparameters:
        """Where the search begins, and what it is drawn towards: all groups that vary at all matter alike."""
        return cls(
            torch.full((groups,), 0.5 * math.log(max(varying, 1)), dtype=torch.float64),
            torch.zeros(outputs, dtype=torch.float64),
            torch.full((outputs,), -1.0, dtype=torch.float64),
            torch.full((outputs,), -2.0, dtype=torch.float64),
        )

    def tensors(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The four, in order."""
        return self.length, self.amplitude, self.linear, self.noise


class GaussianProcess:
    """Posterior of O independent outputs that share length scales (Rasmussen & Williams 2006, chapters 2 and 5).

    The kernel is a Matérn-5/2 on the scaled features plus a linear one; features of a group share a length scale and
    count together as one feature. Features are put on a scale by `HalfRanks`, outputs are standardised, both inside.
    Hyper-parameters maximise the
    marginal likelihood under log-normal priors, which keep groups apart from zero influence only if the data say so.
    There an output counts by its standard deviation: the last principal components of a curve are mostly noise, and
    must not decide what matters for the first (with equal say CRPS on 30 runs of `cifar10_cnn` is 2 to 13 % larger).

    Args:
        features: N training rows without NaN, [N, P].
        outputs: [N, O].
        groups: group number of each feature, 0 … G - 1, [P].
    """

    def __init__(self, features: Tensor, outputs: Tensor, groups: Tensor) -> None:
        self._even = HalfRanks(features.numpy())
        self._mean, self._scale = outputs.mean(0), _spread(outputs)
        counts = torch.bincount(groups)
        self._groups, self._weight = groups, counts.clamp(min=1).to(features.dtype).rsqrt()
        x, y = self._on_scale(features), ((outputs - self._mean) / self._scale).T
        varying = len(groups[x.std(0, correction=0) > 0].unique())
        initial = Hyperparameters.initial(len(counts), varying, len(y))
        self._say = self._scale / self._scale.max()
        self.hyperparameters = self._search(x, y, initial)
        with torch.no_grad():
            self._x = x
            self._root = torch.linalg.cholesky(self._covariance(self.hyperparameters, x))
            self._alpha = torch.cholesky_solve(y[..., None], self._root)[..., 0]
            self._y = y

    def predict(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of new observations, noise included, for features [R, P]: two tensors [R, O]."""
        hyper = self.hyperparameters
        x = self._on_scale(features)
        cross = self._kernel(hyper, x, self._x)
        mean = torch.einsum("orn,on->or", cross, self._alpha)
        solved = torch.cholesky_solve(cross.transpose(1, 2), self._root)
        prior = hyper.amplitude.exp()[:, None] + hyper.linear.exp()[:, None] * (self._scaled(hyper, x) ** 2).sum(-1)
        variance = (prior - (cross.transpose(1, 2) * solved).sum(1)).clamp(min=0) + self._noise(hyper)[:, None]
        return mean.T * self._scale + self._mean, variance.T * self._scale**2

    def out_of_fold(self, folds: Tensor) -> tuple[Tensor, Tensor]:
        """What each training row would be forecast without its fold, [N] fold numbers to two tensors [N, O].

        In closed form from the inverse covariance; the hyper-parameters are those of all rows.
        """
        inverse = torch.cholesky_inverse(self._root)
        mean, variance = torch.zeros_like(self._y), torch.zeros_like(self._y)
        for fold in folds.unique():
            rows = torch.nonzero(folds == fold)[:, 0]
            block = torch.linalg.inv(inverse[:, rows][:, :, rows])
            mean[:, rows] = self._y[:, rows] - (block @ self._alpha[:, rows, None])[..., 0]
            variance[:, rows] = block.diagonal(dim1=1, dim2=2)
        return mean.T * self._scale + self._mean, variance.T.clamp(min=0) * self._scale**2

    def _search(self, x: Tensor, y: Tensor, initial: Hyperparameters) -> Hyperparameters:
        rows = torch.linspace(0, len(x) - 1, min(len(x), SUBSET), dtype=torch.float32).long()
        x, y = x[rows], y[:, rows]
        sizes = [len(value) for value in initial.tensors()]
        centre, say = torch.cat(initial.tensors()), self._say
        tight = torch.repeat_interleave(torch.tensor(TIGHT, dtype=torch.float64), torch.tensor(sizes))

        squared, products = self._by_group(x)

        def slope(point: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            hyper = Hyperparameters(*torch.from_numpy(point).split(sizes))
            weights = (-2 * hyper.length).exp() * self._weight**2  # of the groups
            smooth, by_squared = _matern(weights @ squared)
            kernels = torch.stack([smooth, weights @ products])  # flat, [2, N N]
            parts = torch.stack([hyper.amplitude, hyper.linear], dim=1).exp()  # [O, 2]
            covariance = (parts @ kernels).unflatten(1, (len(x), len(x)))
            covariance.diagonal(dim1=1, dim2=2).add_(self._noise(hyper)[:, None])
            loss, by_covariance = _likelihood(covariance, y)
            by_covariance = say[:, None] * by_covariance.flatten(1)
            by_smooth, by_product = parts.T @ by_covariance
            by_length = -2 * weights * (squared @ (by_smooth * by_squared) + products @ by_product)
            by_parts = parts * (by_covariance @ kernels.T)
            by_noise = hyper.noise.exp() * by_covariance[:, :: len(x) + 1].sum(1)
            apart = torch.from_numpy(point) - centre
            value = (say * loss).sum() + (tight * apart**2).sum()
            down = torch.cat([by_length, by_parts[:, 0], by_parts[:, 1], by_noise]) + 2 * tight * apart
            return float(value), down.numpy()

        bounds = [(-BOUND, BOUND)] * len(centre)
        options = {"maxiter": STEPS}
        found = minimize(slope, centre.numpy(), jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
        return Hyperparameters(*torch.from_numpy(found).split(sizes))

    def _on_scale(self, features: Tensor) -> Tensor:
        return torch.from_numpy(self._even(features.numpy()))

    def _scaled(self, hyper: Hyperparameters, x: Tensor) -> Tensor:
        return x * ((-hyper.length).exp() * self._weight)[self._groups]

    def _by_group(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Squared distances and inner products of N rows in each group's features, flat: two tensors [G, N N]."""
        columns = [x[:, self._groups == group] for group in range(len(self._weight))]
        products = torch.stack([own @ own.T for own in columns])
        norms = products.diagonal(dim1=1, dim2=2)
        squared = (norms[:, :, None] + norms[:, None] - 2 * products).clamp(min=0)
        return squared.flatten(1), products.flatten(1)

    def _kernel(self, hyper: Hyperparameters, left: Tensor, right: Tensor) -> Tensor:
        a, b = self._scaled(hyper, left), self._scaled(hyper, right)
        product = a @ b.T
        squared = ((a**2).sum(-1)[:, None] + (b**2).sum(-1) - 2 * product).clamp(min=0)
        smooth, _ = _matern(squared)
        return hyper.amplitude.exp()[:, None, None] * smooth + hyper.linear.exp()[:, None, None] * product

    def _covariance(self, hyper: Hyperparameters, x: Tensor) -> Tensor:
        return self._kernel(hyper, x, x) + torch.diag_embed(self._noise(hyper)[:, None].expand(-1, len(x)))

    @staticmethod
    def _noise(hyper: Hyperparameters) -> Tensor:
        return hyper.noise.exp() + JITTER


def _matern(squared: Tensor) -> tuple[Tensor, Tensor]:
    """The Matérn-5/2 kernel of squared distances, and its slope by them (their equation 4.17)."""
    distance = (5 * squared).sqrt()
    falling = (-distance).exp()
    return (1 + distance + distance**2 / 3) * falling, -5 / 6 * (1 + distance) * falling


def _likelihood(covariance: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Negative log marginal likelihood of each output but for a constant, [O], and its slope by the covariance.

    Their equations 5.8 and 5.9, [O, N, N]: going through the Cholesky factor by automatic differentiation takes several
    times as long.
    """
    root = torch.linalg.cholesky(covariance)
    inverse = torch.cholesky_inverse(root)
    alpha = torch.einsum("onm,om->on", inverse, y)
    loss = 0.5 * (alpha * y).sum(1) + root.diagonal(dim1=1, dim2=2).log().sum(1)
    return loss, 0.5 * (inverse - alpha[:, :, None] * alpha[:, None])


def _spread(values: Tensor) -> Tensor:
    """Standard deviation of each column, 1 where it does not vary."""
    deviation = values.std(0, correction=0)
    return torch.where(deviation > 1e-9, deviation, 1.0)
