"""What a notebook shows of a table, a forecast and a ranking."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def parts(sweep: Any) -> list[Any]:
    return [sweep.table, sweep.forecast, sweep.ranking]


def test_the_first_runs_are_shown_and_the_others_counted(parts: list[Any]) -> None:
    for part in parts:
        shown = part._repr_html_()
        assert shown.count("<tr>") == 13 and "… and 38 more" in shown
        assert "50 runs" in shown


def test_the_cells(sweep: Any) -> None:
    table, forecast, ranking = sweep.table, sweep.forecast, sweep.ranking
    assert "<td>finished</td><td>20/20</td>" in table._repr_html_() and "seg/miou ↑" in table._repr_html_()
    assert "<th>depth/abs_err</th>" in forecast._repr_html_()
    assert f"<td>1</td><td>{ranking.runs[0]}</td><td>{ranking.action[0]}</td>" in ranking._repr_html_()


def test_diverged_and_silent_runs(odd_sweep: Any) -> None:
    assert "<td>blown</td><td>diverged</td>" in odd_sweep.forecast._repr_html_()
    assert "<td>silent</td><td>not begun</td><td>0/20</td><td>–</td>" in odd_sweep.table._repr_html_()
    assert "–" in odd_sweep.ranking._repr_html_()


def test_names_are_literal(make_case: Any) -> None:
    name = "<script>alert(1)</script>"
    case = make_case([name, "b"], {name: 4})
    for part in (case.table, case.forecast, case.ranking):
        shown = part._repr_html_()
        assert "<script" not in shown and "&lt;script&gt;" in shown


def test_an_empty_table(sweep: Any) -> None:
    nothing = sweep.table.select([])
    assert "0 runs" in nothing._repr_html_() and "more" not in nothing._repr_html_()
