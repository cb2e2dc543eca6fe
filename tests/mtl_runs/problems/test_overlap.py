"""Digits and fashion: pairs of pictures that overlap."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lcode.errors import DataNotFoundError, InputError
from mtl_runs.problems import Problem, fashion, make_problem, overlapping_digits, overlapping_fashion
from mtl_runs.problems.overlap import divide, overlap


@pytest.fixture(scope="module")
def digits() -> Problem:
    return make_problem("digits")


def test_digits_sizes_and_metrics(digits: Problem) -> None:
    assert [len(split) for split in (digits.train, digits.validation, digits.test)] == [2500, 1500, 1500]
    assert [metric.key for metric in digits.metrics] == ["left/err", "right/err", "sum/rmse"]
    assert all(metric.direction == "min" for metric in digits.metrics)


def test_digits_stay_the_same(digits: Problem) -> None:
    """Logs of earlier runs on this problem remain comparable."""
    assert digits.train.targets["left"][:8].tolist() == [8, 5, 2, 4, 6, 0, 4, 3]
    assert float(digits.test.inputs.double().sum()) == pytest.approx(54357.64, abs=0.01)


def test_digits_labels_are_right_where_they_are_clean(digits: Problem) -> None:
    targets = digits.validation.targets
    assert torch.equal(targets["left"] + targets["right"], targets["sum"].squeeze(-1).long())
    train = digits.train.targets
    wrong = (train["left"] + train["right"] != train["sum"].squeeze(-1).long()).float().mean()
    assert 0.05 < float(wrong) < 0.15


def test_digits_losses_have_different_scales(digits: Problem) -> None:
    left, _, total = digits.tasks
    n = len(digits.train)
    regression = total.loss(torch.zeros(1, n, 1), digits.train.targets["sum"][None])
    classification = left.loss(torch.zeros(1, n, 10), digits.train.targets["left"][None])
    assert float(regression) > 30 * float(classification)


def test_the_unit_of_the_sum() -> None:
    scaled = overlapping_digits(sum_unit=20.0)
    torch.testing.assert_close(20 * scaled.train.targets["sum"], overlapping_digits().train.targets["sum"])
    assert [task.name for task in overlapping_digits(sum_unit=None).tasks] == ["left", "right"]


def test_the_brighter_pixel_wins() -> None:
    images = np.stack([np.full((2, 2), 0.9), np.full((2, 2), 0.6)])
    pairs = overlap(images, np.array([4, 7]), 50, 3, noise=0.0, flipped=0.0, generator=np.random.default_rng(0))
    assert set(pairs.classes.ravel().tolist()) == {4, 7}
    ink = np.where(pairs.classes == 4, 0.9, 0.6).astype(np.float32)
    np.testing.assert_allclose(pairs.canvas[:, 0, 0, 0], ink[0])
    np.testing.assert_allclose(pairs.canvas[:, 0, 2, 2], ink[1])
    np.testing.assert_allclose(pairs.canvas[:, 0, 1, 1], ink.max(0))
    np.testing.assert_allclose(pairs.canvas[:, 0, 0, 2], 0)
    np.testing.assert_allclose(pairs.contested, 1 / 9)


def test_pictures_are_divided_before_they_are_paired() -> None:
    parts = divide(100, np.random.default_rng(0))
    assert [len(part) for part in parts] == [60, 20, 20]
    assert sorted(np.concatenate(parts)) == list(range(100))


def test_fashion_reads_the_installed_files(garments: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fashion, "INSTALLED", garments)
    problem = overlapping_fashion(sizes=(300, 200, 100), ink=True)
    assert problem.input_shape == (1, 18, 18)
    assert [len(split) for split in (problem.train, problem.validation, problem.test)] == [300, 200, 100]
    contested = problem.train.targets["contested"]
    assert 0 <= contested.min() < contested.max() <= 100 * 100 / 18**2


def test_fashion_says_where_it_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fashion, "INSTALLED", tmp_path / "nothing")
    monkeypatch.setenv("LCODE_DATA", str(tmp_path))
    (tmp_path / "fashion-mnist").mkdir()
    (tmp_path / "fashion-mnist" / "t10k-images-idx3-ubyte.gz").write_bytes(b"other")
    with pytest.raises(DataNotFoundError, match=r"sha256 .*or install Debian's package 'dataset-fashion-mnist'"):
        overlapping_fashion()


@pytest.mark.parametrize("content", [b"not compressed", b"\x1f\x8b\x08\x00\x00"])
def test_a_damaged_file_is_named(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(content)
    monkeypatch.setattr(fashion, "INSTALLED", tmp_path)
    with pytest.raises(InputError, match=r"t10k-images-idx3-ubyte.gz: not a gzip file"):
        overlapping_fashion()
