from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

Lcode = Callable[..., Any]
COLUMNS = ["run", "rank", "step", "epochs", "to_end", "price", "gain", "p_better", "score", "score_q05", "score_q95"]


def test_a_short_list_with_reasons_and_a_file_with_all(
    lcode_command: Lcode, running_logs: Path, model_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "next.csv"
    done = lcode_command("suggest", running_logs, "--model", model_folder, "--budget", 5, "--out", path)
    assert done.status == 0, done.err
    frame = pd.read_csv(path)
    assert frame.columns.tolist() == [*COLUMNS, "reason", "granted"]
    # Of eight runs one has diverged and one has finished.
    assert len(frame) == 6 and set(frame["run"]) < {f"n{i:02d}" for i in range(8)} and set(frame["step"]) == {"go on"}
    assert frame["granted"].sum() == pytest.approx(5) and frame["price"].is_monotonic_decreasing
    assert "go on" in done.out and "P(beats" in done.out and "read 8 runs" in done.err
    assert max(map(len, done.out.splitlines())) <= 80


def test_candidates_are_rows_without_an_epoch(
    lcode_command: Lcode, running_logs: Path, model_folder: Path, tmp_path: Path
) -> None:
    frame = pd.read_csv(running_logs)
    config = [name for name in frame.columns.tolist() if name.startswith("config.")]
    new = frame.groupby("run").first().reset_index()[["run", *config]].head(2).assign(run=["new a", "new b"])
    logs = tmp_path / "logs.csv"
    pd.concat([frame, new]).to_csv(logs, index=False)
    done = lcode_command("suggest", logs, "--model", model_folder, "--json", "--horizon", 16)
    assert done.status == 0, done.err
    told = json.loads(done.out)
    steps = {one["run"]: one["step"] for one in told["suggestions"]}
    assert len(steps) == 8 and steps["new a"] == steps["new b"] == "start" and steps["n00"] == "go on"


def test_within_a_budget_of_regret_those_come_first_that_must_go_on(
    lcode_command: Lcode, running_logs: Path, model_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "next.csv"
    options = ("suggest", running_logs, "--model", model_folder, "--regret", "0.01 spread", "--out", path)
    done = lcode_command(*options)
    assert done.status == 0, done.err
    frame = pd.read_csv(path)
    first = frame.set_index("run").loc["n06"]
    assert frame["granted"].tolist() == [1, 0, 0, 0, 0, 0] and first["granted"] == 1
    assert "every run is seen up to epoch 2" in first["reason"]
    logs = tmp_path / "logs.csv"
    runs = pd.read_csv(running_logs)
    runs[runs["run"] != "n06"].to_csv(logs, index=False)
    told = json.loads(lcode_command("suggest", logs, *options[2:-2], "--alpha", 0.2, "--json").out)
    first, second, *rest = told["suggestions"]  # one of three has finished
    assert first["granted"] == first["to_end"] and second["granted"] == second["to_end"]
    assert "the best 3 are trained to their ends" in first["reason"] and not any(one["granted"] for one in rest)


def test_where_every_run_is_over_nothing_is_suggested(
    lcode_command: Lcode, finished_logs: Path, model_folder: Path
) -> None:
    done = lcode_command("suggest", finished_logs, "--model", model_folder)
    assert done.status == 0 and "every run is over" in done.out


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--regret", "much"], "regret is 'much'"),
        (["--alpha", "0.2"], "give regret as well"),
        (["--budget", "0"], "number of epochs above 0"),
        (["--objective", "pareto"], "choose delta_m, mean, worst or weights"),
        (["--constraint", "seg/rmse<=1"], "not measured; there are: seg/err, depth/miou"),
        (["--out", "next.txt"], "must end in .csv or .parquet"),
    ],
)
def test_refusals(
    options: list[str], expected: str, lcode_command: Lcode, running_logs: Path, model_folder: Path
) -> None:
    done = lcode_command("suggest", running_logs, "--model", model_folder, *options)
    assert done.status == 2 and done.out == "" and expected in done.err and "Traceback" not in done.err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--budget", 0), "the budget is 0.0; it is a number of epochs above 0"),
        (("--objective", "pareto"), "scores runs against one another"),
        (("--baseline", "nobody.csv"), "nobody.csv"),
    ],
)
def test_what_cannot_be_asked_for_is_told_before_the_work(
    lcode_command: Lcode, tmp_path: Path, options: tuple[object, ...], told: str
) -> None:
    done = lcode_command("suggest", tmp_path, *options)  # an empty folder, of which nothing is said
    assert done.status == 2 and told in done.err and str(tmp_path) not in done.err


def test_epochs_are_granted_whole(lcode_command: Lcode, running_logs: Path, model_folder: Path) -> None:
    done = lcode_command("suggest", running_logs, "--model", model_folder, "--budget", 5.9, "--json")
    granted = [one["granted"] for one in json.loads(done.out)["suggestions"]]
    assert sum(granted) == 5 and all(float(epochs).is_integer() for epochs in granted)
