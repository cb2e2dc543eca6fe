"""A model on disk: `model.safetensors` + `model.json`. Nothing is ever unpickled."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from lcode.errors import CheckpointError

VERSION = 4
"""Version of the folder's layout; another one is refused."""

TENSORS, META = "model.safetensors", "model.json"


@dataclass(frozen=True)
class Checkpoint:
    """Plain values and named tensors."""

    meta: dict[str, Any]
    tensors: dict[str, Tensor]
    path: Path | None = None

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Turn a mismatch between what is stored and what is expected into a `CheckpointError`."""
        try:
            yield
        except (KeyError, TypeError, ValueError, IndexError, RuntimeError, AttributeError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise CheckpointError(
                f"{self.path}: the model is damaged ({reason}); fit it again with `lcode fit`"
            ) from error


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write to a temporary folder beside `folder`, then move it into place."""
    check_writable(folder)
    folder = folder.resolve()  # a link stays, what it points to is replaced
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        weights = save({name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.tensors.items()})
        meta = {"version": VERSION, "weights_sha256": hashlib.sha256(weights).hexdigest(), **checkpoint.meta}
        (temporary / TENSORS).write_bytes(weights)
        (temporary / META).write_text(json.dumps(meta, indent=1), encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_writable(folder: Path) -> None:
    """Refuse to replace what is no model.

    Raises:
        CheckpointError: there is a file, or a folder with other things in it.
    """
    blocking = next((parent for parent in folder.parents if parent.is_file()), None)
    if blocking is not None:
        raise CheckpointError(f"{folder}: {blocking} is a file; choose another name, nothing was written")
    if folder.exists() and not (folder / META).exists() and (folder.is_file() or any(folder.iterdir())):
        raise CheckpointError(f"{folder} exists and is no model folder; choose another name, nothing was written")


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read a model folder and check that it is whole.

    Raises:
        CheckpointError: missing, truncated, changed, or written by another version.
    """
    for name in (META, TENSORS):
        if not (folder / name).is_file():
            raise CheckpointError(
                f"{folder} is no model folder: it has no {name}; make one with `lcode fit LOGS --out DIR`"
            )
    try:
        meta = json.loads((folder / META).read_text(encoding="utf-8"))
        version = meta["version"]
        expected = meta["weights_sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{folder / META} is damaged ({error}); fit the model again") from error
    if not isinstance(version, int) or version > VERSION:
        raise CheckpointError(
            f"{folder} was written by a newer lcode (layout {version}, this one reads {VERSION}); upgrade lcode"
        )
    if version < VERSION:
        raise CheckpointError(
            f"{folder} was written by an older lcode (layout {version}, this one reads {VERSION}); fit the model again"
        )
    weights = (folder / TENSORS).read_bytes()
    if hashlib.sha256(weights).hexdigest() != expected:
        raise CheckpointError(f"{folder / TENSORS} is truncated or was changed after the fit; fit the model again")
    try:
        tensors = load(weights)
    except SafetensorError as error:
        raise CheckpointError(f"{folder / TENSORS} cannot be read ({error}); fit the model again") from error
    return Checkpoint(meta, tensors, folder)
