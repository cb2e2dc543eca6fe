"""Wrote the folders beside it: `python write.py FOLDER [RUNS] [EPOCHS]`.

Ultralytics needs torchvision, which is not installed here, so that its formats stand here: those of `save_metrics` and
`YAML.save` of 8.4 (`ultralytics/engine/trainer.py`), of early 8.0, and of YOLOv5 (`utils/loggers/__init__.py`).
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

LAYOUTS = {
    "train": ("%s", "%.6g", 1, True),
    "v8.0": ("%23s", "%23.5g", 1, False),
    "yolov5": ("%20s", "%20.5g", 0, False),
}
"""Format of names and of values, first epoch, and whether there is a column of the time."""


def write(folder: Path, runs: int, epochs: int) -> None:
    """Trainings, and two by older programs."""
    for run in range(runs + 2):
        name = ["v8.0", "yolov5"][run - runs] if run >= runs else "train"
        head, cell, first, timed = LAYOUTS[name]
        out = folder / (f"detect/train{run + 1}" if name == "train" else f"older/{name}")
        out.mkdir(parents=True, exist_ok=True)
        lr = 10 ** (-4 + 3 * (run % runs) / max(runs - 1, 1))
        places = f"project: runs\nname: {out.name}\nsave_dir: runs/detect/{out.name}\n"
        if name == "yolov5":
            (out / "opt.yaml").write_text(f"weights: yolov5s.pt\nepochs: {epochs}\nbatch_size: 16\n{places}")
            (out / "hyp.yaml").write_text(f"lr0: {lr:.6g}\nmomentum: 0.937\nbox: 0.05\n")
        else:
            settings = f"task: detect\nmodel: yolov8n.pt\nepochs: {epochs}\ntime: null\npatience: 100\nbatch: 16\n"
            (out / "args.yaml").write_text(settings + f"lr0: {lr:.6g}\noptimizer: auto\nclasses: null\n{places}")
        maps = (
            ("metrics/mAP50(B)", "metrics/mAP50-95(B)")
            if name != "yolov5"
            else ("metrics/mAP_0.5", "metrics/mAP_0.5:0.95")
        )
        rates = "lr/pg0" if name != "yolov5" else "x/lr0"
        best = 0.8 - 0.05 * abs(math.log10(lr) + 2.5)
        lines: list[str] = []
        for epoch in range(epochs):
            left = math.exp(-epoch / 6) * (1 + 0.05 * math.sin(run + 3 * epoch))
            row: dict[str, float] = {"epoch": epoch + first}
            row |= {"time": 12.5 * (epoch + 1)} if timed else {}
            row |= {"train/box_loss": 1 + left, "train/cls_loss": 2 * left}
            row |= {"metrics/precision(B)" if name != "yolov5" else "metrics/precision": best * max(1 - left, 0)}
            row |= {maps[0]: best * max(1 - left, 0), maps[1]: 0.7 * best * max(1 - left, 0)}
            row |= {"val/box_loss": 1.1 + left, "val/cls_loss": 2.2 * left, rates: lr * (1 - epoch / epochs)}
            if not lines:
                lines.append((f"{head}," * len(row) % tuple(row)).rstrip(","))
            lines.append((f"{cell}," * len(row) % tuple(row.values())).rstrip(","))
        (out / "results.csv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    out, *sizes = sys.argv[1:]
    write(Path(out), *(int(size) for size in sizes or (2, 4)))
