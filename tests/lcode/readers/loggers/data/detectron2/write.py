"""Wrote the folders beside it: `python write.py FOLDER [RUNS] [ITERATIONS]`.

Detectron2 is no package of the index, so that what its `JSONWriter` does stands here (`detectron2/utils/events.py`):
every 20 iterations the scalars that came since, by the iteration at which they came, keys sorted.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path


def write(folder: Path, runs: int, iterations: int) -> None:
    """Trainings that are evaluated a few times, and after the last iteration."""
    for run in range(runs):
        out = folder / f"mask_rcnn_{run}"
        out.mkdir(parents=True, exist_ok=True)
        lr = 10 ** (-4 + 3 * run / max(runs - 1, 1))
        (out / "config.yaml").write_text(
            f"MODEL:\n  MASK_ON: true\n  ANCHORS:\n  - 32\nOUTPUT_DIR: ./{out.name}\n"
            f"SOLVER:\n  BASE_LR: {lr:.6g}\n  MAX_ITER: {iterations}\n"
        )
        best = 45 - 5 * abs(math.log10(lr) + 2.5)
        rows: dict[int, dict[str, float]] = {}
        period = iterations // 5
        for iteration in range(iterations):
            left = math.exp(-3 * iteration / iterations) * (1 + 0.05 * math.sin(run + iteration / 50))
            if (iteration + 1) % 20 == 0:
                losses = {"loss_box_reg": left, "loss_mask": 2 * left, "total_loss": 3 * left, "lr": lr, "time": 0.2}
                rows.setdefault(iteration, {}).update(losses)
            if (iteration + 1) % period == 0:
                at = iteration if iteration + 1 < iterations else iterations  # the last one comes after the training
                scores = {"bbox/AP": best - 30 * left, "segm/AP": 0.9 * best - 30 * left, "bbox/AP-person": best}
                rows.setdefault(at, {}).update(scores)
        with (out / "metrics.json").open("w") as file:
            for iteration, row in sorted(rows.items()):
                file.write(json.dumps({**row, "iteration": iteration}, sort_keys=True) + "\n")


if __name__ == "__main__":
    out, *sizes = sys.argv[1:]
    write(Path(out), *(int(size) for size in sizes or (2, 200)))
