"""What the tools left, kept under data/ with the scripts that wrote it, and what is read of it."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from lcode.readers.loggers import LOGGERS, Logged
from lcode.readers.read import read_logs

DATA = Path(__file__).parent / "data"


def runs_in(tool: str, folder: Path) -> list[Logged]:
    reader = LOGGERS[tool]
    mine = [path for path in sorted(folder.rglob("*")) if reader.sniff(path)]
    assert mine, "no file is claimed"
    return list(reader.read(mine))


def cells(run: Logged, *names: str) -> dict[str, list[Any]]:
    return {name: column.to_pylist() for name, column in run.columns.items() if not names or name in names}


@pytest.mark.parametrize(
    ("tool", "file"),
    [
        ("Ray Tune", "ray_tune/asha/train_6c3c0_00001_1_lr=0.0100_2026-11-28_07-22-15/result.json"),
        ("MMEngine", "mmengine/iterations/lr_0.0001/20261128_073733/vis_data/scalars.json"),
        ("Hugging Face", "huggingface/epochs/trainer_state.json"),
        ("MACE", "mace/water/results/water_run-0_train.txt"),
    ],
)
def test_a_file_that_was_copied_under_another_name_is_known_by_what_it_holds(
    tmp_path: Path, tool: str, file: str
) -> None:
    original = DATA / file
    copy = Path(shutil.copy(original, tmp_path / f"07-mine{original.suffix}"))
    one, other = read_logs(copy), read_logs(original)
    assert one.reading is not None and one.reading.sources == {tool: 1}
    assert one.run_ids == ("07-mine",)
    told = [table.points[["epoch", "metric", "value"]].astype({"metric": str}) for table in (one, other)]
    assert told[0].equals(told[1])


def test_ray_tune() -> None:
    runs = runs_in("ray-tune", DATA / "ray_tune")
    assert [run.status for run in runs] == ["failed", "finished", "stopped", "stopped"]
    best = runs[1]
    assert best.run.startswith("train_") and best.run.endswith("_00001")
    assert best.axis == "training_iteration"
    assert best.config == {"lr": 0.01, "model.dropout": 0.1, "epochs": 4, "crash": 0}
    assert list(best.columns) == ["val/seg_miou", "val/depth_err", "train_loss", "training_iteration", "only_later"]
    assert cells(best, "training_iteration", "only_later") == {
        "training_iteration": [1, 2, 3, 4],
        "only_later": [None, None, pytest.approx(1 / 3), 0.25],
    }


def test_progress_csv_of_ray_tune_says_the_same(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(DATA / "ray_tune", tmp_path / "ray"))
    for path in folder.rglob("result.json"):
        path.write_bytes(b"")
    for from_csv, from_json in zip(runs_in("ray-tune", folder), runs_in("ray-tune", DATA / "ray_tune"), strict=True):
        assert from_csv.config == from_json.config
        assert cells(from_csv, "val/seg_miou") == cells(from_json, "val/seg_miou")
        assert (from_csv.run, from_csv.status, from_csv.axis) == (from_json.run, from_json.status, from_json.axis)
        assert set(from_csv.columns) <= set(from_json.columns)


def test_configuration_of_ray_tune_from_its_rows(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(DATA / "ray_tune", tmp_path / "ray"))
    for path in folder.rglob("params.json"):
        path.unlink()
    assert runs_in("ray-tune", folder)[1].config["model.dropout"] == 0.1


def test_syne_tune() -> None:
    runs = runs_in("syne-tune", DATA / "syne_tune")
    by_name = {run.run: run for run in runs}
    assert {name.split("/")[0] for name in by_name} == {"asha"}
    stopped = by_name["asha/2"]
    assert (stopped.status, stopped.axis, stopped.horizon) == ("stopped", "epoch", 4)
    assert stopped.directions == {"seg_miou": "max"}
    assert stopped.config == {"lr": pytest.approx(0.000807, rel=1e-3), "balancer": "pcgrad", "epochs": 4}
    assert cells(stopped) == {
        "epoch": [1, 2],
        "seg_miou": pytest.approx([0.38778, 0.41898], abs=1e-5),
        "depth_err": pytest.approx([0.85350, 0.80670], abs=1e-5),
    }
    assert by_name["asha/0"].status == "finished", "told to stop at the end of its budget"


@pytest.mark.parametrize(("name", "value"), [("time_attr", ["epoch"]), ("time_attr", {}), ("max_t", 10**40)])
def test_what_cannot_be_in_syne_tunes_metadata_is_passed_over(tmp_path: Path, name: str, value: object) -> None:
    shutil.copytree(DATA / "syne_tune" / "asha", tmp_path / "asha")
    (path,) = tmp_path.rglob("metadata.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), name: value}))
    assert {run.axis for run in runs_in("syne-tune", tmp_path)} == {"epoch"}


def test_stable_baselines3() -> None:
    first, _ = runs_in("stable-baselines3", DATA / "stable_baselines3")
    assert (first.axis, first.run, first.lines) == ("time/total_timesteps", "", list(range(2, 11)))
    assert cells(first, "time/total_timesteps")["time/total_timesteps"][:4] == [256, 512, 512, 768]
    assert cells(first, "eval/mean_reward")["eval/mean_reward"][:3] == [None, 101.5, None]


@pytest.mark.parametrize(
    ("folder", "horizon", "epochs", "lr0"),
    [
        ("detect/train1", 4, [1, 2, 3, 4], 1e-4),
        ("older/v8.0", 4, [1, 2, 3, 4], 1e-4),
        ("older/yolov5", 3, [0, 1, 2, 3], 0.1),
    ],
)
def test_ultralytics(folder: str, horizon: int, epochs: list[int], lr0: float) -> None:
    (run,) = runs_in("ultralytics", DATA / "ultralytics" / folder)
    assert (run.horizon, run.axis, cells(run, "epoch")["epoch"]) == (horizon, "epoch", epochs)
    assert run.config["lr0"] == lr0
    assert not {"name", "project", "save_dir"} & set(run.config)
    names = ["metrics/mAP50(B)", "val/box_loss"] if lr0 < 0.1 else ["metrics/mAP_0.5", "x/lr0"]
    assert set(names) <= set(run.columns)


def test_hours_instead_of_epochs_plan_no_epoch(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(DATA / "ultralytics" / "detect", tmp_path / "detect"))
    path = folder / "train1" / "args.yaml"
    path.write_text(path.read_text().replace("time: null", "time: 2.5"))
    assert runs_in("ultralytics", folder)[0].horizon is None


@pytest.fixture
def mmengine(tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(DATA / "mmengine", tmp_path / "mm"))
    for path in folder.rglob("config.txt"):
        path.rename(path.with_suffix(".py"))
    return folder


def test_mmengine(mmengine: Path) -> None:
    plain, resumed, by_iteration = runs_in("mmengine", mmengine)
    assert (plain.run, plain.axis, plain.horizon) == ("lr_0.0001", "epoch", 4)
    assert (plain.config["optim_wrapper.optimizer.lr"], plain.config["train_cfg.by_epoch"]) == (0.0001, True)
    assert "work_dir" not in plain.config
    found = cells(plain)
    assert found["epoch"][:6] == [1, 1, 1, 2, 2, 2]
    assert found["iter"][:6] == [3, 6, None, 9, 12, None]
    assert [value is None for value in found["val/seg/mIoU"][:3]] == [True, True, False]
    assert [value is None for value in found["train/loss"][:3]] == [False, False, True]
    assert len([value for value in found["val/depth/abs_err"] if value is not None]) == 4
    assert (resumed.run, cells(resumed, "epoch")) == ("lr_0.1", cells(plain, "epoch"))
    assert (by_iteration.axis, by_iteration.horizon) == ("iter", 24)
    assert cells(by_iteration, "iter")["iter"][:4] == [3, 6, 6, 9]


def test_starts_of_mmengine_from_the_beginning_are_runs_of_their_own(mmengine: Path) -> None:
    first, second = sorted((mmengine / "epochs" / "lr_0.1").iterdir())
    shutil.copy(first / "vis_data" / "scalars.json", second / "vis_data" / "scalars.json")
    names = [run.run for run in runs_in("mmengine", mmengine / "epochs" / "lr_0.1")]
    assert names == [f"lr_0.1/{first.name}", f"lr_0.1/{second.name}"]


def test_the_copy_that_mmengine_makes_is_not_read_twice(mmengine: Path) -> None:
    copies = sorted(mmengine.rglob("2*.json"))
    assert len(copies) == 4
    assert len(list(LOGGERS["mmengine"].read(copies))) == len(runs_in("mmengine", mmengine)) == 3


def test_mmcv(tmp_path: Path) -> None:
    log = tmp_path / "mask_rcnn" / "20220101_000000.log.json"
    log.parent.mkdir()
    log.write_text(
        '{"env_info": "sys.platform: linux", "seed": 0, "exp_name": "mask_rcnn.py"}\n'
        '{"mode": "train", "epoch": 1, "iter": 50, "lr": 0.1, "loss": 2.5, "acc": 90.0, "memory": 100}\n'
        '{"mode": "val", "epoch": 1, "iter": 10, "lr": 0.1, "bbox_mAP": 0.2, "bbox_mAP_copypaste": "0.2 0.3"}\n'
        '{"mode": "train", "epoch": 2, "iter": 50, "lr": 0.1, "loss": 2.0, "acc": 91.0, "memory": 100}\n'
    )
    log.with_name("mask_rcnn.py").write_text("lr = 0.1\nrunner = dict(type='EpochBasedRunner', max_epochs=12)\n")
    (run,) = runs_in("mmengine", tmp_path)
    assert (run.run, run.axis, run.horizon, run.config["lr"]) == ("mask_rcnn", "epoch", 12, 0.1)
    assert cells(run, "epoch", "train/acc", "val/bbox_mAP") == {
        "epoch": [1, 1, 2],
        "train/acc": [90.0, None, 91.0],
        "val/bbox_mAP": [None, 0.2, None],
    }


def test_a_configuration_of_python_is_never_run(mmengine: Path) -> None:
    for path in mmengine.rglob("config.py"):
        path.write_text(
            f"{path.read_text()}\nraise SystemExit\nopen('made', 'w').write(str(1 / 0))\nx = [i for i in y]\n"
        )
    assert runs_in("mmengine", mmengine)[0].horizon == 4


def test_detectron2() -> None:
    run = runs_in("detectron2", DATA / "detectron2")[0]
    assert (run.axis, run.horizon) == ("iteration", 200)
    assert run.config == {"MODEL.MASK_ON": True, "SOLVER.BASE_LR": 0.0001, "SOLVER.MAX_ITER": 200}
    found = cells(run, "iteration", "bbox/AP")
    assert found["iteration"][:3] == [19, 39, 59] and found["iteration"][-1] == 200
    assert [value is not None for value in found["bbox/AP"][:3]] == [False, True, False]


def test_mace() -> None:
    heads, first, _ = runs_in("mace", DATA / "mace")
    assert (first.run, first.axis, first.horizon) == ("water_run-0", "epoch", 3)
    assert (first.config["lr"], first.config["r_max"], first.config["seed"]) == (0.0001, 5.0, 0)
    assert list(first.columns) == ["epoch", "train/loss", "val/loss", "val/e_per_atom/mae", "val/f/rmse"]
    assert cells(first, "epoch")["epoch"] == [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4
    assert {"val/pt_head/f/rmse", "val/f/rmse"} <= set(heads.columns)


def test_nequip() -> None:
    first, second = runs_in("nequip", DATA / "nequip")
    assert cells(first, "epoch", "val/f/mae") == {
        "epoch": [1, 2, 3, 4],
        "val/f/mae": pytest.approx([1.2572, 1.0646, 0.94912, 0.79153]),
    }
    assert first.lines == [2, 3, 5, 6], "the header stands there again where it was taken up"
    assert (second.horizon, second.config["learning_rate"]) == (4, 0.01)
    assert {"train/loss", "train/f/loss", "val/e/mae", "LR", "wall"} <= set(second.columns)


def test_libmtl() -> None:
    tested, first, _ = runs_in("libmtl", DATA / "libmtl")
    assert (first.run, first.axis, first.status) == ("EW_0", "epoch", "finished")
    assert cells(first, "epoch", "val/surface_normal/<11.25", "train/depth/loss") == {
        "epoch": [0, 1, 2, 3],
        "val/surface_normal/<11.25": [0.188, 0.3181, 0.4281, 0.4999],
        "train/depth/loss": [1.0, 0.7832, 0.5998, 0.4802],
    }
    assert len(first.columns) == 1 + 3 * 8
    assert len(tested.columns) == 1 + 2 * 8


def test_libmtl_among_other_output(tmp_path: Path) -> None:
    text = (DATA / "libmtl" / "tested" / "MGDA_2.log").read_text()
    text = text.replace(" | TEST:", " | \nUserWarning: lr_scheduler.step() before optimizer.step()\n  warn()\nTEST:")
    path = tmp_path / "slurm-17.out"
    path.write_text(f"100%|█| 5/5 [00:01]\r{text}")
    (run,) = runs_in("libmtl", tmp_path)
    (plain, *_) = runs_in("libmtl", DATA / "libmtl")
    assert repr(cells(run)) == repr(cells(plain))
    assert run.run == "slurm-17"


def test_nan_of_libmtl() -> None:
    run = runs_in("libmtl", DATA / "libmtl" / "validated")[1]
    assert math.isnan(cells(run)["val/depth/abs_err"][2])


def test_rllib(tmp_path: Path) -> None:
    trial = tmp_path / "PPO" / "PPO_CartPole-v1_0a1b2_00000_0_2026-01-01_00-00-00"
    trial.mkdir(parents=True)
    row = (
        '{{"env_runners": {{"episode_return_mean": {0}, "episode_lengths": [1, 2]}}, "learners": {{"default_policy": '
        '{{"total_loss": {1}}}}}, "training_iteration": {2}, "trial_id": "default", "date": "x", "time_total_s": 1.0, '
        '"config": {{"lr": 0.1, "model": {{"fcnet_hiddens": [64, 64], "vf_share_layers": true}}}}, "done": false}}\n'
    )
    (trial / "result.json").write_text(row.format(20.5, 1.5, 1) + row.format(30.5, "NaN", 2))
    (run,) = runs_in("ray-tune", tmp_path)
    assert run.run == "PPO_CartPole-v1_0a1b2_00000"
    assert list(run.columns) == [
        "env_runners/episode_return_mean",
        "learners/default_policy/total_loss",
        "training_iteration",
    ]
    assert run.config["model.vf_share_layers"] is True
    assert run.status is None


def test_tools_that_also_write_event_files_are_asked_before_tensorboard() -> None:
    order = list(LOGGERS)
    assert max(
        map(order.index, ("ray-tune", "stable-baselines3", "ultralytics", "mmengine", "detectron2"))
    ) < order.index("tensorboard")
