"""Train what ships with the package: `python -m lcode.cli.pretrain --out lcode/shipped`.

That is LC-GODE for any metrics, the network that takes finished runs for examples, and what hyper-parameters did.
Sources: the training runs (`split == "train"`) of the corpus's training problems and the design half of the public
collections (see `lcode.benchmarks.halves`), each in several views; the synthetic prior; and what `--logs` names.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lcode.ensemble.fitted import PretrainedModel
    from lcode.network.loop import FitReport, FitSettings
    from lcode.table import RunTable

PRIOR, PRIOR_RUNS = 240, 60
"""Synthetic problems, and runs of each."""

TASKS, HORIZONS = (1, 1, 2, 3, 4), (10, 20, 30, 40, 50, 60, 100, 150, 200)
"""Of which those of a synthetic problem are drawn."""

SETTINGS_FROM = ("lcbench", "mtl_curves")
"""Collections whose hyper-parameters are learned from. Submissions to AlgoPerf differ in kind: what their settings do
is foretold neither by other collections nor by its other workloads."""

PUBLIC_RUNS, FEWEST = 100, 6
"""Runs taken of a public collection, and without which it is left out."""

EXAMPLE_RUNS = 1000
"""Runs taken of one for the in-context network, which is shown up to 200 of them at a time."""

EXAMPLE_PRIOR, EXAMPLE_SWEEPS = 120, 300
"""Synthetic problems that it is shown: of those above, and sweeps in which hyper-parameters matter."""

SWEEP_RUNS, SWEEP_TASKS, SWEEP_HORIZONS = (40, 300), (1, 1, 1, 2, 3), (20, 40, 50, 50, 60, 100)
"""Runs of such a sweep, from and to, each order of magnitude alike; and what its tasks and horizon are drawn from."""


def main() -> None:
    """Command line of the pretraining job."""
    from lcode.cli.console import fit_progress
    from lcode.ensemble.store import save_fitted
    from lcode.ensemble.training import Fitted
    from lcode.errors import UsageError
    from lcode.pretraining.in_context import InContextSettings, pretrain_in_context, table_problems
    from lcode.pretraining.pretrain import SETTINGS
    from lcode.pretraining.settings import learn_settings

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--logs", type=Path, nargs="*", default=[], help="folders of run logs to learn from as well")
    parser.add_argument("--public", nargs="*", help="public benchmarks to learn from; default: the design half")
    parser.add_argument("--steps", type=int, default=SETTINGS.steps, help="of LC-GODE")
    parser.add_argument("--example-steps", type=int, default=InContextSettings.steps, help="of the in-context network")
    parser.add_argument("--network", type=Path, help="folder of a model: only its in-context network is trained")
    parser.add_argument("--go-on", action="store_true", help="train the in-context network of that model further")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if args.go_on and args.network is None:
        parser.error("--go-on needs the model to go on with: --network FOLDER")
    own, public = _tables(args.public, args.logs)
    whole = {name: table for name, table in {**own, **public}.items() if len(table) >= FEWEST}
    known = {name: _some(table, PUBLIC_RUNS, args.seed) if name in public else table for name, table in whole.items()}
    settings, synthetic = dataclasses.replace(SETTINGS, steps=args.steps), _prior(args.seed)
    model, report, seed, before = _network(args.network, list(known.values()), synthetic, args.seed, settings)
    if args.go_on and model.prior.in_context is None:
        raise UsageError(f"{args.network} has no in-context network to go on with")
    with fit_progress("pretraining the in-context network") as progress:
        examples = pretrain_in_context(
            {name: table_problems(_some(table, EXAMPLE_RUNS, args.seed)) for name, table in whole.items()},
            [
                problem
                for table in (*synthetic[:EXAMPLE_PRIOR], *_sweeps(args.seed))
                for problem in table_problems(table)
            ],
            seed=args.seed,
            settings=InContextSettings(steps=args.example_steps),
            start=model.prior.in_context if args.go_on else None,
            progress=progress,
        )
    trained = [*(before if args.go_on else []), {"steps": args.example_steps, "seed": args.seed}]
    prior = dataclasses.replace(model.prior, in_context=examples)
    if args.network is None:
        alike = {name: table for name, table in known.items() if name.startswith(SETTINGS_FROM)}
        prior = dataclasses.replace(prior, settings=learn_settings(alike))
    extra = {
        "seed": seed,
        "targets": None,
        "settings": dataclasses.asdict(settings),
        "sources": [*known, f"synthetic prior × {PRIOR}", f"synthetic sweeps × {EXAMPLE_SWEEPS}"],
        "in_context": trained,
    }
    runs = [run for table in known.values() for run in table.run_ids]
    digest = hashlib.sha256("".join(runs).encode()).hexdigest()[:16]
    save_fitted(Fitted(dataclasses.replace(model, prior=prior), report, len(set(runs)), digest), args.out, extra)


def _tables(public: list[str] | None, logs: list[Path]) -> tuple[dict[str, RunTable], dict[str, RunTable]]:
    """Finished runs to learn from: those of the corpus and of `logs`, and public collections, default: the design half.

    Test runs and the problems that are held out stay unseen, so that the benchmarks can judge the result.
    """
    from lcode.benchmarks import design_sources, load_benchmark, load_mtl_curves
    from lcode.readers import read_logs

    own = {
        f"mtl_curves/{name}": curves.part("train").with_status("finished")
        for name, curves in load_mtl_curves().items()
        if curves.is_training_problem
    }
    own |= {folder.name: read_logs(folder).with_status("finished") for folder in logs}
    names = design_sources() if public is None else public
    return own, {name: load_benchmark(name).with_status("finished") for name in names}


def _network(
    folder: Path | None, tables: list[RunTable], synthetic: list[RunTable], seed: int, settings: FitSettings
) -> tuple[PretrainedModel, FitReport, int, list[dict[str, int]]]:
    """LC-GODE for any metrics: trained, or the model in a folder; how its training went, and the seed of both.

    Last, how the in-context network of that model was trained, as far as its file says.
    """
    from lcode.cli.console import fit_progress
    from lcode.ensemble.fitted import PretrainedModel
    from lcode.ensemble.store import load_fitted
    from lcode.errors import UsageError
    from lcode.pretraining.pretrain import pretrain
    from lcode.pretraining.views import views

    if folder is not None:
        given, described = load_fitted(folder, "cpu")
        if not isinstance(given.model, PretrainedModel):
            raise UsageError(f"{folder} holds a fitted model; name one that this command wrote")
        return given.model, given.report, int(described["seed"]), list(described.get("in_context", []))
    with fit_progress("pretraining LC-GODE") as progress:
        real = [list(views(table)) for table in tables]
        return *pretrain(real, synthetic, seed=seed, settings=settings, progress=progress), seed, []


def _some(table: RunTable, most: int, seed: int) -> RunTable:
    """At most so many of the runs: a large collection is one problem like any other."""
    import numpy as np

    chosen = np.random.default_rng(seed).permutation(len(table))[:most]
    return table.rows(np.sort(chosen))


def _sweeps(seed: int) -> list[RunTable]:
    """Synthetic sweeps for the in-context network."""
    import numpy as np

    from lcode.pretraining.quadratic import sweep

    draw = np.random.default_rng(seed)
    fewest, most = np.log(SWEEP_RUNS)
    sizes = np.rint(np.exp(draw.uniform(fewest, most, EXAMPLE_SWEEPS))).astype(np.int64)
    shapes = zip(
        sizes, draw.choice(SWEEP_TASKS, EXAMPLE_SWEEPS), draw.choice(SWEEP_HORIZONS, EXAMPLE_SWEEPS), strict=True
    )
    return [
        sweep(int(runs), tasks=int(tasks), horizon=int(horizon), seed=1000 * seed + i)
        for i, (runs, tasks, horizon) in enumerate(shapes)
    ]


def _prior(seed: int) -> list[RunTable]:
    """The synthetic problems."""
    import numpy as np

    from lcode.pretraining.prior import synthetic_runs

    draw = np.random.default_rng(seed)
    sizes = zip(draw.choice(TASKS, PRIOR), draw.choice(HORIZONS, PRIOR), strict=True)
    return [
        synthetic_runs(PRIOR_RUNS, tasks=int(tasks), horizon=int(horizon), seed=1000 * seed + i)
        for i, (tasks, horizon) in enumerate(sizes)
    ]


if __name__ == "__main__":
    main()
