from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console, RenderableType

from lcode.report.cells import run_rows
from lcode.report.terminal import ranking_table, runs_table, summary_table
from lcode.table import Metric


def _shown(table: RenderableType, width: int = 140) -> str:
    console = Console(width=width, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def test_ranking_has_scores_and_actions_up_to_the_limit(sweep: Any) -> None:
    text = _shown(ranking_table(sweep.ranking, sweep.forecast, limit=4))
    for word in ("rank", "run", "seen", "seg/miou", "depth/abs_err", "score", "P(best)", "action"):
        assert word in text
    assert all(run in text for run in sweep.ranking.runs[:4]) and sweep.ranking.runs[4] not in text
    assert "and 46 more runs" in text


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_every_run_has_one_line_with_whole_numbers(make_case: Callable[..., Any], width: int) -> None:
    names = [f"r{i:04d}-analytic-uncertainty-resnet-16-{i % 3}" for i in range(6)]
    case = make_case(names, dict.fromkeys(names[3:], 5))
    text = _shown(ranking_table(case.ranking, case.forecast), width)
    assert all(len(line) <= width for line in text.splitlines())
    _, rows = run_rows(case.forecast, case.ranking)
    for number, row in enumerate(rows, start=1):
        (line,) = (line.split() for line in text.splitlines() if line.split()[:1] == [str(number)])
        head, tail = line[1].split("…") if width <= 80 else (row.run, "")
        assert row.run.startswith(head) and row.run.endswith(tail) and len(line[1]) >= 12
        shown, full = set(line[2:]), " ".join(row.cells).split()
        assert shown <= {*full, row.action} and row.action in shown and full[0] in shown
    assert ("more metric" in text) == (width == 60) and ("[" in text) == (width == 200)


def test_of_many_metrics_those_are_shown_that_there_is_room_for(make_case: Callable[..., Any]) -> None:
    metrics = [Metric(f"part{i}", "acc", "max") for i in range(40)]
    case = make_case(["first", "second", "third"], {"third": 5}, metrics)
    text = _shown(ranking_table(case.ranking, case.forecast), 80)
    assert all(word in text for word in ("part0/", "score", "P(best)", "action", "more metrics"))
    assert "part39/" not in text


def test_odd_runs_are_shown(odd_sweep: Any) -> None:
    text = _shown(ranking_table(odd_sweep.ranking, odd_sweep.forecast))
    assert "diverged" in text and "finished" in text and "silent" in text


def test_names_are_literal(make_case: Callable[..., Any]) -> None:
    names = ["[red]a[/red]", ":warning:", "b\x1b[31m"]
    case = make_case(names, {names[0]: 4})
    text = _shown(ranking_table(case.ranking, case.forecast))
    assert "[red]a[/red]" in text and ":warning:" in text and "b\\x1b[31m" in text
    assert "\x1b" not in text
    assert "[b]k" in _shown(summary_table([{"[b]k": "[/x]"}])) and "[/x]" in _shown(summary_table([{"k": "[/x]"}]))


def test_a_candidate_has_not_begun(odd_sweep: Any) -> None:
    table = odd_sweep.table
    lines = _shown(runs_table(table)).splitlines()
    told = {run: next(line for line in lines if f" {run} " in line) for run in table.run_ids}
    assert "not begun" in told["silent"] and "running" not in told["silent"]
    assert " running " in told["live"] and " finished " in told["done"]
    assert "<td>not begun</td>" in table._repr_html_()


def test_summary() -> None:
    text = _shown(summary_table([{"policy": "lcode", "saved": 0.6123456}, {"policy": "none"}]))
    assert "0.6123" in text and "–" in text


def test_names_and_actions_are_shown_however_narrow_it_is(make_case: Callable[..., Any]) -> None:
    case = make_case(["first", "second", "third"], {"third": 5})
    text = _shown(ranking_table(case.ranking, case.forecast), 34)
    assert all(word in text for word in ("first", "second", "third", "score", "action")) and "P(best)" not in text
