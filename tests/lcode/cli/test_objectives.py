from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lcode.decisions.kinds import DELTA_M_WORDS, KINDS

Lcode = Callable[..., Any]


def test_a_ranking_keeps_to_bounds_and_tells_a_drop_as_one(
    lcode_command: Lcode, running_logs: Path, model_folder: Path, tmp_path: Path
) -> None:
    frames = {}
    for name, options in (
        ("gain", ()),
        ("drop", ("--objective", "delta_m:drop,per-task")),
        ("bound", ("--constraint", "seg/err<=0.3", "--constraint", "depth/miou>=0.1")),
    ):
        path = tmp_path / f"{name}.csv"
        done = lcode_command("rank", running_logs, "--model", model_folder, *options, "--out", path)
        assert done.status == 0, done.err
        frames[name] = pd.read_csv(path)
    # One metric per task: the averages are the same.
    np.testing.assert_allclose(frames["drop"]["score"], -frames["gain"]["score"], rtol=1e-6)
    assert frames["drop"]["run"].tolist() == frames["gain"]["run"].tolist()
    assert "p_feasible" not in frames["gain"] and frames["bound"]["p_feasible"].between(0, 1).all()
    assert "P(feasible)" in done.out and "seg/err ≤ 0.3 and depth/miou ≥ 0.1" in done.err


@pytest.mark.parametrize("objective", ["mean_rank", "pareto", "hypervolume"])
def test_runs_are_ranked_among_each_other(
    lcode_command: Lcode, running_logs: Path, model_folder: Path, objective: str
) -> None:
    done = lcode_command("rank", running_logs, "--model", model_folder, "--objective", objective)
    assert done.status == 0, done.err


def test_the_help_names_every_objective(lcode_command: Lcode) -> None:
    told = " ".join(lcode_command("rank", "--help").out.replace("│", " ").split())
    for word in (*KINDS, *DELTA_M_WORDS):
        assert word in told
