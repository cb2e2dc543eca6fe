"""The mean of repeats beside them is no run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lcode.readers import read_logs

SEEDS = np.random.default_rng(0).random((3, 6, 2)).cumsum(1)
"""Values of three runs at six epochs."""


def write(path: Path, values: np.ndarray, names: str = "val_acc,val_loss", decimals: int = 6) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = "".join(f"{e},{','.join(f'{v:.{decimals}f}' for v in row)}\n" for e, row in enumerate(values, 1))
    path.write_text(f"epoch,{names}\n{rows}")


@pytest.mark.parametrize(
    ("name", "values", "decimals"),
    [
        ("mean", SEEDS.mean(0), 6),
        ("seeds_avg", SEEDS.mean(0), 2),
        ("average", SEEDS.mean(0)[:4], 6),
        ("median", np.median(SEEDS, 0), 6),
        ("std", SEEDS.std(0, ddof=1), 6),
    ],
)
def test_it_is_left_out_with_a_note(tmp_path: Path, name: str, values: np.ndarray, decimals: int) -> None:
    for at, own in enumerate(SEEDS):
        write(tmp_path / f"seed{at}.csv", own)
    write(tmp_path / f"{name}.csv", values, decimals=decimals)
    table = read_logs(tmp_path)
    assert table.run_ids == ("seed0", "seed1", "seed2")
    assert any(f"no runs of their own: '{name}', the " in note for note in table.notes)


def test_of_each_method_in_its_folder_or_by_its_name(tmp_path: Path) -> None:
    for at, own in enumerate(SEEDS):
        for where in ("x/a/seed{}.csv", "x/b/seed{}.csv", "y/a_{}.csv", "y/b_{}.csv"):
            write(tmp_path / where.format(at), own + (5 if "b" in where else 0) * np.array([1, 2]))
    for where in ("x/a/mean.csv", "y/a_mean.csv"):
        write(tmp_path / where, SEEDS.mean(0), "val_acc_mean,val_loss_mean" if where[0] == "x" else "val_acc,val_loss")
    for folder in "xy":
        assert not any("mean" in run for run in read_logs(tmp_path / folder).run_ids)


def test_what_is_only_called_so_is_a_run(tmp_path: Path) -> None:
    for name, own in zip(("max", "sum", "mean"), SEEDS, strict=True):  # what a network takes of its neighbours
        write(tmp_path / f"{name}.csv", own)
    assert read_logs(tmp_path).run_ids == ("max", "mean", "sum")


def test_of_runs_as_near_as_they_were_rounded_nothing_is_the_mean(tmp_path: Path) -> None:
    curve = np.linspace(0.5, 0.9, 10)[:, None]
    for name, shift in (("adam_seed0", 0.0), ("adam_seed1", 0.02), ("mean_teacher", 0.01)):
        write(tmp_path / f"{name}.csv", curve + shift, "val_acc", decimals=2)
    assert read_logs(tmp_path).run_ids == ("adam_seed0", "adam_seed1", "mean_teacher")
