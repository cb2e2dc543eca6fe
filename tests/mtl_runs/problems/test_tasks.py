"""Losses and metrics against hand-made examples and slow references, and what holds for every kind of task."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from mtl_runs.problems import (
    BinaryClassification,
    Classification,
    Depth,
    Normals,
    Regression,
    Segmentation,
    Task,
)

TASKS = (
    Classification("c", 7),
    BinaryClassification("b"),
    Regression("r", 3),
    Regression("one", 1),
    Segmentation("s", 5),
    Depth("d"),
    Normals("n"),
)


def example(task: Task, members: int, batch: int, side: int = 5, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Outputs [R, B, ...] and targets [R, B, ...] with some invalid pixels."""
    generator = torch.Generator().manual_seed(seed)
    pixels = (side, side) if task.dense else ()
    outputs = torch.randn(members, batch, task.n_outputs, *pixels, generator=generator)
    shape = (members, batch, *task.target_shape((3, side, side)))
    if isinstance(task, Segmentation):
        return outputs, torch.randint(-1, task.n_outputs, shape, generator=generator)
    if task.target_dtype == torch.int64:
        return outputs, torch.randint(0, max(2, task.n_outputs), shape, generator=generator)
    targets = torch.randn(shape, generator=generator)
    if isinstance(task, Depth):
        targets = targets.clamp(min=0)
    if isinstance(task, Normals):
        missing = torch.rand(members, batch, 1, side, side, generator=generator) < 0.2
        targets = torch.where(missing, 0.0, functional.normalize(targets, dim=2))
    return outputs, targets


def measured(task: Task, outputs: Tensor, targets: Tensor) -> dict[str, float]:
    """Metrics of one member's outputs [B, ...], by the bare name."""
    values = task.measure(task.tally(outputs.unsqueeze(0), targets))
    return {key.partition("/")[2]: float(value) for key, value in values.items()}


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
@pytest.mark.parametrize("batch", [1, 6, 33])
def test_a_member_does_not_depend_on_the_others(task: Task, batch: int) -> None:
    outputs, targets = example(task, 5, batch)
    outputs.requires_grad_()
    losses = task.loss(outputs, targets)
    (gradients,) = torch.autograd.grad(losses.sum(), outputs)
    tally = task.tally(outputs.detach(), targets[0])
    for member in range(5):
        alone = outputs[member : member + 1].detach().clone().requires_grad_()
        loss = task.loss(alone, targets[member : member + 1])
        (gradient,) = torch.autograd.grad(loss.sum(), alone)
        assert torch.equal(loss, losses[member : member + 1])
        assert torch.equal(gradient, gradients[member : member + 1])
        assert torch.equal(task.tally(alone.detach(), targets[0]), tally[member : member + 1])


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
@given(cuts=st.lists(st.integers(1, 39), max_size=4), seed=st.integers(0, 5))
@settings(max_examples=10, deadline=None)
def test_tallies_add_up(task: Task, cuts: list[int], seed: int) -> None:
    outputs, targets = example(task, 2, 40, seed=seed)
    whole = task.tally(outputs, targets[0])
    bounds = [0, *sorted(set(cuts)), 40]
    parts = [task.tally(outputs[:, start:end], targets[0, start:end]) for start, end in pairwise(bounds)]
    assert whole.dtype == torch.float64
    torch.testing.assert_close(torch.stack(parts).sum(0), whole, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_diverged_member_has_no_metrics(task: Task) -> None:
    outputs, targets = example(task, 3, 8)
    outputs[1, 2] = torch.nan
    outputs[2, 3] = torch.inf
    values = task.measure(task.tally(outputs, targets[0]))
    assert list(values) == [metric.key for metric in task.metrics]
    for value in values.values():
        assert value.dtype == torch.float64
        assert torch.isfinite(value).tolist() == [True, False, False]


def test_classification_by_hand() -> None:
    task = Classification("a", 2)
    outputs = torch.tensor([[2.0, 1.0], [0.0, 1.0], [3.0, 1.0], [5.0, 1.0]])
    targets = torch.tensor([0, 1, 1, 1])
    assert measured(task, outputs, targets) == {"err": 0.5}
    expected = functional.cross_entropy(outputs, targets)
    torch.testing.assert_close(task.loss(outputs[None], targets[None]), expected[None])


def test_regression_by_hand() -> None:
    task = Regression("b", 1)
    outputs, targets = torch.tensor([[1.0], [2.0]]), torch.tensor([[4.0], [6.0]])
    assert measured(task, outputs, targets) == {"rmse": pytest.approx(12.5**0.5)}
    assert float(task.loss(outputs[None], targets[None])) == 12.5


def test_binary_by_hand() -> None:
    task = BinaryClassification("a")
    outputs = torch.tensor([[-1.0], [2.0], [0.5], [3.0]])
    targets = torch.tensor([0, 0, 1, 1])
    # Of the four pairs, only (2.0, 0.5) is the wrong way round.
    assert measured(task, outputs, targets) == {"err": 0.25, "auc": 0.75}
    expected = functional.binary_cross_entropy_with_logits(outputs[:, 0], targets.float())
    torch.testing.assert_close(task.loss(outputs[None], targets[None]), expected[None])


@given(seed=st.integers(0, 100), spread=st.floats(0.5, 20), shift=st.floats(-6, 6))
@settings(max_examples=25, deadline=None)
def test_auc_is_the_share_of_pairs_in_order(seed: int, spread: float, shift: float) -> None:
    generator = np.random.default_rng(seed)
    targets = generator.random(300) < 0.15
    scores = shift + spread * (generator.normal(0, 1, 300) + targets)
    ahead = (scores[targets][:, None] > scores[~targets]).mean() if targets.any() else np.nan
    outputs = torch.from_numpy(scores[:, None].astype(np.float32))
    found = measured(BinaryClassification("a"), outputs, torch.from_numpy(targets.astype(np.int64)))
    assert found["auc"] == pytest.approx(ahead, abs=3e-3, nan_ok=True)


def test_auc_of_a_constant_and_of_one_class() -> None:
    task = BinaryClassification("a")
    assert measured(task, torch.zeros(4, 1), torch.tensor([0, 1, 0, 1]))["auc"] == 0.5
    assert math.isnan(measured(task, torch.zeros(4, 1), torch.zeros(4, dtype=torch.int64))["auc"])


def test_segmentation_by_hand() -> None:
    task = Segmentation("a", 3)
    labels = torch.tensor([[[0, 0, 1], [1, -1, 0]]])
    predicted = torch.tensor([[[0, 1, 1], [1, 2, 0]]])
    outputs = functional.one_hot(predicted, 3).movedim(-1, 1).float()
    # Class 0: 2 of 3, class 1: 2 of 3; class 2 is predicted on the unlabelled pixel only and does not count.
    assert measured(task, outputs, labels) == {"miou": pytest.approx(2 / 3), "pixacc": pytest.approx(4 / 5)}
    expected = functional.cross_entropy(outputs, labels, ignore_index=-1)
    torch.testing.assert_close(task.loss(outputs[None], labels[None]), expected[None])


def test_miou_against_sets_of_pixels() -> None:
    task = Segmentation("a", 5)
    outputs, targets = example(task, 1, 9)
    predicted, labels = outputs[0].argmax(1), targets[0]
    shares = []
    for label in range(5):
        ours = {tuple(at) for at in ((predicted == label) & (labels >= 0)).nonzero().tolist()}
        theirs = {tuple(at) for at in (labels == label).nonzero().tolist()}
        shares.append(len(ours & theirs) / len(ours | theirs))
    assert measured(task, outputs[0], labels)["miou"] == pytest.approx(sum(shares) / 5)


def test_depth_by_hand() -> None:
    task = Depth("a")
    targets = torch.tensor([[[[2.0, 0.0], [4.0, 1.0]]]])
    outputs = torch.tensor([[[[3.0, 9.0], [2.0, 1.0]]]])
    assert measured(task, outputs, targets) == {"abs_err": pytest.approx(1), "rel_err": pytest.approx(1 / 3)}
    assert float(task.loss(outputs[None], targets[None])) == 1.0
    assert float(task.loss(outputs[None], torch.zeros_like(targets)[None])) == 0.0


def test_normals_by_hand() -> None:
    task = Normals("a")
    angles = torch.tensor([0.0, 10.0, 20.0, 25.0, 90.0, 180.0]).deg2rad()
    outputs = 3 * torch.stack([angles.sin(), torch.zeros(6), angles.cos()])[None, :, None]
    targets = torch.tensor([0.0, 0.0, 1.0]).view(1, 3, 1, 1).repeat(1, 1, 1, 6)
    values = measured(task, outputs, targets)
    assert values["mean_angle"] == pytest.approx(325 / 6, abs=1e-4)
    assert values["within_11"] == pytest.approx(2 / 6)
    assert values["within_22"] == pytest.approx(3 / 6)
    assert values["within_30"] == pytest.approx(4 / 6)
    assert float(task.loss(outputs[None], targets[None])) == pytest.approx(float((1 - angles.cos()).mean()), abs=1e-6)
    targets[..., 3:] = 0
    assert measured(task, outputs, targets)["median_angle"] == pytest.approx(10, abs=Normals.WIDTH)


def test_angles_against_the_arc_cosine() -> None:
    task = Normals("a")
    outputs, targets = example(task, 1, 40, side=7)
    given = targets[0].norm(dim=1) > 0.5
    cosine = functional.cosine_similarity(outputs[0].double(), targets[0].double(), dim=1)[given]
    angles = cosine.clamp(-1, 1).acos().rad2deg().numpy()
    values = measured(task, outputs[0], targets[0])
    assert values["mean_angle"] == pytest.approx(angles.mean(), abs=1e-4)
    assert values["median_angle"] == pytest.approx(np.median(angles), abs=Normals.WIDTH)
    for limit, name in ((11.25, "within_11"), (22.5, "within_22"), (30.0, "within_30")):
        assert values[name] == pytest.approx((angles < limit).mean(), abs=1e-3)
    torch.testing.assert_close(task.loss(outputs, targets)[0].double(), (1 - cosine).mean(), rtol=1e-5, atol=1e-6)


def test_directions() -> None:
    assert {metric.name: metric.direction for task in TASKS for metric in task.metrics} == {
        "err": "min",
        "auc": "max",
        "rmse": "min",
        "miou": "max",
        "pixacc": "max",
        "abs_err": "min",
        "rel_err": "min",
        "mean_angle": "min",
        "median_angle": "min",
        "within_11": "max",
        "within_22": "max",
        "within_30": "max",
    }
