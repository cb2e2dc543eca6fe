"""`lcode demo`: the main job from end to end, on real multi-task runs trained on the spot.

The library never imports the trainer: the two meet in the run logs, and here in the trainer's command.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.markup import escape
from scipy.stats import kendalltau

from lcode.cli.console import err, fit_progress, out, show_notes, write_frame
from lcode.errors import UsageError
from lcode.files import replacing

if TYPE_CHECKING:
    from lcode.decisions import Objective
    from lcode.evaluation.replay import Policy, RecordedSweep, Replay
    from lcode.forecasters import Forecaster
    from lcode.forecasters.lcgode import LCGODEForecaster
    from lcode.table import RunTable

OBSERVED = 0.2
"""Share of the horizon from which the ranking is forecast."""

HISTORY = 0.4
"""Share of the runs that is trained to the end first, for the forecaster to learn from."""

ORDERS = 5
"""Seeded orders of the runs over which a replayed policy is averaged. By cost: ten took 78 of a demo's 180 seconds."""

REGRET = "0.03 spread"
"""What stopping may lose: so much of the difference between the best score and the median one."""

LIVE, REPLAYED, MEDIAN = "lcode, live", "lcode, replayed", "median rule, replayed"
"""Rows that the closing sentence speaks of."""

WORTH_TELLING = 0.05
"""A regret below this is none: it is shown with one decimal."""


@dataclass(frozen=True)
class Row:
    """One policy: Kendall τ of its ranking at 20 % with the true one, epochs saved, regret in Δm points."""

    policy: str
    tau: float | None
    saved: float
    regret: float

    def cells(self) -> dict[str, str]:
        """The row as text."""
        return {
            "policy": self.policy,
            "τ": _number(self.tau, "{:.2f}"),
            "compute saved": _number(self.saved, "{:.0%}"),
            "regret in Δm": _number(self.regret, "{:.2f}"),
        }


def run_demo(folder: Path, *, runs: int, epochs: int, seed: int) -> None:
    """Train, fit, train on with early stopping, finish the stopped runs to learn the truth, and compare.

    Raises:
        UsageError: the trainer is not installed, or the folder holds something else.
    """
    began = time.perf_counter()
    folder.mkdir(parents=True, exist_ok=True)
    logs, history_size = folder / "runs", max(round(HISTORY * runs), 8)
    if any(folder.iterdir()) and not logs.exists():
        raise UsageError(f"{folder} holds something else; name another folder with --out")
    sweep = ["--problem=digits", f"--runs={runs}", f"--epochs={epochs}", f"--seed={seed}", f"--out={logs}"]

    _say(f"1/4  {history_size} of {runs} multi-task runs are trained to the end, and each task alone for reference")
    _trainer("sweep", *sweep, "--first", str(history_size), "--single-task")

    from lcode.api import fit
    from lcode.readers import read_logs

    # The first runs of the sweep by name: in a demo that is called again, the others have finished by now too.
    history = read_logs(logs).with_status("finished")
    history = history.select(sorted(history.run_ids)[:history_size])
    _say(f"2/4  the forecaster learns from these {len(history)} runs")
    with fit_progress("fitting") as progress:
        model = fit(history, seed=seed, progress=progress)
    model.save(folder / "model")

    _say(f"3/4  the other {runs - history_size} runs are trained, and stopped when they are forecast to be hopeless")
    stopped = _train_with_stopping(logs, folder / "stopped.json", [*sweep, f"--stop-with={folder / 'model'}"])

    _say(f"4/4  only to see what was lost: the {len(stopped)} stopped runs are trained to the end")
    _trainer("sweep", *sweep, "--finish-stopped")

    table = read_logs(logs)
    fresh = table.select([run for run in table.run_ids if run not in history.run_ids]).with_status("finished")
    _compare(folder, history, fresh, model, stopped)
    _say(f"done in {time.perf_counter() - began:.0f} s")


def _train_with_stopping(logs: Path, record: Path, sweep: list[str]) -> dict[str, int]:
    """Sweep with live stopping; the last epoch of each stopped run, kept on file for a demo that is called again."""
    from lcode.readers import read_logs

    if not record.exists():
        _trainer("sweep", *sweep, f"--regret={REGRET}")
        live = read_logs(logs)
        stopped = {run: int(live.last_epochs[run]) for run in live.with_status("stopped").run_ids}
        with replacing(record) as file:
            file.write(json.dumps(stopped, indent=1).encode())
    return {str(run): int(epoch) for run, epoch in json.loads(record.read_text(encoding="utf-8")).items()}


def _compare(
    folder: Path,
    history: RunTable,
    fresh: RunTable,
    model: LCGODEForecaster,
    stopped: dict[str, int],
) -> None:
    """Print the table, and write `ranking.csv` and `report.html`."""
    from lcode.decisions import MedianRule, StopRule, rank
    from lcode.decisions.regret_rule import stop_rule
    from lcode.evaluation.replay import ForecastPolicy, RecordedSweep
    from lcode.forecasters import forecaster
    from lcode.report import Trust, page_epochs, write_report
    from lcode.report.terminal import ranking_table, summary_table

    baseline = folder / "runs" / "baseline.csv"
    last = forecaster("last").fit(history)
    recorded = RecordedSweep(fresh, baseline=baseline)
    horizons = fresh.runs["horizon"].to_numpy()
    cutoffs = {run: max(round(OBSERVED * int(h)), 1) for run, h in zip(fresh.run_ids, horizons, strict=True)}
    seen = fresh.prefix(cutoffs)
    tau = {name: _tau(f, seen, fresh, recorded.objective) for name, f in (("lcode", model), ("last value", last))}
    policies: dict[str, Policy] = {
        "lcode": ForecastPolicy(model, stop_rule(REGRET)),
        "last value": ForecastPolicy(last, StopRule()),
        "median rule": MedianRule(),
    }
    replays = {
        name: [recorded.replay(policy, order_seed=order, workers=2) for order in range(ORDERS)]
        for name, policy in policies.items()
    }
    rows = [
        _live_row(tau["lcode"], RecordedSweep(fresh, baseline=baseline, history=history), stopped),
        *(_replayed_row(name, tau.get(name), replays[name]) for name in replays),
        Row("no stopping", None, 0.0, 0.0),
    ]
    forecast = model.predict(seen, page_epochs(seen))
    ranking = rank(forecast, recorded.objective, table=seen)
    cells = [row.cells() for row in rows]
    out.print(ranking_table(ranking, forecast, limit=12))
    out.print(summary_table(cells))
    notes = (
        f"τ: Kendall correlation of the ranking forecast at {OBSERVED:.0%} of the horizon with the true final ranking, "
        f"over the {len(fresh)} runs that the forecaster did not learn from.",
        "compute saved: share of these runs' epochs. regret: how much better, in points of Δm (mean gain over "
        "single-task training in %, higher is better), the best run ended than the best that was not stopped.",
        f"live: what the sweep did; the {len(history)} runs trained before were there to beat, and count as kept. "
        f"replayed: the new runs alone, passed in {ORDERS} random orders, each policy deciding as it would have live.",
    )
    show_notes(notes)
    order = {run: place for place, run in enumerate(_by_true_score(recorded, fresh), start=1)}
    frame = ranking.to_frame()
    frame.insert(2, "true_rank", [order[run] for run in frame["run"]])
    frame["stopped_at"] = frame["run"].map(stopped).astype("Int64")
    write_frame(frame, folder / "ranking.csv")
    write_report(
        folder / "report.html",
        title="lcode demo: multi-task digits",
        table=seen,
        forecast=forecast,
        ranking=ranking,
        trust=Trust(*model.trust(), learned_from=len(history)),
        truth=fresh,
        replays=replays,
        summary=cells,
        notes=notes,
    )
    out.print()
    out.print(escape(in_short(rows, len(fresh), len(set(stopped) & set(fresh.run_ids)), len(history))), highlight=False)
    out.print(f"logs, model and ranking are in {escape(str(folder))}; look at the report with", highlight=False)
    out.print(f"  open {escape(shlex.quote(str(folder / 'report.html')))}", highlight=False, soft_wrap=True)


def in_short(rows: Sequence[Row], runs: int, stopped: int, before: int) -> str:
    """What a newcomer should take away: what stopping saved and cost, and whether a simple rule did better.

    Args:
        rows: of the live sweep, of its replays, and of the median rule's.
        runs: new runs of the sweep whose end is known.
        stopped: those of them that were stopped.
        before: runs that were trained to their ends before.
    """
    live, replayed, median = (next(row for row in rows if row.policy == name) for name in (LIVE, REPLAYED, MEDIAN))
    lost = (
        "and the best run was trained to its end all the same"
        if live.regret < WORTH_TELLING
        else f"at the price that the best run left is {live.regret:.1f} points (mean gain over single-task training, "
        "in %) behind the best there was"
    )
    saved = f"saved {live.saved:.0%} of their training"
    text = f"In short: lcode stopped {stopped} of {runs} runs early and so {saved}, {lost}."
    if median.regret > replayed.regret or (median.regret == replayed.regret and median.saved < replayed.saved):
        return text
    than = "does as well or better" if median.saved >= replayed.saved else "saves less and loses less"
    return (
        f"{text} Without the {before} trained before, the simple median rule {than}: it saves "
        f"{median.saved:.0%} and loses {median.regret:.1f} points, lcode {replayed.saved:.0%} and "
        f"{replayed.regret:.1f}."
    )


def _tau(forecaster: Forecaster, seen: RunTable, truth: RunTable, objective: Objective) -> float:
    """Kendall's τ of the forecast score and the true one, over the runs that have both."""
    from lcode.decisions import architectures, final_values, rank

    ranking = rank(forecaster.predict(seen), objective, table=seen)
    predicted = dict(zip(ranking.runs, ranking.score, strict=True))
    scores = objective.score(final_values(truth), truth.metrics, architectures(truth))
    return float(kendalltau([predicted[run] for run in truth.run_ids], scores, nan_policy="omit").statistic)


def _live_row(tau: float, recorded: RecordedSweep, stopped: dict[str, int]) -> Row:
    """What the sweep itself did; the history's runs were all trained to the end and so count as kept."""
    table = recorded.table
    saved = sum(int(table.runs["horizon"][run]) - stopped[run] for run in table.run_ids if run in stopped)
    past = [score for score in recorded.past_scores.values() if np.isfinite(score)]
    scores = dict(zip(table.run_ids, recorded.final_scores.tolist(), strict=True))
    kept = [score for run, score in scores.items() if run not in stopped and np.isfinite(score)]
    regret = float(np.nanmax([*scores.values(), *past])) - max([*kept, *past])
    return Row(LIVE, tau, saved / int(table.runs["horizon"].sum()), regret)


def _replayed_row(name: str, tau: float | None, replays: list[Replay]) -> Row:
    """A policy averaged over several orders of the new runs."""
    saved, regret = (float(np.mean([getattr(replay, what) for replay in replays])) for what in ("saved", "regret"))
    return Row(f"{name}, replayed", tau, saved, regret)


def _by_true_score(recorded: RecordedSweep, fresh: RunTable) -> list[str]:
    scores = np.where(np.isfinite(recorded.final_scores), recorded.final_scores, -np.inf)
    return [fresh.run_ids[i] for i in np.argsort(-scores, kind="stable")]


def _trainer(*arguments: str) -> None:
    """Run `mtl-runs` of the same Python; its progress shows through."""
    command = shutil.which("mtl-runs", path=str(Path(sys.executable).parent)) or shutil.which("mtl-runs")
    if command is None:
        raise UsageError("the demo needs the trainer `mtl-runs`, which is installed with lcode; reinstall the package")
    status = subprocess.run([command, *arguments], check=False).returncode
    if status == 130 or status < 0:
        raise KeyboardInterrupt
    if status != 0:
        raise UsageError(f"`mtl-runs {' '.join(arguments)}` failed with exit status {status}; its message is above")


def _say(text: str) -> None:
    err.print(f"[bold]{escape(text)}[/]", highlight=False)


def _number(value: float | None, form: str) -> str:
    return "" if value is None or not np.isfinite(value) else form.format(value)
