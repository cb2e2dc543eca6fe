"""A fitted model in a folder: as plain values and tensors, and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lcode.curves.collate import Preprocessor
from lcode.ensemble.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from lcode.ensemble.context import Context
from lcode.ensemble.fitted import EnsembleModel, Model, NetworkAlone, PretrainedModel
from lcode.ensemble.settings_prior import SettingsPrior
from lcode.ensemble.training import Fitted
from lcode.ensemble.widths import Widths
from lcode.network.loop import FitReport
from lcode.network.model import LCGODE, LCGODEConfig

NETWORK, PRETRAINED, FINISHED = "network", "pretrained", "finished"
"""Of the names in `model.safetensors`, before a dot: parameters of the two networks, and the finished runs."""


def save_fitted(fitted: Fitted, folder: Path, extra: dict[str, Any]) -> None:
    """Write to a folder: `model.safetensors` + `model.json`, both or neither; `extra` goes into the latter."""
    described, tensors = pack_model(fitted.model)
    meta = {
        **described,
        # Without the seconds: the same seed leaves the same files.
        "fit": {name: value for name, value in dataclasses.asdict(fitted.report).items() if name != "seconds"},
        "runs": fitted.runs,
        "data_digest": fitted.data_digest,
        **extra,
    }
    write_checkpoint(folder, Checkpoint(meta, tensors))


def load_fitted(folder: Path, device: str) -> tuple[Fitted, dict[str, Any]]:
    """What `save_fitted` wrote, and its `model.json`."""
    checkpoint = read_checkpoint(folder)
    meta = checkpoint.meta
    with checkpoint.reading():
        model = unpack_model(meta, checkpoint.tensors, device)
        return Fitted(model, FitReport(**meta["fit"]), meta["runs"], meta["data_digest"]), meta


def pack_model(model: Model) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The model as JSON values and tensors."""
    if isinstance(model, PretrainedModel):
        meta, tensors = _pack_networks({PRETRAINED: model.network})
        settings = None if model.settings is None else model.settings.to_json()
        return {"kind": "pretrained", "widths": model.widths.to_json(), "settings_prior": settings, **meta}, tensors
    if isinstance(model, NetworkAlone):
        meta, tensors = _pack_networks({NETWORK: model.network})
        return {"kind": "network alone", "preprocessor": model.preprocessor.to_json(), **meta}, tensors
    assert isinstance(model, EnsembleModel)
    context = model.context
    described, arrays = context.pack()
    meta = {"kind": "ensemble", "preprocessor": context.preprocessor.to_json(), "context": described}
    tensors = {f"{FINISHED}.{name}": torch.from_numpy(np.array(array)) for name, array in arrays.items()}
    both = ((NETWORK, context.adapted), (PRETRAINED, context.pretrained))
    networks, weights = _pack_networks({name: network for name, network in both if network is not None})
    return {**meta, **networks}, {**tensors, **weights}


def unpack_model(meta: Mapping[str, Any], tensors: Mapping[str, Tensor], device: str) -> Model:
    """The inverse of `pack_model`.

    Raises:
        LookupError, TypeError, ValueError, RuntimeError: these are not the values of a model.
    """
    networks = {name: _network(name, config, tensors, device) for name, config in meta["networks"].items()}
    if meta["kind"] == "pretrained":
        return PretrainedModel(networks[PRETRAINED], Widths.from_json(meta["widths"]), SettingsPrior.read(meta))
    preprocessor = Preprocessor.from_json(meta["preprocessor"])
    if meta["kind"] == "network alone":
        return NetworkAlone(preprocessor, networks[NETWORK])
    arrays = {name: value.numpy() for name, value in _part(FINISHED, tensors).items()}
    adapted, pretrained = networks.get(NETWORK), networks.get(PRETRAINED)
    return EnsembleModel(Context.unpack(meta["context"], arrays, preprocessor, adapted, pretrained))


def _pack_networks(networks: Mapping[str, LCGODE]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    configs = {name: network.config.to_json() for name, network in networks.items()}
    weights = {
        f"{name}.{key}": value for name, network in networks.items() for key, value in network.state_dict().items()
    }
    return {"networks": configs}, weights


def _network(name: str, config: Mapping[str, Any], tensors: Mapping[str, Tensor], device: str) -> LCGODE:
    network = LCGODE(LCGODEConfig(**config), torch.Generator().manual_seed(0))
    network.load_state_dict(_part(name, tensors))
    return network.to(device)


def _part(name: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")}
