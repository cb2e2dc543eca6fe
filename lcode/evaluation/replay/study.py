"""Rules beside each other on many sources: replays that are added to a file one by one, and the table of what is there.

    python -m lcode.evaluation.replay.study replays.jsonl lcbench taskset cifar10_cnn algoperf mtl_curves

replays finished runs of each source under the field's rules and ours, and prints the table. What the file has already
is not replayed again, so it can be interrupted at any time and left for as long as there is time: orders come in
rounds over all sources, and the table says how many there are. Without a source it only prints the table.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from lcode.benchmarks import design_sources
from lcode.errors import UsageError
from lcode.evaluation.bench.sources import Source, find_sources, load_problem
from lcode.evaluation.replay.compare import learns
from lcode.evaluation.replay.evaluations import by_evaluations
from lcode.evaluation.replay.record import Line, Replays, table
from lcode.evaluation.replay.rules import entry_of, make_rule, own_forecaster
from lcode.evaluation.replay.sweep import RecordedSweep
from lcode.forecasters.base import Forecaster
from lcode.table import RunTable

RUNS = 100
"""Runs of a source that make a sweep, and as many others that had finished before; fewer where it has fewer."""

SAMPLE = 7
"""Seed of which they are, in the first sample; of the next ones 8, 9, …"""

CORPUS = "mtl_curves"
"""The family whose runs carry a division of their own."""

BUDGETS = (0.01, 0.03, 0.1)
"""Shares of the spread that may be lost, of the rules with a budget."""

ALPHAS = (0.05, 0.2, 0.5)
"""Chances with which these may lose more."""

RULES = (
    "patience",
    "median:min_epochs=5",
    "percentile",
    "best-after",
    "halving:first=5:eta=2:keep=3",
    "halving",
    "asha:first=5:eta=2",
    "asha",
    "hyperband",
    "last",
    *(
        f"{rule}:alpha={alpha:g}:regret={budget:g} spread"
        for rule in ("thaw", "regret")
        for alpha in ALPHAS
        for budget in BUDGETS
    ),
    "lcode",
)
"""The rules that are replayed unless others are named, in their defaults and in the settings that LCBench wants."""


def in_half(source: Source, *, design: bool) -> bool:
    """Whether constants are chosen on runs of this source, or figures on it are figures on unseen curves.

    Of the corpus both: its training runs are of the design half, its test runs of the other.
    """
    if source.logs:
        return not design
    return source.group == CORPUS or (source.name in design_sources()) == design


def drawn(source: Source, *, design: bool = False) -> bool:
    """Whether there are several samples of a source: all but the test runs of the corpus."""
    return design or source.group != CORPUS


def sweeps_of(source: Source, *, sample: int = 0, design: bool = False) -> tuple[RecordedSweep, RecordedSweep]:
    """The runs of a source that are replayed, without and with a history.

    Of the corpus these are its test runs, after its training runs; of others, and of the corpus's training runs where
    constants are chosen, `RUNS` of them drawn at random, after as many others.

    Args:
        source: where the runs come from.
        sample: which of the samples.
        design: whether constants are chosen on them.
    """
    problem = load_problem(source)
    table, splits = by_evaluations(problem.table), problem.splits
    if splits is None or design:
        names = table.run_ids if splits is None else splits.index[splits["split"] == "train"]
        shuffled = np.array(names, dtype=object)[np.random.default_rng([0, SAMPLE + sample]).permutation(len(names))]
        now, before = sorted(shuffled[:RUNS]), sorted(shuffled[RUNS : 2 * RUNS])
    else:
        now, before = (list(splits.index[splits["split"] == part]) for part in ("test", "train"))
    objective = problem.objective or "mean"
    cold = RecordedSweep(table.select(now), objective=objective)
    # Scored alike, so that what is lost without and with a history can be compared.
    return cold, RecordedSweep(table.select(now), objective=cold.objective, history=_before(table, before))


def _before(table: RunTable, names: Sequence[str]) -> RunTable | None:
    return table.select(names) if names else None


def study(
    replays: Replays,
    sources: Sequence[Source],
    rules: Sequence[str],
    *,
    orders: int,
    forecast_orders: int,
    workers: Sequence[int],
    samples: int = 1,
    warm: bool = True,
    model: Forecaster | None = None,
    design: bool = False,
) -> Iterator[Line]:
    """Replay what the file lacks, and hand over each replay that was added.

    Args:
        replays: the file.
        sources: where the runs come from.
        rules: as `lcode replay` names them.
        orders: in how many orders.
        forecast_orders: the same of rules whose forecasts learn in the sweep; they come last.
        workers: numbers of runs that train at the same time.
        samples: how many samples of each source's runs, where there are several.
        warm: whether rules that can use a history are replayed with one, too.
        model: of the rules that take one, which share its forecasts; default: the shipped one.
        design: whether the sources are of the half that constants are chosen on.
    """
    shipped = cache(_shipped)
    forecaster = cache(lambda name: own_forecaster(name) or model or shipped())
    made = {rule: make_rule(rule, forecaster) for rule in rules}
    slow = [rule for rule in rules if learns(made[rule])]
    known = {line.key for line in replays.lines}
    quick = [(range(orders), rule) for rule in rules if rule not in slow]
    rounds = [quick] if quick else []
    # Without a history a forecast is one of this order alone; with one it serves all orders, for hardly any is learned.
    rounds += [[(range(order, order + 1), rule) for rule in slow] for order in range(forecast_orders)]
    for one in rounds:
        for source, sample in ((s, i) for s in sources for i in range(samples if drawn(s, design=design) else 1)):
            todo = [
                (order, rule, after, count)
                for some, rule in one
                for order in some
                for after in ((False, True) if warm and entry_of(rule).history else (False,))
                for count in workers
                if (source.name, rule, after, count, order, sample, design) not in known
            ]
            sweeps = sweeps_of(source, sample=sample, design=design) if todo else None
            for order, rule, after, count in sorted(todo, key=lambda item: (item[0], item[2])):
                assert sweeps is not None
                sweep, began = sweeps[after], time.process_time()
                result = sweep.replay(made[rule], order_seed=order, workers=count)
                replays.add(
                    Line(
                        source.name, rule, after, count, order, len(sweep.table), result.epochs_total,
                        result.epochs_trained, result.regret, sweep.spread, sweep.seed_deviation, result.best_kept,
                        round(time.process_time() - began, 2), sample, design,
                    )
                )  # fmt: skip
                yield replays.lines[-1]


def _shipped() -> Forecaster:
    from lcode.forecasters.lcgode import SHIPPED, LCGODEForecaster

    return LCGODEForecaster.load(SHIPPED)


def main(arguments: Sequence[str] | None = None) -> None:
    """Add what is missing, and print the table; see the module."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("replays", type=Path, help="file of the replays, .jsonl; it grows")
    parser.add_argument("sources", nargs="*", help="benchmarks, families of them, or logs")
    parser.add_argument("--rules", default=",".join(RULES), help="comma-separated, as in lcode replay")
    parser.add_argument("--orders", type=int, default=100)
    parser.add_argument("--forecast-orders", type=int, default=2, help="of rules whose forecasts learn in the sweep")
    parser.add_argument("--workers", default="1,8")
    parser.add_argument("--samples", type=int, default=1, help="of the runs of each source that has many")
    parser.add_argument("--cold", action="store_true", help="without a history only")
    parser.add_argument("--design", action="store_true", help="the runs that constants are chosen on")
    asked = parser.parse_args(arguments)
    replays = Replays(asked.replays)
    wanted = [source for source in find_sources(asked.sources) if in_half(source, design=asked.design)]
    if asked.sources and not wanted:
        raise UsageError(f"no source of {', '.join(asked.sources)} is in this half")
    counts = [int(count) for count in asked.workers.split(",")]
    for line in study(
        replays,
        wanted,
        asked.rules.split(","),
        orders=asked.orders,
        forecast_orders=asked.forecast_orders,
        workers=counts,
        samples=asked.samples,
        warm=not asked.cold,
        design=asked.design,
    ):
        after = " after others" if line.warm else ""
        sys.stderr.write(f"{line.source} {line.rule}{after}, sample {line.sample}, order {line.order}\n")
    sys.stdout.write(table(replays.lines) + "\n")


if __name__ == "__main__":
    main()
