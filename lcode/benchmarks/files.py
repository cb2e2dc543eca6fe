"""Where a benchmark's files are: in `LCODE_DATA`, in the user's cache, or behind a checksummed download."""

from __future__ import annotations

import hashlib
import os
import shutil
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from lcode.errors import DataNotFoundError

DATA_VARIABLE = "LCODE_DATA"
"""Environment variable that names the folder with the benchmarks' files."""

CHECKOUT = Path(__file__).parents[2] / "datasets"
"""Holds the project's own curves where the package is run from a checkout."""


@dataclass(frozen=True)
class DataFile:
    """A file of a benchmark.

    Attributes:
        name: path below the data folder, with `/`.
        sha256: digest of its bytes, in hexadecimal.
        url: where it can be fetched, if it is published in this form.
    """

    name: str
    sha256: str
    url: str | None = None


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/lcode`, by default `~/.cache/lcode`."""
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "lcode"


def find_file(file: DataFile) -> Path:
    """The file on this machine, its checksum verified; fetched into the cache if need be and possible.

    Raises:
        DataNotFoundError: it is nowhere, or has other bytes than expected; the text says where it was looked for.
    """
    given = os.environ.get(DATA_VARIABLE)
    places = [*([Path(given)] if given else []), cache_folder()]
    for place in places:
        path = place / file.name
        if path.is_file():
            _verify(path, file)
            return path
    if file.url is not None:
        return _download(file, cache_folder() / file.name)
    looked = " and ".join(str(place / file.name) for place in places)
    unset = "" if given else f"; the environment variable {DATA_VARIABLE} is not set"
    raise DataNotFoundError(
        f"benchmark file '{file.name}' not found: looked for {looked}{unset}. It is not published in this form: set "
        f"{DATA_VARIABLE} to a folder that holds it (sha256 {file.sha256[:12]}…), or put it there"
    )


def find_own_file(file: DataFile) -> Path:
    """A file that comes with the project: in the usual places, or else in the checkout, as version control has it.

    Raises:
        DataNotFoundError: it is nowhere, or has other bytes than expected elsewhere than in the checkout.
    """
    own, given = CHECKOUT / file.name, os.environ.get(DATA_VARIABLE)
    places = [*([Path(given)] if given else []), cache_folder()]
    if own.is_file() and not any((place / file.name).is_file() for place in places):
        return own
    return find_file(file)


def _verify(path: Path, file: DataFile) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != file.sha256:
        raise DataNotFoundError(
            f"{path} is not the file this benchmark was made for: its sha256 is {digest[:12]}…, expected "
            f"{file.sha256[:12]}…; replace it or take it away"
        )


def _download(file: DataFile, path: Path) -> Path:
    """Fetch to a temporary name, verify, then rename: a broken download never looks like the file."""
    assert file.url is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as target, urllib.request.urlopen(file.url, timeout=60) as source:
            shutil.copyfileobj(source, target)
        _verify(temporary, file)
        temporary.replace(path)
    except (urllib.error.URLError, TimeoutError) as error:
        raise DataNotFoundError(
            f"could not fetch '{file.name}' from {file.url} ({error}); fetch it by hand and set {DATA_VARIABLE} to a "
            f"folder that holds it"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    return path
