"""One HTML file with everything in it: it can be mailed, archived and read without a network."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template

from lcode.decisions import Ranking
from lcode.evaluation.replay import Replay
from lcode.files import replacing
from lcode.forecast import Forecast
from lcode.report.advice import Headline, headline, likelier_than_first
from lcode.report.importance import setting_importance
from lcode.report.page_data import hits_data, page_data, savings_data, stopping_data
from lcode.report.sections import importance_section, lead, section, stopping_section, summary_section, trust_section
from lcode.report.trusted import Trust
from lcode.report.understood import understood
from lcode.show import counted, escaped, printable
from lcode.table import RunTable

SCRIPTS = ("draw.js", "fans.js", "runs.js", "figures.js")
"""Parts of the page's script, in their order."""


def write_report(
    path: str | os.PathLike[str],
    *,
    title: str,
    table: RunTable,
    forecast: Forecast,
    ranking: Ranking | None = None,
    trust: Trust | None = None,
    truth: RunTable | None = None,
    replays: Mapping[str, Sequence[Replay]] | None = None,
    summary: Sequence[Mapping[str, object]] | None = None,
    notes: Sequence[str] = (),
) -> None:
    """Write the report: what to do, the table of all runs with their forecasts, and why it may be believed.

    Everything that comes from the data (names, configurations, notes) is shown literally, whatever characters it has.

    Args:
        path: the file to write; it is written under a temporary name and renamed.
        title: heading of the page.
        table: the runs as observed.
        forecast: of these runs, made with `at=page_epochs(table)` or `"full"`: the fans show the epochs to come.
        ranking: of the same runs; it orders them and says what to do.
        trust: what the forecaster's own check says.
        truth: the same runs trained to their ends, if they are known.
        replays: replays by policy, to show what each would have saved and lost.
        summary: rows of a table of key figures, from heading to value.
        notes: remarks, besides those of the table, the forecast and the ranking.

    Raises:
        StorageError: the file cannot be written.
    """
    data = page_data(table, forecast, ranking, truth)
    parts = [lead(_what(table, forecast, truth))]
    if ranking is not None:
        told = headline(forecast, ranking, table)
        parts += [lead(told.caveat)] if told.caveat else []
        parts += _to_stop(told)
        if odd := likelier_than_first(ranking):
            parts.append(lead(odd))
    parts.append('<div id="runs"></div>')
    parts.append(lead(_TABLE))
    if len(forecast.metrics) > 1:
        parts.append(section("Trade-offs between metrics", lead(_FRONT) + '<div id="pareto"></div>'))
    unit = "" if ranking is None or ranking.objective.unit == "score" else printable(ranking.objective.unit)
    if ranking is not None and ranking.stopping is not None and ranking.stopping.saved[-1]:
        data["stopping"] = stopping_data(ranking.stopping)
        parts.append(stopping_section(ranking.stopping, unit))
    if trust is not None:
        parts.append(trust_section(trust))
    if truth is not None:
        data["hits"] = hits_data(forecast, truth)
        parts.append(section("Forecast and true ends", lead(_HITS) + '<div id="hits"></div>'))
    if replays:
        data["savings"] = savings_data(replays)
        measured = f" Regret is in {unit}." if unit else ""
        content = lead(_SAVINGS + measured) + '<div id="savings"></div>'
        parts.append(section("Compute saved against regret, replayed", content))
    if summary:
        parts.append(summary_section(summary))
    settings = [] if ranking is None else setting_importance(table, ranking)
    if settings:
        parts.append(importance_section(settings))
    lines = "\n".join(printable(line) for line in understood(table, brief=len(table.metrics) > 40))
    parts.append(section("What was understood of the logs", f'<pre class="read">{html.escape(lines)}</pre>'))
    parts.append(section("How to read the numbers", _READING))
    remarks = dict.fromkeys((*notes, *table.notes, *forecast.notes, *(ranking.notes if ranking else ())))
    if remarks:
        items = "".join(f"<li>{escaped(note)}</li>" for note in remarks)
        parts.append(section("Notes", f"<ul>{items}</ul>"))
    top = _what(table, forecast, truth) if ranking is None else headline(forecast, ranking, table).sentence
    with replacing(Path(path)) as file:
        file.write(_page(title, top, "\n".join(parts), data).encode())


_TABLE = "Click a run to see its forecast, a heading to sort. Values are median [5 %, 95 %] at the horizon."

_FRONT = (
    "Each point is a run where it is forecast to end. Large points are likely on the Pareto front of the two metrics: "
    "no other run ends better in one of them and as good in the other. Bars are 90 % intervals."
)

_HITS = "Each dot is a run, with its 90 % interval. On the dotted line both agree; τ = 1: the same order."

_SAVINGS = (
    "What each stopping policy would have saved and lost on runs that were trained to their ends: the farther right "
    "and the lower, the better."
)

_READING = """<p><b>0.71 [0.68, 0.74]</b> reads: 0.71 is as likely to be exceeded as not, and with probability
90&nbsp;% the value at the run's last planned epoch lies between 0.68 and 0.74. So about one run in ten ends outside
its interval, on either side. An interval is for one run and one metric; that all runs of a long list lie within theirs
is much less likely. A value without an interval was measured at the end of a finished run, or comes from a forecaster
that states no uncertainty.</p>
<p><b>P(best)</b> is the probability that the run ends with the best score of all runs listed,
<b>P(top 10&nbsp;%)</b> that it ends among the best tenth; a run that was stopped or failed will not, and is no rival
of the others. The order is by the score's median; a run with a wide interval may be likelier to end best than one above
it. <b>stop</b> means: too unlikely to be worth its compute. A candidate, which has not begun, is to be
<b>start</b>ed or <b>skip</b>ped. <b>diverged</b>: the values ceased to be numbers.</p>
<p>In a forecast, black is what was seen, the blue line and bands are median, 50&nbsp;% and 90&nbsp;% interval of each
epoch to come, grey are other runs, and a dashed line is what came.</p>"""


def _what(table: RunTable, forecast: Forecast, truth: RunTable | None) -> str:
    """What the page is, in one sentence. Runs that failed or were stopped have no epochs to come."""
    runs, metrics = len(forecast.run_ids), len(forecast.metrics)
    going = table.runs["status"].reindex(list(forecast.run_ids)).eq("running").to_numpy()
    live = int(((forecast.status == "ok").any(axis=1) & going).sum())
    text = (
        f"The final performance of {counted(runs, 'training run')} on {counted(metrics, 'metric')}, forecast by lcode "
        f"from the epochs seen so far ({live:,} of the runs still had epochs to come)"
    )
    return f"{text}, beside what came of them." if truth is not None else f"{text}."


def _to_stop(told: Headline) -> list[str]:
    """The names of the runs to stop, to be copied."""
    if not told.stop:
        return []
    names = "\n".join(map(printable, told.stop))
    summary = "name of the run to stop" if len(told.stop) == 1 else f"names of the {len(told.stop):,} runs to stop"
    return [f"<details><summary>{summary}</summary><pre>{html.escape(names)}</pre></details>"]


def _page(title: str, top: str, content: str, data: Mapping[str, object]) -> str:
    web = files("lcode.report") / "web"
    style = (web / "style.css").read_text(encoding="utf-8")
    script = "\n".join((web / name).read_text(encoding="utf-8") for name in SCRIPTS)
    # In JSON a < can only stand inside a string, where its escape means the same; no tag can begin or end here.
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    text = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    # Only this script and this style: what somebody smuggled into a name would not run, nor reach the network.
    policy = (
        f"default-src 'none'; script-src {_digest(script)}; style-src {_digest(style)}; base-uri 'none'; "
        "form-action 'none'"
    )
    page = Template((web / "page.html").read_text(encoding="utf-8"))
    return page.substitute(
        title=escaped(title),
        headline=escaped(top),
        content=content,
        policy=policy,
        style=style,
        script=script,
        data=text,
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"
