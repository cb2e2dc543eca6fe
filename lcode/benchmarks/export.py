"""A benchmark as a wide table, so that the public commands can be run on it as on anybody's logs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lcode.table import RunTable


def wide_frame(table: RunTable) -> pd.DataFrame:
    """Columns `run, epoch`, one per metric key, `horizon, status`, and `config.<name>`; one row per run and epoch."""
    values = table.points.pivot(index=["run", "epoch"], columns="metric", values="value").reset_index()
    values = values.rename_axis(columns=None).astype({"run": str})
    side = table.runs[["horizon", "status"]].join(table.configs.add_prefix("config."))
    return values.merge(side, left_on="run", right_index=True, how="left", sort=False)


def export(table: RunTable, path: Path) -> None:
    """Write the wide table as CSV; the file appears complete or not at all."""
    temporary = path.with_name(f"{path.name}.part")
    try:
        wide_frame(table).to_csv(temporary, index=False)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
