"""The page in a real browser: what people do with it works, at four widths, in both colours, without an error."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lcode.decisions import StoppingCurve
from lcode.report import Trust, write_report
from lcode.table import Metric, RunTable

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install -e '.[browser]'")

BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)

pytestmark = [
    pytest.mark.skipif(not BROWSER, reason="there is no Chromium"),
    # Playwright's event loop outlives the test that started it.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

WIDTHS = (400, 800, 1280, 1920)
METRICS = [
    Metric("seg", "miou", "max"),
    Metric("depth", "abs_err", "min"),
    Metric("normals", "mean_angle_error", "min"),
    Metric("edge", "f1", "max"),
    Metric("det", "map", "max"),
    Metric("language", "loss", "min"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield chromium
        chromium.close()


Open = Callable[..., Any]


@pytest.fixture
def open_page(browser: Any) -> Iterator[Open]:
    """`open_page(path, width=1280, colours="light")` -> the page, ready; an error on its console fails the test."""
    troubles: list[str] = []
    pages = []

    def open_it(path: Path, width: int = 1280, colours: str = "light") -> Any:
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=colours)
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on(
            "request", lambda request: troubles.append(request.url) if not request.url.startswith("file:") else None
        )
        page.goto(path.as_uri())
        page.wait_for_selector("tr.run-row")
        pages.append(page)
        return page

    yield open_it
    for page in pages:
        page.close()
    assert troubles == []


@pytest.fixture
def page_file(tmp_path: Path, make_case: Callable[..., Any]) -> Path:
    """Sixty runs of six metrics: long names, hostile ones, one that diverges, gradients and weights."""
    names = [f"sweep-with-a-long-name-balancer-{i % 4}-seed-{i:02d}" for i in range(58)] + [
        "<script>alert(1)</script>",
        "r1",
    ]
    case = make_case(names, dict.fromkeys(names[20:], 6), METRICS)
    table: RunTable = case.table
    signals = pd.DataFrame(
        {"run": names[40], "epoch": np.arange(1, 7), "metric": "seg|depth/cosine", "value": np.linspace(-0.5, 0.5, 6)}
    )
    table = RunTable.from_points(
        table.points, table.metrics, runs=table.runs, configs=table.configs, signals=signals, notes=["a note"]
    )
    path = tmp_path / "report.html"
    write_report(
        path, title="Sixty runs", table=table, forecast=case.forecast, ranking=case.ranking, truth=case.truth,
        trust=Trust([{"metric": "seg/miou", "seen": "20 %", "covers %": "88"}], ["a warning"], 20),
    )  # fmt: skip
    return path


def _names(page: Any) -> list[str]:
    return page.locator("tr.run-row .name button").all_inner_texts()


def _actions(page: Any) -> set[str]:
    return set(page.locator("tr.run-row td:nth-child(2)").all_inner_texts())


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_what_to_do_is_in_view_at_every_width(open_page: Open, page_file: Path, width: int, colours: str) -> None:
    page = open_page(page_file, width, colours)
    page.click("tr.run-row >> nth=0")
    page.wait_for_selector(".detail svg")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for heading in ("action", "score", "P(best)"):
        box = page.locator("th", has_text=heading).first.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width
    page.evaluate("document.querySelector('.runs').scrollLeft = 10000")
    box = page.locator("th", has_text="P(best)").first.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= width
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(255, 255, 255)" if colours == "light" else "rgb(15, 20, 25)")


def test_the_table_sorts_by_any_column(open_page: Open, page_file: Path) -> None:
    page = open_page(page_file)
    by_rank = _names(page)
    page.get_by_role("button", name="depth/abs_err").click()
    values = [
        float(text.split("[")[0].split()[0]) for text in page.locator("tr.run-row td:nth-child(7)").all_inner_texts()
    ]
    # Sorted by the value itself; what is shown is rounded to its interval.
    assert (np.diff(values) > -2e-3).all() and _names(page) != by_rank
    page.get_by_role("button", name="depth/abs_err").click()
    assert page.locator("th[aria-sort=descending]").count() == 1
    page.get_by_role("button", name="score", exact=True).click()
    assert _names(page) == by_rank


def test_the_table_is_filtered_by_action_and_searched(open_page: Open, page_file: Path) -> None:
    page = open_page(page_file)
    stop = page.locator("button[data-action=stop]")
    wanted = int(stop.inner_text().split()[1])
    stop.click()
    assert _actions(page) == {"stop"} and len(_names(page)) == min(wanted, 50)
    page.locator("button[data-action='']").click()
    page.fill("input[type=search]", "balancer-3 seed-07")
    assert _names(page) == ["sweep-with-a-long-name-balancer-3-seed-07"]
    page.fill("input[type=search]", "<script>")
    assert _names(page) == ["<script>alert(1)</script>"]


def test_a_click_opens_a_fan_and_another_closes_it(open_page: Open, page_file: Path) -> None:
    page = open_page(page_file)
    assert page.locator(".band").count() == 0
    page.fill("input[type=search]", "seed-40")
    page.click("tr.run-row")
    page.wait_for_selector(".detail svg")
    assert page.locator(".detail .band").count() == 2 * len(METRICS)
    assert page.locator(".detail h4", has_text="gradient cosine").count() == 1
    page.click("tr.run-row")
    assert page.locator(".detail").count() == 0


def test_more_rows_are_shown_on_demand(open_page: Open, page_file: Path) -> None:
    page = open_page(page_file)
    assert len(_names(page)) == 50
    page.get_by_role("button", name="show 10 more").click()
    assert len(_names(page)) == 60


def test_the_switch_of_colours(open_page: Open, page_file: Path) -> None:
    page = open_page(page_file)
    seen = []
    for _ in range(3):
        page.click("#theme")
        seen.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert seen == ["rgb(15, 20, 25)", "rgb(255, 255, 255)", "rgb(255, 255, 255)"]


def test_another_pair_of_metrics_on_the_front(open_page: Open, page_file: Path) -> None:
    page = open_page(page_file)
    page.wait_for_selector("#pareto svg")
    before = page.locator("#pareto svg").get_attribute("aria-label")
    page.locator("#pareto select").select_option("4")
    assert page.locator("#pareto svg").get_attribute("aria-label") != before
    assert page.locator("#pareto .dot").count() >= 1


def test_the_advised_threshold_is_marked_on_the_curve_of_savings(open_page: Open, tmp_path: Path, sweep: Any) -> None:
    thresholds, shares = np.array([0.0, 0.1, 1.0]), np.array([0.0, 0.25, 1.0])
    stopping = StoppingCurve(thresholds, np.array([0, 3, 20]), shares, np.array([0, 0.125, np.nan]), 0.05)
    ranking = dataclasses.replace(sweep.ranking, stopping=stopping)
    path = tmp_path / "report.html"
    write_report(path, title="a sweep", table=sweep.table, forecast=sweep.forecast, ranking=ranking)
    page = open_page(path)
    page.wait_for_selector("#stopping svg")
    assert page.locator("#stopping .dot").count() == 2  # of the third threshold nobody knows the regret
    page.hover("#stopping .chosen")
    assert page.inner_text(".tip") == "chance below 10 %: 3 stopped, 25 % saved, expected regret 0.125"


def test_a_run_that_diverges_is_marked(open_page: Open, tmp_path: Path, odd_sweep: Any) -> None:
    path = tmp_path / "report.html"
    write_report(path, title="odd", table=odd_sweep.table, forecast=odd_sweep.forecast, ranking=odd_sweep.ranking)
    page = open_page(path)
    page.locator("tr.run-row", has_text="blown").click()
    page.wait_for_selector(".detail .cross")
    assert "diverged at epoch 3" in page.locator(".detail svg").first.text_content()


def test_a_logarithmic_axis_with_a_forecast_that_reaches_below_zero(
    open_page: Open, tmp_path: Path, sweep: Any
) -> None:
    points = sweep.table.points.copy()
    loss = points["metric"] == "depth/abs_err"
    points.loc[loss, "value"] = 10 ** (2 - points.loc[loss, "epoch"] / 3.0)
    quantiles = sweep.forecast.quantiles.copy()
    quantiles[:, 1] = np.linspace(-1e-4, 1e-3, quantiles.shape[-1])
    table = dataclasses.replace(sweep.table, points=points)
    forecast = dataclasses.replace(sweep.forecast, quantiles=quantiles)
    path = tmp_path / "report.html"
    write_report(path, title="losses", table=table, forecast=forecast, ranking=sweep.ranking)
    page = open_page(path)
    page.locator("tr.run-row", has_text="run-40").click()
    page.wait_for_selector(".detail .band")
    assert "NaN" not in page.locator(".detail .band >> nth=2").get_attribute("d")
