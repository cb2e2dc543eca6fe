"""What callers give for a table of runs, checked at the border."""

from __future__ import annotations

from lcode.arguments import check_kind
from lcode.table.table import RunTable


def check_table(name: str, value: object) -> None:
    """Refuse what is no table of runs, such as the path of its logs.

    Raises:
        UsageError: the text says what was found and how a table is had.
    """
    check_kind(name, value, RunTable, "a table of runs, such as lcode.read_logs('runs/')")
