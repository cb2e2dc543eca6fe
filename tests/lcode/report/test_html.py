from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from lcode.errors import UsageError
from lcode.evaluation.replay import Replay
from lcode.report import write_report

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><img src=http://example.org onerror=alert(1)>",
    "\"quoted' & &amp; $title ${plotly}",
    "<!-- comment",
    "\u202ereversed\x00",
]


class Page(HTMLParser):
    """What a browser would find in the page: tags with attributes, visible text, and the figures' data."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.figures: dict[str, Any] = {}
        self.scripts = 0
        self.ids: list[str] = []
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
            self.figures[str(self._inside[1]["id"])] = json.loads(data)
        elif self._inside[0] == "script":
            self.scripts += 1

    @property
    def cells(self) -> str:
        return "\n".join(self.text)


def _report(path: Path, case: Any, **more: Any) -> Page:
    write_report(path, title="a report", table=case.table, forecast=case.forecast, **more)
    return Page(path)


def test_everything_is_in_one_file(tmp_path: Path, sweep: Any) -> None:
    replays = {"forecast": [Replay((), 400, 1000, {}, None, 0.2, ())]}
    path = tmp_path / "report.html"
    page = _report(
        path, sweep, ranking=sweep.ranking, truth=sweep.truth, replays=replays,
        summary=[{"policy": "lcode", "saved": 0.6}], notes=["said once", "said once"],
    )  # fmt: skip
    assert list(page.figures) == ["ranking-data", "forecast-data", "hits-data", "savings-data"]
    assert page.scripts == 2  # plotly once, and the script that draws
    assert page.source.count("plotly.js v") == 1
    assert not [attrs for _, attrs in page.tags if {"src", "href", "srcset", "action"} & set(attrs)]
    policy = next(attrs["content"] for _, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None and policy.startswith("default-src 'none'") and "form-action 'none'" in policy
    assert "showSendToCloud: false" in page.source  # no button that uploads the data
    assert [text for text in page.text if text == "said once"] == ["said once"]
    assert "0.6" in page.text and "How to read the intervals" in page.text
    assert path.stat().st_size < 6e6
    assert list(tmp_path.iterdir()) == [path]


def test_every_run_is_listed_and_the_rest_folded(tmp_path: Path, sweep: Any) -> None:
    page = _report(tmp_path / "r.html", sweep, ranking=sweep.ranking)
    assert [text for text in page.text if text.startswith("run-")] == list(sweep.ranking.runs)
    assert "20 more runs" in page.text
    assert [tag for tag, _ in page.tags].count("details") == 1


def test_figures_have_a_layout_for_narrow_screens(tmp_path: Path, sweep: Any) -> None:
    content = _report(tmp_path / "r.html", sweep).figures["forecast-data"]
    assert content["figure"]["layout"]["xaxis2"]["domain"][0] > 0.5
    assert content["narrow"]["layout"]["xaxis2"]["domain"] == [0, 1]
    assert content["narrow"]["data"] == []


def test_names_are_shown_and_do_nothing(tmp_path: Path, make_case: Callable[..., Any]) -> None:
    case = make_case(HOSTILE, dict.fromkeys(HOSTILE[1:], 4))
    plain_case = make_case([f"run-{i}" for i in range(5)], {f"run-{i}": 4 for i in range(1, 5)})
    options = {"truth": case.truth, "summary": [{HOSTILE[0]: HOSTILE[1]}], "notes": [HOSTILE[1]]}
    page = _report(tmp_path / "r.html", case, ranking=case.ranking, **options)
    same = _report(
        tmp_path / "s.html", plain_case, ranking=plain_case.ranking, truth=plain_case.truth,
        summary=[{"a": "b"}], notes=["c"],
    )  # fmt: skip
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in same.tags]
    assert all(name in page.text for name in HOSTILE[:4])
    assert "\\u202ereversed\\x00" in page.text
    assert page.figures.keys() == same.figures.keys()
    # Figure texts are a small HTML dialect: names in them are escaped once more.
    assert "<script" not in json.dumps(page.figures) and "<img" not in json.dumps(page.figures)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in json.dumps(page.figures)


def test_title_is_literal(tmp_path: Path, sweep: Any) -> None:
    write_report(tmp_path / "r.html", title="</title>$what<b>", table=sweep.table, forecast=sweep.forecast)
    page = Page(tmp_path / "r.html")
    assert page.text.count("</title>$what<b>") == 2


@pytest.mark.parametrize("cutoffs", [{}, {"a": 5}])
@pytest.mark.parametrize("names", [["a", "b"], ["a"]])
def test_small_and_finished_tables(
    tmp_path: Path, make_case: Callable[..., Any], names: list[str], cutoffs: dict[str, int]
) -> None:
    case = make_case(names, cutoffs)
    page = _report(tmp_path / "r.html", case, ranking=case.ranking, truth=case.truth)
    assert all(name in page.text for name in names)
    assert ("1 training run on" if len(names) == 1 else "2 training runs on") in page.cells


def test_diverged_and_silent_runs(tmp_path: Path, odd_sweep: Any) -> None:
    page = _report(tmp_path / "r.html", odd_sweep, ranking=odd_sweep.ranking, truth=odd_sweep.truth)
    assert {"done", "live", "blown", "silent", "past", "diverged"} <= set(page.text)


def test_unwritable_path_is_a_usage_error_and_leaves_nothing(tmp_path: Path, sweep: Any) -> None:
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(UsageError, match=r"folder\.html.*give another path"):
        _report(tmp_path / "folder.html", sweep)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.html"]


def test_import_brings_neither_torch_nor_plotly() -> None:
    code = "import lcode.report, sys; print(sorted({'torch', 'plotly', 'rich', 'sklearn'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
