"""`lcode replay`: what rules that stop runs would have saved and lost on runs that have finished."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from lcode.cli import options as opt
from lcode.cli.baseline import baseline_for
from lcode.cli.console import check_output, err, out, show_notes, steps_progress, write_frame
from lcode.cli.log_source import LogSource, reads_logs
from lcode.cli.model_source import loaded_model, table_for
from lcode.errors import UsageError
from lcode.files import replacing

if TYPE_CHECKING:
    from lcode.decisions.budget import RegretBudget
    from lcode.evaluation.replay import RecordedSweep, Replay
    from lcode.evaluation.replay.compare import Comparison, Entrant
    from lcode.forecasters.base import Forecaster
    from lcode.table import RunTable

RULES_SHOWN = "patience,median,percentile,best-after,halving,asha,hyperband,last,regret,thaw,lcode,trees"
"""The rules that are replayed unless others are named."""

FORECAST_ORDERS = 2
"""Orders of a rule whose forecasts learn in the sweep, unless a number is given: each takes a minute."""


@reads_logs
def replay(
    source: LogSource,
    rules: Annotated[
        str,
        typer.Option(
            help=f"Comma-separated, with settings as asha:first=5:eta=2; of: {RULES_SHOWN}. An unknown name lists all."
        ),
    ] = RULES_SHOWN,
    orders: Annotated[int, typer.Option(help="Random orders in which the runs start.", min=1)] = 100,
    forecast_orders: Annotated[
        int | None,
        typer.Option(
            help=f"The same for rules whose forecasts learn in the sweep; default: {FORECAST_ORDERS} at most.",
            min=1,
            show_default=False,
        ),
    ] = None,
    workers: Annotated[
        str, typer.Option(help="Runs that train at the same time, 1 to 64; comma-separated for several.")
    ] = "1,8",
    regret: Annotated[
        str,
        typer.Option(help="What may be lost: 0.5 (in the objective's unit), '0.1 spread' (best − median) or '0.5 sd'."),
    ] = "0.03 spread",
    alpha: Annotated[
        float,
        typer.Option(
            help="Chance with which more than that may be lost: what rules with a budget promise.", min=0.01, max=0.5
        ),
    ] = 0.1,
    history: Annotated[
        Path | None,
        typer.Option(
            metavar="LOGS",
            help="Runs that had finished before: rules that learn from them are replayed with and without.",
        ),
    ] = None,
    model: opt.ModelDir = None,
    objective: opt.Objective = "delta_m",
    baseline: opt.Baseline = None,
    out_path: Annotated[
        Path | None,
        typer.Option("--out", help="File for the figures, a row per rule and workers: OUT.csv or .parquet."),
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="File for compute saved against regret: OUT.html.")] = None,
    device: opt.Device = None,
    seed: opt.Seed = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Replay the finished runs in LOGS under rules that stop some: epochs saved, and what was lost by it."""
    from lcode.decisions.budget import RegretBudget
    from lcode.evaluation.replay import RecordedSweep
    from lcode.evaluation.replay.compare import Comparison, replays_of
    from lcode.evaluation.replay.render import comparison_table, rule_line
    from lcode.evaluation.replay.rules import parse_rules, settings_of

    specs, counts, budget = parse_rules(rules), _workers(workers), RegretBudget.parse(regret)
    for spec in specs:
        settings_of(spec)  # a wrong one is told before the logs are read
    if out_path is not None:
        check_output(out_path, ".csv", ".parquet", logs=source.logs)
    if plot is not None:
        check_output(plot, ".html", option="--plot")
    needed = _needs_model(specs)
    forecaster = loaded_model(source, model, device) if needed or model is not None else None
    table = table_for(forecaster, source) if needed and forecaster is not None else source.table()
    references = baseline_for(source.logs, baseline, objective, table)
    sweep = RecordedSweep(table, objective=objective, baseline=references)
    allowed = budget.in_scores(spread=sweep.spread, deviation=sweep.seed_deviation)
    if allowed is None and budget.unit == "sd":
        raise UsageError(
            f"--regret {budget}: no configuration was repeated, so the deviation between seeds is not known"
        )
    before = None if history is None else _history(source, history, table, sweep)
    if model is not None and forecaster is not None and (known := forecaster.knows(sweep.table)):
        err.print(
            f"[yellow]warning:[/] the model has learned from {len(known)} of these {len(sweep.table)} runs, and knows "
            "how they ended: what its rules save here says nothing of new runs; replay others, or leave out --model",
            highlight=False,
        )
    few = min(orders, FORECAST_ORDERS) if forecast_orders is None else min(orders, forecast_orders)
    entrants = _entrants(specs, (budget, alpha), forecaster, (sweep, before), (orders, few))
    show_notes(sweep.objective.notes)
    err.print(f"replaying {len(sweep.table)} finished runs of {len(table)}", highlight=False)
    found: dict[str, dict[int, list[Replay]]] = {}
    result = Comparison(len(sweep.table), sweep.objective.unit, sweep.spread, allowed, sweep.seed_deviation, found)
    try:
        with steps_progress("replay") as progress:
            for name, replays in replays_of(entrants, workers=counts, seed=seed, progress=progress):
                found[name] = replays
                err.print(escape(rule_line(name, result.figures(name), result.objective)), highlight=False)
    except KeyboardInterrupt:
        if not found:
            raise
        err.print(f"[yellow]interrupted:[/] {len(found)} of {len(entrants)} rules were replayed", highlight=False)
    if few < orders and any(len(by[counts[0]]) == few for by in found.values()):
        show_notes(
            [f"forecasts that learn in the sweep were replayed in {few} orders, not {orders}: --forecast-orders"]
        )
    if allowed is not None:
        show_notes(_promises(entrants, found, allowed, alpha))
    if as_json:
        typer.echo(json.dumps({"orders": orders, "workers": counts, **result.to_json()}))
    else:
        out.print(comparison_table(result))
    _write(result, out_path, plot)


def _needs_model(specs: Sequence[str]) -> bool:
    """Whether one of the rules takes the command's model: the others are replayed without loading torch."""
    from lcode.evaluation.replay.rules import entry_of, own_forecaster

    return any(
        entry_of(spec).forecasts is not None and own_forecaster(spec.partition(":")[0]) is None for spec in specs
    )


def _workers(text: str) -> list[int]:
    """`1,8` as numbers.

    Raises:
        UsageError: something else.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    counts = [int(part) for part in parts if part.isdecimal() and 1 <= int(part) <= 64]
    if not counts or len(counts) < len(parts):
        raise UsageError(f"--workers {text}: write numbers from 1 to 64, such as 1,8")
    return list(dict.fromkeys(counts))


def _history(source: LogSource, logs: Path, table: RunTable, sweep: RecordedSweep) -> RecordedSweep:
    """The same runs, scored alike, with a history, in which none of them is.

    Raises:
        UsageError: it has no others.
    """
    from lcode.ensemble.related import curve_keys
    from lcode.evaluation.replay import RecordedSweep

    known = {metric.key: metric.direction for metric in table.metrics}
    before = replace(source, logs=logs, horizon=None).table(known=known)
    replayed = set(curve_keys(sweep.table).values())
    others = [run for run, curves in curve_keys(before).items() if curves not in replayed]
    if not others:
        raise UsageError(f"--history {logs}: all its runs are among those that are replayed, and would tell their ends")
    if len(others) < len(before):
        show_notes([f"{len(before) - len(others)} runs of {logs} are among those replayed: they are no history"])
        before = before.select(others)
    unit = min(table.epoch_unit, before.epoch_unit)
    return RecordedSweep(table.in_unit(unit), objective=sweep.objective, history=before.in_unit(unit))


def _entrants(
    specs: Sequence[str],
    promise: tuple[RegretBudget, float],
    forecaster: Forecaster | None,
    sweeps: tuple[RecordedSweep, RecordedSweep | None],
    orders: tuple[int, int],
) -> list[Entrant]:
    """The rules as they take part: without the history, and with it those to whom it makes a difference.

    Args:
        specs: as the user wrote them.
        promise: what may be lost, and the chance with which more may be.
        forecaster: the command's model.
        sweeps: without and with the history.
        orders: of quick rules, and of those whose forecasts learn in the sweep.
    """
    from lcode.evaluation.replay.compare import Entrant, learns
    from lcode.evaluation.replay.rules import entry_of, make_rule, own_forecaster

    @cache
    def of_rule(name: str) -> Forecaster:
        own = own_forecaster(name)
        model = forecaster if own is None else own
        assert model is not None
        return model

    found = []
    for spec in specs:
        rule = make_rule(spec, of_rule, regret=promise[0], alpha=promise[1])
        count = orders[1] if learns(rule) else orders[0]
        found.append(Entrant(spec, rule, sweeps[0], count))
        if sweeps[1] is not None and entry_of(spec).history:
            found.append(Entrant(f"{spec} + history", rule, sweeps[1], count))
    return found


def _promises(
    entrants: Sequence[Entrant], found: Mapping[str, Mapping[int, Sequence[Replay]]], allowed: float, alpha: float
) -> list[str]:
    """What the replays show of the rules that keep a budget: the largest factor that passes, and why none does."""
    from lcode.decisions import RegretRule
    from lcode.evaluation.replay import ForecastPolicy

    regrets: dict[str, dict[float, list[float]]] = {}
    for entrant in entrants:
        if isinstance(entrant.rule, ForecastPolicy) and isinstance(entrant.rule.rule, RegretRule):
            lost = [replay.regret for replays in found.get(entrant.name, {}).values() for replay in replays]
            if lost:
                by_factor = regrets.setdefault(entrant.name.partition(":")[0], {})
                by_factor.setdefault(float(entrant.rule.rule.factor), []).extend(lost)
    return [f"{name}: {_promise(by_factor, allowed, alpha)}" for name, by_factor in regrets.items()]


def _promise(regrets: Mapping[float, Sequence[float]], allowed: float, alpha: float) -> str:
    """What the replays of a rule show, by its factors."""
    from lcode.evaluation.replay.promise import replays_needed, shown_factor

    factor, count = shown_factor(regrets, allowed=allowed, alpha=alpha), min(map(len, regrets.values()))
    if factor is not None:
        return (
            f"promise shown up to factor {factor:g}: more than {allowed:.3g} is lost in at most {alpha:.0%} of sweeps"
        )
    if count < replays_needed(alpha):
        few = f"{count} replays cannot show a promise at {alpha:.0%}; it takes {replays_needed(alpha)}"
        return f"{few} (--forecast-orders × --workers), or a larger --alpha"
    return f"no factor was shown to lose more than {allowed:.3g} in at most {alpha:.0%} of sweeps: try a smaller one"


def _write(result: Comparison, table: Path | None, picture: Path | None) -> None:
    """The files that were asked for."""
    if table is not None:
        write_frame(result.to_frame(), table)
        err.print(f"figures written to {escape(str(table))}", highlight=False)
    if picture is not None:
        from lcode.plot.rules import rules

        with replacing(picture) as file:
            file.write(rules(result).to_html(include_plotlyjs=True).encode())
        err.print(f"picture written to {escape(str(picture))}", highlight=False)
