"""Wrote the folders beside it: `python write.py FOLDER [RUNS] [EPOCHS]`.

What the trainer of NequIP 0.5 and 0.6 does (`end_of_epoch_log` of `nequip/train/trainer.py`): blanks around names and
numbers; 0.7 logs through Lightning.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path


def write(folder: Path, runs: int, epochs: int) -> None:
    """Trainings, the first of them taken up once."""
    for run in range(runs):
        out = folder / f"toluene-{run}"
        out.mkdir(parents=True, exist_ok=True)
        lr = 10 ** (-4 + 2 * run / max(runs - 1, 1))
        (out / "config.yaml").write_text(
            f"root: results\nrun_name: {out.name}\nmax_epochs: {epochs}\nlearning_rate: {lr:.6g}\nr_max: 4.0\n"
            "loss_coeffs:\n  forces: 1\n  total_energy:\n  - 1\n  - PerAtomMSELoss\n"
        )
        names = ["training_loss_f", "training_loss", "training_f_mae", "training_e_mae"]
        names += [name.replace("training", "validation") for name in names]
        header = "epoch, wal, LR, " + ", ".join(f"{name:>16}" for name in names)
        lines = [header]
        for epoch in range(1, epochs + 1):
            left = math.exp(-epoch / 6) * (1 + 0.05 * math.sin(run + 3 * epoch))
            scale = 1 + 0.2 * abs(math.log10(lr) + 3)
            values = [left, 2 * left, scale * (0.1 + left), scale * (0.2 + left)]
            values += [1.1 * value for value in values]
            lines.append(f"{epoch:10d}, {3.5 * epoch:8.3f}, {lr:8.3g}, " + ", ".join(f"{v:16.5g}" for v in values))
            if run == 0 and epoch == epochs // 2:
                lines.append(header)
        (out / "metrics_epoch.csv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    out, *sizes = sys.argv[1:]
    write(Path(out), *(int(size) for size in sizes or (2, 4)))
