"""Train the checkpoint that ships with the package: `python -m lcode.cli.pretrain --out lcode/shipped`.

Sources: the training runs (`split == "train"`) of the corpus's training problems, each in several views, the synthetic
prior, and what is given with `--public` and `--logs`.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

PRIOR = [(tasks, horizon) for horizon in (20, 30, 40, 50, 60, 100, 150, 200) for tasks in (1, 2, 1, 3, 4)]
"""Tasks and horizon of each synthetic source."""

PRIOR_RUNS = 150


def main() -> None:
    """Command line of the pretraining job."""
    from lcode.benchmarks import load_benchmark, load_mtl_curves
    from lcode.cli.console import fit_progress
    from lcode.fitting.pretrain import SETTINGS, pretrain
    from lcode.fitting.prior import synthetic_runs
    from lcode.fitting.views import views
    from lcode.readers import read_logs

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--logs", type=Path, nargs="*", default=[], help="folders of run logs to learn from as well")
    parser.add_argument("--public", nargs="*", default=[], help="public benchmarks to learn from as well")
    parser.add_argument("--steps", type=int, default=SETTINGS.steps)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    # Test runs and the problems that are held out stay unseen, so that the benchmarks can judge the result.
    corpus = {name: curves for name, curves in load_mtl_curves().items() if curves.is_training_problem}
    names = [*(f"mtl_curves/{name}" for name in corpus), *args.public]
    tables = [view for curves in corpus.values() for view in views(curves.part("train").with_status("finished"))]
    tables += [load_benchmark(name).with_status("finished") for name in args.public]
    tables += [read_logs(folder).with_status("finished") for folder in args.logs]
    tables += [
        synthetic_runs(PRIOR_RUNS, tasks=k, horizon=h, seed=args.seed * 100 + i) for i, (k, h) in enumerate(PRIOR)
    ]
    settings = dataclasses.replace(SETTINGS, steps=args.steps)
    with fit_progress("pretraining") as progress:
        fitted = pretrain(tables, seed=args.seed, settings=settings, progress=progress)
    extra = {
        "seed": args.seed,
        "targets": None,
        "settings": dataclasses.asdict(settings),
        "sources": [*names, *(str(folder.name) for folder in args.logs), f"synthetic prior × {len(PRIOR)}"],
    }
    fitted.save(args.out, extra)


if __name__ == "__main__":
    main()
