from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lcode.errors import InputError, UsageError
from lcode.evaluation.bench.sources import find_sources
from lcode.evaluation.replay.record import Line, Replays, Row, table
from lcode.evaluation.replay.study import main, reported, study

LINE = Line("lcbench/kc1", "asha", False, 1, 0, 100, 5200, 520, 0.5, 2.0, 0.25, False, 0.1)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    rows = [
        {"run": f"r{i}", "epoch": epoch, "acc": level * (1 - 0.8**epoch), "horizon": 8}
        for i, level in enumerate(np.random.default_rng(0).uniform(0.3, 0.9, 12))
        for epoch in range(1, 9)
    ]
    path = tmp_path / "logs.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def test_what_is_there_is_not_replayed_again(logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, rules = tmp_path / "replays.jsonl", "asha,median"
    arguments = [str(out), str(logs), "--rules", rules, "--workers", "2", "--cold"]
    main([*arguments, "--orders", "2"])
    first = out.read_text(encoding="utf-8")
    main([*arguments, "--orders", "3"])
    again = out.read_text(encoding="utf-8")
    assert first.count("\n") == 4 and again.startswith(first) and again.count("\n") == 6
    capsys.readouterr()
    main([str(out)])  # no source: the table alone
    told = capsys.readouterr()
    assert f"| {logs} | `median` | 2 |" in told.out and told.out.count("\n") == 4 and not told.err


def test_rules_without_forecasts_are_the_same_with_and_without_a_history_where_there_is_none(logs: Path) -> None:
    replays = Replays(logs.with_name("new.jsonl"))
    found = list(study(replays, find_sources([str(logs)]), ["median"], orders=1, forecast_orders=1, workers=[1]))
    cold, warm = found
    assert not cold.warm and warm.warm and cold.trained == warm.trained and cold.runs == 12


def test_the_halves_are_kept_apart(tmp_path: Path) -> None:
    kept = [source.name for source in find_sources(["lcbench"]) if reported(source)]
    assert "lcbench/jasmine" in kept and "lcbench/airlines" not in kept
    with pytest.raises(UsageError, match="no source of lcbench/airlines is in this half"):
        main([str(tmp_path / "r.jsonl"), "lcbench/airlines"])


def test_a_damaged_file_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "replays.jsonl"
    Replays(path).add(LINE)
    assert Replays(path).lines == [LINE]
    with path.open("a", encoding="utf-8") as file:
        file.write('{"source": "x"}\n')
    with pytest.raises(InputError, match="is no replay of this study"):
        Replays(path)


def test_sources_count_alike_however_often_they_were_replayed() -> None:
    often = [dataclasses.replace(LINE, order=order) for order in range(9)]
    other = dataclasses.replace(LINE, source="lcbench/jasmine", trained=2600, regret=0.0, deviation=None)
    row = Row.of([*often, other])
    assert row.faster == pytest.approx(1 / ((0.1 + 0.5) / 2)) and row.regret == pytest.approx(0.25 / 2)
    assert row.overrun == 0.5 and row.in_deviations == pytest.approx(2.0) and (row.sources, row.replays) == (2, 10)


def test_an_overrun_is_one_of_the_rules_own_budget() -> None:
    line = dataclasses.replace(LINE, rule="thaw:alpha=0.2:regret=0.3 spread")
    assert line.allowed == 0.3 and Row.of([line]).overrun == 0
    assert "| lcbench after others | `asha` | 8 | 10.00× | 0.2500 | 2.000 | 100% | 1, 1 |" in table(
        [dataclasses.replace(LINE, warm=True, workers=8)]
    )
