from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import lcode
from lcode.forecasters.lcgode import LCGODEForecaster

Lcode = Callable[..., Any]
Predicted = Callable[..., pd.DataFrame]

COLUMNS = ["run", "task", "metric", "observed", "epoch", "mean", "std", "q05", "q25", "q50", "q75", "q95", "status"]
RANKING = ["run", "rank", "score", "score_q05", "score_q95", "p_best", "p_top_10pct", "action"]
RUNS = [f"n{i:02d}" for i in range(8)]
HORIZON = 16


def test_from_logs_to_a_report(
    lcode_command: Lcode, quick_fits: None, finished_logs: Path, running_logs: Path, graphs_file: Path, tmp_path: Path
) -> None:
    model = tmp_path / "deep" / "model"
    done = lcode_command("fit", finished_logs, "--graphs", graphs_file, "--out", model, "--seed", 3, "--device", "cpu")
    assert done.status == 0, done.err
    assert sorted(path.name for path in model.iterdir()) == ["model.json", "model.safetensors"]
    assert str(model) in done.err and "direction inferred" in done.err and "seg/err" in done.out
    for name in ("forecasts.csv", "forecasts.parquet"):
        done = lcode_command(
            "predict", running_logs, "--model", model, "--graphs", graphs_file, "--out", tmp_path / name
        )
        assert done.status == 0 and "8 runs" in done.err
    text, table = pd.read_csv(tmp_path / "forecasts.csv"), pd.read_parquet(tmp_path / "forecasts.parquet")
    assert text.columns.tolist() == table.columns.tolist() == COLUMNS
    np.testing.assert_allclose(text["q50"], table["q50"], rtol=1e-6)
    done = lcode_command(
        "rank", running_logs, "--model", model, "--graphs", graphs_file, "--out", tmp_path / "rank.csv"
    )
    assert done.status == 0 and "n07" in done.out
    assert pd.read_csv(tmp_path / "rank.csv").columns.tolist() == RANKING
    done = lcode_command(
        "report", running_logs, "--model", model, "--graphs", graphs_file, "--out", tmp_path / "r.html"
    )
    assert done.status == 0
    assert "<html" in (tmp_path / "r.html").read_text(encoding="utf-8")
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".")]


@pytest.fixture
def predicted(
    lcode_command: Lcode, running_logs: Path, graphs_file: Path, model_folder: Path, tmp_path: Path
) -> Predicted:
    """Calls `lcode predict` and reads what it wrote."""

    def call(*options: object, out: str = "out.csv", logs: Path = running_logs) -> pd.DataFrame:
        path = tmp_path / out
        arguments = ["predict", logs, "--model", model_folder, "--graphs", graphs_file, "--out", path, *options]
        done = lcode_command(*arguments)
        assert done.status == 0, done.err
        assert done.out == ""
        return pd.read_csv(path) if out.endswith(".csv") else pd.read_parquet(path)

    return call


def test_every_run_has_its_rows(predicted: Predicted) -> None:
    frame = predicted()
    assert frame.columns.tolist() == COLUMNS
    assert frame["run"].tolist() == [run for run in RUNS for _ in range(2)]
    assert frame["task"].tolist() == ["seg", "depth"] * 8 and frame["metric"].tolist() == ["err", "miou"] * 8
    assert (frame["epoch"] == HORIZON).all()
    assert frame["observed"].tolist() == [4] * 10 + [3, 4] + [1] * 2 + [HORIZON] * 2
    assert frame["status"].tolist() == ["ok"] * 10 + ["diverged", "ok"] + ["ok"] * 2 + ["finished"] * 2
    known = frame[frame["status"] != "diverged"]
    assert known.notna().all(axis=None)
    levels = known[["q05", "q25", "q50", "q75", "q95"]].to_numpy()
    assert (np.diff(levels) >= 0).all()
    assert frame[frame["status"] == "diverged"][["mean", "std", "q50"]].isna().all(axis=None)
    assert (frame[frame["status"] == "finished"]["std"] < 1e-12).all()


def test_predictions_are_those_of_the_library(
    predicted: Predicted, running_logs: Path, graphs_file: Path, model_folder: Path
) -> None:
    table = lcode.read_logs(running_logs, graphs=graphs_file)
    expected = lcode.load(model_folder, device="cpu").predict(table).to_frame()
    pd.testing.assert_frame_equal(predicted("--device", "cpu"), expected, check_dtype=False, rtol=1e-6)


def test_full_has_a_row_for_every_epoch_to_come(predicted: Predicted) -> None:
    frame = predicted("--full", out="out.parquet")
    epochs = frame.groupby(["run", "metric"])["epoch"].apply(list)
    assert epochs["n00", "err"] == list(range(5, HORIZON + 1))
    assert epochs["n06", "miou"] == list(range(2, HORIZON + 1))
    assert epochs["n07", "err"] == [HORIZON]
    assert set(frame["run"]) == set(RUNS)


def test_another_horizon(predicted: Predicted) -> None:
    frame = predicted("--horizon", 30)
    assert (frame["epoch"] == 30).all()
    assert frame[frame["run"] == "n07"]["status"].tolist() == ["ok", "ok"]
    shorter = predicted("--horizon", 2)
    assert shorter["epoch"].tolist() == [4] * 12 + [2] * 2 + [HORIZON] * 2


def test_later_rows_of_a_resumed_run_count_if_asked(lcode_command: Lcode, model_folder: Path, tmp_path: Path) -> None:
    rows = [("a", epoch, 1 / epoch, 1 - 1 / epoch) for epoch in (1, 2, 3, 4, 5)]
    rows += [("a", epoch, 1 / epoch + 0.01, 0.9 - 1 / epoch) for epoch in (3, 4)]
    logs, out = tmp_path / "logs.csv", tmp_path / "out.csv"
    lines = [",".join(map(str, row)) for row in [("run", "epoch", "seg/err", "depth/miou"), *rows]]
    logs.write_text("\n".join(lines) + "\n")
    call = ("predict", logs, "--model", model_folder, "--horizon", 8, "--out", out)
    refused = lcode_command(*call)
    assert refused.status == 2 and "--on-repeat last" in refused.err and not out.exists()
    done = lcode_command(*call, "--on-repeat", "last")
    assert done.status == 0 and "left out 3 rows" in done.err
    assert pd.read_csv(out)["observed"].tolist() == [4, 4]


def test_the_same_call_writes_the_same_file(predicted: Predicted, tmp_path: Path) -> None:
    predicted(out="a.csv")
    predicted(out="b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


@pytest.mark.parametrize("command", ["rank", "predict", "suggest"])
def test_no_log_is_written_over(lcode_command: Lcode, tmp_path: Path, command: str) -> None:
    log, own = tmp_path / "runs" / "logs.csv", tmp_path / "runs" / "ranking.csv"
    log.parent.mkdir()
    log.write_text("run,epoch,acc\na,1,0.5\na,2,0.6\n")
    own.write_text("run,rank,score,score_q05,score_q95,p_best,p_top_10pct,action\n")
    before = log.read_bytes()
    for logs in (log, log.parent):
        done = lcode_command(command, logs, "--out", log)
        assert done.status == 2 and "is one of the files that are read" in done.err
        assert log.read_bytes() == before
    assert "is one of the files" not in lcode_command(command, log.parent, "--out", own).err


@pytest.mark.parametrize("objective", ["delta_m", "mean", "worst", "weights:seg=1,depth=2"])
def test_the_ranking(
    objective: str, lcode_command: Lcode, running_logs: Path, graphs_file: Path, model_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "rank.csv"
    arguments = ["rank", running_logs, "--model", model_folder, "--graphs", graphs_file, "--out", path]
    done = lcode_command(*arguments, "--objective", objective)
    assert done.status == 0, done.err
    frame = pd.read_csv(path)
    assert frame.columns.tolist() == RANKING
    assert sorted(frame["run"]) == RUNS and frame["rank"].tolist() == list(range(1, 9))
    assert frame["run"].iloc[-1] == "n05" and frame["action"].iloc[-1] == "stop"
    score = frame["score"].to_numpy()[:-1]
    assert (np.diff(score) <= 0).all() and np.isnan(frame["score"].iloc[-1])
    assert frame["p_best"].sum() == pytest.approx(1)
    assert (frame["score_q05"].dropna() <= frame["score_q95"].dropna()).all()
    assert set(frame["action"]) <= {"continue", "stop"}


def test_what_a_run_ends_with_is_a_choice(
    lcode_command: Lcode, running_logs: Path, model_folder: Path, tmp_path: Path
) -> None:
    path, frames = tmp_path / "rank.csv", {}
    for final in ("horizon", "last:1", "last:3", "best"):
        done = lcode_command("rank", running_logs, "--model", model_folder, "--final", final, "--out", path)
        assert done.status == 0, done.err
        frames[final] = pd.read_csv(path)
        assert frames[final].columns.tolist() == RANKING and sorted(frames[final]["run"]) == RUNS
        assert ("final value: " in done.err) is (final in ("best", "last:3"))
        assert "1 of 8 runs were seen up to epoch 1 at most" in done.err
    pd.testing.assert_frame_equal(frames["last:1"], frames["horizon"])
    assert not frames["best"].equals(frames["horizon"])
    done = lcode_command("rank", running_logs, "--model", model_folder, "--final", "first", "--out", path)
    assert done.status == 2 and "no final value 'first'; there are: horizon, best, last:5" in done.err


def test_rank_stops_within_a_budget_of_regret(
    lcode_command: Lcode, running_logs: Path, model_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "rank.csv"
    budget = ("--regret", "0.03 spread", "--alpha", "0.05")
    done = lcode_command("rank", running_logs, "--model", model_folder, *budget, "--out", path)
    assert done.status == 0, done.err
    frame = pd.read_csv(path)
    assert frame.columns.tolist() == RANKING and set(frame["action"]) == {"continue", "stop"}
    done = lcode_command("rank", running_logs, "--model", model_folder, "--regret", "a lot")
    assert done.status == 2 and "0.1 spread" in done.err


def test_references_that_lie_beside_the_logs_are_taken_up_if_they_fit(
    lcode_command: Lcode, running_logs: Path, model_folder: Path, tmp_path: Path
) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "runs.csv").write_text(running_logs.read_text())
    (logs / "baseline.csv").write_text("task,metric,value\nseg,err,0.3\ndepth,miou,0.7\n")
    frames = {}
    for name, given in (("found", ()), ("given", ("--baseline", logs / "baseline.csv"))):
        path = tmp_path / f"{name}.csv"
        done = lcode_command("rank", logs, "--model", model_folder, *given, "--out", path)
        assert done.status == 0 and "gain over the baseline" in done.err, done.err
        frames[name] = pd.read_csv(path)
    pd.testing.assert_frame_equal(frames["found"], frames["given"])
    assert lcode_command("rank", logs, "--model", model_folder, "--objective", "mean").status == 0
    (logs / "baseline.csv").write_text("task,metric,value\nseg,err,0.3\n")
    done = lcode_command("rank", logs, "--model", model_folder)
    assert done.status == 0 and "references that lie there are not taken up" in done.err
    assert "depth/miou" in done.err and "median final value" in done.err


def test_a_baseline_sets_the_references(
    lcode_command: Lcode, running_logs: Path, model_folder: Path, tmp_path: Path
) -> None:
    baseline = tmp_path / "baseline.csv"
    baseline.write_text("task,metric,value\nseg,err,0.3\ndepth,miou,0.7\n")
    path = tmp_path / "rank.csv"
    done = lcode_command("rank", running_logs, "--model", model_folder, "--baseline", baseline, "--out", path)
    assert done.status == 0, done.err
    frame = pd.read_csv(path).set_index("run")
    logs = pd.read_csv(running_logs)
    last = logs[logs["run"] == "n07"].iloc[-1]
    gain = 100 * np.mean([(0.3 - last["seg/err"]) / 0.3, (last["depth/miou"] - 0.7) / 0.7])
    assert frame.loc["n07", "score"] == pytest.approx(gain, rel=1e-4)


def test_backtest_prints_one_json_object(
    monkeypatch: pytest.MonkeyPatch, lcode_command: Lcode, quick_fits: None, finished_logs: Path
) -> None:
    done = lcode_command(
        "backtest", finished_logs, "--observe", 0.2, "--train-fraction", 0.7, "--seeds", 2,
        "--forecasters", "lcode,last", "--json",
    )  # fmt: skip
    assert done.status == 0, done.err
    result = json.loads(done.out)
    assert result["seeds"] == 2 and result["runs"] == 20 and set(result["forecasters"]) == {"lcode", "last"}
    scores = result["forecasters"]["lcode"]["seg/err"]
    assert set(scores) >= {
        "mape", "rmse", "final_mae", "kendall", "spearman", "top1_regret", "top10_regret", "crps", "coverage90",
        "fit_seconds", "predict_seconds",
    }  # fmt: skip
    assert set(scores["rmse"]) == {"mean", "std"} and scores["rmse"]["mean"] > 0
    monkeypatch.setattr("lcode.cli.console.out.width", 160)
    table = lcode_command("backtest", finished_logs, "--seeds", 1, "--forecasters", "last", "--target", "depth/miou")
    assert table.status == 0 and "last" in table.out and "seg/err" not in table.out


def test_targets_and_directions(lcode_command: Lcode, quick_fits: None, finished_logs: Path, tmp_path: Path) -> None:
    logs, model, out = tmp_path / "runs.csv", tmp_path / "model", tmp_path / "out.csv"
    frame = pd.read_csv(finished_logs).rename(columns={"seg/err": "seg/foo"})
    frame.to_csv(logs, index=False)
    refused = lcode_command("fit", logs, "--out", model)
    assert refused.status == 2 and "--direction seg/foo=max" in refused.err and not model.exists()
    done = lcode_command("fit", logs, "--out", model, "--direction", "seg/foo=min", "--target", "seg/foo")
    assert done.status == 0, done.err
    # What the model was told need not be said again.
    done = lcode_command("predict", logs, "--model", model, "--out", out)
    assert done.status == 0, done.err
    assert set(pd.read_csv(out)["metric"]) == {"foo"}
    done = lcode_command("predict", logs, "--model", model, "--out", out, "--direction", "seg/foo=max")
    assert done.status == 2 and "fitted with min" in done.err


def test_as_a_program(running_logs: Path, model_folder: Path, tmp_path: Path) -> None:
    def call(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from lcode.cli import main; main()", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    out = tmp_path / "out.csv"
    done = call("predict", running_logs, "--model", model_folder, "--out", out)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert len(pd.read_csv(out)) == 16
    wrong = call("backtest", tmp_path / "nowhere")
    assert wrong.returncode == 2 and wrong.stdout == ""
    assert wrong.stderr.count("error:") == 1 and "Traceback" not in wrong.stderr


def test_a_wrong_path_is_told_before_anything_large_is_loaded(tmp_path: Path) -> None:
    code = (
        "import sys; from lcode.cli import run_app; from lcode.cli.commands import app; "
        f"status = run_app(app, ['rank', {str(tmp_path / 'nowhere')!r}], name='lcode'); "
        "print(status, [name for name in ('numpy', 'pandas', 'scipy', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "2 []\n" and "there is no such file or folder" in done.stderr


def test_the_version_is_printed(lcode_command: Lcode) -> None:
    assert lcode_command("--version").out == f"lcode {lcode.__version__}\n"


def test_a_loaded_model_is_what_was_fitted(model_folder: Path, small: LCGODEForecaster) -> None:
    loaded = lcode.load(model_folder)
    assert isinstance(loaded, LCGODEForecaster) and loaded.known_metrics == small.known_metrics


def test_predicting_without_a_model_takes_up_the_finished_runs_and_says_so(
    lcode_command: Lcode, finished_logs: Path, running_logs: Path, tmp_path: Path
) -> None:
    (header, *ended), (_, *others) = (path.read_text().splitlines() for path in (finished_logs, running_logs))
    both = tmp_path / "both.csv"
    both.write_text("\n".join([header, *ended, *others, ""]))
    done = lcode_command("predict", both, "--out", tmp_path / "all.csv")
    assert done.status == 0 and "take up 21 of these runs" in done.err
    assert "`lcode fit`" not in done.err  # which adapts nothing to so few
    twice = [row.replace(ended[0].split(",")[0][0], "z", 1) for row in ended]
    both.write_text("\n".join([header, *ended, *twice, *others, ""]))
    assert (
        "`lcode fit`, then --model, adapts the networks"
        in lcode_command("predict", both, "--out", tmp_path / "all.csv").err
    )
    done = lcode_command("predict", running_logs, "--out", tmp_path / "few.csv")
    assert done.status == 0 and "have finished" not in done.err


def test_a_fitted_model_takes_up_what_finished_after_the_fit_and_says_so(
    lcode_command: Lcode, finished_logs: Path, running_logs: Path, model_folder: Path, tmp_path: Path
) -> None:
    (header, *ended), (_, *others) = (path.read_text().splitlines() for path in (finished_logs, running_logs))
    both = tmp_path / "both.csv"
    both.write_text("\n".join([header, *ended, *others, ""]))
    known = lcode_command("predict", both, "--model", model_folder, "--out", tmp_path / "known.csv")
    assert known.status == 0 and "after the fit" not in known.err  # these are the runs of the fit
    column = header.split(",").index("seg/err")

    def later(line: str) -> str:
        run, *row = line.split(",")
        row[column - 1] = f"{float(row[column - 1]) + 0.01}"
        return ",".join([f"later-{run}", *row])

    both.write_text("\n".join([header, *map(later, ended), *others, ""]))
    done = lcode_command("predict", both, "--model", model_folder, "--out", tmp_path / "all.csv")
    assert done.status == 0 and "take up 21 runs that finished after the fit" in done.err


def test_a_fit_that_is_broken_off_keeps_the_model_that_was_there(
    lcode_command: Lcode, quick_fits: None, finished_logs: Path, running_logs: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from lcode.cli import commands

    class Broken:
        """Instead of a bar: Ctrl-C at the third step."""

        def __enter__(self) -> Callable[[int, int, float], None]:
            def advance(step: int, steps: int, loss: float) -> None:
                if step == 3:
                    raise KeyboardInterrupt

            return advance

        def __exit__(self, *_: object) -> None:
            pass

    model = tmp_path / "model"
    assert lcode_command("fit", finished_logs, "--out", model).status == 0
    before = (model / "model.json").read_bytes()
    monkeypatch.setattr(commands, "fit_progress", lambda _: Broken())
    done = lcode_command("fit", finished_logs, "--from", "scratch", "--out", model)
    assert done.status == 130 and "keeps the model that it had" in done.err
    assert (model / "model.json").read_bytes() == before
    new = tmp_path / "new"
    done = lcode_command("fit", finished_logs, "--from", "scratch", "--out", new)
    assert done.status == 130 and "the best model so far is kept" in done.err
    assert "the model's fit was interrupted" in lcode_command("rank", running_logs, "--model", new).err
    assert "the model's fit was interrupted" not in lcode_command("rank", running_logs, "--model", model).err
