"""LC-PFN, a transformer that was trained to extrapolate single curves."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from lcode.curves.arrays import CurveArrays
from lcode.errors import UsageError
from lcode.forecast import LEVELS
from lcode.forecasters.prior_fitted import Array, PriorFittedForecaster, Question

EPOCHS = 100
"""It was trained on epochs 1 to this; longer horizons are shrunk to them."""


class LCPFNForecaster(PriorFittedForecaster):
    """LC-PFN (Adriaensen et al. 2023) as published, by the package `lcpfn`.

    It reads nothing but the curve and forecasts nothing before the first point; finished runs give only the range of
    the metric.
    """

    name: ClassVar[str] = "lcpfn"
    package: ClassVar[str] = "lcpfn"
    variable: ClassVar[str] = "LCODE_LCPFN"
    remedy: ClassVar[str] = (
        "Install it with `pip install --no-deps lcpfn` (it asks for an old torch and for Python below 3.12), and set "
        "LCODE_LCPFN to the unpacked file of its weights, pfn_EPOCH1000_EMSIZE512_NLAYERS12_NBUCKETS1000.pt; see "
        "https://github.com/automl/lcpfn"
    )

    def _load(self, module: Any, path: Path) -> Any:
        if not path.is_file():
            raise self._refused(f"{self.variable} names {path}, which is no file")
        try:
            network = module.LCPFN(str(path))
        except pickle.UnpicklingError as error:
            raise UsageError(
                f"torch refuses {path}: it is damaged, or a pickled network, as the published one is; if you trust "
                "where it comes from, set the environment variable TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1"
            ) from error
        encoder = network.model.transformer_encoder

        def forward(source: Any, mask: Any = None) -> Any:
            for layer in encoder.layers:
                source = layer(source, src_mask=mask)
            return source if encoder.norm is None else encoder.norm(source)

        encoder.forward = forward  # torch 2 calls layers with an argument that those of `lcpfn` do not know
        return network

    def _quantiles(self, question: Question, finished: CurveArrays) -> Array:
        if not len(question.epochs):
            return np.full((len(question.at), len(LEVELS)), np.nan)
        before = min(int(question.epochs[0]), 1) - 1  # logs may begin at epoch 0
        shrink = min(1.0, EPOCHS / max(question.horizon - before, 1))
        seen, at = (torch.tensor((e - before) * shrink).float()[:, None] for e in (question.epochs, question.at))
        values = torch.tensor(question.values).float()[:, None]
        predicted = self._network.predict_quantiles(x_train=seen, y_train=values, x_test=at, qs=LEVELS.tolist())
        return predicted.double().numpy()
