"""FT-PFN, a transformer that was trained to extrapolate a curve beside those of other configurations."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata

from lcode.curves.arrays import CurveArrays
from lcode.curves.config import ConfigEncoder
from lcode.forecast import LEVELS
from lcode.forecasters.prior_fitted import Array, PriorFittedForecaster, Question, points
from lcode.table import RunTable

VERSION = "0.0.1"

PARAMETERS = 10
"""It takes so many hyper-parameters, each from 0 to 1."""

CONTEXT = 900
"""Points of finished runs that it is shown; with the prefix they make the 1,000 points of its training."""


class FTPFNForecaster(PriorFittedForecaster):
    """FT-PFN (Rakotoarison et al. 2024) as published, by the package `ifbo`.

    It reads the curve, the configuration, and the same of the finished runs, thinned to what it was trained on. Time
    runs from 0 to 1 at the longest horizon. Categories enter as indicators; of more than ten columns those are taken
    whose ranks go best with those of the finished runs' last values.
    """

    name: ClassVar[str] = "ftpfn"
    package: ClassVar[str] = "ifbo"
    variable: ClassVar[str] = "LCODE_FTPFN"
    remedy: ClassVar[str] = (
        "Install it with `pip install ifBO`, and set LCODE_FTPFN to the folder `.model` that ifbo.FTPFN leaves where "
        "it was once called, with the archive and the weights in it; see https://github.com/automl/ifBO"
    )

    def _load(self, module: Any, path: Path) -> Any:
        files = import_module(f"{self.package}.download")
        # Without one of the two the package would go and download them, and to a folder of another name it adds one.
        wanted = (files.FILENAME(VERSION), files.WEIGHTS_FINAL_NAME(VERSION))
        lacking = [name for name in wanted if not (path / name).is_file()]
        if path.name != ".model" or lacking:
            named = f"{self.variable} names {path}"
            raise self._refused(f"{named}, which lacks {', '.join(lacking)}" if lacking else f"{named}, not `.model`")
        return module.FTPFN(target_path=path, version=VERSION)

    def _quantiles(self, question: Question, finished: CurveArrays) -> Array:
        assert self._finished is not None
        theirs, own = _parameters(self._finished, finished.last_values[:, question.metric], question.run)
        known = np.flatnonzero(finished.lengths[:, question.metric])
        known = known[np.unique(np.linspace(0, len(known) - 1, min(len(known), CONTEXT // 2)).astype(np.int64))]
        curves = [(run, *points(finished, run, question.metric, CONTEXT // len(known))) for run in known.tolist()]
        longest = max(question.horizon, int(self._finished.runs["horizon"].max()) if len(self._finished) else 1)

        def tokens(number: int, epochs: NDArray[np.int64], parameters: Array) -> Array:
            times = np.clip(epochs / longest, 0, 1)
            return np.column_stack([np.full(len(epochs), number), times, np.tile(parameters, (len(epochs), 1))])

        # The package's own numbering takes runs of equal configuration for one and the same; 0 is a curve not begun.
        mine = len(known) + 1 if len(question.epochs) else 0
        context = [tokens(i, epochs, theirs[run]) for i, (run, epochs, _) in enumerate(curves, start=1)]
        values = [question.scale.forward(values) for *_, values in curves]
        logits = self._network(
            x_train=_tensor(np.concatenate([*context, tokens(mine, question.epochs, own)])),
            y_train=_tensor(np.concatenate([*values, question.values])),
            x_test=_tensor(tokens(mine, question.at, own)),
        )
        result = import_module(self.package).PredictionResult(logits=logits, criterion=self._network.model.criterion)
        return torch.stack([result.quantile(level) for level in LEVELS.tolist()], dim=-1).double().numpy()


def _parameters(finished: RunTable, ends: Array, run: RunTable) -> tuple[Array, Array]:
    """Hyper-parameters from 0 to 1 of N finished runs, which end at `ends` [N], and of a run: [N, P] and [P]."""
    encoder = ConfigEncoder.fit(finished.configs)
    theirs, own = encoder.encode(finished.configs), encoder.encode(run.configs)[0]
    if not encoder.width:  # it was trained on one at least
        return np.full((len(finished), 1), 0.5), np.full(1, 0.5)
    if encoder.width > PARAMETERS:
        known = np.isfinite(ends)
        ranks = rankdata(np.column_stack([ends[known], theirs[known]]), axis=0)
        ranks = ranks - ranks.mean(axis=0)
        strength = np.abs(ranks[:, 1:].T @ ranks[:, 0]) / np.maximum(np.sqrt((ranks[:, 1:] ** 2).sum(axis=0)), 1e-12)
        chosen = np.sort(np.argsort(-strength, kind="stable")[:PARAMETERS])
        theirs, own = theirs[:, chosen], own[chosen]
    low = theirs.min(axis=0)
    width = np.maximum(theirs.max(axis=0) - low, 1e-12)
    return (theirs - low) / width, np.clip((own - low) / width, 0, 1)


def _tensor(values: Array) -> torch.Tensor:
    return torch.from_numpy(values).float()
