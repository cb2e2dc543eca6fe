"""The command line: `mtl-runs train | sweep | problems | balancers | architectures`.

Exit status 0: done. 2: bad usage or bad input, with one message on stderr. 130: interrupted. 1: a bug of ours. Nothing
heavy is imported before a command needs it.
"""

from __future__ import annotations

import typer

from mtl_runs.cli.ends import run
from mtl_runs.cli.lists import architectures, balancers, problems
from mtl_runs.cli.sweep import sweep
from mtl_runs.cli.train import train

app = typer.Typer(
    name="mtl-runs",
    help="Train multi-task networks, one or a sweep of them, and log every epoch.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (train, sweep, problems, balancers, architectures):
    app.command()(command)


def main() -> None:
    """Entry point of the `mtl-runs` command."""
    run(app)


__all__ = ["app", "main"]
