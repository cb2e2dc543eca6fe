"""`lcode suggest`: which run to train next."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from lcode.cli import options as opt
from lcode.cli.baseline import baseline_for, check_baseline
from lcode.cli.console import check_output, err, out, show_notes, write_frame
from lcode.cli.log_source import LogSource, reads_logs
from lcode.cli.model_source import model_and_table
from lcode.show import counted, probability

if TYPE_CHECKING:
    from lcode.decisions import Suggestions

SHOWN = 10
"""Suggestions that are shown; a file has all."""


@reads_logs
def suggest(
    source: LogSource,
    out_path: opt.Out = None,
    budget: Annotated[
        float | None,
        typer.Option("--budget", metavar="EPOCHS", help="Epochs that may be trained, all runs together; default: any."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
    model: opt.ModelDir = None,
    objective: opt.Objective = "delta_m",
    baseline: opt.Baseline = None,
    final: opt.Final = "horizon",
    constraint: opt.Constraints = None,
    regret: Annotated[
        str | None,
        typer.Option(
            "--regret",
            help="What may be lost by leaving runs paused: 0.5 (in the objective's unit), '0.03 spread' (best − "
            "median) or '0.5 sd' (between seeds): says which runs must go on, and when none must; default: by price.",
        ),
    ] = None,
    alpha: opt.Alpha = None,
    device: opt.Device = None,
    seed: opt.Seed = 0,
) -> None:
    """Say which unfinished run in LOGS to go on with, or which candidate to start, and for how many epochs.

    A candidate is a row with an empty epoch: a configuration, and nothing observed.
    """
    from lcode.decisions import FinalValue, check_suggested, earlier_looks, scores_alone, thaw_rule
    from lcode.decisions import suggest as suggest_steps

    if out_path is not None:
        check_output(out_path, ".csv", ".parquet", logs=source.logs)
    check_baseline(baseline)
    check_suggested(objective, budget)
    ends = FinalValue.parse(final)
    forecaster, table = model_and_table(source, model, device)
    at = ends.at if scores_alone(objective) else "horizon"
    looks = [] if regret is None else earlier_looks(table, thaw_rule(regret, alpha=alpha))
    found = suggest_steps(
        forecaster.predict(table, at),
        objective,
        table=table,
        baseline=baseline_for(source.logs, baseline, objective, table),
        budget=budget,
        seed=seed,
        final=ends,
        constraints=constraint or (),
        regret=regret,
        alpha=alpha,
        earlier=[forecaster.predict(look, at) for look in looks],
    )
    if out_path is not None:
        write_frame(found.to_frame(), out_path)
    if as_json:
        typer.echo(json.dumps(found.to_json()))
    else:
        _show(found, budget)
    show_notes(found.notes)
    if out_path is not None:
        err.print(f"suggestions for {len(found)} runs written to {escape(str(out_path))}", highlight=False)


def _show(found: Suggestions, budget: float | None) -> None:
    """What to train next, dearest first, in a line and a reason each."""
    from lcode.report.terminal import suggestions_table

    granted = [step for step in found.steps if step.granted > 0]
    risk = _risk(found) if found.p_loss is not None else ""
    if not granted:
        what = "no run is expected to beat the best one" if not risk else f"none must go on. {risk}"
        what = what if found.steps else "every run is over"
        out.print(escape(f"Nothing is worth training: {what}".removesuffix(".") + "."), highlight=False)
        return
    out.print(suggestions_table(found, granted[:SHOWN]))
    told = f"the best so far is {found.incumbent}, {found.best:.4g} {found.objective.unit}" if found.incumbent else ""
    spent = sum(step.granted for step in found.steps)
    lines = [f"Of a budget of {budget:g} epochs {spent:g} are given out."] if budget is not None else []
    if len(granted) > SHOWN:
        lines.append(f"… and {counted(len(granted) - SHOWN, 'more run')}; --out writes all.")
    if risk:
        lines.append(risk)
    if told:
        lines.append(f"To beat: {told}.")
    for line in lines:
        out.print(escape(line), highlight=False)


def _risk(found: Suggestions) -> str:
    """What is risked by ending the sweep now."""
    allowed, chance = f"{found.allowed:.2g} {found.objective.unit}".rstrip(), probability(found.p_loss or 0.0)
    return (
        f"If the sweep ended now, more than {allowed} would be lost with a forecast chance of {chance}; allowed: "
        f"{found.p_allowed:.2g}, half of alpha, since few finished runs do not show all."
    )
