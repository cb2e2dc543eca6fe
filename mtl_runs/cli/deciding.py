"""Who decides in a sweep: a monitor that stops runs, exchanges in a population, or what is worth training next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lcode.table.runlog import RunHeader
    from mtl_runs.problems import Problem
    from mtl_runs.sweeps import PopulationBasedTraining, RunMonitor, Sweep
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
