"""The command that trains what ships, on little."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from lcode.cli import pretrain
from lcode.forecasters.lcgode import SHIPPED
from lcode.table import RunTable


@pytest.fixture
def on_little(monkeypatch: pytest.MonkeyPatch, history: RunTable) -> None:
    """One real table, and one synthetic one of each kind."""
    monkeypatch.setattr(pretrain, "_tables", lambda public, logs: ({"own": history}, {}))
    for name, value in (("PRIOR", 1), ("EXAMPLE_SWEEPS", 1), ("SWEEP_RUNS", (40, 41))):
        monkeypatch.setattr(pretrain, name, value)


@pytest.mark.usefixtures("on_little")
def test_a_network_that_goes_on_says_how_often_it_was_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = []
    for start, out, seed in ((SHIPPED, "first", "3"), (tmp_path / "first", "second", "4")):
        given = ["--out", str(tmp_path / out), "--network", str(start), "--go-on", "--example-steps", "1"]
        monkeypatch.setattr(sys, "argv", ["pretrain", *given, "--seed", seed])
        pretrain.main()
        trained.append(json.loads((tmp_path / out / "model.json").read_text())["in_context"])
    assert trained[0][-1] == {"steps": 1, "seed": 3}
    assert trained[1] == [*trained[0], {"steps": 1, "seed": 4}]


def test_going_on_needs_a_model(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["pretrain", "--out", "new", "--go-on"])
    with pytest.raises(SystemExit):
        pretrain.main()
    assert "--network FOLDER" in capsys.readouterr().err
