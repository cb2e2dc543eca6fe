"""The command line: `lcode fit | predict | rank | suggest | watch | backtest | bench | report | inspect | demo`.

Exit status 0: done. 2: bad usage or bad input, with one message on stderr. 1: a bug of ours.
"""

from __future__ import annotations

import sys

from lcode.cli.console import run_app


def main() -> None:
    """Entry point of the `lcode` command."""
    from lcode.cli.commands import app

    sys.exit(run_app(app, sys.argv[1:], name="lcode"))


__all__ = ["main", "run_app"]
