"""`python -m tools.gpu_check`: all parts, a table, and one JSON file. `--device cpu --small` tries the script out."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from lcode.api import resolve_device
from lcode.cli.console import run_app
from lcode.files import replacing
from tools.gpu_check.balance import balance_costs
from tools.gpu_check.clock import Clock
from tools.gpu_check.forecasts import forecasts
from tools.gpu_check.populations import agreement, dense, populations

PARTS = (agreement, forecasts, balance_costs, dense, populations)
"""In the order in which they count, should the time run out."""

app = typer.Typer(add_completion=False)


@app.command()
def main(
    device: Annotated[str, typer.Option(help="cuda or cpu.")] = "cuda",
    out: Annotated[Path, typer.Option(help="JSON file of all figures.")] = Path("gpu_check.json"),
    small: Annotated[bool, typer.Option("--small", help="Sizes that only show that the script runs.")] = False,
    limit: Annotated[float, typer.Option(help="Seconds after which no further measurement begins.")] = 300.0,
) -> None:
    """Measure, print, and write."""
    clock = Clock(resolve_device(device), limit)
    name = platform.processor() or platform.machine()
    name = torch.cuda.get_device_name() if clock.device != "cpu" else name
    typer.echo(f"{name}, torch {torch.__version__}")
    rows: list[dict[str, Any]] = []
    for part in PARTS:
        for row in part(clock, small=small):
            rows.append(row)
            figures = ", ".join(f"{key} {value}" for key, value in row.items() if key not in ("part", "what"))
            typer.echo(f"{row['part']:11} {row['what']:62} {figures}")
    if clock.left < 0:
        typer.echo(f"the time of {limit:.0f} s was up: what is missing was not measured")
    found = {"device": name, "torch": torch.__version__, "small": small, "seconds": round(limit - clock.left, 1)}
    with replacing(out) as file:
        file.write(json.dumps({**found, "rows": rows}, indent=1).encode())
    typer.echo(f"written to {out}")


if __name__ == "__main__":
    import sys

    sys.exit(run_app(app, sys.argv[1:], name="python -m tools.gpu_check"))
