"""A fit and forecasts of the project's model, on the device and on the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from lcode.api import load
from lcode.forecast import Q05, Q50, Q95, Forecast
from lcode.forecasters.lcgode import LCGODEForecaster
from lcode.pretraining.prior import synthetic_runs
from tools.gpu_check.clock import Clock


def forecasts(clock: Clock, *, small: bool) -> Iterator[dict[str, Any]]:
    """Seconds of a fit, of forecasts, and by how much of their 90 % interval medians are apart."""
    runs, asked = (12, 8) if small else (200, 1000)
    finished = synthetic_runs(runs, tasks=1, horizon=50, seed=1, metrics=["loss"])
    seen = synthetic_runs(asked, tasks=1, horizon=50, seed=2, metrics=["loss"]).prefix(10)
    results: dict[str, Forecast] = {}
    for device in dict.fromkeys((clock.device, "cpu")):
        if clock.left < 0:
            return
        timer = Clock(device, clock.limit)
        model = LCGODEForecaster.adapted(device=device)
        if small:  # without a fit
            model = load(device=device).in_context(finished)
        row: dict[str, Any] = {"part": "forecasts", "what": f"{runs} finished runs, {asked} forecasts, {device}"}
        if not small:
            row["fit s"] = round(timer.seconds(model.fit, finished), 2)
        row["first s"] = round(timer.seconds(model.predict, seen), 2)
        row["then s"] = round(timer.seconds(model.predict, seen), 2)
        results[device] = model.predict(seen)
        yield row
    ours, theirs = results[clock.device].quantiles, results["cpu"].quantiles
    width = theirs[..., Q95] - theirs[..., Q05]
    apart = np.abs(ours[..., Q50] - theirs[..., Q50]) / np.maximum(width, 1e-12)
    what = "medians beside the CPU's, in widths of the 90 % interval"
    yield {
        "part": "agreement",
        "what": what + ("" if small else "; each fitted where it forecasts"),
        "median share apart": float(f"{np.median(apart):.1e}"),
        "largest": float(f"{apart.max():.1e}"),
    }
