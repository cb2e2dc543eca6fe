"""Columns that begin with the names of runs, most often by a line of runs above one of metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from lcode.readers.read import read_logs

Scored = Callable[[Path], dict[str, list[float]]]


def _csv(path: Path, groups: Sequence[str], measured: Sequence[str]) -> Path:
    above = ",".join(group for group in groups for _ in measured)
    below = ",".join(name for _ in groups for name in measured)
    rows = [
        ",".join([str(e), *(f"{e / 10 + at / 100:.2f}" for at in range(len(groups) * len(measured)))])
        for e in (1, 2, 3)
    ]
    path.write_text("\n".join([f"epoch,{above}", f",{below}", *rows]) + "\n")
    return path


@pytest.mark.parametrize(
    ("groups", "settings"),
    [
        (["wd=0", "wd=1e-4", "wd=0.01"], {"wd": [0, 1e-4, 0.01]}),
        (["Versuch 1 (lr=0.3)", "Versuch 2 (lr=0.1)"], {"lr": [0.3, 0.1]}),
        (["Essai 1", "Essai 2"], {}),
        (["small (lr=0.3; bs=8)", "wide (lr=0.3; bs=16)"], {"lr": [0.3, 0.3], "bs": [8, 16]}),
    ],
)
def test_what_the_runs_are_called_after_is_their_configuration(
    tmp_path: Path, groups: list[str], settings: dict[str, list[float]]
) -> None:
    table = read_logs(_csv(tmp_path / "t.csv", groups, ["acc", "rmse"]))
    assert list(table.run_ids) == groups
    assert [metric.key for metric in table.metrics] == ["acc", "rmse"]
    assert {name: table.configs[name].tolist() for name in table.configs} == settings
    assert any("begin with the names" in note for note in table.notes)


def test_seeds_are_seeds(tmp_path: Path) -> None:
    table = read_logs(_csv(tmp_path / "t.csv", ["seed=3", "seed=4"], ["acc", "rmse"]))
    assert table.runs["seed"].tolist() == [3, 4]


def test_beside_a_baseline_all_are_runs(tmp_path: Path) -> None:
    table = read_logs(_csv(tmp_path / "t.csv", ["baseline", "imtl", "gradnorm"], ["acc", "rmse"]))
    assert list(table.run_ids) == ["baseline", "imtl", "gradnorm"]


@pytest.mark.parametrize(
    ("groups", "measured"),
    [
        (["seg", "depth"], ["acc", "rmse"]),
        (["sigma=15", "sigma=25"], ["psnr", "ssim"]),  # one training, measured at several
        (["k=5", "k=10"], ["recall", "precision"]),
        (["policy", "baseline"], ["loss", "grad_loss"]),
        (["actor", "baseline"], ["score", "acc"]),
        (["layers=4", "layers=8"], ["probe_acc", "rmse"]),
        (["width=1", "width=2"], ["acc", "rmse"]),
        (["lr=0.1", "lr=0.1 "], ["acc", "rmse"]),
        (["train", "baseline"], ["acc", "rmse"]),
    ],
)
def test_tasks_and_conditions_are_of_one_run(tmp_path: Path, groups: list[str], measured: list[str]) -> None:
    assert len(read_logs(_csv(tmp_path / "t.csv", groups, measured)).runs) == 1


@pytest.mark.parametrize(
    "header",
    [
        "baseline/acc,aux/acc",
        "actor/score,baseline/score",
        "layers=4/probe_acc,layers=8/probe_acc",
        "width=1/acc,width=2/acc",
    ],
)
def test_above_one_metric_they_may_be_parts_of_one_run(tmp_path: Path, header: str) -> None:
    rows = "".join(f"{epoch},0.{epoch},0.{epoch + 2}\n" for epoch in (1, 2, 3))
    (tmp_path / "t.csv").write_text(f"epoch,{header}\n{rows}")
    table = read_logs(tmp_path / "t.csv")
    assert len(table.runs) == 1
    assert sorted(metric.key for metric in table.metrics) == sorted(header.split(","))
