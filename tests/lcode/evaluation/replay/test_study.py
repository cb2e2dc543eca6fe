from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lcode.errors import InputError, UsageError
from lcode.evaluation.bench.sources import find_sources
from lcode.evaluation.replay.record import Line, Replays, Row, table
from lcode.evaluation.replay.study import in_half, main, study, sweeps_of

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


def test_the_halves_are_kept_apart(tmp_path: Path, logs: Path) -> None:
    tables, own = find_sources(["lcbench"]), find_sources([str(logs)])
    report, design = ({one.name for one in tables if in_half(one, design=half)} for half in (False, True))
    assert "lcbench/jasmine" in report and "lcbench/airlines" in design and not report & design
    assert in_half(own[0], design=False) and not in_half(own[0], design=True)
    with pytest.raises(UsageError, match="no source of lcbench/airlines is in this half"):
        main([str(tmp_path / "r.jsonl"), "lcbench/airlines"])


def test_samples_are_of_other_runs_of_a_source_with_more_of_them_than_a_sweep_has(tmp_path: Path) -> None:
    rows = [
        {"run": f"r{i:03}", "epoch": epoch, "acc": level * (1 - 0.5**epoch), "horizon": 2}
        for i, level in enumerate(np.random.default_rng(0).uniform(0.3, 0.9, 150))
        for epoch in (1, 2)
    ]
    logs = tmp_path / "logs.csv"
    pd.DataFrame(rows).to_csv(logs, index=False)
    (source,) = find_sources([str(logs)])
    first, second = (set(sweeps_of(source, sample=sample)[0].table.run_ids) for sample in (0, 1))
    assert len(first) == len(second) == 100 and first != second
    replays = Replays(tmp_path / "r.jsonl")
    for samples in (1, 2):  # what is there is not replayed again
        list(study(replays, [source], ["asha"], orders=1, forecast_orders=1, workers=[1], samples=samples))
    assert [line.sample for line in replays.lines] == [0, 1]


def test_constants_are_chosen_on_the_training_runs_of_the_corpus_and_reported_on_its_test_runs() -> None:
    (source,) = find_sources(["mtl_curves/cells"])
    assert in_half(source, design=True) and in_half(source, design=False)
    (chosen_on, _), (test, after) = sweeps_of(source, design=True), sweeps_of(source)
    assert after.history is not None
    training = set(after.history.run_ids)
    assert set(chosen_on.table.run_ids) <= training and not set(test.table.run_ids) & training


def test_replays_of_both_halves_in_one_file_are_told_apart() -> None:
    both = [LINE, dataclasses.replace(LINE, design=True)]
    assert both[0].key != both[1].key
    told = table(both)
    assert "| lcbench | `asha` |" in told and "| lcbench, design | `asha` |" in told


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
