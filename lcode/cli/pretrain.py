"""Train the checkpoint that ships with the package: `python -m lcode.cli.pretrain --out lcode/shipped`.

Sources: the public curve collections of `lcode.benchmarks` (found through `LCODE_DATA`), run-log folders given with
`--logs`, and the synthetic prior.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

PRIOR = [(2, 40), (3, 60), (1, 50), (3, 100), (2, 200), (4, 30)]
"""Tasks and horizon of each synthetic source."""


def main() -> None:
    """Command line of the pretraining job."""
    from lcode.benchmarks import BENCHMARKS, load_benchmark
    from lcode.cli.console import fit_progress
    from lcode.fitting.pretrain import SETTINGS, pretrain
    from lcode.fitting.prior import synthetic_runs
    from lcode.readers import read_logs

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--logs", type=Path, nargs="*", default=[], help="folders of run logs to learn from as well")
    parser.add_argument("--leave-out", nargs="*", default=[], help="benchmarks that must not be seen")
    parser.add_argument("--steps", type=int, default=SETTINGS.steps)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    # The multi-task corpus is not among the sources of the checkpoint that is shipped now.
    names = [name for name in BENCHMARKS if not name.startswith("mtl_curves/") and name not in args.leave_out]
    tables = [load_benchmark(name).with_status("finished") for name in names]
    tables += [read_logs(folder).with_status("finished") for folder in args.logs]
    tables += [synthetic_runs(400, tasks=k, horizon=h, seed=args.seed * 100 + i) for i, (k, h) in enumerate(PRIOR)]
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
