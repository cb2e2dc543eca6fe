"""Files that are compressed one by one, as their ending says: `log.csv.gz`."""

from __future__ import annotations

import lzma
import zlib
from importlib import import_module
from pathlib import Path

from lcode.errors import InputError

_OPENERS = {".gz": "gzip", ".bz2": "bz2", ".xz": "lzma"}


def plain_name(path: Path) -> str:
    """The name of a file in lower case, without what says that it is compressed.

    Example:
        >>> plain_name(Path("runs/Log.CSV.gz"))
        'log.csv'
    """
    name = path.name.lower()
    return name.removesuffix(next((ending for ending in _OPENERS if name.endswith(ending)), ""))


def unpacked(path: Path) -> bytes:
    """The bytes of a file, decompressed where its ending says that it is compressed.

    Raises:
        InputError: it is not compressed so, or cut.
    """
    opener = _OPENERS.get(path.suffix.lower())
    if opener is None:
        return path.read_bytes()
    try:
        with import_module(opener).open(path, "rb") as file:
            return bytes(file.read())
    except (EOFError, zlib.error, lzma.LZMAError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise InputError(f"is no whole {path.suffix} file ({error}); compress it again", path=path) from error
