"""Tasks that predict something of every pixel: a class, a depth, or the direction of the surface."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from lcode.table import Metric
from mtl_runs.problems.base import Task
from mtl_runs.problems.sums import histogram, mean_of_valid, nan_unless_finite, total


@dataclass(frozen=True)
class Segmentation(Task):
    """One of `n_outputs` classes per pixel: cross-entropy on int64 [N, H, W], where `IGNORED` pixels do not count.

    `miou` is the intersection over union of the pixels of a class, over all pictures together, averaged over the
    classes that occur in the targets or in the predictions; `pixacc` is the share of right pixels.
    """

    dense: ClassVar[bool] = True
    target_dtype: ClassVar[torch.dtype] = torch.int64

    IGNORED: ClassVar[int] = -1

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """`miou` and `pixacc`, 0..1."""
        return (Metric(self.name, "miou", "max"), Metric(self.name, "pixacc", "max"))

    def target_shape(self, input_shape: Sequence[int]) -> tuple[int, ...]:
        """A class index per pixel."""
        return tuple(input_shape[-2:])

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy over the labelled pixels, in nats."""
        valid = targets != self.IGNORED
        logarithms = functional.log_softmax(outputs, 2)
        picked = logarithms.gather(2, targets.clamp(min=0).unsqueeze(2)).squeeze(2)
        return -mean_of_valid(picked, valid)

    def tally(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The confusion matrix, target first: S = n_outputs²."""
        cells = targets * self.n_outputs + outputs.argmax(2)
        return histogram(cells, self.n_outputs**2, targets != self.IGNORED) + nan_unless_finite(outputs)

    def measure(self, tally: Tensor) -> dict[str, Tensor]:
        """Both metrics from the confusion matrix."""
        miou, pixacc = self.metrics
        confusion = tally.unflatten(-1, (self.n_outputs, self.n_outputs))
        right = confusion.diagonal(dim1=-2, dim2=-1)
        union = confusion.sum(-1) + confusion.sum(-2) - right
        return {miou.key: (right / union).nanmean(-1), pixacc.key: right.sum(-1) / tally.sum(-1)}


@dataclass(frozen=True)
class Depth(Task):
    """A positive value per pixel: mean absolute error on float32 [N, 1, H, W], where pixels with target 0 do not count.

    `abs_err` is the mean absolute error in the targets' units, `rel_err` the mean of the error by the target.
    """

    n_outputs: int = 1

    dense: ClassVar[bool] = True

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """`abs_err` and `rel_err`."""
        return (Metric(self.name, "abs_err", "min"), Metric(self.name, "rel_err", "min"))

    def target_shape(self, input_shape: Sequence[int]) -> tuple[int, ...]:
        """A value per pixel."""
        return (1, *input_shape[-2:])

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean absolute error over the valid pixels."""
        return mean_of_valid((outputs - targets).abs().squeeze(2), targets.squeeze(2) > 0)

    def tally(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Sums of absolute and of relative errors, and the number of valid pixels."""
        valid = targets > 0
        errors = torch.where(valid, (outputs - targets).abs(), 0.0).double()
        relative = errors / torch.where(valid, targets, 1.0).double()
        number = valid.sum().to(torch.float64).expand(len(outputs))
        return torch.stack([total(errors), total(relative), number], -1)

    def measure(self, tally: Tensor) -> dict[str, Tensor]:
        """Means over the valid pixels."""
        return {metric.key: tally[:, i] / tally[:, 2] for i, metric in enumerate(self.metrics)}


@dataclass(frozen=True)
class Normals(Task):
    """The direction of the surface per pixel: one minus the cosine between the predicted vector and the target's.

    Targets are float32 [N, 3, H, W] of length 1; pixels whose target is the zero vector do not count. Angles are in
    degrees. The median comes from a histogram and is off by less than `WIDTH`.
    """

    n_outputs: int = 3

    dense: ClassVar[bool] = True

    WIDTH: ClassVar[float] = 0.05
    """Width of the histogram's bins, in degrees; all of `WITHIN` are multiples of it."""

    WITHIN: ClassVar[tuple[float, ...]] = (11.25, 22.5, 30.0)
    """Angles in degrees; a metric each is the share of pixels whose error is smaller (Eigen and Fergus 2015)."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """`mean_angle` and `median_angle` in degrees; `within_11`, `within_22` and `within_30`, shares in 0..1."""
        angles = (Metric(self.name, "mean_angle", "min"), Metric(self.name, "median_angle", "min"))
        return angles + tuple(Metric(self.name, f"within_{int(angle)}", "max") for angle in self.WITHIN)

    def target_shape(self, input_shape: Sequence[int]) -> tuple[int, ...]:
        """A unit vector per pixel."""
        return (3, *input_shape[-2:])

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean over the valid pixels of 1 - cosine, 0..2."""
        cosine = _dot(outputs, targets) / (_dot(outputs, outputs) + 1e-12).sqrt()
        return mean_of_valid(1 - cosine, _given(targets))

    def tally(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Sum of the angles, then their histogram: S = 1 + 180 / WIDTH."""
        # The arc cosine would lose half of the digits at small angles.
        across = torch.linalg.cross(outputs, targets.expand_as(outputs), dim=2)
        parts = zip(_dot(across, across).sqrt().double(), _dot(outputs, targets).double(), strict=True)
        # Member by member: the last bit of an arc tangent depends on where in its tensor an element stands.
        angles = torch.stack([torch.atan2(sine, cosine) for sine, cosine in parts]).rad2deg()
        n_bins = round(180 / self.WIDTH)
        bins = (angles / self.WIDTH).nan_to_num().long().clamp(max=n_bins - 1)
        valid = _given(targets)
        summed = total(torch.where(valid, angles, 0.0)).unsqueeze(-1)
        return torch.cat([summed, histogram(bins, n_bins, valid)], -1) + nan_unless_finite(outputs)

    def measure(self, tally: Tensor) -> dict[str, Tensor]:
        """Mean, median and shares; within a bin, angles are taken to be spread evenly."""
        counts = tally[:, 1:]
        number = counts.sum(-1)
        cumulative = counts.cumsum(-1)
        at = (cumulative < number.unsqueeze(-1) / 2).sum(-1, keepdim=True).clamp(max=counts.shape[-1] - 1)
        inside, upto = counts.gather(-1, at), cumulative.gather(-1, at)
        median = self.WIDTH * (at + 1 - (upto - number.unsqueeze(-1) / 2) / inside).squeeze(-1)
        within = [cumulative[:, round(angle / self.WIDTH) - 1] / number for angle in self.WITHIN]
        values = [tally[:, 0] / number, median, *within]
        return {metric.key: value for metric, value in zip(self.metrics, values, strict=True)}


def _dot(left: Tensor, right: Tensor) -> Tensor:
    """Inner products of vectors [..., 3, H, W]; element by element, as no sum over three is the same for all shapes."""
    x, y, z = (left * right).unbind(-3)
    return x + y + z


def _given(targets: Tensor) -> Tensor:
    """Which pixels of [..., 3, H, W] have a direction."""
    return (targets != 0).any(-3)
