"""Runs and their forecasts as cells of text, the same for the page and for the terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lcode.decisions import Ranking
from lcode.forecast import Forecast
from lcode.report.advice import Advice, advice
from lcode.show import intervals, is_missing, numbers, plain, printable, probability
from lcode.table import RunTable
from lcode.table.axis import epoch_text


@dataclass(frozen=True)
class RunRow:
    """One run in the table of runs: its name, the other cells in the order of the headings, what to do with it.

    The action is empty without a ranking; see `lcode.report.advice`.
    """

    run: str
    cells: tuple[str, ...]
    action: Advice | Literal[""] = ""


def run_rows(
    forecast: Forecast, ranking: Ranking | None = None, table: RunTable | None = None
) -> tuple[tuple[str, ...], list[RunRow]]:
    """The table of runs: headings of the cells after the run's name, and a row per run.

    Args:
        forecast: R runs × K metrics; the last query epoch of each run is taken as its horizon.
        ranking: of the same runs; it brings the order (default: the forecast's), the score and the probabilities.
        table: the runs; it says which were stopped or failed.

    Returns:
        Headings (epochs seen, each metric's key, and with a ranking its score, P(best), with constraints P(feasible),
        and last P(top 10 %)) and R rows. Beside a ranking `~` marks what a finished run never measured: a forecast.
    """
    final = forecast.final()
    told = {} if ranking is None else advice(forecast, ranking, table)
    low, median, high = (final.quantile(level)[..., 0] for level in (0.05, 0.5, 0.95))
    place = {run: i for i, run in enumerate(forecast.run_ids)}
    chances = {} if ranking is None else _chances(ranking)
    headings = ["seen", *(printable(metric.key) for metric in forecast.metrics)]
    if ranking is not None:
        headings += [score_title(ranking), *chances]
    columns = [
        intervals(list(zip(median[:, k].tolist(), low[:, k].tolist(), high[:, k].tolist(), strict=True)))
        for k in range(len(forecast.metrics))
    ]
    scores: list[str] = []
    if ranking is not None:
        spans = (ranking.score.tolist(), ranking.score_q05.tolist(), ranking.score_q95.tolist())
        scores = intervals(list(zip(*spans, strict=True)))
    rows = []
    for position, run in enumerate(forecast.run_ids if ranking is None else ranking.runs):
        i = place[run]
        ends = (max(0, int(forecast.observed[i].max(initial=0))), int(forecast.horizons[i]))
        cells = ["/".join(epoch_text(end, forecast.epoch_unit) for end in ends)]
        measured = (forecast.observed[i] >= 0) | (told.get(run) != "finished")
        cells += [
            "diverged" if status == "diverged" else column[i] if known else f"~{column[i]}"
            for status, known, column in zip(forecast.status[i], measured, columns, strict=True)
        ]
        if ranking is not None:
            cells.append(scores[position])
            cells += [probability(float(p[position])) for p in chances.values()]
        rows.append(RunRow(run, tuple(cells), told.get(run, "")))
    return tuple(headings), rows


def _chances(ranking: Ranking) -> dict[str, NDArray[np.float64]]:
    """Heading -> probabilities of the runs in their order."""
    feasible = {} if ranking.p_feasible is None else {"P(feasible)": ranking.p_feasible}
    return {"P(best)": ranking.p_best, **feasible, "P(top 10 %)": ranking.p_top_10pct}


def configuration(table: RunTable, *, shared: bool = False) -> dict[str, str]:
    """What tells the runs' configurations apart: run -> `name=value, …` of the hyper-parameters that vary.

    Args:
        table: the runs.
        shared: whether to name those as well that all runs share.
    """
    named = [str(name) for name in table.configs if shared or table.configs[name].nunique(dropna=False) > 1]
    values = zip(*(table.configs[name].tolist() for name in named), strict=True) if named else [()] * len(table)
    return {
        run: ", ".join(f"{printable(n)}={plain(v)}" for n, v in zip(named, row, strict=True) if not is_missing(v))
        for run, row in zip(table.run_ids, values, strict=True)
    }


def score_title(ranking: Ranking) -> str:
    """`score`, with its unit where it has one."""
    return printable(ranking.score_title)


def summary_cells(rows: Sequence[Mapping[str, object]]) -> tuple[list[str], list[list[str]]]:
    """Headings and cells of rows given as mappings; the headings are all keys, in the order of appearance."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = [_column([row.get(name) for row in rows]) for name in names]
    return [printable(name) for name in names], [list(cells) for cells in zip(*columns, strict=True)]


def _column(values: Sequence[object]) -> list[str]:
    """A column as text: floats with the same decimals."""
    known = [value for value in values if not is_missing(value)]
    if any(not isinstance(value, float) or math.isinf(value) for value in known):
        return [plain(value) for value in values]
    return numbers([value if isinstance(value, float) else math.nan for value in values])
