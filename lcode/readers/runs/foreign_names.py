"""Columns as exports of tracking servers call them: `config/lr` and `params/lr` of settings, `state` of the status."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pyarrow as pa

from lcode.readers.raw import RawTable
from lcode.readers.understanding.column_words import RUN_NAMES, plain_name
from lcode.readers.understanding.layout import CONFIG

_SETTING = re.compile(r"(?:configs?|params?|parameters|hparams|hyperparameters|args)/(?P<name>.+)", re.IGNORECASE)

_STATES = {
    **dict.fromkeys(("finished", "completed", "complete", "succeeded", "success", "done", "terminated"), "finished"),
    **dict.fromkeys(("running", "active", "pending", "preempted", "preempting"), "running"),
    **dict.fromkeys(("failed", "crashed", "crash", "error", "fail", "failure"), "failed"),
    **dict.fromkeys(("killed", "stopped", "cancelled", "canceled", "aborted", "pruned", "early stopped"), "stopped"),
}
"""What servers call the states of runs; `terminated` is Ray's word for a trial that has ended."""


def with_usual_names(raw: RawTable) -> RawTable:
    """The table with `config.lr` for `config/lr` where it is constant within each run, and `status` for `state`."""
    taken = {name.lower() for name in raw.columns}
    names: dict[str, str] = {}
    for name in raw.columns:
        found = _SETTING.fullmatch(name.strip())
        if found is not None and f"{CONFIG}{found['name']}".lower() not in taken and _is_constant(raw, name):
            names[name] = f"{CONFIG}{found['name']}"
    state = next((name for name in raw.columns if plain_name(name) in ("state", "run_state")), None)
    if state is None or "status" in taken:
        return raw.renamed(names)
    code, texts = raw.names(state)
    told = [_STATES.get(text.strip().lower()) for text in texts]
    if not told or None in told:
        return raw.renamed(names)
    cells = pa.array([None if at < 0 else told[at] for at in code.tolist()], pa.string())
    columns = {**raw.columns, state: pa.chunked_array([cells])}
    return replace(raw, columns=columns).renamed({**names, state: "status"})


def _is_constant(raw: RawTable, name: str) -> bool:
    """Whether each run has one value of a column at most; without a column of runs, the table is one."""
    runs = next((column for word in RUN_NAMES for column in raw.columns if plain_name(column) == word), None)
    code, _ = raw.names(name)
    run = np.zeros(len(raw), dtype=np.int64) if runs is None else raw.names(runs)[0]
    pairs = np.unique(np.stack([run, code])[:, code >= 0], axis=1)
    return pairs.shape[1] == len(np.unique(pairs[0]))
