"""What a curve measures: the task, the metric's name, its direction and its bounds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Direction = Literal["min", "max"]

MAIN_TASK = "main"
"""The task of a curve whose column carries no task name; its key is the bare metric name."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Whole words of a metric's name, so that `accuracy_loss` is not taken for an accuracy: the last known word decides.
_MAX_WORDS = _words(
    "acc accuracy top1 top5 miou iou pixacc pix f1 auc auroc ap map precision recall r2 dice bleu psnr ssim ndcg hit "
    "score within kappa mcc pearson spearman kendall corr"
)
_MIN_WORDS = _words(
    "loss losses err error errors mae mse rmse mape rel relerr abserr ppl perplexity nll bce ce crossentropy xent "
    "logloss brier wer cer fid deg angle elbo_loss median_angle mean_angle"
)
_UNIT_WORDS = _words("acc accuracy top1 top5 miou iou pixacc f1 auc auroc ap map precision recall dice")


@dataclass(frozen=True, order=True)
class Metric:
    """One measured quantity of a run.

    Attributes:
        task: name of the task; `MAIN_TASK` where a run has a single unnamed one.
        name: name of the metric, such as `miou`.
        direction: whether smaller (`min`) or larger (`max`) values are better.
    """

    task: str
    name: str
    direction: Direction

    @property
    def key(self) -> str:
        """`task/name`, or just `name` for the unnamed task: the column name in a wide table."""
        return self.name if self.task == MAIN_TASK else f"{self.task}/{self.name}"

    @property
    def sign(self) -> int:
        """+1 where larger is better, -1 where smaller is."""
        return 1 if self.direction == "max" else -1


def split_key(key: str) -> tuple[str, str]:
    """Split `task/name` into its two parts; a bare name belongs to `MAIN_TASK`."""
    task, slash, name = key.rpartition("/")
    return (task, name) if slash and task else (MAIN_TASK, name)


def infer_direction(name: str) -> Direction | None:
    """Direction of a well-known metric from the words of its name, or None if none of them is known."""
    words = re.findall(r"[a-z0-9]+", name.lower())
    for word in reversed(words):
        if word in _MAX_WORDS:
            return "max"
        if word in _MIN_WORDS:
            return "min"
    return None


def is_unit_interval_name(name: str) -> bool:
    """Whether a metric of this name is a share of something: it lies in 0..1, or in 0..100 when given in per cent."""
    return any(word in _UNIT_WORDS for word in re.findall(r"[a-z0-9]+", name.lower()))
