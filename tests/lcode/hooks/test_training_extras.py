"""A hook without its library names the extra that brings it."""

from __future__ import annotations

import importlib
import sys

import pytest

from lcode.errors import MissingExtraError


@pytest.mark.parametrize(
    ("hook", "libraries", "extra"),
    [
        ("lightning", ("lightning.pytorch", "pytorch_lightning"), "lightning"),  # the same by two names
        ("huggingface", ("transformers",), "huggingface"),
        ("huggingface", ("accelerate.utils",), "huggingface"),
        ("keras", ("keras.callbacks",), "keras"),
        ("wandb", ("wandb",), "wandb"),
    ],
)
def test_a_missing_library_is_named_with_its_extra(
    hook: str, libraries: tuple[str, ...], extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, f"lcode.hooks.{hook}", raising=False)
    for library in libraries:
        monkeypatch.setitem(sys.modules, library, None)
        monkeypatch.setitem(sys.modules, library.split(".")[0], None)
    with pytest.raises(MissingExtraError, match=rf"pip install 'lcode\[{extra}\]'"):
        importlib.import_module(f"lcode.hooks.{hook}")
