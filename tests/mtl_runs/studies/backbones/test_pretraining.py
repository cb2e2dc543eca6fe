"""Filling in hidden squares: what counts, what is hidden, and that its network is what a training begins with."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mtl_runs.problems import scenes
from mtl_runs.studies.backbones.pretraining import GREY, HIDDEN, PATCH, TASK, Filling, pretrained, unlabelled
from mtl_runs.sweeps.logs import epoch_lines

SIDE = 8


def test_only_hidden_pixels_count() -> None:
    task = Filling(TASK)
    targets = torch.full((1, 2, 3, 1, 2), torch.nan)
    targets[0, 0, :, 0, 1] = torch.tensor([0.1, 0.2, 0.3])
    outputs = torch.full((1, 2, 3, 1, 2), 9.0, requires_grad=True)
    with torch.no_grad():
        outputs[0, 0, :, 0, 1] = torch.tensor([0.1, 0.5, 0.3])
    loss = task.loss(outputs, targets)
    (gradient,) = torch.autograd.grad(loss.sum(), outputs)
    assert loss.item() == pytest.approx(0.3**2 / 3)
    assert gradient.nonzero().tolist() == [[0, 0, 1, 0, 1]]
    # Of two batches, the sums add up: one pixel as above, and six that are right.
    right = torch.full((1, 3, 3, 1, 2), 0.2)
    tally = task.tally(outputs.detach(), targets[0]) + task.tally(right, right[0])
    assert task.measure(tally)[f"{TASK}/rmse"].item() == pytest.approx((0.3**2 / 3 / 7) ** 0.5)


def test_so_many_squares_of_unknown_scenes_are_hidden() -> None:
    problem = unlabelled(20, SIDE)
    split = problem.train
    hidden = ~split.targets[TASK].isnan()
    assert (hidden.flatten(1).double().mean(1) == HIDDEN).all()
    squares = hidden.unfold(2, PATCH, PATCH).unfold(3, PATCH, PATCH)
    assert squares.all((-1, -2)).equal(squares.any(-1).any(-1))
    assert split.inputs[hidden].eq(GREY).all() and not split.inputs[~hidden].eq(GREY).any()
    labelled = scenes(sizes=(20, 2, 1), side=SIDE).train.inputs
    assert not torch.where(hidden, split.targets[TASK], split.inputs).equal(labelled)
    assert len({tuple(one.flatten().tolist()) for one in hidden}) > 1


def test_networks_learn_to_fill_in_and_are_handed_over_by_seed(tmp_path: Path) -> None:
    def shared(*seeds: int) -> dict[int, torch.Tensor]:
        problem = unlabelled(200, SIDE)
        return pretrained("cnn-4x2", seeds, tmp_path, problem=problem, lr=1e-2, batch_size=20, epochs=3)

    found = shared(0, 3)
    assert {seed: tuple(values.shape) for seed, values in found.items()} == dict.fromkeys(
        (0, 3), (3 * 4 * 9 + 4 + 4 * 4 * 9 + 4,)
    )
    assert not found[0].equal(found[3])
    errors = [line["values"][f"{TASK}/rmse"] for line in epoch_lines(tmp_path, "cnn-4x2-s3").values()]
    assert errors[-1] < 0.9 * errors[0]
    times = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.jsonl")}
    again = shared(3)
    assert again[3].equal(found[3]) and {path: path.stat().st_mtime_ns for path in times} == times
