"""A Gaussian process of curves over places × times whose training covariance is a Kronecker product."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor

Array = NDArray[np.float64]

ITERATIONS = 100
"""Of L-BFGS at most; it mostly stops of itself before."""

SEARCH_CURVES = 200
"""Curves that the hyper-parameters are chosen on: a step costs the cube of this."""

NOISE_PRIOR = (-4.0, 1.0)
"""Centre and deviation of the logarithm of the noise variance, of outputs with variance 1."""

LENGTH_PRIOR = (math.sqrt(2), math.sqrt(3))
"""The same of a length scale in the unit cube, to whose centre half the logarithm of the number of inputs is added
(Hvarfner et al. 2024)."""

BOUND = 12.0
"""How large the logarithm of a hyper-parameter may become: beyond it nothing changes but the rounding errors."""


TINY = 1e-16
"""Added to squared distances: the slope of a root is infinite at 0."""


class KroneckerGP:
    """Zero-mean process with covariance k(x, x') · k(t, t'), and independent noise (Lin et al. 2024, 2025).

    Both kernels are Matérn-5/2, k(x, x') with a length scale for each of P inputs, k(t, t') with a variance. Of N
    curves at the same M times the covariance is a Kronecker product, so that the marginal likelihood and its slope cost
    N³ + M³ instead of (NM)³; a curve of which S points were seen is conditioned on them and the N curves together for
    N² + (S + Q)² (M + S). Nothing is approximated. Without inputs, P = 0, curves are independent of one another.

    Args:
        places: one per curve, best from 0 to 1, [N, P].
        times: best from 0 to 1, [M].
        values: best of variance about 1, [N, M], without NaN.
    """

    def __init__(self, places: Array, times: Array, values: Array) -> None:
        self._places, self._times = _tensor(places), _tensor(times)
        target = _tensor(values)
        rows = np.unique(np.linspace(0, len(places) - 1, min(len(places), SEARCH_CURVES)).astype(np.int64))
        self._hyper = self._search(self._places[rows], target[rows])
        with torch.no_grad():
            over_places, over_times = self._factors(self._hyper, self._places)
            self._spectrum = _Spectrum(over_places, over_times, float(self._hyper[-1].exp()))
            self._alpha = self._spectrum.solve(target)

    @property
    def hyperparameters(self) -> Array:
        """Logarithms of the P length scales, that of time, the variance and that of the noise, [P + 3]."""
        return self._hyper.numpy().copy()

    @property
    def noise(self) -> float:
        """Variance of the noise."""
        return float(self._hyper[-1].exp())

    def predict(self, place: Array, seen: Array, values: Array, at: Array) -> tuple[Array, Array]:
        """Mean and variance of new observations of one curve, noise included.

        Args:
            place: of the curve, [P].
            seen: times at which it was observed, [S]; there may be none.
            values: observed there, [S].
            at: times to predict, [Q].

        Returns:
            Two arrays [Q].
        """
        with torch.no_grad():
            times, count = torch.cat([_tensor(seen), _tensor(at)]), len(seen)
            near = self._over_places(self._hyper, _tensor(place)[None], self._places)[0]
            across = self._over_times(self._hyper, times, self._times)
            mean = across @ (self._alpha.T @ near)
            turned, weights = across @ self._spectrum.time_vectors, self._spectrum.explained(near)
            covariance = self._over_times(self._hyper, times, times) - (turned * weights) @ turned.T
            variance = covariance.diagonal()[count:]
            mean, now = mean[count:], mean[:count]
            if count:
                block = covariance[:count, :count] + self.noise * torch.eye(count, dtype=torch.float64)
                root, cross = torch.linalg.cholesky(block), covariance[:count, count:]
                gain = torch.cholesky_solve(cross, root)
                mean = mean + gain.T @ (_tensor(values) - now)
                variance = variance - (gain * cross).sum(0)
            return mean.numpy(), (variance.clamp(min=0) + self.noise).numpy()

    def _search(self, places: Tensor, target: Tensor) -> Tensor:
        """The hyper-parameters that maximise the marginal likelihood times their priors."""
        width = places.shape[1]
        initial = np.r_[np.full(width, math.log(0.5) + 0.5 * math.log(max(width, 1))), 0.0, 0.0, NOISE_PRIOR[0]]
        centre = np.r_[np.full(width, LENGTH_PRIOR[0] + 0.5 * math.log(max(width, 1))), LENGTH_PRIOR[0]]

        def slope(point: Array) -> tuple[float, Array]:
            hyper = _tensor(point).requires_grad_()
            factors = self._factors(hyper, places)
            loss, by_places, by_times, by_noise = _likelihood(factors, target, float(hyper[-1].detach().exp()))
            lengths, noise = (hyper[:-2] - _tensor(centre)) / LENGTH_PRIOR[1], hyper[-1]
            prior = 0.5 * (lengths**2).sum() + 0.5 * ((noise - NOISE_PRIOR[0]) / NOISE_PRIOR[1]) ** 2
            moved = (by_places * factors[0]).sum() + (by_times * factors[1]).sum() + by_noise * noise.exp()
            (moved + prior).backward()
            assert hyper.grad is not None
            return loss + float(prior.detach()), hyper.grad.numpy().copy()

        bounds = [(-BOUND, BOUND)] * len(initial)
        found = minimize(
            slope, initial, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": ITERATIONS, "maxcor": 20}
        )
        return _tensor(found.x)

    def _factors(self, hyper: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        """Covariance over places, [N, N], and over times, [M, M]."""
        if not places.shape[1]:
            return torch.eye(len(places), dtype=torch.float64), self._over_times(hyper, self._times, self._times)
        return self._over_places(hyper, places, places), self._over_times(hyper, self._times, self._times)

    @staticmethod
    def _over_places(hyper: Tensor, a: Tensor, b: Tensor) -> Tensor:
        if not a.shape[1]:
            return torch.zeros(len(a), len(b), dtype=torch.float64)
        squares = (((a[:, None] - b[None]) * (-hyper[:-3]).exp()) ** 2).sum(-1)
        return _matern((squares + TINY).sqrt())

    @staticmethod
    def _over_times(hyper: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return hyper[-2].exp() * _matern((a[:, None] - b[None]).abs() * (-hyper[-3]).exp())


class _Spectrum:
    """Eigenvalues and vectors of a Kronecker product with noise on its diagonal."""

    def __init__(self, over_places: Tensor, over_times: Tensor, noise: float) -> None:
        place_values, self.place_vectors = torch.linalg.eigh(over_places)
        time_values, self.time_vectors = torch.linalg.eigh(over_times)
        self.place_values, self.time_values = place_values.clamp(min=0), time_values.clamp(min=0)
        self.joint = self.place_values[:, None] * self.time_values + noise

    def solve(self, values: Tensor) -> Tensor:
        """The inverse covariance times values, [N, M]."""
        inner = (self.place_vectors.T @ values @ self.time_vectors) / self.joint
        return self.place_vectors @ inner @ self.time_vectors.T

    def explained(self, near: Tensor) -> Tensor:
        """How much of each eigenvector of time is known at a place with these covariances to the others, [N], [M]."""
        return ((self.place_vectors.T @ near)[:, None] ** 2 / self.joint).sum(0)


def _matern(distance: Tensor) -> Tensor:
    """Matérn-5/2 at distances in length scales."""
    scaled = math.sqrt(5) * distance
    return (1 + scaled + scaled**2 / 3) * (-scaled).exp()


def _likelihood(factors: tuple[Tensor, Tensor], target: Tensor, noise: float) -> tuple[float, Tensor, Tensor, float]:
    """Negative logarithm of the marginal likelihood, and its slopes by both factors and by the noise.

    By the covariance K the slope is (K⁻¹ - ααᵀ) / 2 with α = K⁻¹y (Rasmussen & Williams 2006, equation 5.9). Taken
    apart by hand, since the slope of an eigenvector is infinite where two eigenvalues are equal.
    """
    places, times = (factor.detach() for factor in factors)
    spectrum = _Spectrum(places, times, noise)
    alpha, joint = spectrum.solve(target), spectrum.joint
    loss = 0.5 * float((alpha * target).sum() + joint.log().sum() + target.numel() * math.log(2 * math.pi))
    by_places = (spectrum.place_vectors * (spectrum.time_values / joint).sum(1)) @ spectrum.place_vectors.T
    by_times = (spectrum.time_vectors * (spectrum.place_values[:, None] / joint).sum(0)) @ spectrum.time_vectors.T
    by_places, by_times = by_places - alpha @ times @ alpha.T, by_times - alpha.T @ places @ alpha
    return loss, 0.5 * by_places, 0.5 * by_times, 0.5 * float((1 / joint).sum() - (alpha**2).sum())


def _tensor(values: Array) -> Tensor:
    return torch.from_numpy(np.array(values, dtype=np.float64))
