"""Train one policy for several control tasks: `python -m mtl_runs.control --world control-10 --out FOLDER`.

Writes a run log that `lcode` reads, with each task's return and rate of success after every epoch. A run that is there
is left alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lcode.errors import LcodeError
from mtl_runs.balancers import BALANCERS
from mtl_runs.control.training import PolicyRun, train_policy
from mtl_runs.control.worlds import WORLDS, make_world
from mtl_runs.sweeps.logs import last_values


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; exit status 0: done, 1: diverged, 2: bad usage, with one message on stderr."""
    parser = argparse.ArgumentParser(prog="python -m mtl_runs.control", description=__doc__)
    parser.add_argument("--world", choices=WORLDS, default="control-10", help="default: control-10")
    parser.add_argument("--task", nargs="+", help="of the world's tasks these only; one: a task alone")
    parser.add_argument("--balancer", choices=BALANCERS, metavar="NAME", default="equal", help="default: equal")
    parser.add_argument("--lr", type=float, default=1e-2, help="learning rate of the first epoch; default: 0.01")
    parser.add_argument("--epochs", type=int, default=40, help="default: 40")
    parser.add_argument("--seed", type=int, default=0, help="of everything random; default: 0")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run log")
    given = parser.parse_args(arguments)
    name = f"{'-'.join([given.world, *(given.task or ())])}-{given.balancer}-{given.lr:g}-s{given.seed}"
    try:
        world = make_world(given.world, given.task)
        run = PolicyRun(name, given.balancer, given.lr, given.seed, given.epochs)
        status = train_policy(world, run, given.out)
    except (LcodeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    told = "  ".join(f"{key} {value:.3f}" for key, value in last_values(given.out, name).items())
    print(f"{name}: {status}  {told}")  # noqa: T201
    return 0 if status == "finished" else 1


if __name__ == "__main__":
    sys.exit(main())
