"""A model on disk: `model.safetensors` + `model.json`. Nothing is ever unpickled.

A model is replaced while others load it, and whoever saves may be killed at any moment, yet a loader always gets the
old model or the new one. `model.json` names its weights by their digest, and its replacement is the one moment at which
the new model counts: its weights lie ready under a name that is their digest, and are then renamed to
`model.safetensors`.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from lcode.errors import CheckpointError, UsageError
from lcode.files import alone_in, check_room, is_temporary, refusals, replacing, sync_folder
from lcode.json_text import parse_json

VERSION = 10
"""Version of the folder's layout; another one is refused."""

TENSORS, META = "model.safetensors", "model.json"

_SHA256 = re.compile(r"[0-9a-f]{64}")


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
        except (LookupError, TypeError, ValueError, ArithmeticError, RuntimeError, AttributeError, UsageError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise CheckpointError(
                f"{self.path}: the model is damaged ({reason}); fit it again with `lcode fit`"
            ) from error


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a model folder, or replace the model in one; whatever else lay in it is removed.

    Raises:
        CheckpointError: there is something that is no model.
        StorageError: the operating system refuses; a model that was there stays.
    """
    check_writable(folder)
    weights = save({name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.tensors.items()})
    meta = {"version": VERSION, "weights_sha256": _sha256(weights), **checkpoint.meta}
    text = json.dumps(meta | {"description_sha256": description_digest(json.loads(json.dumps(meta)))}, indent=1)
    folder = folder.resolve()  # a link stays, what it points to is replaced
    ready = _ready(folder, _sha256(weights))
    with refusals(folder):
        new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with alone_in(folder):
                with replacing(ready) as file:
                    file.write(weights)
                with replacing(folder / META) as file:
                    file.write(text.encode())
                ready.replace(folder / TENSORS)
                sync_folder(folder)
                _remove_others(folder)
        except BaseException:
            with suppress(OSError):
                if not (folder / META).exists() or (folder / META).read_bytes() != text.encode():
                    ready.unlink(missing_ok=True)
            if new:
                with suppress(OSError):  # it holds the new model already
                    folder.rmdir()
            raise


def check_writable(folder: Path) -> None:
    """Refuse, before a fit, to write where nothing can be written or to replace what is no model.

    Raises:
        CheckpointError: there is a file, or a folder with other things in it.
        StorageError: the disk is full, or the folder is not ours to write in.
    """
    with refusals(folder, state="nothing was written; "):
        blocking = next((parent for parent in folder.parents if parent.is_file()), None)
        if blocking is not None:
            raise CheckpointError(f"{folder}: {blocking} is a file; choose another name, nothing was written")
        if folder.exists() and not (folder / META).exists() and (not folder.is_dir() or _others(folder)):
            raise CheckpointError(f"{folder} exists and is no model folder; choose another name, nothing was written")
    check_room(folder)


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read a model folder and check that it is whole.

    Raises:
        CheckpointError: missing, truncated, changed, or written by another version.
    """
    with refusals(folder):
        if not (folder / META).is_file():
            raise _no_model(folder, META)
        while True:
            text = (folder / META).read_bytes()
            meta = _description(folder, text)
            weights = _weights(folder, meta["weights_sha256"])
            if weights is not None:
                break
            if (folder / META).read_bytes() == text:  # else another model was put here in the meantime
                if not (folder / TENSORS).is_file():
                    raise _no_model(folder, TENSORS)
                raise CheckpointError(
                    f"{folder / TENSORS} is truncated or was changed after the fit; fit the model again"
                )
    try:
        tensors = load(weights)
    except SafetensorError as error:
        raise CheckpointError(f"{folder / TENSORS} cannot be read ({error}); fit the model again") from error
    digest = meta.pop("description_sha256", None)
    if digest is None:
        raise CheckpointError(
            f"{folder / META} has no digest: it was changed after the fit, or is of an older lcode; fit the model again"
        )
    if digest != description_digest(meta):
        raise CheckpointError(f"{folder / META} was changed after the fit; fit the model again")
    return Checkpoint(meta, tensors, folder)


def _description(folder: Path, text: bytes) -> dict[str, Any]:
    """What `model.json` says, of a version that can be read."""
    try:
        meta = parse_json(text)
        version = meta["version"]
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
    if not (isinstance(meta.get("weights_sha256"), str) and _SHA256.fullmatch(meta["weights_sha256"])):
        raise CheckpointError(f"{folder / META} is damaged (it names no weights); fit the model again")
    return meta


def _weights(folder: Path, digest: str) -> bytes | None:
    """The weights of this digest: not yet renamed, or in their place."""
    for path in (_ready(folder, digest), folder / TENSORS):
        with suppress(FileNotFoundError):
            weights = path.read_bytes()
            if _sha256(weights) == digest:
                return weights
    return None


def _no_model(folder: Path, missing: str) -> CheckpointError:
    return CheckpointError(
        f"{folder} is no model folder: it has no {missing}; make one with `lcode fit LOGS --out DIR`"
    )


def _ready(folder: Path, digest: str) -> Path:
    """Where weights lie until `model.json` names them."""
    return folder / f".{digest}.safetensors"


def _others(folder: Path) -> list[Path]:
    """What lies in a folder beside what a save that was killed may have left."""
    left = re.compile(rf"\.{_SHA256.pattern}\.safetensors")
    return [path for path in folder.iterdir() if not (left.fullmatch(path.name) or is_temporary(path.name))]


def _remove_others(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name in (TENSORS, META):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def description_digest(meta: dict[str, Any]) -> str:
    """The digest of what `model.json` says beside it, however it is laid out."""
    return _sha256(json.dumps(meta, sort_keys=True).encode())
