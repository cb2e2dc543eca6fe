from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from lcode.evaluation.replay import RecordedSweep, Replay
from lcode.evaluation.replay.compare import Comparison, Entrant, Figures, learns, replays_of
from lcode.evaluation.replay.render import comparison_table, rule_line
from lcode.evaluation.replay.rungs import BestAfter
from lcode.table import Metric, RunTable

Recorded = Callable[..., RecordedSweep]


def outcome(trained: float, regret: float, *, kept: bool = True) -> Replay:
    return Replay(("a", "b"), trained, 100, {} if kept else {"a": 3}, "a", regret, (), spread=2.0)


def test_figures_by_hand() -> None:
    replays = [outcome(10, 0.0), outcome(30, 1.0, kept=False), outcome(20, 0.2), outcome(40, 0.0)]
    found = Figures.of(replays, allowed=0.2, seed_deviation=0.1)
    assert found.speedup == pytest.approx(4.0) and found.saved == pytest.approx(0.75)
    assert found.regret_mean == pytest.approx(0.3) and found.regret_p95 == 1.0
    assert found.regret_share == pytest.approx(0.15) and found.regret_sd == pytest.approx(3.0)
    assert found.best_kept == 0.75 and found.promise_kept == 0.75 and found.replays == 4


def test_json_has_what_was_agreed() -> None:
    result = Comparison(2, "score", 2.0, 0.2, None, {"halving": {1: [outcome(10, 0.0)], 8: [outcome(30, np.nan)]}})
    told = json.loads(json.dumps(result.to_json()))
    assert {"speedup", "regret_mean", "regret_p95", "best_kept", "promise_kept"} <= set(told["rules"]["halving"])
    assert told["rules"]["halving"]["regret_mean"] is None  # one replay left nothing
    assert told["rules"]["halving"]["by_workers"]["1"]["speedup"] == 10
    frame = result.to_frame()
    assert frame[["rule", "workers", "orders"]].values.tolist() == [["halving", 1, 1], ["halving", 8, 1]]


def test_every_entrant_meets_the_same_orders(recorded: Recorded) -> None:
    sweep = recorded([[level] * 5 for level in (0.1, 0.2, 0.3, 0.4)])
    entrants = [Entrant("three", BestAfter(2, 3), sweep, 3), Entrant("one", BestAfter(2, 1), sweep, 2)]
    steps = []
    found = dict(replays_of(entrants, workers=[1, 4], seed=5, progress=lambda *step: steps.append(step)))
    assert [r.order for r in found["three"][1]][:2] == [r.order for r in found["one"][4]]
    assert len(found["three"][4]) == 3 and len(found["one"][1]) == 2
    assert [done for done, *_ in steps] == list(range(10)) and {total for _, total, _ in steps} == {10}
    assert found["one"][1][0].epochs_trained == 3 * 2 + 5


def test_deviation_between_seeds_is_pooled_over_repeats() -> None:
    acc = Metric("main", "acc", "max")
    rows = [(f"r{i}", epoch, acc.key, value) for i, value in enumerate((1.0, 1.2, 0.5, 0.5, 0.9)) for epoch in (1, 2)]
    configs = pd.DataFrame({"lr": [0.1, 0.1, 0.2, 0.2, 0.3]}, index=[f"r{i}" for i in range(5)])
    points = pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"])
    sweep = RecordedSweep(RunTable.from_points(points, [acc], configs=configs), baseline={acc.key: 1.0})
    # Two repeats that differ by 20 %, two that do not: sqrt((10² + 10² + 0) / 2).
    assert sweep.seed_deviation == pytest.approx(10.0)
    assert sweep.spread == pytest.approx(30.0)
    alone = RecordedSweep(RunTable.from_points(points, [acc]), baseline={acc.key: 1.0})
    assert alone.seed_deviation is None


def test_a_table_and_a_line_for_the_terminal() -> None:
    from rich.console import Console

    result = Comparison(2, "Δm %", 2.0, 0.2, 0.1, {"halving": {1: [outcome(10, 0.1)], 8: [outcome(30, 0.3)]}})
    console = Console(width=80, record=True)
    console.print(comparison_table(result))
    text = console.export_text()
    assert "10.00×" in text and "0.0500" in text and "100%" in text and max(map(len, text.splitlines())) <= 80
    assert rule_line("halving", result.figures("halving"), "Δm %").startswith("halving: 5.00 times fewer epochs")


def test_a_rule_with_many_settings_cuts_no_number_in_a_narrow_terminal() -> None:
    from rich.console import Console

    name = "halving:first=5:eta=2:keep=3"
    result = Comparison(2, "Δm %", 2.0, 0.2, None, {name: {1: [outcome(10, 0.1)], 8: [outcome(30, 0.3)]}})
    console = Console(width=80, record=True)
    console.print(comparison_table(result))
    text = console.export_text()
    assert "…" not in text and "best kept" in text and "10.00×" in text and "0.0500" in text


def test_only_forecasts_that_learn_depend_on_the_order() -> None:
    assert not learns(BestAfter()) and not learns(None)
