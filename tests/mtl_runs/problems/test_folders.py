"""Folders in the layout of others: tiny ones are written here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lcode.errors import InputError, UsageError
from mtl_runs.problems import Normals, Problem, celeba, make_problem, memory, nyuv2
from mtl_runs.problems.celeba import ATTRIBUTES, PARTITION, PICTURES

N_TRAIN, N_VAL = 10, 4


def write_mtan(folder: Path, labels: str, n_classes: int, normals: bool) -> None:
    generator = np.random.default_rng(0)
    for part, n in (("train", N_TRAIN), ("val", N_VAL)):
        for i in range(n):
            # The picture's number is in its red channel, so that it can be found again.
            image = generator.random((12, 16, 3))
            image[..., 0] = (i + (100 if part == "val" else 0)) / 1000
            vectors = generator.normal(0, 1, (12, 16, 3))
            vectors[:2] = 0
            arrays = {
                "image": image,
                labels: generator.integers(-1, n_classes, (12, 16)).astype(float),
                "depth": generator.uniform(0.5, 9, (12, 16, 1)) * (generator.random((12, 16, 1)) < 0.8),
            }
            if normals:
                arrays["normal"] = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
            for kind, values in arrays.items():
                path = folder / part / kind / f"{i}.npy"
                path.parent.mkdir(parents=True, exist_ok=True)
                np.save(path, values)


@pytest.fixture
def indoors(tmp_path: Path) -> Path:
    write_mtan(tmp_path, "label", 13, normals=True)
    return tmp_path


def numbers(problem: Problem) -> list[list[int]]:
    """Which pictures are in the splits; those of `val` from 100 on."""
    splits = (problem.train, problem.validation, problem.test)
    return [sorted((1000 * split.inputs[:, 0].mean((1, 2))).round().int().tolist()) for split in splits]


def test_nyuv2(indoors: Path) -> None:
    problem = make_problem(f"nyuv2:{indoors}?height=6")
    assert problem.name == f"nyuv2:{indoors}?height=6"
    assert problem.input_shape == (3, 6, 8)
    assert [(task.name, task.n_outputs) for task in problem.tasks] == [("semantic", 13), ("depth", 1), ("normal", 3)]
    assert len(problem.metrics) == 9
    length = problem.train.targets["normal"].norm(dim=1)
    assert isinstance(problem.tasks[2], Normals)
    assert ((length - 1).abs().lt(1e-5) | length.eq(0)).all()
    assert (length == 0).any()


def test_validation_is_split_off_their_training_pictures(indoors: Path) -> None:
    train, validation, test = numbers(nyuv2(indoors, height=6))
    assert sorted(train + validation) == list(range(N_TRAIN))
    assert len(validation) == 2
    assert test == [100 + i for i in range(N_VAL)]
    assert numbers(nyuv2(indoors, height=6, seed=1))[1] != validation


def test_a_limit_takes_some_of_both_parts(indoors: Path) -> None:
    sizes = [len(split) for split in numbers(nyuv2(indoors, height=6, limit=3))]
    assert sizes == [2, 1, 3]


def test_pictures_are_averaged_and_labels_sampled(indoors: Path) -> None:
    problem = nyuv2(indoors, height=6, seed=0)
    at = numbers(problem)[2].index(101)
    found = [i for i in range(N_VAL) if round(1000 * float(problem.test.inputs[i, 0].mean())) == 101]
    image = np.load(indoors / "val" / "image" / "1.npy").reshape(6, 2, 8, 2, 3).mean((1, 3))
    torch.testing.assert_close(problem.test.inputs[found[0]], torch.from_numpy(image).float().permute(2, 0, 1))
    labels = np.load(indoors / "val" / "label" / "1.npy")
    assert torch.equal(problem.test.targets["semantic"][found[0]], torch.from_numpy(labels[::2, ::2]).long())
    assert at == 1


@pytest.mark.parametrize(("labels", "query"), [("label_7", ""), ("label_19", "&classes=19"), ("label", "")])
def test_cityscapes(labels: str, query: str, tmp_path: Path) -> None:
    write_mtan(tmp_path, labels, 19 if "19" in labels else 7, normals=False)
    problem = make_problem(f"cityscapes:{tmp_path}?height=12{query}")
    assert problem.input_shape == (3, 12, 16)
    assert [task.name for task in problem.tasks] == ["semantic", "depth"]
    assert problem.tasks[0].n_outputs == (19 if query else 7)


def test_what_is_wrong_with_a_folder_is_said(indoors: Path) -> None:
    with pytest.raises(InputError, match=r"no files such as 0.npy; expected the layout of MTAN"):
        nyuv2(indoors / "elsewhere")
    np.save(indoors / "train" / "label" / "3.npy", np.full((12, 16), 40.0))
    with pytest.raises(InputError, match=r"label.3.npy: labels from 40 to 40, expected -1 to 12"):
        nyuv2(indoors, height=12)
    np.save(indoors / "train" / "label" / "3.npy", np.zeros((12, 16, 2)))
    with pytest.raises(InputError, match=r"shape \[12, 16, 2\], expected \[height, width, 1\]"):
        nyuv2(indoors, height=12)
    (indoors / "train" / "label" / "3.npy").write_bytes(b"")
    with pytest.raises(InputError, match="cannot be read as an array"):
        nyuv2(indoors, height=12)
    (indoors / "train" / "label" / "3.npy").unlink()
    with pytest.raises(InputError, match=r"3.npy: missing, though there is an image of this number"):
        nyuv2(indoors, height=12)


def test_one_picture_cannot_be_divided(indoors: Path) -> None:
    with pytest.raises(InputError, match="too few to hold some out"):
        nyuv2(indoors, limit=1)


def test_what_does_not_fit_is_refused_before_it_is_read(indoors: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "LARGEST", 50_000)
    with pytest.raises(UsageError, match="give a smaller height or a limit"):
        nyuv2(indoors, height=12)
    nyuv2(indoors, height=3)


def write_celeba(folder: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    names = ["Bald", "5_o_Clock_Shadow"]
    (folder / PICTURES).mkdir()
    rows, parts = [], []
    for i in range(1, 13):
        file = f"{i:06d}.png"
        image.new("RGB", (18, 22), (20 * i, 0, 255)).save(folder / PICTURES / file)
        rows.append(f"{file}  {1 if i % 2 else -1} -1")
        parts.append(f"{file} {(i - 1) // 4}")
    (folder / ATTRIBUTES).write_text("\n".join(["12", " ".join(names), *rows]) + "\n")
    (folder / PARTITION).write_text("\n".join(parts) + "\n")


def test_celeba(tmp_path: Path) -> None:
    write_celeba(tmp_path)
    problem = make_problem(f"celeba:{tmp_path}?height=11")
    assert problem.input_shape == (3, 11, 9)
    assert [task.name for task in problem.tasks] == ["Bald", "5_o_Clock_Shadow"]
    assert [len(split) for split in (problem.train, problem.validation, problem.test)] == [4, 4, 4]
    split = problem.validation
    number = (255 * split.inputs[:, 0].mean((1, 2)) / 20).round().long()
    assert sorted(number.tolist()) == [5, 6, 7, 8]
    assert torch.equal(split.targets["Bald"], number % 2)
    assert split.targets["5_o_Clock_Shadow"].sum() == 0
    torch.testing.assert_close(split.inputs[:, 2], torch.ones(4, 11, 9))
    assert len(celeba(tmp_path, limit=3).train) == 3


def test_what_is_wrong_with_celeba_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"list_attr_celeba.txt: cannot be read"):
        celeba(tmp_path)
    write_celeba(tmp_path)
    partition = tmp_path / PARTITION
    good = partition.read_text()
    partition.write_text(good.replace("000003.png 0", "000003.png 5"))
    with pytest.raises(InputError, match="line 3: expected a picture and 0, 1 or 2"):
        celeba(tmp_path)
    partition.write_text(good.replace("000003.png", "x.png"))
    with pytest.raises(InputError, match=r"line 3: 'x.png' is not in list_attr_celeba.txt"):
        celeba(tmp_path)
    partition.write_text(good.replace(" 2", " 1"))
    with pytest.raises(InputError, match="has no picture"):
        celeba(tmp_path)
    partition.write_text(good)
    (tmp_path / PICTURES / "000002.png").unlink()
    with pytest.raises(InputError, match=r"000002.png: cannot be read as a picture"):
        celeba(tmp_path)
    attributes = tmp_path / ATTRIBUTES
    attributes.write_text(attributes.read_text().replace("1 -1", "1 0", 1))
    with pytest.raises(InputError, match="line 3: expected a picture and 2 times 1 or -1"):
        celeba(tmp_path)
