"""Population-based training of loss weights, which cannot be replayed: it is trained for each draw."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mtl_runs.exchange import Exchange
from mtl_runs.problems import make_problem
from mtl_runs.studies.equal_compute.plan import EQUAL, Plan
from mtl_runs.studies.equal_compute.table import Pool, delta_m, folder_of, here
from mtl_runs.studies.equal_compute.ways import Outcome, drawn
from mtl_runs.sweeps import Sweep, sample_population
from mtl_runs.sweeps.logs import last_values
from mtl_runs.sweeps.pbt import MEAN_RANK, PopulationBasedTraining
from mtl_runs.training.held_out import held_out_metrics

PBT = "PBT of weights, rate tuned"

TRIED = 4
"""Rates that equal weights are tried at first; the population trains at the best, and the search pays for all."""

SIZES = (8,)
"""Members."""

INTERVAL = 4
"""Epochs between exchanges: four of them in twenty epochs."""


def train_population_of(plan: Plan, pool: Pool, draw: int, members: int, out: Path) -> Outcome:
    """Train one population, and say what its best member by validation data is worth."""
    problem = make_problem(pool.problem)
    rates = {spec.run: spec.config.lr for spec in plan.runs(pool.problem)}
    tried = drawn(pool, (EQUAL,), draw)[:TRIED]
    usual = plan.usual(rates[max(tried, key=pool.validation.__getitem__)])
    exchange = Exchange(0, members, MEAN_RANK.name, draw, interval=INTERVAL)
    sampled = sample_population(
        pool.problem, len(problem.tasks), horizon=plan.horizon, arch=plan.arch, balancer=EQUAL, exchange=exchange
    )
    specs = [
        replace(spec, config=replace(usual, loss_weights=spec.config.loss_weights, exchange=spec.config.exchange))
        for spec in sampled
    ]
    folder = folder_of(out, pool.problem) / f"pbt-{members}-{draw}"
    statuses = PopulationBasedTraining(Sweep(folder, workers=1, engine=here)).run(specs)
    spent = plan.horizon * (TRIED + members)
    scores = {}
    for spec in specs:
        if statuses[spec.run] == "finished":
            values = last_values(folder, spec.run)
            scores[spec.run] = delta_m([values[m.key] for m in problem.metrics], problem.metrics, pool.baseline)
    best = max(scores, key=scores.__getitem__)
    (spec,) = (spec for spec in specs if spec.run == best)
    (found,) = held_out_metrics(problem, [spec], folder).values()
    test = delta_m([found[m.key] for m in problem.metrics], problem.metrics, pool.test_baseline)
    return Outcome(pool.problem, PBT, draw, TRIED + members, float(spent), scores[best], test)
