"""A fitted model in a folder: as plain values and tensors, and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lcode.curves.collate import Preprocessor
from lcode.ensemble.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from lcode.ensemble.context import Context
from lcode.ensemble.fitted import EnsembleModel, Model, NetworkAlone, PretrainedModel, RelatedModel
from lcode.ensemble.prior import Prior
from lcode.ensemble.related import RelatedRuns
from lcode.ensemble.settings_prior import SettingsPrior
from lcode.ensemble.training import Fitted
from lcode.ensemble.widths import Widths
from lcode.network.in_context import InContextConfig, InContextNetwork
from lcode.network.loop import FitReport
from lcode.network.model import LCGODE, LCGODEConfig

NETWORK, PRETRAINED, IN_CONTEXT, TUNED = "network", "pretrained", "in_context", "tuned"
FINISHED, RELATED = "finished", "related"
"""Of the names in `model.safetensors`, before a dot: parameters of the networks, and the finished runs."""


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
        meta, tensors = _pack_networks(None, model.prior)
        return {"kind": "pretrained", "widths": model.widths.to_json(), **meta}, tensors
    if isinstance(model, NetworkAlone):
        meta, tensors = _pack_networks(model.network, None)
        return {"kind": "network alone", "preprocessor": model.preprocessor.to_json(), **meta}, tensors
    if isinstance(model, RelatedModel):
        meta, tensors = pack_model(model.borrowed)
        described, arrays = model.related.pack()
        meta |= {"kind": "related", "widths": model.pretrained.widths.to_json(), "related": described}
        return meta, {**tensors, **_as_tensors(RELATED, arrays)}
    assert isinstance(model, EnsembleModel)
    context = model.context
    described, arrays = context.pack()
    meta = {"kind": "ensemble", "preprocessor": context.preprocessor.to_json(), "context": described}
    tensors = _as_tensors(FINISHED, arrays)
    meta["related"] = None
    if context.related is not None:
        meta["related"], arrays = context.related.pack()
        tensors |= _as_tensors(RELATED, arrays)
    for i, network in enumerate(context.tuned):
        tensors |= {f"{TUNED}.{i}.{name}": value for name, value in network.state_dict().items()}
    networks, weights = _pack_networks(context.adapted, context.prior)
    return {**meta, "tuned": len(context.tuned), **networks}, {**tensors, **weights}


def unpack_model(meta: Mapping[str, Any], tensors: Mapping[str, Tensor], device: str) -> Model:
    """The inverse of `pack_model`.

    Raises:
        LookupError, TypeError, ValueError, RuntimeError: these are not the values of a model.
    """
    networks = {name: _network(name, config, tensors, device) for name, config in meta["networks"].items()}
    prior = None if meta["prior"] is None else _prior(meta["prior"], networks[PRETRAINED], tensors, device)
    if meta["kind"] == "pretrained":
        assert prior is not None
        return PretrainedModel(prior, Widths.from_json(meta["widths"]))
    preprocessor = Preprocessor.from_json(meta["preprocessor"])
    if meta["kind"] == "network alone":
        return NetworkAlone(preprocessor, networks[NETWORK])
    arrays = {name: value.numpy() for name, value in _part(FINISHED, tensors).items()}
    related = None
    if meta["related"] is not None:
        beside = {name: value.numpy() for name, value in _part(RELATED, tensors).items()}
        related = RelatedRuns.unpack(meta["related"], beside)
    tuned = [_in_context(meta["prior"]["in_context"], f"{TUNED}.{i}", tensors, device) for i in range(meta["tuned"])]
    borrows = meta["kind"] == "related"
    ensemble = EnsembleModel(
        Context.unpack(
            meta["context"], arrays, preprocessor, networks.get(NETWORK), prior, tuned, None if borrows else related
        )
    )
    if not borrows:
        return ensemble
    assert prior is not None
    assert related is not None
    return RelatedModel(PretrainedModel(prior, Widths.from_json(meta["widths"])), related, ensemble)


def _as_tensors(name: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, Tensor]:
    return {f"{name}.{key}": torch.from_numpy(np.array(array)) for key, array in arrays.items()}


def _pack_networks(adapted: LCGODE | None, prior: Prior | None) -> tuple[dict[str, Any], dict[str, Tensor]]:
    networks = {NETWORK: adapted, PRETRAINED: None if prior is None else prior.network}
    known = {name: network for name, network in networks.items() if network is not None}
    configs = {name: network.config.to_json() for name, network in known.items()}
    modules: dict[str, torch.nn.Module] = dict(known)
    described = None
    if prior is not None:
        examples, settings = prior.in_context, prior.settings
        described = {
            "in_context": None if examples is None else examples.config.to_json(),
            "settings": None if settings is None else settings.to_json(),
        }
        if examples is not None:
            modules[IN_CONTEXT] = examples
    weights = {f"{name}.{key}": value for name, module in modules.items() for key, value in module.state_dict().items()}
    return {"networks": configs, "prior": described}, weights


def _prior(meta: Mapping[str, Any], network: LCGODE, tensors: Mapping[str, Tensor], device: str) -> Prior:
    examples = None
    if meta["in_context"] is not None:
        examples = _in_context(meta["in_context"], IN_CONTEXT, tensors, device)
    settings = None if meta["settings"] is None else SettingsPrior.from_json(meta["settings"])
    return Prior(network, examples, settings)


def _in_context(config: Mapping[str, Any], name: str, tensors: Mapping[str, Tensor], device: str) -> InContextNetwork:
    network = InContextNetwork(InContextConfig(**config), torch.Generator().manual_seed(0))
    network.load_state_dict(_part(name, tensors))
    return network.to(device)


def _network(name: str, config: Mapping[str, Any], tensors: Mapping[str, Tensor], device: str) -> LCGODE:
    network = LCGODE(LCGODEConfig(**config), torch.Generator().manual_seed(0))
    network.load_state_dict(_part(name, tensors))
    return network.to(device)


def _part(name: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")}
