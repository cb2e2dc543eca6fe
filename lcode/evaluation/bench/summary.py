"""What a bench says: means over divisions, and paired differences to a reference with their standard errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lcode.evaluation.bench.entrants import TWIN
from lcode.evaluation.bench.protocols import ALL
from lcode.evaluation.bench.run import ANY
from lcode.evaluation.bench.scores import DELTA_M

MEANS = (
    *("mape", "mae", "final_mae", "kendall", "crps", "nrmse", "nll", "coverage90", "final_coverage90"),
    *("fit_seconds", "predict_seconds"),
)
RATIOS = ("mape", "final_mae", "crps")
SAW = "†"
"""Marks a forecaster whose checkpoint was trained on the tested runs."""

UNITS = ("mae", "final_mae", "crps")
"""In the metric's own units: no mean over metrics."""


@dataclass(frozen=True, eq=False)
class Section:
    """The figures of one group of sources under one protocol, on one part of the test runs.

    Attributes:
        group: sources that are reported together.
        protocol: name of the division.
        train: `all`, or the number of training runs.
        metric: `delta_m`, or the only metric key, or "" for several metrics together.
        subset: part of the test runs.
        sources: their number.
        seeds: number of divisions.
        runs: mean number of runs to learn from, of runs of other problems, and of test runs that were scored.
        rows: indexed by (prefix, forecaster), prefixes by what they show and forecasters in the order of the results.
            Columns: `MEANS`, means over sources, metrics and seeds (NaN in units that differ); `pairs`, the number of
            values in them; `reference`, the forecaster that the others are held against; per measure of `RATIOS`
            `<name>_ratio`, the geometric mean of the ratios to the reference on the same division, and
            `<name>_ratio_error`, its standard error over the seeds; `kendall_difference` and its `_error`.
    """

    group: str
    protocol: str
    train: str
    metric: str
    subset: str
    sources: int
    seeds: int
    runs: tuple[float, float, float]
    rows: pd.DataFrame


def summarise(results: pd.DataFrame, references: Sequence[str] = ("trees", "last")) -> list[Section]:
    """The sections of a bench's results: by source group, protocol, training runs (most first), metric and part.

    Args:
        results: the frame of a `Store`.
        references: forecasters to hold the others against; in each place the first that took part.
    """
    good = _twins_everywhere(_labelled(results[results["error"] == ""]))
    good = good.assign(delta_m=good["metric"] == DELTA_M)
    keys = ["group", "protocol", "train", "delta_m", "subset"]
    parts = sorted(
        good.groupby(keys, sort=False), key=lambda item: (*item[0][:2], -_runs(str(item[0][2])), *item[0][3:])
    )
    return [_section(part, references) for _, part in parts]


def failures(results: pd.DataFrame) -> dict[str, int]:
    """What went wrong, most frequent first: forecaster and text of the error -> number of forecasts."""
    bad = results[results["error"] != ""]
    counts = (bad["forecaster"] + ": " + bad["error"]).value_counts()
    return {str(text): int(count) for text, count in counts.items()}


def _section(part: pd.DataFrame, references: Sequence[str]) -> Section:
    first, metrics = part.iloc[0], part["metric"].unique()
    own = part[part["forecaster"] != TWIN]
    learned, related = own.drop_duplicates(["source", "seed"])[["train_runs", "related_runs"]].mean()
    scored = float(own.groupby(["source", "metric", "seed"])["curves"].max().mean())
    prefixes = part.groupby("prefix", sort=False)
    order = prefixes["cutoff"].mean().sort_values(kind="stable").index
    rows = [row for prefix in order for row in _rows(str(prefix), prefixes.get_group(prefix), references)]
    return Section(
        group=first["group"],
        protocol=first["protocol"],
        train=first["train"],
        metric=metrics[0] if len(metrics) == 1 else "",
        subset=first["subset"],
        sources=part["source"].nunique(),
        seeds=part["seed"].nunique(),
        runs=(float(learned), float(related), scored),
        rows=pd.DataFrame(rows).set_index(["prefix", "forecaster"]),
    )


def _rows(prefix: str, part: pd.DataFrame, references: Sequence[str]) -> list[dict[str, object]]:
    """A row per forecaster at one prefix."""
    wide = {name: _pivot(part, name) for name in MEANS}
    names = list(part["forecaster"].unique())
    reference = next((name for wanted in references for name in names if name.split(" ")[0] == wanted), "")
    one_unit = part["metric"].nunique() == 1
    rows = []
    for name in names:
        row: dict[str, object] = {"prefix": prefix, "forecaster": name, "reference": reference}
        for measure, values in wide.items():
            row[measure] = values[name].mean() if one_unit or measure not in UNITS else np.nan
        row["pairs"] = int(wide["final_mae"][name].notna().sum())
        if reference and name != reference:
            for measure in RATIOS:
                logs = np.log(wide[measure].where(wide[measure] > 0))
                mean, error = _paired(logs[name] - logs[reference])
                row[f"{measure}_ratio"], row[f"{measure}_ratio_error"] = np.exp(mean), np.exp(mean) * error
            difference = wide["kendall"][name] - wide["kendall"][reference]
            row["kendall_difference"], row["kendall_difference_error"] = _paired(difference)
        rows.append(row)
    return rows


def _pivot(part: pd.DataFrame, measure: str) -> pd.DataFrame:
    """One column per forecaster, one line per source, metric and seed."""
    return part.pivot(index=["source", "metric", "seed"], columns="forecaster", values=measure)


def _paired(differences: pd.Series) -> tuple[float, float]:
    """Mean and standard error over the seeds of the mean over sources and metrics."""
    by_seed = differences.groupby(level="seed").mean().dropna()
    return float(by_seed.mean()), float(by_seed.std(ddof=1)) / math.sqrt(max(len(by_seed), 1))


def _labelled(results: pd.DataFrame) -> pd.DataFrame:
    """Names of forecasters with their settings, where there are several, and with the mark of what saw test runs."""
    several = results.groupby("forecaster")["settings"].transform("nunique") > 1
    label = results["forecaster"].where(~several, results["forecaster"] + " [" + results["settings"] + "]")
    saw = results.groupby(["group", label])["pretrained"].transform("max") > 0
    return results.assign(forecaster=label.where(~saw, label + " " + SAW))


def _twins_everywhere(results: pd.DataFrame) -> pd.DataFrame:
    """The twins learn from nothing: they stand beside forecasters with any number of training runs."""
    is_twin = results["train"] == ANY
    others = results[~is_twin]
    places = others[["group", "source", "protocol", "train"]].drop_duplicates()
    beside = results[is_twin].drop(columns="train").merge(places, on=["group", "source", "protocol"])
    return pd.concat([others, beside[results.columns]], ignore_index=True) if len(beside) else others


def _runs(train: str) -> float:
    return np.inf if train == ALL else float(train)
