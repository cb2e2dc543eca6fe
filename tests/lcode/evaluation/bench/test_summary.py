from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from lcode.evaluation.bench import Section, bench_markdown, bench_tables, failures, summarise
from lcode.evaluation.bench.store import COLUMNS, NUMBERS

ERRORS = {"trees": 1.0, "lcode": 0.8}


def results(**changes: Any) -> pd.DataFrame:
    """Two sources, two seeds, two forecasters; `lcode` makes 0.8 times the error of `trees`, and a little more."""
    rows = []
    for source, size in (("toys/a", 1.0), ("toys/b", 100.0)):
        for seed, noise in ((0, 1.1), (1, 1 / 1.1)):
            for name, error in ERRORS.items():
                row: dict[str, Any] = {"source": source, "group": "toys", "protocol": "by-run", "train": "all"}
                row |= {"seed": seed, "forecaster": name, "settings": "", "prefix": "2e"}
                row |= {"metric": "loss", "subset": "all", "error": "", **dict.fromkeys(NUMBERS, 10.0)}
                row |= {"pretrained": 0.0, "cutoff": 2.0}
                factor = error * (noise if name == "lcode" else 1)
                row |= {"mape": 0.1 * factor, "final_mae": size * factor, "crps": size * factor, "kendall": 1 - error}
                rows.append(row | changes)
    return pd.DataFrame(rows, columns=COLUMNS)


def figures(section: Section, prefix: str = "2e") -> dict[str, dict[str, Any]]:
    """The figures at one prefix by forecaster."""
    rows = section.rows.reset_index().to_dict("records")
    return {row["forecaster"]: {str(k): v for k, v in row.items()} for row in rows if row["prefix"] == prefix}


def test_ratios_are_geometric_means_with_errors_over_the_seeds() -> None:
    (section,) = summarise(results())
    assert (section.group, section.train, section.metric, section.sources, section.seeds) == (
        "toys",
        "all",
        "loss",
        2,
        2,
    )
    row = figures(section)["lcode"]
    for name in ("mape_ratio", "final_mae_ratio", "crps_ratio"):
        assert row[name] == pytest.approx(0.8)
        assert row[f"{name}_error"] == pytest.approx(0.8 * np.log(1.1))
    assert row["kendall_difference"] == pytest.approx(0.2) and row["pairs"] == 4
    trees = figures(section)["trees"]
    assert trees["final_mae"] == pytest.approx(50.5) and np.isnan(trees["mape_ratio"])


def test_different_metrics_have_no_mean_in_their_units() -> None:
    frame = results()
    frame.loc[frame["source"] == "toys/b", "metric"] = "rmse"
    (section,) = summarise(frame)
    row = figures(section)["lcode"]
    assert section.metric == "" and np.isnan(row["final_mae"]) and np.isnan(row["crps"])
    assert row["final_mae_ratio"] == pytest.approx(0.8) and row["mape"] == pytest.approx(0.08, rel=0.01)


def test_the_first_reference_that_took_part() -> None:
    frame = results()
    (section,) = summarise(frame, ["gp", "lcode"])
    assert figures(section)["trees"]["mape_ratio"] == pytest.approx(1.25)
    (section,) = summarise(frame, ["gp"])
    assert "mape_ratio" not in section.rows and set(section.rows["reference"]) == {""}
    assert "| 2 epochs | trees | 0.1 |" in bench_markdown([section], {})


def test_sections_and_prefixes_are_in_order() -> None:
    parts = [results(train=train, subset=subset) for train in ("0", "10", "all") for subset in ("twins", "all")]
    parts += [results(prefix="0.5", cutoff=20.0), results(prefix="10e", cutoff=10.0), results(metric="delta_m")]
    sections = summarise(pd.concat(parts, ignore_index=True))
    assert [(s.train, s.metric, s.subset) for s in sections] == [
        ("all", "loss", "all"),
        ("all", "loss", "twins"),
        ("all", "delta_m", "all"),
        *((train, "loss", subset) for train in ("10", "0") for subset in ("all", "twins")),
    ]
    assert list(dict.fromkeys(prefix for prefix, _ in sections[0].rows.index)) == ["2e", "10e", "0.5"]


def test_twins_settings_and_failures() -> None:
    frame = results(subset="twins")
    twin = frame[frame["forecaster"] == "trees"].assign(forecaster="twin", train="any")
    old = frame[frame["forecaster"] == "lcode"].assign(settings="old")
    failed = frame.head(1).assign(error="ValueError: no", metric="", subset="")
    whole = pd.concat([frame, twin, old, failed], ignore_index=True)
    (section,) = summarise(whole)
    assert section.train == "all"
    assert section.rows.index.get_level_values("forecaster").tolist() == ["trees", "lcode []", "lcode [old]", "twin"]
    assert failures(whole) == {"trees: ValueError: no": 1}
    text = bench_markdown([section], failures(whole))
    assert "- trees: ValueError: no (1 forecasts)" in text


def test_a_checkpoint_that_saw_the_test_runs_is_marked() -> None:
    frame = results()
    frame["pretrained"] = (frame["forecaster"] == "lcode") & (frame["source"] == "toys/b")
    (section,) = summarise(frame, ["lcode"])
    assert set(figures(section)) == {"trees", "lcode †"}
    assert figures(section)["trees"]["reference"] == "lcode †"


def test_the_tables() -> None:
    sections = summarise(results())
    text = bench_markdown(sections, {})
    assert "## toys, 2 sources, by-run, 10 training runs and 10 of other problems: loss (10 test runs, 2 seeds)" in text
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 4 and len({line.count("|") for line in lines}) == 1
    assert "0.800 ± 0.076" in lines[3] and "+0.200 ± 0.000" in lines[3]
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(*bench_tables(sections))
    shown = console.export_text()
    assert "lcode" in shown and "…" not in shown and max(map(len, shown.splitlines())) <= 80
