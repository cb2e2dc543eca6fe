"""Options that several commands share, declared once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lcode.errors import UsageError

if TYPE_CHECKING:
    from lcode.table import Direction, RunTable

Out = Annotated[
    Path | None, typer.Option("--out", help="File to write: OUT.csv or OUT.parquet; default: shown in the terminal.")
]
Graphs = Annotated[Path | None, typer.Option("--graphs", help="JSON file with the architecture graphs.")]
Directions = Annotated[
    list[str] | None,
    typer.Option(
        "--direction",
        metavar="KEY=min|max",
        help="Which way is better: seg/miou=max,depth/abs_err=min (may be repeated); default: by the metric's name.",
    ),
]
Targets = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        metavar="TASK/METRIC",
        help="Forecast only this task/metric (may be repeated); the others are still read.",
    ),
]
ModelDir = Annotated[
    Path | None, typer.Option("--model", help="A folder written by `lcode fit`; default: the shipped model.")
]
Device = Annotated[str | None, typer.Option("--device", help="cpu or cuda; default: a GPU when there is one.")]
Seed = Annotated[int, typer.Option("--seed", help="The same seed on the same machine gives the same numbers.", min=0)]
Objective = Annotated[
    str,
    typer.Option(
        "--objective",
        help="delta_m (mean relative gain over references, %; also delta_m:per-task,drop,one-reference) | mean | worst "
        "| weights:seg=1,depth=2 | mean_rank | pareto | hypervolume",
    ),
]
Constraints = Annotated[
    list[str] | None,
    typer.Option(
        "--constraint",
        metavar="BOUND",
        help="What a final value must keep to: 'depth/abs_err<=0.4', 'seg/miou>=0.5' (may be repeated); only feasible "
        "ends can be best.",
    ),
]
Regret = Annotated[
    str | None,
    typer.Option(
        "--regret",
        help="What may be lost by stopping: 0.5 (in the objective's unit), '0.1 spread' (best − median) or '0.5 sd' "
        "(between seeds); default: runs that are hardly likely to win are stopped.",
    ),
]
Alpha = Annotated[
    float | None,
    typer.Option("--alpha", help="Chance with which more than --regret may be lost; default: 0.1.", show_default=False),
]
Baseline = Annotated[
    Path | None,
    typer.Option(
        "--baseline",
        help="CSV with task, metric, value (and arch): single-task references of delta_m; default: baseline.csv in "
        "LOGS, or the finished runs' medians.",
    ),
]
Final = Annotated[
    str,
    typer.Option(
        "--final",
        help="What a run ends with: horizon | best (of each metric) | best-epoch (one for all metrics, the best by the "
        "objective) | last:5 (mean of the last 5 epochs).",
    ),
]
Horizon = Annotated[
    float | None,
    typer.Option(
        "--horizon",
        metavar="N",
        help="Planned last epoch of the runs (where they count from 0: how many); default: what the logs say, or their "
        "largest epoch.",
    ),
]


class OnRepeat(StrEnum):
    """What to do where a run has two values for one epoch."""

    error = "error"
    last = "last"

    @property
    def rule(self) -> Literal["error", "last"]:
        """As `lcode.read_logs` takes it."""
        return "last" if self is OnRepeat.last else "error"


Repeats = Annotated[
    OnRepeat,
    typer.Option(
        "--on-repeat",
        help="Where a run has two values for one epoch: refuse, or let the later rows count, as after a resume.",
    ),
]


class RateKind(StrEnum):
    """What the learning rates in the rows of logs are."""

    plan = "plan"
    measured = "measured"

    @property
    def rule(self) -> Literal["plan", "measured"]:
        """As `lcode.read_logs` takes it."""
        return "measured" if self is RateKind.measured else "plan"


Rates = Annotated[
    RateKind,
    typer.Option(
        "--rates",
        help="What the learning rates of the logs are: planned before the training, or measured during it, where they "
        "react to it (reduced on a plateau).",
    ),
]


class Start(StrEnum):
    """Where a fit begins."""

    shipped = "shipped"
    scratch = "scratch"


def parse_directions(texts: list[str] | None) -> dict[str, Direction] | None:
    """`["seg/miou=max,depth/abs_err=min"]` as a mapping.

    Raises:
        UsageError: not of that form.
    """
    parsed: dict[str, Direction] = {}
    for item in _items(texts):
        key, _, direction = item.rpartition("=")
        if not key or direction not in ("min", "max"):
            raise UsageError(f"--direction {item}: write task/metric=min or task/metric=max")
        parsed[key] = "min" if direction == "min" else "max"
    return parsed or None


def parse_targets(texts: list[str] | None) -> list[str] | None:
    """Comma-separated or repeated targets as one list, or None for all."""
    return _items(texts) or None


def target_keys(table: RunTable, targets: list[str] | None) -> list[str] | None:
    """Keys of the targets as the table spells them."""
    from lcode.table import split_key

    return None if targets is None else [table.metric("/".join(split_key(t)) if "/" in t else t).key for t in targets]


def _items(texts: list[str] | None) -> list[str]:
    return [item.strip() for text in texts or [] for item in text.split(",") if item.strip()]
