"""MetaGraspNet's layout: folders with made-up scenes are written here. The data themselves are not at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import lcode
from lcode.errors import InputError, UsageError
from mtl_runs import cli
from mtl_runs.problems import Problem, make_problem, memory, metagraspnet

Image = pytest.importorskip("PIL.Image")

SIZE = (12, 16)
CATEGORIES = (0, 3, 64, 82)
N_SCENES = 8


def write_view(scene: Path, view: int, mark: int, **changes: Any) -> Path:
    """A view with a bin of three objects; the mark is the red of its picture. A change of None leaves an array out."""
    generator = np.random.default_rng(mark)
    objects = np.zeros(SIZE, np.uint16)
    for number, corner in enumerate(generator.integers(0, 8, (3, 2)), start=1):
        objects[corner[0] : corner[0] + 4, corner[1] : corner[1] + 5] = number
    depth = generator.uniform(60, 80, SIZE).astype(np.float32)
    depth[0, :4] = np.nan
    arrays: dict[str, Any] = {
        "depth": depth,
        "instances_objects": objects,
        "instances_semantic": np.array(CATEGORIES)[objects],
        "occlusion": np.array([0, 0, 0.25, 0.5], np.float32)[objects],
        "occlusion_objects": np.ones((3, *SIZE), bool),
    }
    arrays = {name: values for name, values in (arrays | changes).items() if values is not None}
    scene.mkdir(parents=True, exist_ok=True)
    colours = np.full((*SIZE, 3), 60, np.uint8)
    colours[..., 0] = mark
    Image.fromarray(colours).save(scene / f"{view}_rgb.png")
    path = scene / f"{view}.npz"
    np.savez_compressed(path, allow_pickle=True, **arrays)
    return path


def write_scenes(folder: Path, n: int = N_SCENES, views: int = 2, **changes: Any) -> Path:
    """Scenes whose pictures are marked by 10 times the scene's number, plus the view's."""
    for scene in range(n):
        for view in range(views):
            write_view(folder / f"scene{scene}", view, 10 * scene + view, **changes)
    return folder


def marks(problem: Problem) -> list[list[int]]:
    """Which pictures are in the splits."""
    splits = (problem.train, problem.validation, problem.test)
    return [sorted((255 * split.inputs[:, 0].mean((1, 2))).round().int().tolist()) for split in splits]


def scenes_of(problem: Problem) -> list[set[int]]:
    return [{mark // 10 for mark in split} for split in marks(problem)]


@pytest.fixture
def bins(tmp_path: Path) -> Path:
    return write_scenes(tmp_path / "bins")


def test_synthetic_scenes(bins: Path) -> None:
    problem = make_problem(f"metagraspnet:{bins}?height=6")
    assert problem.input_shape == (3, 6, 8)
    assert [(task.name, task.n_outputs) for task in problem.tasks] == [
        ("semantic", 4),
        ("edges", 2),
        ("depth", 1),
        ("visible", 1),
    ]
    assert [len(split) for split in marks(problem)] == [12, 2, 2]
    assert len(problem.metrics) == 8


def test_targets_are_what_the_files_hold(bins: Path) -> None:
    problem = metagraspnet(bins, height=12)
    at = [round(255 * float(picture[0].mean())) for picture in problem.train.inputs]
    for i, mark in enumerate(at):
        with np.load(bins / f"scene{mark // 10}" / f"{mark % 10}.npz") as file:
            depth, objects, hidden = file["depth"], file["instances_objects"].astype(int), file["occlusion"]
        found = {task: values[i] for task, values in problem.train.targets.items()}
        # Categories are told apart by place: 0, 3, 64, 82.
        assert torch.equal(found["semantic"], torch.from_numpy(objects))
        torch.testing.assert_close(found["depth"][0], torch.from_numpy(np.nan_to_num(depth) / 100))
        assert (found["depth"][0, 0, :4] == 0).all() and (found["depth"][0, 1:] > 0.5).all()
        visible = np.where(objects > 0, 1 - hidden, 0)
        torch.testing.assert_close(found["visible"][0], torch.from_numpy(visible).float())
        padded = np.pad(objects, 1, mode="edge")
        around = [padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]]
        assert torch.equal(found["edges"].bool(), torch.from_numpy(np.any([objects != o for o in around], 0)))


def test_pictures_are_averaged_and_labels_sampled(tmp_path: Path) -> None:
    write_scenes(tmp_path, 3, 1)
    stripes = np.zeros((*SIZE, 3), np.uint8)
    stripes[::2] = 200
    for scene in range(3):
        Image.fromarray(stripes).save(tmp_path / f"scene{scene}" / "0_rgb.png")
    problem = metagraspnet(tmp_path, height=6)
    torch.testing.assert_close(problem.train.inputs, torch.full((1, 3, 6, 8), 100 / 255))
    assert set(problem.train.targets["semantic"].unique().tolist()) <= {0, 1, 2, 3}


@given(seed=st.integers(0, 1000), n=st.integers(3, 12))
@settings(max_examples=15, deadline=None)
def test_splits_share_no_scene_and_every_seed_has_the_same_test_scenes(
    seed: int, n: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp() / f"bins{n}"
    if not folder.exists():
        write_scenes(folder, n, 1)
    train, validation, test = scenes_of(metagraspnet(folder, height=3, seed=seed))
    assert len(train) + len(validation) + len(test) == n
    assert train | validation | test == set(range(n))
    assert len(validation) == len(test) >= 1
    assert test == scenes_of(metagraspnet(folder, height=3, seed=0))[2]


def test_the_seed_decides_what_is_validation_and_the_limit_is_per_split(bins: Path) -> None:
    assert len({tuple(scenes_of(metagraspnet(bins, height=3, seed=seed))[1]) for seed in range(8)}) > 1
    limited = metagraspnet(bins, height=3, limit=3)
    assert [len(split) for split in marks(limited)] == [3, 2, 2]
    assert marks(metagraspnet(bins, height=3, limit=3)) == marks(limited)


def test_real_scenes_have_views_without_labels_and_no_task_of_what_is_hidden(tmp_path: Path) -> None:
    for scene in range(4):
        level = tmp_path / f"level_{scene % 2}" / f"scene_2023_6_{scene}"
        write_view(level, 3, 10 * scene, occlusion=None, occlusion_objects=None)
        write_view(level, 28, 10 * scene + 1, occlusion=None, instances_objects=None, instances_semantic=None)
        np.savez(level / "3_amodal.npz", occlusion_bitmap_full_size=np.zeros(SIZE))
    problem = metagraspnet(tmp_path, height=6)
    assert [task.name for task in problem.tasks] == ["semantic", "edges", "depth"]
    assert sorted(mark for split in marks(problem) for mark in split) == [0, 10, 20, 30]


def test_categories_that_the_training_pictures_do_not_show_do_not_count(bins: Path) -> None:
    (held_out,) = scenes_of(metagraspnet(bins, height=12))[2]
    categories = np.full(SIZE, 90)
    categories[:6] = 64
    for view in range(2):
        write_view(bins / f"scene{held_out}", view, 10 * held_out + view, instances_semantic=categories)
    semantic = metagraspnet(bins, height=12).test.targets["semantic"]
    assert (semantic[:, 6:] == -1).all() and (semantic[:, :6] == 2).all()
    numbered = metagraspnet(bins, height=12, classes=91)
    assert numbered.tasks[0].n_outputs == 91
    assert (numbered.test.targets["semantic"][:, 6:] == 90).all()
    assert set(numbered.train.targets["semantic"].unique().tolist()) == set(CATEGORIES)
    with pytest.raises(
        InputError, match=r"instances_semantic goes to \d\d, expected 0 to 19; give classes=\d\d or more"
    ):
        metagraspnet(bins, height=12, classes=20)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"depth": np.zeros((12, 20))}, r"depth has the shape \[12, 20\], expected \[H, W\] with the proportions"),
        ({"instances_objects": np.zeros((3, *SIZE))}, r"instances_objects has the shape \[3, 12, 16\]"),
        ({"instances_semantic": np.full(SIZE, 0.5)}, "instances_semantic has other numbers than 0, 1, 2"),
        ({"instances_objects": np.full(SIZE, -1)}, "instances_objects has other numbers than 0, 1, 2"),
        ({"depth": np.full(SIZE, "far")}, "depth holds <U3, expected numbers"),
        ({"occlusion": np.full(SIZE, 40.0)}, "occlusion goes from 40 to 40 on objects, expected shares from 0 to 1"),
        ({"occlusion": np.full(SIZE, np.nan)}, "occlusion goes from nan to nan on objects"),
        ({"depth": np.full(SIZE, None)}, "cannot be read as arrays of numpy .*; unpack it again, or remove the view"),
        ({"occlusion": None}, "has no occlusion, which other views have; keep synthetic and real scenes in folders"),
    ],
)
def test_what_is_wrong_with_a_view_is_said(changes: dict[str, Any], message: str, bins: Path) -> None:
    write_view(bins / "scene3", 0, 30, **changes)
    with pytest.raises(InputError, match=rf"scene3.0.npz: {message}"):
        metagraspnet(bins, height=6)


def test_what_is_wrong_with_a_folder_is_said(bins: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"elsewhere: no folder of a scene, such as scene0; expected the layout of"):
        metagraspnet(bins / "elsewhere")
    with pytest.raises(InputError, match=r"2 scene\(s\): too few to hold some out twice, at least 3 are needed"):
        metagraspnet(write_scenes(tmp_path / "two", 2))
    with pytest.raises(InputError, match="no scene to train on has a view with depth, instances_objects and"):
        metagraspnet(write_scenes(tmp_path / "bare", instances_semantic=None))
    with pytest.raises(InputError, match="show no category: instances_semantic is 0 throughout"):
        metagraspnet(write_scenes(tmp_path / "empty", instances_semantic=np.zeros(SIZE, int)), classes=5)
    Image.new("RGB", (16, 16)).save(bins / "scene5" / "1_rgb.png")
    with pytest.raises(InputError, match=r"1_rgb.png: has other proportions than the first picture \(6 × 6 pixels"):
        metagraspnet(bins, height=6)
    (bins / "scene5" / "1_rgb.png").unlink()
    with pytest.raises(InputError, match=r"1_rgb.png: cannot be read as a picture"):
        metagraspnet(bins, height=6)
    (bins / "scene5" / "1.npz").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"1.npz: cannot be read as arrays of numpy"):
        metagraspnet(bins, height=6)


def test_nothing_is_unpickled(bins: Path) -> None:
    path = write_view(bins / "scene2", 1, 21, occlusion=np.full(SIZE, None))
    with pytest.raises(InputError, match="Object arrays cannot be loaded when allow_pickle=False"):
        metagraspnet(bins, height=6)
    assert path.exists()


def test_what_does_not_fit_is_refused_before_it_is_read(bins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "LARGEST", 50_000)
    with pytest.raises(UsageError, match="give a smaller height or a limit"):
        metagraspnet(bins, height=12)
    metagraspnet(bins, height=6)


@pytest.mark.parametrize("arch", ["cnn-4x2", "resnet-4x2"])
def test_networks_are_trained_on_it_from_the_command_line(
    arch: str, bins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "runs"
    arguments = ["train", "--problem", f"metagraspnet:{bins}?height=12", "--arch", arch, "--epochs", "3"]
    arguments += ["--batch-size", "4", "--lr", "0.01", "--features", "--test", "--out", str(out), "--run", "bin"]
    monkeypatch.setattr("sys.argv", ["mtl-runs", *arguments, "--device", "cpu"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    assert list(lcode.read_logs(out).runs.index) == ["bin"]
    epochs = [json.loads(line) for line in (out / "bin.jsonl").read_text().splitlines()[1:-1]]
    assert [epoch["epoch"] for epoch in epochs] == [1, 2, 3]
    assert {"semantic/miou", "edges/pixacc", "depth/abs_err", "visible/abs_err"} <= set(epochs[-1]["values"])
    losses = [sum(v for key, v in e["signals"].items() if key.endswith("/train_loss")) for e in epochs]
    assert losses[-1] < losses[0]
