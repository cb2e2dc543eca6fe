from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lcode.ensemble import checkpoint as module
from lcode.ensemble.checkpoint import META, TENSORS, VERSION, check_writable
from lcode.errors import CheckpointError
from lcode.forecasters.lcgode import LCGODEForecaster
from lcode.network.model import LCGODE, LCGODEConfig
from lcode.network.transfer import transfer
from lcode.table import RunTable

Tiny = Callable[..., LCGODEForecaster]


@pytest.fixture
def folder(small: LCGODEForecaster, tmp_path: Path) -> Path:
    small.save(tmp_path / "model")
    return tmp_path / "model"


def test_a_loaded_model_forecasts_the_same(small: LCGODEForecaster, folder: Path, fresh: RunTable) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [META, TENSORS]
    assert [path.name for path in folder.parent.iterdir()] == ["model"]
    again = LCGODEForecaster.load(folder)
    for cutoff in (0, 1, 6, 16):
        cut = fresh.prefix(cutoff)
        ours, theirs = small.predict(cut, "full"), again.predict(cut, "full")
        np.testing.assert_array_equal(theirs.quantiles, ours.quantiles)
        np.testing.assert_array_equal(theirs.sample(4), ours.sample(4))
    assert again.trust() == small.trust()
    assert (again.seed, again.targets) == (small.seed, small.targets)


def test_what_the_folder_says(small: LCGODEForecaster, folder: Path) -> None:
    meta = json.loads((folder / META).read_text())
    assert meta["version"] == VERSION and meta["runs"] == 20 and len(meta["data_digest"]) == 16
    assert {"kind", "networks", "prior", "preprocessor", "context", "fit"} <= set(meta) and meta["kind"] == "ensemble"


def test_saving_over_a_model_replaces_it(small: LCGODEForecaster, folder: Path) -> None:
    (folder / "stale.txt").write_text("x")
    small.save(folder)
    assert sorted(path.name for path in folder.iterdir()) == [META, TENSORS]


def test_saving_through_a_link_replaces_what_it_points_to(small: LCGODEForecaster, folder: Path) -> None:
    link = folder.parent / "link"
    link.symlink_to(folder, target_is_directory=True)
    small.save(link)
    assert link.is_symlink() and (folder / META).exists()


def drop(key: str) -> Callable[[dict], None]:
    return lambda meta: meta.pop(key)


def put(value: object, *path: str) -> Callable[[dict], None]:
    def edit(meta: dict) -> None:
        for key in path[:-1]:
            meta = meta[key]
        meta[path[-1]] = value

    return edit


EDITS: dict[str, Callable[[dict], object]] = {
    **{
        f"no {key}": drop(key)
        for key in (
            "version", "weights_sha256", "kind", "networks", "prior", "preprocessor", "context", "fit", "runs",
            "data_digest", "seed", "targets", "description_sha256",
        )
    },
    "newer": put(VERSION + 1, "version"),
    "older": put(VERSION - 1, "version"),
    "version as text": put("one", "version"),
    "other width": put(17, "networks", "network", "hidden"),
    "width as text": put("16", "networks", "network", "hidden"),
    "unknown part": put(True, "networks", "network", "quantum"),
    "no metrics": put(None, "preprocessor", "metrics"),
    "no finished runs": put([], "context"),
    "preprocessor as text": put("x", "preprocessor"),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_description_is_refused(name: str, folder: Path) -> None:
    meta = json.loads((folder / META).read_text())
    EDITS[name](meta)
    (folder / META).write_text(json.dumps(meta))
    with pytest.raises(CheckpointError, match=r"fit (the model|it) again|newer lcode .*upgrade") as caught:
        LCGODEForecaster.load(folder)
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"version": 1'])
def test_a_damaged_description_is_refused(content: bytes, folder: Path) -> None:
    (folder / META).write_bytes(content)
    with pytest.raises(CheckpointError, match=r"model\.json is damaged .*fit the model again"):
        LCGODEForecaster.load(folder)


def test_damaged_weights_are_refused(folder: Path) -> None:
    whole = (folder / TENSORS).read_bytes()
    flipped = bytearray(whole)
    flipped[-1] ^= 1
    for content in (b"", whole[:100], whole[:-1], whole + b"x", bytes(flipped)):
        (folder / TENSORS).write_bytes(content)
        with pytest.raises(CheckpointError, match=r"truncated or was changed .*fit the model again"):
            LCGODEForecaster.load(folder)


def test_weights_that_are_none_are_refused_even_with_the_right_digest(folder: Path) -> None:
    import hashlib

    (folder / TENSORS).write_bytes(b"nothing")
    meta = json.loads((folder / META).read_text())
    meta["weights_sha256"] = hashlib.sha256(b"nothing").hexdigest()
    (folder / META).write_text(json.dumps(meta))
    with pytest.raises(CheckpointError, match=r"cannot be read .*fit the model again"):
        LCGODEForecaster.load(folder)


@pytest.mark.parametrize("name", [META, TENSORS])
def test_an_incomplete_folder_is_refused(name: str, folder: Path) -> None:
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=f"no model folder: it has no {name}; make one with `lcode fit"):
        LCGODEForecaster.load(folder)


def test_what_is_no_folder_is_refused(folder: Path) -> None:
    for path in (folder / META, folder / "nowhere"):
        with pytest.raises(CheckpointError, match="no model folder"):
            LCGODEForecaster.load(path)


def test_other_peoples_files_are_never_replaced(small: LCGODEForecaster, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.tex").write_text("words")
    (tmp_path / "file").write_text("words")
    for name, text in (("thesis", "is no model folder"), ("file", "is no model folder"), ("file/model", "is a file")):
        with pytest.raises(CheckpointError, match=f"{text}.*nothing was written"):
            small.save(tmp_path / name)
    assert (tmp_path / "thesis" / "chapter1.tex").read_text() == (tmp_path / "file").read_text() == "words"
    (tmp_path / "empty").mkdir()
    check_writable(tmp_path / "empty")
    check_writable(tmp_path / "deep" / "below" / "model")


def test_nothing_partial_is_left_when_writing_fails(
    small: LCGODEForecaster, folder: Path, monkeypatch: pytest.MonkeyPatch, fresh: RunTable
) -> None:
    before = small.predict(fresh.prefix(3)).quantiles

    def full_disk(*_: object, **__: object) -> str:
        raise OSError("no space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="no space"):
        patched.setattr(module.json, "dumps", full_disk)
        small.save(folder)
    with monkeypatch.context() as patched, pytest.raises(OSError, match="no space"):
        patched.setattr(module.json, "dumps", full_disk)
        small.save(folder.parent / "new")
    assert [path.name for path in folder.parent.iterdir()] == ["model"]
    np.testing.assert_array_equal(LCGODEForecaster.load(folder).predict(fresh.prefix(3)).quantiles, before)
    shutil.rmtree(folder)


def lcgode(**changes: object) -> LCGODE:
    sizes: dict[str, Any] = {
        "metrics": 2,
        "signals": 1,
        "config": 3,
        "members": 2,
        "latent": 3,
        "hidden": 6,
        "nodes": 2,
        **changes,
    }
    return LCGODE(LCGODEConfig(**sizes), torch.Generator().manual_seed(int(sizes["signals"])))


def test_transfer_copies_what_both_have_and_starts_wider_inputs_at_zero() -> None:
    source, target = lcgode(), lcgode(signals=3)
    transfer(source, target)
    old, new = source.state_dict(), target.state_dict()
    for name, value in old.items():
        if value.shape == new[name].shape:
            assert torch.equal(new[name], value), name
    wide = "curves.points.layers.0.weight"
    assert torch.equal(new[wide][:, :7], old[wide]) and (new[wide][:, 7:] == 0).all()


def test_transfer_to_other_metrics_leaves_their_offsets() -> None:
    source, target = lcgode(metrics=2), lcgode(metrics=5)
    transfer(source, target)
    assert target.metric.shape[2] == 5


def test_transfer_between_other_sizes_is_refused() -> None:
    with pytest.raises(ValueError, match="the pretrained one"):
        transfer(lcgode(), lcgode(hidden=8))


def test_a_loaded_model_can_be_adapted(folder: Path, family: Callable[..., RunTable]) -> None:
    other = family(8, seed=3, graphs=False)

    def enough(*_: object) -> None:
        raise KeyboardInterrupt

    adapted = LCGODEForecaster(pretrained=folder, targets=["seg/err"], progress=enough).fit(other)
    forecast = adapted.predict(other.prefix(3))
    assert [metric.key for metric in forecast.metrics] == ["seg/err"]
    assert np.isfinite(forecast.quantiles).all()
