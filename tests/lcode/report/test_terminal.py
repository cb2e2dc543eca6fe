from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from lcode.report.terminal import forecast_table, ranking_table, summary_table


def _shown(table: Table, width: int = 140) -> str:
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


def test_forecast_keeps_the_order(sweep: Any) -> None:
    lines = _shown(forecast_table(sweep.forecast, limit=50)).splitlines()
    assert [line.split()[0] for line in lines if line.strip().startswith("run-")] == list(sweep.forecast.run_ids)
    assert not any("more runs" in line for line in lines)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_number_is_cut_off(sweep: Any, width: int) -> None:
    assert "…" not in _shown(ranking_table(sweep.ranking, sweep.forecast, limit=50), width)


def test_odd_runs_are_shown(odd_sweep: Any) -> None:
    text = _shown(ranking_table(odd_sweep.ranking, odd_sweep.forecast))
    assert "diverged" in text and "finished" in text and "silent" in text


def test_names_are_literal(make_case: Callable[..., Any]) -> None:
    names = ["[red]a[/red]", ":warning:", "b\x1b[31m"]
    case = make_case(names, {names[0]: 4})
    text = _shown(ranking_table(case.ranking, case.forecast)) + _shown(forecast_table(case.forecast))
    assert text.count("[red]a[/red]") == 2 and text.count(":warning:") == 2 and text.count("b\\x1b[31m") == 2
    assert "\x1b" not in text
    assert "[b]k" in _shown(summary_table([{"[b]k": "[/x]"}])) and "[/x]" in _shown(summary_table([{"k": "[/x]"}]))


def test_summary() -> None:
    text = _shown(summary_table([{"policy": "lcode", "saved": 0.6123456}, {"policy": "none"}]))
    assert "0.6123" in text and "–" in text
