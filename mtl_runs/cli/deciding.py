"""Who decides in a sweep: a monitor that stops runs, exchanges in a population, or what is worth training next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lcode.decisions import RegretRule
    from lcode.table.runlog import RunHeader
    from mtl_runs.problems import Problem
    from mtl_runs.sweeps import FreezeThaw, PopulationBasedTraining, RunMonitor, Sweep
    from mtl_runs.sweeps.freeze_thaw import Suggest
    from mtl_runs.training import RunSpec

DELTA_M = "delta_m"
"""The objective by which runs are stopped, and members of a population compared."""


def monitor_of(
    stop_with: str,
    problem: Problem,
    out: Path,
    baseline: Path,
    *,
    regret: str | None,
    alpha: float | None,
    keep: int | None,
    min_epochs: int | None,
) -> RunMonitor | None:
    """The monitor that stops runs by forecasts, or None."""
    if stop_with == "none":
        return None
    import lcode
    from lcode.table import RunTable
    from lcode.table.table import empty_points

    model = lcode.load(None if stop_with == "shipped" else stop_with)
    logs = any(out.glob("*.jsonl"))
    history = lcode.read_logs(out) if logs else RunTable.from_points(empty_points(), problem.metrics)
    return lcode.Monitor(
        model,
        history=history,
        objective=DELTA_M,
        baseline=baseline if baseline.exists() else None,
        regret=regret,
        alpha=alpha,
        min_epochs=min_epochs,
        keep=keep,
    )


def exchanging(sweep: Sweep, specs: Sequence[RunSpec], baseline: Path) -> PopulationBasedTraining:
    """The training of a population, whose members are compared by Δm, or by mean ranks where there is no baseline."""
    from mtl_runs.sweeps.pbt import PopulationBasedTraining, Score, population_of

    if population_of(specs).objective != DELTA_M:
        return PopulationBasedTraining(sweep)
    from lcode.decisions import make_objective

    arch, metrics = specs[0].config.arch, sweep.header(specs[0]).metrics
    delta_m = make_objective(DELTA_M, metrics, baseline=baseline)
    score = Score(
        DELTA_M,
        lambda values, metrics: delta_m.score(values, metrics, [arch] * len(values)),
        lambda score: f"Δm {score:+.2f} % over the single-task baselines",
    )
    return PopulationBasedTraining(sweep, score)


def freeze_thaw(
    sweep: Sweep,
    baseline: Path,
    rule: RegretRule | None,
    *,
    budget: int | None,
    whole: int,
    at_once: int,
    tell: Callable[[str], None],
) -> FreezeThaw:
    """A sweep whose runs are paused and gone on with: by price, or by what may be lost where a rule says it.

    Args:
        sweep: how runs are trained.
        baseline: single-task references, if that file exists.
        rule: see `lcode.decisions.thaw_rule`; None: by price.
        budget: epochs, all runs together; None: a quarter of the whole, or with a rule as many as it takes.
        whole: epochs of all runs.
        at_once: runs that are trained together before the next look.
        tell: hears what is risked when no run must go on.
    """
    from mtl_runs.sweeps import FreezeThaw

    if rule is None:
        return FreezeThaw(sweep, suggesting(sweep, baseline, at_once=at_once), budget or whole // 4 or 1)
    return FreezeThaw(sweep, within_budget(sweep, baseline, rule, at_once=at_once, tell=tell), budget or whole)


def suggesting(sweep: Sweep, baseline: Path, *, at_once: int) -> Suggest:
    """What `lcode.suggest` says of the logs so far, and of the runs that have none: the dearest, so many at once.

    Runs that are worth less than half as much as the dearest wait for what that shows.
    """
    import pandas as pd

    import lcode

    def suggest(headers: Mapping[str, RunHeader], left: int) -> dict[str, int]:
        begun = [run for run in headers if (sweep.folder / f"{run}.jsonl").exists()]
        if not begun:
            return dict.fromkeys([*headers][: min(at_once, left)], 1)
        table = lcode.read_logs(sweep.folder).select(begun)
        new = {run: header for run, header in headers.items() if run not in begun}
        if new:
            settings = pd.DataFrame([dict(header.config) for header in new.values()], index=list(new))
            graphs = [header.graph for header in new.values()]
            horizon = max(header.horizon for header in new.values())
            table = table.concat(lcode.candidates(settings, graphs, like=table, horizon=horizon))
        forecast = lcode.load().in_context(table).predict(table)
        references = baseline if baseline.exists() else None
        found = lcode.suggest(forecast, DELTA_M, table=table, baseline=references, budget=left).steps
        wanted = [step for step in found if step.price > 0 and 2 * step.price >= found[0].price]
        return {step.run: round(step.epochs) for step in wanted[:at_once]}

    return suggest


def within_budget(
    sweep: Sweep, baseline: Path, rule: RegretRule, *, at_once: int, tell: Callable[[str], None]
) -> Suggest:
    """Which runs must go on lest more than the rule's budget is lost; see `freeze_thaw`."""
    import lcode
    from lcode.decisions import earlier_looks
    from mtl_runs.sweeps.logs import epoch_lines, last_status

    def suggest(headers: Mapping[str, RunHeader], left: int) -> dict[str, int]:
        seen = {run: max(epoch_lines(sweep.folder, run), default=0) for run in headers}
        first = {run: min(rule.min_epochs, header.horizon) for run, header in headers.items()}
        young = {run: first[run] - seen[run] for run in headers if seen[run] < first[run]}
        if young := {run: left for run, left in young.items() if last_status(sweep.folder, run) != "failed"}:
            return young
        table = lcode.read_logs(sweep.folder).select(headers)
        model = lcode.load().in_context(table)
        found = lcode.suggest(
            model.predict(table),
            DELTA_M,
            table=table,
            baseline=baseline if baseline.exists() else None,
            regret=rule.regret,
            alpha=rule.alpha,
            keep=rule.keep,
            min_epochs=rule.min_epochs,
            earlier=[model.predict(look) for look in earlier_looks(table, rule)],
        )
        wanted = [step for step in found.steps if step.granted > 0]
        if not wanted and found.p_loss is not None:
            tell(
                f"no run must go on: more than {found.allowed:.2g} {found.objective.unit} is lost with a forecast "
                f"chance of {found.p_loss:.2g} (allowed: {found.p_allowed:.2g}, half of alpha)"
            )
        return {step.run: round(step.granted) for step in wanted[:at_once]}

    return suggest
