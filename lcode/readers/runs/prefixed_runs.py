"""Tables whose columns begin with the names of runs: `r0_val_miou,r1_val_miou`, or a line of runs above one of metrics.

lr=0.1,      , lr=0.01,
mIoU  , RMSE , mIoU   , RMSE

So do the columns of tasks, which measure the same too. What tells runs is a number behind a word for them, or, above
several metrics, a setting of the training, or a group that is called after what the others are compared with.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa

from lcode.readers.raw import RawTable, as_number
from lcode.readers.runs.curve_files import curves_of
from lcode.readers.stacked import one_below_another
from lcode.readers.understanding.column_words import RUN_NAMES, plain_name, words_of
from lcode.readers.understanding.curve_names import split_name
from lcode.readers.understanding.layout import CONFIG
from lcode.table.metric_names import known_metric
from lcode.table.reading import listed

_WORDS = (
    "runs?|r|exp|experiments?|trials?|models?|jobs?|configs?|cfg|versions?|v"
    "|lauf|l[äa]ufe|versuch|essai|ex[ée]cution|expérience|ensayo|ejecuci[óo]n|prueba|execução|ensaio|prova"
)

_NUMBERED = re.compile(rf"(?P<run>(?:{_WORDS})[ _-]?[0-9]+(?:\s*\([^()]*\))?)[ _./:-]+(?P<curve>.+)", re.IGNORECASE)

_KEYS = (
    "lr|learning[ _]rate|lernrate|wd|weight[ _]decay|bs|batch[ _]?size|dropout|momentum|warmup|optim(?:i[sz]er)?"
    "|seed|width|layers|hidden(?:[ _](?:dim|size))?|balancer|method|arch|architecture|backbone|model"
)
"""Settings of a training: of `k`, `eps` or `sigma` one training may be measured at several."""

_OF_NETWORK = frozenset(("width", "layers", "hidden", "hidden dim", "hidden size", "hidden_dim", "hidden_size"))
"""Of these alone, one network may be measured at several: layers that are probed, widths that it slims to."""

_FEWEST = 2
"""Metrics of each group by which a setting, or what is compared, is taken for a run: one may be of parts of a run."""

_SETTING = re.compile(rf"(?<![A-Za-z_])(?P<key>{_KEYS})\s?=\s?(?P<value>[^\s,;()/=]+)", re.IGNORECASE)
_SET = re.compile(r"(?P<run>[^/]*=[^/]*?)\s*/\s*(?P<curve>.+)")
_GROUP = re.compile(r"(?P<run>[^/]+)/(?P<curve>.+)")

_COMPARED = frozenset(("baseline", "baselines", "vanilla", "ours", "proposed"))
"""Words for what is compared, of which none is a task."""

_PARTS = frozenset(("actor", "critic", "policy", "value", "aux", "auxiliary", "head", "main"))
"""Words for parts of a network that a baseline, or a main part, is beside in one training."""


def runs_by_prefix(raw: RawTable) -> RawTable:
    """The table with the rows of each run below those of the one before, where its columns begin with those of runs.

    `epoch,r0_val_miou,r0_val_rmse,r1_val_miou,…` holds the same curves of each.
    """
    curves = curves_of(raw)
    has_names = any(plain_name(name) in RUN_NAMES for name in raw.columns)
    for form in (_NUMBERED,) if has_names else (_NUMBERED, _SET, _GROUP):
        told = {name: match for name in curves if (match := form.fullmatch(name.strip()))}
        of_runs: dict[str, dict[str, str]] = {}
        for name, match in told.items():
            of_runs.setdefault(match["run"].strip(), {})[name] = match["curve"]
        alike = {frozenset(names.values()) for names in of_runs.values()}
        if len(of_runs) < 2 or len(told) < len(curves) or len(alike) > 1 or not any(map(known_metric, *alike)):
            continue
        settings = {run: _settings(run) for run in of_runs}
        if form is not _NUMBERED and len(next(iter(alike))) < _FEWEST:
            continue
        if form is _SET and not (_tell_apart(settings) and _are_of_training(settings)):
            continue
        if form is _GROUP and not _are_compared(of_runs):
            continue
        return _one_below_another(raw, of_runs, settings if _tell_apart(settings) else {})
    return raw


def _settings(run: str) -> dict[str, str]:
    return {found["key"].strip(): found["value"] for found in _SETTING.finditer(run)}


def _tell_apart(settings: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether all runs state the same settings, and no two of them all the same values."""
    keys = {tuple(sorted(stated)) for stated in settings.values()}
    values = {tuple(sorted(stated.items())) for stated in settings.values()}
    return len(keys) == 1 and keys != {()} and len(values) == len(settings)


def _are_of_training(settings: Mapping[str, Mapping[str, str]]) -> bool:
    return any(key.lower() not in _OF_NETWORK for stated in settings.values() for key in stated)


def _are_compared(of_runs: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether one of the groups is what the others are compared with, and none of them a part of the data.

    A baseline of a policy has a loss, or lies beside an actor: it is a part of a network.
    """
    measured = {curve for names in of_runs.values() for curve in names.values()}
    scored = any(known_metric(curve) is not None and "loss" not in words_of(curve) for curve in measured)
    compared = any(not _COMPARED.isdisjoint(words_of(run)) for run in of_runs)
    parts = any(split_name(f"{run}/x")[0] or not _PARTS.isdisjoint(words_of(run)) for run in of_runs)
    return scored and compared and not parts


def _one_below_another(
    raw: RawTable, of_runs: Mapping[str, Mapping[str, str]], settings: Mapping[str, Mapping[str, str]]
) -> RawTable:
    taken = {name for names in of_runs.values() for name in names}
    kept = {name: cells for name, cells in raw.columns.items() if name not in taken}
    parts = []
    for run, names in of_runs.items():
        measured = {curve: raw.columns[name] for name, curve in names.items()}
        stated = {
            "seed" if key.lower() == "seed" else f"{CONFIG}{key}": _column(value, len(raw))
            for key, value in settings.get(run, {}).items()
        }
        columns = {"run": _column(run, len(raw)), **kept, **stated, **measured}
        whole = replace(raw, columns=columns, notes=())
        parts.append(whole.where(np.any([cells.is_valid().to_numpy() for cells in measured.values()], axis=0)))
    note = f"{raw.path.name}: its columns begin with the names of {len(of_runs)} runs ({listed([*of_runs])})."
    return replace(one_below_another(parts), path=raw.path, notes=(*raw.notes, note))


def _column(value: str, size: int) -> pa.ChunkedArray:
    number = as_number(value)
    return pa.chunked_array([pa.array([value if number is None else number] * size)])
