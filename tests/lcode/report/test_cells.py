from __future__ import annotations

import dataclasses
from typing import Any

from lcode.report.cells import configuration, run_rows, summary_cells
from lcode.table import RunTable


def test_rows_follow_the_ranking_and_hold_every_run(odd_sweep: Any) -> None:
    headings, rows = run_rows(odd_sweep.forecast, odd_sweep.ranking)
    assert headings[:3] == ("seen", "seg/miou", "depth/abs_err")
    assert [row.run for row in rows] == list(odd_sweep.ranking.runs)
    by_run = {row.run: row for row in rows}
    assert by_run["done"].action == "finished" and by_run["done"].cells[0] == "20/20"
    assert by_run["blown"].action == "stop" and by_run["blown"].cells[1:3] == ("diverged", "diverged")
    assert by_run["silent"].cells[0] == "0/20"
    assert "[" in by_run["live"].cells[1] and by_run["live"].cells[0] == "6/20"
    assert [row.run for row in run_rows(odd_sweep.forecast)[1]] == list(odd_sweep.forecast.run_ids)
    half = dataclasses.replace(odd_sweep.forecast, epoch_unit=0.25)
    assert {row.run: row.cells[0] for row in run_rows(half)[1]}["live"] == "1.5/5"


def test_configuration_names_only_what_varies(odd_sweep: Any) -> None:
    told = configuration(odd_sweep.table)
    assert all(text.startswith("lr=") and "width" not in text for text in told.values())
    bare: RunTable = odd_sweep.table.select(["done"])
    assert configuration(bare) == {"done": ""}


def test_summary_unites_the_keys() -> None:
    assert summary_cells([{"a": 1}, {"b": 0.5, "a": None}]) == (["a", "b"], [["1", "–"], ["–", "0.5"]])
