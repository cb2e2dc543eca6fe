"""Wrote the experiment beside it, with Syne Tune 0.16: `python write.py FOLDER [TRIALS] [EPOCHS]`."""

from __future__ import annotations

import math
import os
import shutil
import sys
from pathlib import Path
from typing import Any


def train() -> None:
    """A training of two tasks by formula, started by the backend as a program of its own."""
    from argparse import ArgumentParser

    from syne_tune import Reporter

    parser = ArgumentParser()
    parser.add_argument("--lr", type=float)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--balancer")
    args, _ = parser.parse_known_args()
    report = Reporter()
    best = 0.9 - 0.05 * abs(math.log10(args.lr) + 2.5) - 0.02 * (args.balancer == "equal")
    for epoch in range(1, args.epochs + 1):
        left = math.exp(-epoch / 6) * (1 + 0.05 * math.sin(1e4 * args.lr + 3 * epoch))
        report(epoch=epoch, seg_miou=best - 0.6 * left, depth_err=1 - best + 0.9 * left)


def write(folder: Path, trials: int, epochs: int) -> None:
    """An experiment with ASHA."""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["SYNETUNE_FOLDER"] = str(folder.resolve())
    from syne_tune import StoppingCriterion, Tuner
    from syne_tune.backend import LocalBackend
    from syne_tune.config_space import choice, loguniform
    from syne_tune.optimizer.baselines import ASHA

    space: dict[str, Any] = {"lr": loguniform(1e-4, 1e-1), "balancer": choice(["equal", "pcgrad"]), "epochs": epochs}
    tuner = Tuner(
        trial_backend=LocalBackend(entry_point=__file__),
        scheduler=ASHA(
            space, metric="seg_miou", do_minimize=False, time_attr="epoch", max_t=epochs, grace_period=2,
            reduction_factor=2, random_seed=1,
        ),
        stop_criterion=StoppingCriterion(max_num_trials_finished=trials),
        n_workers=2, sleep_time=0.1, tuner_name="asha", suffix_tuner_name=False, print_update_interval=1000,
    )  # fmt: skip
    tuner.run()
    for left_over in (folder / "asha").iterdir():
        if left_over.name not in ("results.csv.zip", "metadata.json"):
            shutil.rmtree(left_over) if left_over.is_dir() else left_over.unlink()


if __name__ == "__main__":
    if sys.argv[1].startswith("--"):
        train()
    else:
        out, *sizes = sys.argv[1:]
        shutil.rmtree(Path(out) / "asha", ignore_errors=True)
        write(Path(out), *(int(size) for size in sizes or (4, 4)))
