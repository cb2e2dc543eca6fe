"""The single-task references that a ranking is measured against: those that were named, or those that lie there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from lcode.cli.console import err
from lcode.errors import InputError
from lcode.files import check_path

if TYPE_CHECKING:
    from lcode.table import RunTable


def check_baseline(given: Path | None) -> None:
    """Refuse references that are not there, before any work is done.

    Raises:
        InputError: no such file.
    """
    if given is not None:
        check_path(given)


def baseline_for(logs: Path, given: Path | None, objective: str, table: RunTable) -> Path | None:
    """The file of references: the given one, or else `baseline.csv` in the folder of the logs if it fits them.

    Only some objectives take references. A file that does not fit is not used, and the user is told why.
    """
    from lcode.decisions import read_baseline, takes_baseline
    from lcode.table.reading import BASELINE

    found = (logs if logs.is_dir() else logs.parent) / BASELINE
    if given is not None or not takes_baseline(objective) or found == logs or not found.is_file():
        return given
    try:
        read_baseline(found, table.metrics)
    except InputError as error:
        err.print(f"[yellow]note:[/] references that lie there are not taken up: {escape(str(error))}", highlight=False)
        return None
    return found
