"""Parts of the page that are plain HTML: they can be read without a script."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence

from lcode.decisions import StoppingCurve
from lcode.report.cells import summary_cells
from lcode.report.importance import CONFIDENCE, Setting
from lcode.report.trusted import Trust, trust_sentences
from lcode.show import counted, escaped, interval

MOST_SETTINGS = 12
"""So many settings are listed."""

THRESHOLDS = (0.01, 0.05, 0.1, 0.2, 0.5)
"""Thresholds whose savings and regret are listed, beside the chosen one."""


def section(heading: str, content: str) -> str:
    """A heading and what belongs to it; the content is HTML."""
    return f"<section><h2>{html.escape(heading)}</h2>{content}</section>"


def lead(text: str) -> str:
    """A quiet paragraph."""
    return f'<p class="lead">{escaped(text)}</p>'


def trust_section(trust: Trust) -> str:
    """The answer first, then what it rests on."""
    answer, *reasons = trust_sentences(trust)
    content = f"<p><b>{escaped(answer)}</b></p>" if reasons else f"<p>{escaped(answer)}</p>"
    content += "".join(f"<p>{escaped(reason)}</p>" for reason in reasons)
    if trust.warnings:
        content += f"<ul>{''.join(f'<li>{escaped(warning)}</li>' for warning in trust.warnings)}</ul>"
    if trust.rows:
        told = "MAE: error of the final value; τ: order of the runs. Of lcode, the last value seen, and ExtraTrees."
        content += f"<details><summary>the figures</summary>{lead(told)}{_table(*summary_cells(trust.rows))}</details>"
    return section("Can I trust this?", content)


def stopping_section(curve: StoppingCurve, unit: str) -> str:
    """What the advice saves and loses by the forecasts, and what other thresholds would; a script draws the curve.

    Args:
        curve: of the ranking; with epochs to come.
        unit: what a score is measured in; empty if that is the score's own.
    """

    def lost(place: int) -> str:
        return f"{curve.regret[place]:.2g}" if math.isfinite(curve.regret[place]) else "unknown: no run would be left"

    chosen = curve.chosen
    told = (
        f"Stopping every run with a chance below {_percent(curve.delta)}, as advised, saves "
        f"{_percent(curve.saved[chosen])} of the epochs still to come"
    )
    if not curve.stopped[chosen]:
        told = f"No run has a chance below {_percent(curve.delta)}, so nothing is stopped, saved or lost"
    elif not math.isfinite(curve.regret[chosen]):
        told += "; no run with a forecast would be left"
    elif curve.regret[chosen] == 0:
        told += ", and is expected to cost nothing: the best run is almost surely among those that are left"
    else:
        told += f". The best score is then expected to be {curve.regret[chosen]:.2g} lower"
    explained = (
        "A run's chance is that of ending among the best tenth or of beating the best finished run, whichever is "
        "larger. The expected regret is how much better the best of all runs is expected to end than the best of those "
        "that go on; both are counted on the forecasts, so they are as good as these, and hold if runs are stopped now."
    )
    if unit:
        explained += f" Regret is in {unit}."
    rows = [
        [
            f"{_percent(threshold)} (advised)" if threshold == curve.delta else _percent(threshold),
            str(curve.stopped[place]),
            _percent(curve.saved[place]),
            lost(place),
        ]
        for threshold in sorted({*THRESHOLDS, curve.delta})
        for place in [curve.place(threshold)]
    ]
    table = _table(["stop below", "runs stopped", "epochs saved", "expected regret"], rows)
    content = f'<p>{escaped(told)}.</p>{lead(explained)}<div class="panels"><div id="stopping"></div>{table}</div>'
    return section("Compute saved against regret, as forecast", content)


def _percent(share: float) -> str:
    """A share in per cent; what is not quite nothing is not shown as nothing."""
    return "<1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"


def summary_section(rows: Sequence[Mapping[str, object]]) -> str:
    """Key figures that a caller brings."""
    return section("Summary", _table(*summary_cells(rows)))


def importance_section(settings: Sequence[Setting]) -> str:
    """How the settings go with the score, one by one."""
    told = (
        f"Each setting on its own, with {100 * CONFIDENCE:.0f} % intervals. Settings that were varied together cannot "
        "be told apart so, and none of this is a cause; scores of unfinished runs are forecasts."
    )
    if len(settings) > 5:
        told += f" Of {len(settings)} settings about one in twenty looks related by chance alone."
    rows = []
    for setting in settings[:MOST_SETTINGS]:
        if setting.rho is not None:
            words = _words(setting)
            rows.append(
                [setting.name, words, str(setting.runs), f"ρ {interval(setting.rho, setting.low, setting.high)}"]
            )
        else:
            best = [
                f"{level.value}: {interval(level.mean, level.low, level.high)} ({counted(level.runs, 'run')})"
                for level in setting.levels
            ]
            rows.append([setting.name, "mean score by value", str(setting.runs), "; ".join(best)])
    if len(settings) > MOST_SETTINGS:
        told += f" The {MOST_SETTINGS} strongest are listed."
    headings = ["setting", "goes with", "runs", "how much"]
    return section("Which settings go with good scores?", lead(told) + _table(headings, rows, wrapped=3))


def _words(setting: Setting) -> str:
    if setting.low > 0:
        return "higher: better"
    return "lower: better" if setting.high < 0 else "no clear direction"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], wrapped: int | None = None) -> str:
    """A table of texts; the first column is left-aligned, and so is one whose cells may wrap."""

    def cell(tag: str, i: int, text: str) -> str:
        kind = ' class="wide"' if i == wrapped else ' class="number"' if i and wrapped is None else ""
        return f"<{tag}{kind}>{escaped(text)}</{tag}>"

    head = "".join(cell("th", i, name) for i, name in enumerate(headings))
    body = "".join(f"<tr>{''.join(cell('td', i, text) for i, text in enumerate(row))}</tr>" for row in rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll small" tabindex="0">{table}</div>'
