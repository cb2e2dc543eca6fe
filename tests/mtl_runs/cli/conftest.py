"""Commands as they are called from a shell, in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from mtl_runs import cli


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Exit status of `mtl-runs` with these arguments."""

    def called(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["mtl-runs", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0)

    return called
