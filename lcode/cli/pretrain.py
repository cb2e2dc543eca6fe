"""Train the checkpoint that ships with the package: `python -m lcode.cli.pretrain --out lcode/shipped`.

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


def main() -> None:
    """Command line of the pretraining job."""
    from lcode.benchmarks import design_sources, load_benchmark, load_mtl_curves
    from lcode.cli.console import fit_progress
    from lcode.ensemble.store import save_fitted
    from lcode.ensemble.training import Fitted
    from lcode.pretraining.pretrain import SETTINGS, pretrain
    from lcode.pretraining.settings import learn_settings
    from lcode.pretraining.views import views
    from lcode.readers import read_logs

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--logs", type=Path, nargs="*", default=[], help="folders of run logs to learn from as well")
    parser.add_argument("--public", nargs="*", help="public benchmarks to learn from; default: the design half")
    parser.add_argument("--steps", type=int, default=SETTINGS.steps)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    # Test runs and the problems that are held out stay unseen, so that the benchmarks can judge the result.
    tables = {
        f"mtl_curves/{name}": curves.part("train").with_status("finished")
        for name, curves in load_mtl_curves().items()
        if curves.is_training_problem
    }
    for name in design_sources() if args.public is None else args.public:
        tables[name] = _some(load_benchmark(name).with_status("finished"), args.seed)
    for folder in args.logs:
        tables[folder.name] = read_logs(folder).with_status("finished")
    known = {name: table for name, table in tables.items() if len(table) >= FEWEST}
    settings = dataclasses.replace(SETTINGS, steps=args.steps)
    with fit_progress("pretraining") as progress:
        model, report = pretrain(
            [list(views(table)) for table in known.values()],
            _prior(args.seed),
            seed=args.seed,
            settings=settings,
            progress=progress,
        )
    alike = {name: table for name, table in known.items() if name.startswith(SETTINGS_FROM)}
    model = dataclasses.replace(model, settings=learn_settings(alike))
    extra = {
        "seed": args.seed,
        "targets": None,
        "settings": dataclasses.asdict(settings),
        "sources": [*known, f"synthetic prior × {PRIOR}"],
    }
    runs = [run for table in known.values() for run in table.run_ids]
    digest = hashlib.sha256("".join(runs).encode()).hexdigest()[:16]
    save_fitted(Fitted(model, report, len(set(runs)), digest), args.out, extra)


def _some(table: RunTable, seed: int) -> RunTable:
    """At most `PUBLIC_RUNS` of the runs: a large collection is one problem like any other."""
    import numpy as np

    chosen = np.random.default_rng(seed).permutation(len(table))[:PUBLIC_RUNS]
    return table.rows(np.sort(chosen))


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
