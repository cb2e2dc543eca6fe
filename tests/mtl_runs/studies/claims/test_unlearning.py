"""A network that has learned all digits is made to forget one."""

from __future__ import annotations

from dataclasses import replace
from math import log
from pathlib import Path

import pytest
import torch

from mtl_runs.problems import Classification
from mtl_runs.studies.arms import conduct
from mtl_runs.studies.claims.plan import unlearning
from mtl_runs.studies.claims.unlearning import NOT_MINE, Forgotten, Kept, forgetting, kept_score, landmarks


def test_each_task_looks_at_its_own_samples() -> None:
    logits = torch.tensor([[[0.0, 0.0, 0.0], [5.0, 0.0, 0.0], [0.0, 9.0, 0.0]]])
    kept, forgotten = torch.tensor([[1, NOT_MINE, NOT_MINE]]), torch.tensor([[NOT_MINE, NOT_MINE, 1]])
    assert Kept("keep", 3).loss(logits, kept).item() == pytest.approx(log(3))
    right = Classification("forget", 3).loss(logits[:, 2:], forgotten[:, 2:]).item()
    assert Forgotten("forget", 3).loss(logits, forgotten).item() == pytest.approx(-right)
    assert Kept("keep", 3).loss(logits, torch.full((1, 3), NOT_MINE)).item() == 0
    tally = Kept("keep", 3).tally(logits, torch.tensor([1, NOT_MINE, 1]))
    assert tally.tolist() == [[1.0, 2.0]]  # of two answers, the first class is a tie that goes to 0


def test_samples_are_divided_between_the_tasks() -> None:
    problem = forgetting(13)
    for split in (problem.train, problem.validation, problem.test):
        assert ((split.targets["keep"] == NOT_MINE) != (split.targets["forget"] == NOT_MINE)).all()
        assert set(split.targets["forget"].tolist()) == {3, NOT_MINE}


def test_what_is_kept_counts_less_what_is_not_forgotten() -> None:
    assert kept_score({"keep/err": 0.25, "forget/err": 0.95}) == 0.75
    assert kept_score({"keep/err": 0.25, "forget/err": 0.4}) == pytest.approx(0.25)


def test_a_digit_is_forgotten_and_the_others_are_not(tmp_path: Path) -> None:
    whole = unlearning(4)
    arms = {name: replace(whole.arms[name], candidates=whole.arms[name].candidates[3:4]) for name in ("NGDiff",)}
    experiment = replace(whole, arms=arms, seeds=(2,))
    results = conduct(experiment, tmp_path)
    marks = landmarks(2)
    assert marks["before"]["forget/err"] < 0.5 < 0.9 < results["forget/err"].item()
    assert marks["never seen"]["forget/err"] == 1
    assert results["score"].item() == pytest.approx(100 * (1 - results["keep/err"].item()))
    assert results["keep/err"].item() < 0.5
