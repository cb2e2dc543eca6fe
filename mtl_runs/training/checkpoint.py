"""The state of a training on disk: one safetensors file with a JSON note, replaced atomically."""

from __future__ import annotations

import json
import os
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from mtl_runs.training.learner import Learner

FORMAT_VERSION = 1


def save_checkpoint(path: Path, learner: Learner, *, epoch: int, digest: str) -> None:
    """Write everything that the next epoch depends on.

    Args:
        path: file to replace; its folder is made if missing.
        learner: what is saved: parameters, optimiser, balancer, generators.
        epoch: last complete epoch.
        digest: identifies the run's header; a checkpoint of another configuration is never loaded.
    """
    tensors = {
        "parameters": learner.parameters,
        "generator.batches": learner.batches.get_state(),
        "generator.draws": learner.draws.get_state(),
        **{f"balancer.{name}": value for name, value in learner.balancer_state.items()},
        **{f"optimizer.{name}": value for name, value in learner.optimizer_state.items()},
    }
    note = {"version": FORMAT_VERSION, "epoch": epoch, "digest": digest}
    # Cloned, because safetensors refuses tensors that share memory.
    data = save({name: value.cpu().clone() for name, value in tensors.items()}, {"note": json.dumps(note)})
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def load_checkpoint(path: Path, learner: Learner, *, digest: str) -> int:
    """Put the saved state into the learner.

    Returns:
        The last complete epoch, or 0 with the learner untouched where there is no usable checkpoint: none was written,
        it is damaged, or it belongs to another version or header. Training is repeatable, so starting over is safe.
    """
    if not path.exists():
        return 0
    try:
        with safe_open(path, framework="pt") as file:
            note = json.loads((file.metadata() or {}).get("note", "{}"))
            if note.get("version") != FORMAT_VERSION or note.get("digest") != digest:
                return 0
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, ValueError):
        return 0
    learner.parameters.copy_(tensors["parameters"])
    learner.batches.set_state(tensors["generator.batches"])
    learner.draws.set_state(tensors["generator.draws"])
    learner.balancer_state = {name: tensors[f"balancer.{name}"] for name in learner.balancer_state}
    learner.optimizer_state = {
        name: tensors[f"optimizer.{name}"].to(value.device) for name, value in learner.optimizer_state.items()
    }
    return int(note["epoch"])
