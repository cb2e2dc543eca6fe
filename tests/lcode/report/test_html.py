from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lcode.errors import UsageError
from lcode.evaluation.replay import Replay
from lcode.report import Trust, write_report
from lcode.table import RunTable

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><img src=http://example.org onerror=alert(1)>",
    "\"quoted' & &amp; $title ${script}",
    "<!-- comment",
    "\u202ereversed\x00",
]


class Page(HTMLParser):
    """What a browser would find in the page: tags with attributes, visible text, and what the script draws from."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.data: Any = None
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self._inside: tuple[str, dict[str, str | None]] | None = None
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = (tag, dict(attrs)) if tag in ("script", "style") else None

    def handle_endtag(self, tag: str) -> None:
        self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside is None:
            self.text.append(data)
        elif self._inside[1].get("type") == "application/json":
            self.data = json.loads(data)
        else:
            (self.scripts if self._inside[0] == "script" else self.styles).append(data)

    @property
    def cells(self) -> str:
        return "\n".join(self.text)


def _report(path: Path, case: Any, **more: Any) -> Page:
    write_report(path, title="a report", table=case.table, forecast=case.forecast, **more)
    return Page(path)


def test_everything_is_in_one_small_file_that_reaches_nowhere(tmp_path: Path, sweep: Any) -> None:
    replays = {"forecast": [Replay((), 400, 1000, {}, None, 0.2, ())]}
    path = tmp_path / "report.html"
    page = _report(
        path, sweep, ranking=sweep.ranking, truth=sweep.truth, replays=replays, trust=Trust(),
        summary=[{"policy": "lcode", "saved": 0.6}], notes=["said once", "said once"],
    )  # fmt: skip
    assert {"pareto", "savings", "hits", "runs", "theme", "data"} <= {str(attrs.get("id")) for _, attrs in page.tags}
    assert not [attrs for _, attrs in page.tags if {"src", "href", "srcset", "action", "style"} & set(attrs)]
    policy = next(attrs["content"] for _, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None and policy.startswith("default-src 'none'") and "unsafe" not in policy
    for part in (*page.scripts, *page.styles):
        assert base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() in policy
    assert [text for text in page.text if text == "said once"] == ["said once"]
    assert "0.6" in page.text and "Can I trust this?" in page.text
    assert path.stat().st_size < 300_000
    assert list(tmp_path.iterdir()) == [path]


def test_the_headline_says_what_to_do(tmp_path: Path, sweep: Any) -> None:
    page = _report(tmp_path / "r.html", sweep, ranking=sweep.ranking)
    stops = sweep.ranking.action.count("stop")
    assert stops > 3
    assert f"Stop {stops} of 50 runs: that saves" in page.cells and "Best bet: " in page.cells
    names = next(text for text in page.text if "\n" in text.strip() and "run-" in text and "read" not in text)
    told = {run for run, action in zip(sweep.ranking.runs, sweep.ranking.action, strict=True) if action == "stop"}
    assert set(names.split()) == told


def test_runs_that_ended_early_have_no_epochs_to_come(tmp_path: Path, sweep: Any) -> None:
    assert "(20 of the runs still had epochs to come)" in _report(tmp_path / "r.html", sweep).cells
    runs = sweep.table.runs.copy()
    runs.loc[["run-30", "run-31"], "status"] = ["failed", "stopped"]
    ended = replace(sweep, table=replace(sweep.table, runs=runs))
    assert "(18 of the runs still had epochs to come)" in _report(tmp_path / "r.html", ended).cells


def test_every_run_is_in_the_data_in_the_order_of_the_ranking(tmp_path: Path, sweep: Any) -> None:
    runs = _report(tmp_path / "r.html", sweep, ranking=sweep.ranking).data["runs"]
    assert runs["name"] == list(sweep.ranking.runs)
    assert {len(column) for column in runs.values()} == {50}
    assert runs["action"].count("finished") == 30
    assert runs["scores"][0][1] == pytest.approx(sweep.ranking.score[0], rel=1e-4)


def test_what_came_is_told_of_runs_whose_end_was_forecast(tmp_path: Path, sweep: Any) -> None:
    data = _report(tmp_path / "r.html", sweep, ranking=sweep.ranking, truth=sweep.truth).data
    place = data["runs"]["name"].index("run-40")
    value = sweep.truth.curve("run-40", "seg/miou").values[-1]
    assert float(data["runs"]["came"][place][0]) == pytest.approx(value, rel=1e-3)
    assert data["runs"]["came"][data["runs"]["name"].index("run-00")] == ["–", "–"]
    assert [hit["key"] for hit in data["hits"]] == ["seg/miou", "depth/abs_err"] and len(data["hits"][0]["true"]) == 20


def test_what_stopping_saves_and_loses_needs_no_replay(tmp_path: Path, sweep: Any) -> None:
    page = _report(tmp_path / "r.html", sweep, ranking=sweep.ranking)
    drawn, curve = page.data["stopping"], sweep.ranking.stopping
    stops = sweep.ranking.action.count("stop")
    assert drawn["stopped"][drawn["chosen"]] == stops
    assert drawn["saved"][drawn["chosen"]] == pytest.approx(100 * curve.saved[curve.chosen], rel=1e-4)
    saved = f"{100 * curve.saved[curve.chosen]:.0f} % of the epochs still to come"
    assert page.cells.count(saved) == 2  # in the headline and here
    assert "Compute saved against regret, as forecast" in page.text


def test_nothing_is_said_of_stopping_where_all_runs_have_ended(tmp_path: Path, make_case: Callable[..., Any]) -> None:
    case = make_case(["a", "b", "c"], {})
    page = _report(tmp_path / "r.html", case, ranking=case.ranking)
    assert "stopping" not in page.data and "Compute saved" not in page.cells


def test_cosines_and_weights_are_shown_whatever_tool_named_them(tmp_path: Path, sweep: Any) -> None:
    names = ["seg|depth/cosine", "grad_cos/seg_depth", "weights/seg", "loss_weight_depth", "weight_decay", "main/lr"]
    signals = pd.concat(
        [pd.DataFrame({"run": "run-40", "epoch": [1, 2], "metric": name, "value": [0.1, 0.2]}) for name in names]
    )
    table = RunTable.from_points(
        sweep.table.points, sweep.table.metrics, runs=sweep.table.runs, configs=sweep.table.configs, signals=signals
    )
    write_report(tmp_path / "r.html", title="r", table=table, forecast=sweep.forecast, ranking=sweep.ranking)
    shown = Page(tmp_path / "r.html").data["signals"]["runs"]
    (panels,) = shown.values()
    labels = {heading: {line[0] for line in lines} for heading, lines in panels.items()}
    assert labels == {"gradient cosine": {"seg|depth", "seg_depth"}, "weight": {"seg", "depth"}}


def test_names_are_shown_and_do_nothing(tmp_path: Path, make_case: Callable[..., Any]) -> None:
    case = make_case(HOSTILE, dict.fromkeys(HOSTILE[1:], 4))
    plain_case = make_case([f"run-{i}" for i in range(5)], {f"run-{i}": 4 for i in range(1, 5)})
    options = {"truth": case.truth, "summary": [{HOSTILE[0]: HOSTILE[1]}], "notes": [HOSTILE[1]]}
    page = _report(tmp_path / "r.html", case, ranking=case.ranking, **options)
    same = _report(
        tmp_path / "s.html", plain_case, ranking=plain_case.ranking, truth=plain_case.truth,
        summary=[{"a": "b"}], notes=["c"],
    )  # fmt: skip
    hidden = ("script", "style", "meta")
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in same.tags]
    assert page.scripts == same.scripts and [t for t, _ in page.tags if t in hidden] == [
        t for t, _ in same.tags if t in hidden
    ]
    assert set(page.data["runs"]["name"]) == {*HOSTILE[:4], "\\u202ereversed\\x00"}
    assert HOSTILE[1] in page.text
    between = page.source.split('id="data">')[1].split("</script>")[0]
    assert not set("<>&") & set(between)


def test_title_is_literal(tmp_path: Path, sweep: Any) -> None:
    write_report(tmp_path / "r.html", title="</title>$data<b>", table=sweep.table, forecast=sweep.forecast)
    page = Page(tmp_path / "r.html")
    assert page.text.count("</title>$data<b>") == 2


@pytest.mark.parametrize("cutoffs", [{}, {"a": 5}])
@pytest.mark.parametrize("names", [["a", "b"], ["a"]])
def test_small_and_finished_tables(
    tmp_path: Path, make_case: Callable[..., Any], names: list[str], cutoffs: dict[str, int]
) -> None:
    case = make_case(names, cutoffs)
    page = _report(tmp_path / "r.html", case, ranking=case.ranking, truth=case.truth)
    assert sorted(page.data["runs"]["name"]) == names
    assert ("1 training run on" if len(names) == 1 else "2 training runs on") in page.cells
    if not cutoffs:
        assert "Nothing is left to stop" in page.cells


def test_diverged_and_silent_runs(tmp_path: Path, odd_sweep: Any) -> None:
    data = _report(tmp_path / "r.html", odd_sweep, ranking=odd_sweep.ranking, truth=odd_sweep.truth).data
    place = {name: i for i, name in enumerate(data["runs"]["name"])}
    assert data["runs"]["cells"][place["blown"]] == ["diverged", "diverged"]
    assert data["curves"][place["blown"]][0][6] == 3  # marked at the epoch where it was lost
    assert data["curves"][place["live"]][0][6] is None
    assert not re.search(r"\bNaN\b|Infinity", json.dumps(data))


def test_unwritable_path_is_a_usage_error_and_leaves_nothing(tmp_path: Path, sweep: Any) -> None:
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(UsageError, match=r"folder\.html.*give another path"):
        _report(tmp_path / "folder.html", sweep)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.html"]


def test_import_brings_neither_torch_nor_plotly() -> None:
    code = (
        "import lcode.report, lcode.plot, sys; print(sorted({'torch', 'plotly', 'rich', 'sklearn'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
