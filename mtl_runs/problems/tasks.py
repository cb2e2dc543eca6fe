"""Tasks that predict something of the whole input: a class, whether something holds, or values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from lcode.table import Metric
from mtl_runs.problems.base import Task
from mtl_runs.problems.sums import histogram, nan_unless_finite


@dataclass(frozen=True)
class Classification(Task):
    """One of `n_outputs` classes: cross-entropy on the class indices, int64 [N]; `err`, the share of wrong answers."""

    target_dtype: ClassVar[torch.dtype] = torch.int64

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """`err`, 0..1."""
        return (Metric(self.name, "err", "min"),)

    def target_shape(self, input_shape: Sequence[int]) -> tuple[int, ...]:
        """A class index."""
        return ()

    def refuses(self, targets: Tensor, n_samples: int, input_shape: Sequence[int]) -> str | None:
        """Other shapes and types, and classes that there are not."""
        return super().refuses(targets, n_samples, input_shape) or _out_of_range(targets, self.n_outputs)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy, in nats."""
        return _cross_entropy(outputs, targets)

    def tally(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Wrong answers and answers."""
        wrong = (outputs.argmax(-1) != targets).to(torch.float64)
        return _sum_and_number(wrong) + nan_unless_finite(outputs)

    def measure(self, tally: Tensor) -> dict[str, Tensor]:
        """Wrong answers per answer."""
        (err,) = self.metrics
        return {err.key: tally[:, 0] / tally[:, 1]}


def _out_of_range(targets: Tensor, classes: int) -> str | None:
    """Why these cannot be class indices; None = they can."""
    if not targets.numel() or bool(((targets >= 0) & (targets < classes)).all()):
        return None
    return f"targets go from {int(targets.min())} to {int(targets.max())}; classes are 0 to {classes - 1}"


@dataclass(frozen=True)
class BinaryClassification(Task):
    """Whether something holds: binary cross-entropy of one logit on int64 [N] of 0 and 1; `err` and `auc`.

    `auc` is the area under the ROC curve, the chance that a positive gets a higher score than a negative. It is
    counted from a histogram of the scores with `BINS` bins, in which a tie counts half: its error is at most half the
    share of pairs that fall into one bin, for logits spread over a unit or more some 1e-4. Where one of the two
    classes is missing it is NaN.
    """

    n_outputs: int = 1

    target_dtype: ClassVar[torch.dtype] = torch.int64

    BINS: ClassVar[int] = 2048
    """Of equal width in x / (4 + |x|) for logits x: where positives are rare, bins of equal probability are coarse."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """`err`, 0..1 at the threshold p = 1/2, and `auc`, 0..1."""
        return (Metric(self.name, "err", "min"), Metric(self.name, "auc", "max"))

    def target_shape(self, input_shape: Sequence[int]) -> tuple[int, ...]:
        """0 or 1."""
        return ()

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean binary cross-entropy, in nats."""
        # As two classes, the logit of the first being 0: elementwise logarithms would differ in the last bit with the
        # place in the tensor, and so with the number of members.
        return _cross_entropy(torch.cat([torch.zeros_like(outputs), outputs], -1), targets)

    def tally(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Wrong answers, then a histogram of the scores of negatives and one of positives: S = 1 + 2·BINS."""
        logits = outputs.squeeze(-1).double()
        wrong = ((logits > 0) != (targets > 0)).to(torch.float64)
        scores = (0.5 + 0.5 * logits / (4 + logits.abs())).nan_to_num()
        bins = (scores * self.BINS).long().clamp(max=self.BINS - 1)
        counts = histogram(bins + self.BINS * targets, 2 * self.BINS)
        return torch.cat([wrong.sum(-1, keepdim=True), counts], -1) + nan_unless_finite(outputs)

    def measure(self, tally: Tensor) -> dict[str, Tensor]:
        """Wrong answers per answer, and the share of pairs of a negative and a positive that are in order."""
        err, auc = self.metrics
        negatives, positives = tally[:, 1:].unflatten(-1, (2, self.BINS)).unbind(1)
        below = negatives.cumsum(-1) - negatives / 2
        pairs = negatives.sum(-1) * positives.sum(-1)
        return {
            err.key: tally[:, 0] / tally[:, 1:].sum(-1),
            auc.key: (below * positives).sum(-1) / pairs,
        }


@dataclass(frozen=True)
class Regression(Task):
    """`n_outputs` values: squared error on float32 [N, n_outputs]; `rmse` over all values, in the targets' units."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """`rmse`."""
        return (Metric(self.name, "rmse", "min"),)

    def target_shape(self, input_shape: Sequence[int]) -> tuple[int, ...]:
        """The values."""
        return (self.n_outputs,)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean squared error over batch and values."""
        return (outputs - targets).square().mean(-1).mean(-1)

    def tally(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Sum over samples of the squared error, and samples."""
        return _sum_and_number((outputs.double() - targets.double()).square().mean(-1))

    def measure(self, tally: Tensor) -> dict[str, Tensor]:
        """Root of the mean squared error."""
        (rmse,) = self.metrics
        return {rmse.key: (tally[:, 0] / tally[:, 1]).sqrt()}


def _cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    """Mean over each member's batch: outputs [R, B, C], class indices [R, B]."""
    logarithms = functional.log_softmax(outputs, -1)
    return -logarithms.gather(-1, targets.unsqueeze(-1)).squeeze(-1).mean(-1)


def _sum_and_number(values: Tensor) -> Tensor:
    """The sum of each member's values [R, B], and their number: [R, 2]."""
    return torch.stack([values.sum(-1), torch.full_like(values[:, 0], values.shape[1])], -1)
