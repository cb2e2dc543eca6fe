"""Everything that can learn from finished runs and forecast the others; names for the command line."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from lcode.errors import UsageError
from lcode.forecasters.base import At, Forecaster

ForecasterFactory = Callable[[int], Forecaster]
"""Makes a forecaster from a seed."""


def _lazy(module: str, attribute: str) -> ForecasterFactory:
    """A factory that imports its module when it is called: torch and scikit-learn take seconds to load."""

    def make(seed: int) -> Forecaster:
        target: object = import_module(f"lcode.forecasters.{module}")
        for part in attribute.split("."):
            target = getattr(target, part)
        return target(seed=seed)  # type: ignore[operator]

    return make


FORECASTERS: dict[str, ForecasterFactory] = {
    "lcode": _lazy("lcgode", "LCGODEForecaster.adapted"),
    "scratch": _lazy("lcgode", "LCGODEForecaster"),
    "paper": _lazy("lcgode", "LCGODEForecaster.paper"),
    "last": _lazy("last_value", "LastValueForecaster"),
    "best": _lazy("best_so_far", "BestSoFarForecaster"),
    "drift": _lazy("drift", "DriftForecaster"),
    "power": _lazy("power_law", "PowerLawForecaster"),
    "trees": _lazy("trees", "TreesForecaster"),
    "qforest": _lazy("quantile_forest", "QuantileForestForecaster"),
    "qforest-curve": _lazy("quantile_forest", "CurveForestForecaster"),
    "config": _lazy("quantile_forest", "ConfigForecaster"),
    "knn": _lazy("knn", "NearestForecaster"),
    "ridge": _lazy("ridge", "RidgeForecaster"),
    "boosting": _lazy("boosting", "BoostingForecaster"),
    "boosting-random": _lazy("boosting_random", "RandomBoostingForecaster"),
    "gp": _lazy("gaussian_process", "ProcessForecaster"),
    "trees+gp": _lazy("trees_and_gp", "TreesAndProcessForecaster"),
    "dpl": _lazy("dpl", "DPLForecaster"),
    "lkgp": _lazy("lkgp", "LKGPForecaster"),
    "egp": _lazy("empirical_gp", "EmpiricalGPForecaster"),
    "mpl": _lazy("multi_power_law", "MultiPowerLawForecaster"),
    "lcbnn": _lazy("lc_bnn", "LCBNNForecaster"),
    "nsde": _lazy("neural_sde", "NeuralSDEForecaster"),
    "vrnn": _lazy("vrnn", "VRNNForecaster"),
    "lstm": _lazy("lstm", "LSTMForecaster"),
    "ode": _lazy("ablations", "LatentODEForecaster"),
    "lcpfn": _lazy("lc_pfn", "LCPFNForecaster"),
    "ftpfn": _lazy("ft_pfn", "FTPFNForecaster"),
}
"""Name -> factory; one line per forecaster."""


def forecaster(name: str, seed: int = 0) -> Forecaster:
    """Make a forecaster by its name.

    Raises:
        UsageError: no such forecaster; the message lists those there are.

    Examples:
        >>> import lcode
        >>> table = lcode.read_logs("logs.csv")
        >>> lcode.forecaster("power").fit(table).predict(table).quantiles.shape  # runs, metrics, epochs, quantiles
        (12, 2, 1, 21)
    """
    if name not in FORECASTERS:
        raise UsageError(f"no forecaster '{name}'; there are: {', '.join(FORECASTERS)}")
    return FORECASTERS[name](seed)


__all__ = ["FORECASTERS", "At", "Forecaster", "ForecasterFactory", "forecaster"]
