"""How a command ends: with one message where something is the user's to mend, and where it was interrupted."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from lcode.errors import refusal


@contextmanager
def resumable() -> Iterator[None]:
    """Say after Ctrl-C that nothing is lost; exit status 130, as shells have it."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("interrupted; call the same command again to go on", err=True)
        raise typer.Exit(130) from None


def run(app: typer.Typer) -> None:
    """Run the command that the arguments of the process name, and end the process with its exit status."""
    try:
        app()
    except Exception as error:
        refused = refusal(error)
        if refused is None:
            raise
        if "--verbose" in sys.argv:
            traceback.print_exc()
        typer.echo(f"mtl-runs: {refused}", err=True)
        sys.exit(2)
