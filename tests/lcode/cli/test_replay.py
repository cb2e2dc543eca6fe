from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lcode.cli import replay as command

Lcode = Callable[..., Any]

QUICK = "patience,median,best-after,halving,asha,hyperband,last"


def log(path: Path, *, runs: int = 12, seed: int = 0, finished: bool = True) -> Path:
    """Runs of two tasks, ten epochs each."""
    generator = np.random.default_rng(seed)
    rows = [
        {
            "run": f"s{seed}r{i}",
            "epoch": epoch,
            "seg/miou": level * (1 - 0.8**epoch),
            "depth/abs_err": 1.5 - level * (1 - 0.7**epoch),
            "config.lr": 0.1 * (i % 4 + 1),
            "horizon": 10,
        }
        for i, level in enumerate(generator.uniform(0.3, 0.9, runs))
        for epoch in range(1, 11 if finished else 5)
    ]
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def test_a_table_of_rules_with_files_beside(lcode_command: Lcode, tmp_path: Path) -> None:
    logs = log(tmp_path / "logs.csv")
    done = lcode_command(
        "replay", logs, "--rules", QUICK, "--orders", 5, "--out", tmp_path / "o.csv", "--plot", tmp_path / "p.html"
    )
    assert done.status == 0, done.err
    for rule in QUICK.split(","):
        assert rule in done.out
    # What was understood comes first, and the quick rules before those that forecast.
    assert done.err.index("read 12 runs") < done.err.index("patience: ") < done.err.index("last: ")
    frame = pd.read_csv(tmp_path / "o.csv")
    assert sorted(set(frame["workers"])) == [1, 8] and set(frame["orders"]) == {5} and len(frame) == 14
    assert "halving" in (tmp_path / "p.html").read_text(encoding="utf-8")
    assert max(map(len, done.out.splitlines())) <= 80


def test_json_has_what_was_agreed_and_is_repeatable(lcode_command: Lcode, tmp_path: Path) -> None:
    logs = log(tmp_path / "logs.csv")
    arguments = ("replay", logs, "--rules", "asha:first=2:eta=2,median", "--orders", 3, "--workers", 2, "--json")
    done, again = lcode_command(*arguments), lcode_command(*arguments)
    assert done.status == 0 and done.out == again.out
    told = json.loads(done.out)
    assert list(told["rules"]) == ["asha:first=2:eta=2", "median"] and told["workers"] == [2]
    for figures in told["rules"].values():
        assert {"speedup", "regret_mean", "regret_p95", "best_kept", "promise_kept"} <= set(figures)
        assert figures["speedup"] >= 1 and 0 <= figures["promise_kept"] <= 1
    assert told["regret_allowed"] == pytest.approx(0.03 * told["spread"])
    assert told["seed_deviation"] > 0  # three runs of each learning rate


def test_with_a_history_what_learns_from_it_is_replayed_twice(lcode_command: Lcode, tmp_path: Path) -> None:
    logs, before = log(tmp_path / "logs.csv"), log(tmp_path / "before.csv", seed=1)
    done = lcode_command("replay", logs, "--rules", "asha,median", "--orders", 2, "--history", before, "--json")
    assert list(json.loads(done.out)["rules"]) == ["asha", "median", "median + history"]


def test_what_is_replayed_is_no_history_of_itself(lcode_command: Lcode, tmp_path: Path) -> None:
    logs = log(tmp_path / "logs.csv")
    done = lcode_command("replay", logs, "--rules", "median", "--history", logs)
    assert done.status == 2 and "all its runs are among those that are replayed" in done.err
    both = pd.concat([pd.read_csv(logs), pd.read_csv(log(tmp_path / "other.csv", seed=1))])
    both["run"] = "x" + both["run"]  # whatever their names
    both.to_csv(tmp_path / "both.csv", index=False)
    told = [
        lcode_command("replay", logs, "--rules", "median", "--history", tmp_path / name, "--json")
        for name in ("both.csv", "other.csv")
    ]
    assert "12 runs of" in told[0].err and "they are no history" in told[0].err
    assert json.loads(told[0].out)["rules"] == json.loads(told[1].out)["rules"]


def test_a_model_that_knows_the_ends_is_told_of(
    lcode_command: Lcode, model_folder: Path, finished_logs: Path, tmp_path: Path
) -> None:
    options = ("--rules", "last", "--model", model_folder)
    done = lcode_command("replay", finished_logs, *options)
    assert done.status == 0 and "has learned from 20 of these 20 runs" in " ".join(done.err.split())
    others = pd.read_csv(finished_logs)
    others[["seg/err", "depth/miou"]] *= 0.99
    others.to_csv(tmp_path / "others.csv", index=False)
    assert "has learned from" not in lcode_command("replay", tmp_path / "others.csv", *options).err


def test_what_is_promised_can_be_a_number_or_in_deviations(lcode_command: Lcode, tmp_path: Path) -> None:
    logs = log(tmp_path / "logs.csv")
    for regret, allowed in (("0.5", 0.5), ("0.5 sd", None)):
        told = json.loads(lcode_command("replay", logs, "--rules", "asha", "--regret", regret, "--json").out)
        wanted = 0.5 * told["seed_deviation"] if allowed is None else allowed
        assert told["regret_allowed"] == pytest.approx(wanted)


def test_forecasts_that_learn_in_the_sweep_run_in_fewer_orders_and_it_is_said(
    lcode_command: Lcode, tmp_path: Path
) -> None:
    logs = log(tmp_path / "logs.csv", runs=5)
    done = lcode_command("replay", logs, "--rules", "median,trees", "--orders", 4, "--workers", 1, "--json")
    assert done.status == 0, done.err
    rules = json.loads(done.out)["rules"]
    assert (rules["median"]["replays"], rules["trees"]["replays"]) == (4, command.FORECAST_ORDERS)
    assert f"replayed in {command.FORECAST_ORDERS} orders, not 4" in " ".join(done.err.split())


def test_an_interrupted_replay_shows_the_rules_that_are_done(
    lcode_command: Lcode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lcode.evaluation.replay.in_turn.ForecastPolicy.play", interrupt)
    done = lcode_command("replay", log(tmp_path / "logs.csv"), "--rules", "asha,last", "--orders", 2)
    assert done.status == 0 and "asha" in done.out and "1 of 2 rules were replayed" in done.err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--rules", "ashes"], "no rule 'ashes'; there are: patience"),
        (["--rules", "asha:r=3"], "no setting 'r=3'"),
        (["--rules", "regret:alpha=2"], "alpha is 2"),
        (["--rules", "asha", "--model", "nowhere"], "nowhere"),
        (["--workers", "0"], "--workers 0: write numbers from 1 to 64"),
        (["--workers", "1,many"], "--workers 1,many"),
        (["--regret", "much"], "regret is 'much'"),
        (["--out", "table.txt"], "--out table.txt: its name must end in .csv or .parquet"),
        (["--plot", "picture.png"], "--plot picture.png: its name must end in .html"),
    ],
)
def test_what_cannot_be_is_told_at_once(lcode_command: Lcode, tmp_path: Path, options: list[str], told: str) -> None:
    (tmp_path / "empty.csv").touch()
    done = lcode_command("replay", tmp_path / "empty.csv", *options)  # before the logs are read
    assert done.status == 2 and told in " ".join(done.err.split()) and not done.out


def test_unfinished_runs_cannot_be_replayed(lcode_command: Lcode, tmp_path: Path) -> None:
    done = lcode_command("replay", log(tmp_path / "logs.csv", finished=False), "--rules", "asha")
    assert done.status == 2 and "none of the 12 runs finished" in done.err


def test_what_the_replays_show_of_a_promise_is_told(lcode_command: Lcode, tmp_path: Path, monkeypatch: Any) -> None:
    from lcode.forecasters.last_value import LastValueForecaster

    monkeypatch.setattr("lcode.evaluation.replay.rules.own_forecaster", lambda name: LastValueForecaster())
    logs = log(tmp_path / "logs.csv")
    rules = ("--rules", "regret:factor=1:keep=12,regret:factor=2:keep=12", "--orders", 6)
    shown = lcode_command("replay", logs, *rules, "--alpha", 0.2)  # nothing is stopped, so nothing is lost
    assert shown.status == 0 and "promise shown up to factor 2" in " ".join(shown.err.split())
    few = lcode_command("replay", logs, *rules, "--alpha", 0.05)
    assert "12 replays cannot show a promise at 5%; it takes 45" in " ".join(few.err.split())
