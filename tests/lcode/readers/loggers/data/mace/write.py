"""Wrote the folders beside it: `python write.py FOLDER [RUNS] [EPOCHS]`.

What MACE's `MetricsLogger` and `train` do (`mace/tools/utils.py`, `mace/tools/train.py`): JSON lines of each batch and
evaluation, before the first epoch too; the arguments in a log beside.
"""

from __future__ import annotations

import json
import math
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any


def write(folder: Path, runs: int, epochs: int) -> None:
    """Trainings with one head, and one with two."""
    for run in range(runs + 1):
        out = folder / ("water" if run < runs else "heads")
        for part in ("results", "logs"):
            (out / part).mkdir(parents=True, exist_ok=True)
        tag = f"water_run-{run}"
        lr = 10 ** (-4 + 2 * (run % runs) / max(runs - 1, 1))
        arguments = Namespace(name="water", seed=run, lr=round(lr, 6), max_num_epochs=epochs, r_max=5.0, heads=None)
        (out / "logs" / f"{tag}.log").write_text(
            "2026-01-01 00:00:00.000 INFO: MACE version: 0.3.13\n"
            f"2026-01-01 00:00:00.000 DEBUG: Configuration: {arguments}\n"
            "2026-01-01 00:00:01.000 INFO: Started training\n"
        )
        heads = ["Default"] if run < runs else ["pt_head", "Default"]
        rows: list[dict[str, Any]] = []
        for epoch in range(-1, epochs):
            left = math.exp(-epoch / 6) * (1 + 0.05 * math.sin(run + 3 * epoch))
            if epoch >= 0:
                rows += [
                    {"loss": left + 0.01 * batch, "time": 0.1, "mode": "opt", "epoch": epoch} for batch in range(3)
                ]
            for head in heads:
                scale = 0.05 + 0.01 * abs(math.log10(lr) + 3)
                metrics = {"loss": left, "mae_e_per_atom": scale * (0.1 + left), "rmse_f": 2 * scale * (0.1 + left)}
                at = None if epoch < 0 else epoch
                rows.append({**metrics, "time": 0.5, "mode": "eval", "epoch": at, "head": head})
        lines = [json.dumps(row) + "\n" for row in rows]
        (out / "results" / f"{tag}_train.txt").write_text("".join(lines))


if __name__ == "__main__":
    out, *sizes = sys.argv[1:]
    write(Path(out), *(int(size) for size in sizes or (2, 4)))
