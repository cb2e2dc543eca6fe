"""The state of one run on disk: one safetensors file with a JSON note, replaced atomically."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from lcode.files import refusals, replacing

FORMAT_VERSION = 2


def save_checkpoint(path: Path, tensors: Mapping[str, Tensor], *, epoch: int, digest: str) -> None:
    """Write everything that the next epoch depends on.

    Args:
        path: file to replace; its folder is made if missing.
        tensors: by name, on any device.
        epoch: last complete epoch.
        digest: identifies the run's header; a checkpoint of another configuration is never loaded.

    Raises:
        StorageError: the operating system refuses; an older checkpoint stays.
    """
    note = {"version": FORMAT_VERSION, "epoch": epoch, "digest": digest}
    # Cloned, because safetensors refuses tensors that share memory.
    data = save({name: value.cpu().clone() for name, value in tensors.items()}, {"note": json.dumps(note)})
    with refusals(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(data)


def load_checkpoint(path: Path, *, digest: str) -> tuple[int, dict[str, Tensor]]:
    """The last complete epoch and the tensors.

    Returns:
        Epoch 0 and no tensors where there is no usable checkpoint: none was written, it is damaged, or it belongs to
        another version or header. Training is repeatable, so starting over is safe.
    """
    if not path.exists():
        return 0, {}
    try:
        with refusals(path), safe_open(path, framework="pt") as file:
            note = json.loads((file.metadata() or {}).get("note", "{}"))
            if note.get("version") != FORMAT_VERSION or note.get("digest") != digest:
                return 0, {}
            return int(note["epoch"]), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError):
        return 0, {}
