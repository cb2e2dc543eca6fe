"""Balancers: rules that turn per-task losses and gradients into one weight per task."""

from __future__ import annotations

from inspect import signature
from math import isfinite
from numbers import Real
from typing import Any

from lcode.errors import UsageError
from mtl_runs.balancers.adatask import AdaTask
from mtl_runs.balancers.aligned_mtl import AlignedMTL
from mtl_runs.balancers.analytic_uncertainty import UWO, UWSO
from mtl_runs.balancers.autoscale import AutoScale
from mtl_runs.balancers.base import Balancer, Needs, State, TaskStatistics
from mtl_runs.balancers.cagrad import CAGrad
from mtl_runs.balancers.config import ConFIG
from mtl_runs.balancers.conicgrad import ConicGradExact
from mtl_runs.balancers.cr_mogm import CRMOGM
from mtl_runs.balancers.db_mtl import DBMTL
from mtl_runs.balancers.draws import Generators
from mtl_runs.balancers.dual_cone import DualProj, UPGrad
from mtl_runs.balancers.dwa import DWA
from mtl_runs.balancers.equal import Equal
from mtl_runs.balancers.excess_mtl import ExcessMTL
from mtl_runs.balancers.fairgrad import FairGrad
from mtl_runs.balancers.famo import FAMO
from mtl_runs.balancers.fixed import Fixed, dirichlet_weights, log_uniform_weights, simplex_grid
from mtl_runs.balancers.gls import GLS
from mtl_runs.balancers.go4align import GO4Align
from mtl_runs.balancers.graddrop import GradDrop
from mtl_runs.balancers.gradnorm import GradNorm
from mtl_runs.balancers.gradvac import GradVac
from mtl_runs.balancers.imgrad import IMGrad
from mtl_runs.balancers.imtl import IMTLG, IMTLL
from mtl_runs.balancers.imtl_hybrid import IMTL
from mtl_runs.balancers.inverse_norm import InverseNorm
from mtl_runs.balancers.ldc_mtl import LDCMTL
from mtl_runs.balancers.log_losses import LogLosses
from mtl_runs.balancers.m_config import MConFIG
from mtl_runs.balancers.mgda import MGDA
from mtl_runs.balancers.moco import MoCo
from mtl_runs.balancers.modo import MoDo
from mtl_runs.balancers.nash_mtl import NashMTL
from mtl_runs.balancers.ngdiff import NGDiff
from mtl_runs.balancers.pcd import PCD
from mtl_runs.balancers.pcgrad import PCGrad
from mtl_runs.balancers.pivrg import PIVRG
from mtl_runs.balancers.random_weighting import RGW, RLW
from mtl_runs.balancers.sdmgrad import SDMGrad, SDMGradOS
from mtl_runs.balancers.sel_update import SelUpdate
from mtl_runs.balancers.slaw import SLAW
from mtl_runs.balancers.stch import STCH
from mtl_runs.balancers.torchjd_adapter import TorchJD
from mtl_runs.balancers.uncertainty import Uncertainty
from mtl_runs.balancers.wrapper import Wrapper

BALANCERS: dict[str, type[Balancer]] = {
    "equal": Equal,
    "fixed": Fixed,
    "inverse_norm": InverseNorm,
    "autoscale": AutoScale,
    "uncertainty": Uncertainty,
    "uw_o": UWO,
    "uw_so": UWSO,
    "imtl_l": IMTLL,
    "imtl": IMTL,
    "slaw": SLAW,
    "rlw": RLW,
    "dwa": DWA,
    "stch": STCH,
    "gls": GLS,
    "gradnorm": GradNorm,
    "famo": FAMO,
    "go4align": GO4Align,
    "ldc_mtl": LDCMTL,
    "sel_update": SelUpdate,
    "pcgrad": PCGrad,
    "gradvac": GradVac,
    "mgda": MGDA,
    "cagrad": CAGrad,
    "imgrad": IMGrad,
    "conicgrad_exact": ConicGradExact,
    "sdmgrad": SDMGrad,
    "sdmgrad_os": SDMGradOS,
    "fairgrad": FairGrad,
    "pivrg": PIVRG,
    "nash_mtl": NashMTL,
    "imtl_g": IMTLG,
    "config": ConFIG,
    "m_config": MConFIG,
    "aligned_mtl": AlignedMTL,
    "upgrad": UPGrad,
    "dualproj": DualProj,
    "pcd": PCD,
    "ngdiff": NGDiff,
    "rgw": RGW,
    "graddrop": GradDrop,
    "moco": MoCo,
    "modo": MoDo,
    "db_mtl": DBMTL,
    "excess_mtl": ExcessMTL,
    "adatask": AdaTask,
    "log": LogLosses,
    "cr_mogm": CRMOGM,
    "torchjd": TorchJD,
}
"""Every balancer by the name that configurations and logs use."""


RATES = ("lr", "step_size", "weight_decay")
"""Settings that are at least 0 wherever they occur."""


def make_balancer(name: str, /, **settings: Any) -> Balancer:
    """The balancer of this name with these settings.

    For one around another, `of` is the other's name, and settings that the outer one does not have are for the inner.

    Raises:
        UsageError: no such balancer, or it has no such setting: the message lists what there is; or a setting is no
            finite number where it should be one.
    """
    if name not in BALANCERS:
        raise UsageError(f"no balancer '{name}'; there are: {', '.join(BALANCERS)}")
    parameters = signature(BALANCERS[name]).parameters
    if issubclass(BALANCERS[name], Wrapper) and isinstance(settings.get("of"), str):
        inside = {key: settings[key] for key in settings if key not in parameters}
        inner = make_balancer(settings["of"], **inside)
        settings = {**{key: settings[key] for key in settings if key in parameters}, "of": inner}
    known = {key: value for key, value in parameters.items() if value.kind is not value.VAR_KEYWORD}
    unknown = [key for key in settings if key not in known] if len(known) == len(parameters) else []
    if unknown:
        have = f"its settings are: {', '.join(known)}" if known else "it has no settings"
        raise UsageError(f"balancer '{name}' has no setting '{unknown[0]}'; {have}")
    missing = [key for key, value in known.items() if value.default is value.empty and key not in settings]
    if missing:
        raise UsageError(f"balancer '{name}' needs its setting '{missing[0]}'")
    for key, value in settings.items():
        _check_number(name, key, value, known[key].default if key in known else None)
    return BALANCERS[name](**settings)


def _check_number(balancer: str, key: str, value: object, usual: object) -> None:
    """Refuse what is no number, or none to reckon with, for a setting that is usually one."""
    if not isinstance(usual, float | int):
        return
    what = "True or False" if isinstance(usual, bool) else f"a number, such as {usual}"
    if not isinstance(value, Real) or isinstance(value, bool) != isinstance(usual, bool) or not isfinite(value):
        raise UsageError(f"balancer '{balancer}': {key} is {value!r}; it is {what}")
    if key in RATES and value < 0:
        raise UsageError(f"balancer '{balancer}': {key} is {value!r}; it must not be negative")


__all__ = [
    "BALANCERS",
    "CRMOGM",
    "DBMTL",
    "DWA",
    "FAMO",
    "GLS",
    "IMTL",
    "IMTLG",
    "IMTLL",
    "LDCMTL",
    "MGDA",
    "PCD",
    "PIVRG",
    "RGW",
    "RLW",
    "SLAW",
    "STCH",
    "UWO",
    "UWSO",
    "AdaTask",
    "AlignedMTL",
    "AutoScale",
    "Balancer",
    "CAGrad",
    "ConFIG",
    "ConicGradExact",
    "DualProj",
    "Equal",
    "ExcessMTL",
    "FairGrad",
    "Fixed",
    "GO4Align",
    "Generators",
    "GradDrop",
    "GradNorm",
    "GradVac",
    "IMGrad",
    "InverseNorm",
    "LogLosses",
    "MConFIG",
    "MoCo",
    "MoDo",
    "NGDiff",
    "NashMTL",
    "Needs",
    "PCGrad",
    "SDMGrad",
    "SDMGradOS",
    "SelUpdate",
    "State",
    "TaskStatistics",
    "TorchJD",
    "UPGrad",
    "Uncertainty",
    "Wrapper",
    "dirichlet_weights",
    "log_uniform_weights",
    "make_balancer",
    "simplex_grid",
]
