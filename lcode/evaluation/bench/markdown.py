"""The results of a bench as one Markdown file, and a section of them for the terminal."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd
from rich import box
from rich.table import Table
from rich.text import Text

from lcode.evaluation.bench.prefixes import RANDOM
from lcode.evaluation.bench.protocols import ALL
from lcode.evaluation.bench.scores import DELTA_M
from lcode.evaluation.bench.summary import Section

EXPLAINED = """\
Means over sources, metrics and seeds; a seed is one division into runs to learn from and test runs. MAPE, MAE, CRPS and
coverage (of the 90 % interval) run over every epoch after the prefix, the last one included; final MAE, Kendall's τ and
the coverage of finals compare values at the horizon. RMSE/σ and NLL: root mean squared error, and negative log
likelihood of normal forecasts, per value, all values alike, with the metric's values scaled to unit deviation. ÷ and −:
against the named reference on the same divisions, the geometric mean of the ratios and the mean difference, ± one
standard error over the seeds (the divisions share runs, so take it for a lower bound). Errors in the metric's own units
are shown where there is one metric. fit s and predict s: seconds; values: how many are in a mean. †: its checkpoint was
trained on runs of these sources, tested ones among them, so the figure says nothing of new runs.

Δm: mean relative gain of the final values over single-task references, in per cent, higher is better; diverged runs
have none and are left out; nothing is clipped, so runs that blew up can make most of a mean error. Settled runs: no
metric ended more than 300 % worse than its reference. Learners: runs that ended below 0.97·ln 2. Runs with a twin:
another seed of their configuration is among the test runs; the line `twin` takes that seed's curve for the forecast.
"""

_PARTS = {"all": "", "twins": "runs with a twin", "settled": "settled runs"}


def bench_markdown(sections: Sequence[Section], failed: dict[str, int]) -> str:
    """All sections as Markdown tables, and what failed."""
    texts = ["# Bench\n", EXPLAINED]
    texts += [f"## {title(section)}\n\n{_markdown(section)}" for section in sections]
    if failed:
        lines = "\n".join(f"- {text} ({count} forecasts)" for text, count in failed.items())
        texts.append(f"## Failed\n\n{lines}\n")
    return "\n".join(texts)


def bench_tables(sections: Sequence[Section]) -> list[Table]:
    """A table for a terminal of 80 columns per section, without standard errors."""
    tables = []
    for section in sections:
        headings, lines = _headings(section), _cells(section)
        wanted = [i for i, heading in enumerate(headings) if i < 2 or heading in _terminal_columns(section)]
        table = Table(title=title(section), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        for i in wanted:
            width = max(len(cells[i]) for cells in (headings, *lines)) if i < 2 else None
            table.add_column(Text(headings[i]), justify="left" if i < 2 else "right", min_width=width)
        for cells in lines:
            if cells[0] and table.rows:
                table.add_section()
            table.add_row(*(Text(cells[i].partition(" ±")[0]) for i in wanted))
        tables.append(table)
    return tables


def _terminal_columns(section: Section) -> list[str]:
    """The headings that there is room for, without those of empty columns."""
    if section.metric == DELTA_M:
        return ["final MAE", "τ", "CRPS", "covered"]
    if section.rows["final_mae"].notna().any():
        return ["MAPE", "final MAE", "τ", "CRPS", "covered"]
    return ["MAPE", "τ", "covered", *(heading for heading in _headings(section) if "÷" in heading)]


def title(section: Section) -> str:
    """What a section is about, in one line."""
    learned, related, tested = (f"{number:.0f}" for number in section.runs)
    sources = f", {section.sources} sources" if section.sources > 1 else ""
    runs = f"{learned} training runs" if section.train == ALL else f"{section.train} training runs"
    runs += f" and {related} of other problems" if section.runs[1] else ""
    metric = {DELTA_M: "Δm", "": "all metrics"}.get(section.metric, section.metric)
    part = _PARTS.get(section.subset, section.subset)
    what = f"{metric}, {part}" if part else metric
    seeds = f"{section.seeds} seed{'s' if section.seeds > 1 else ''}"
    return f"{section.group}{sources}, {section.protocol}, {runs}: {what} ({tested} test runs, {seeds})"


def _headings(section: Section) -> list[str]:
    named = sorted({name for name in section.rows["reference"] if name})
    against = named[0] if len(named) == 1 else "reference"
    return [
        "seen", "forecaster", "MAPE", "MAE", "final MAE", "τ", "CRPS", "RMSE/σ", "NLL", "covered",
        "finals covered", f"MAPE ÷ {against}",
        f"final MAE ÷ {against}", f"CRPS ÷ {against}", f"τ − {against}", "fit s", "predict s", "values",
    ]  # fmt: skip


def _cells(section: Section) -> list[list[str]]:
    """The table's lines; the prefix stands in the first of its lines only."""
    lines, last = [], ""
    for row in section.rows.reset_index().to_dict("records"):
        prefix = row["prefix"]
        lines.append(
            [
                "" if prefix == last else _seen(prefix),
                row["forecaster"],
                *(_number(row[column]) for column in ("mape", "mae", "final_mae")),
                _number(row["kendall"], ".3f"),
                *(_number(row[column]) for column in ("crps", "nrmse", "nll")),
                *(_number(row[column], ".2f") for column in ("coverage90", "final_coverage90")),
                *(_with_error(row, f"{column}_ratio", ".3f") for column in ("mape", "final_mae", "crps")),
                _with_error(row, "kendall_difference", "+.3f"),
                *(_number(row[column], ".1f") for column in ("fit_seconds", "predict_seconds")),
                f"{row['pairs']:d}",
            ]
        )
        last = prefix
    return lines


def _markdown(section: Section) -> str:
    headings = _headings(section)
    rules = ["---" if i < 2 else "---:" for i in range(len(headings))]
    return "\n".join(f"| {' | '.join(line)} |" for line in (headings, rules, *_cells(section))) + "\n"


def _seen(prefix: str) -> str:
    if prefix == RANDOM:
        return "to a random epoch"
    if prefix.endswith("e"):
        number = prefix.removesuffix("e")
        return f"{number} epoch{'s' if number != '1' else ''}"
    return f"{100 * float(prefix):g} %"


def _number(value: float, form: str = ".3g") -> str:
    if pd.isna(value):
        return "–"
    form = ".0f" if form == ".3g" and 1000 <= abs(value) < 1e5 else form
    return format(value, form).replace("-", "−")


def _with_error(row: Mapping[Hashable, Any], column: str, form: str) -> str:
    """`0.912 ± 0.013`, or the number alone with one seed."""
    value, error = row.get(column), row.get(f"{column}_error")
    if value is None or pd.isna(value):
        return "–"
    return _number(value, form) if pd.isna(error) else f"{_number(value, form)} ± {error:.3f}"
