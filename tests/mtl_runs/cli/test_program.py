"""What holds for all commands."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


def test_help_is_light() -> None:
    code = (
        "import sys; from mtl_runs.cli import app; from typer.testing import CliRunner; "
        "assert CliRunner().invoke(app, ['sweep', '--help']).exit_code == 0; "
        "assert not {'torch', 'pandas', 'sklearn'} & set(sys.modules), 'heavy import'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("command", ["train", "sweep"])
def test_a_folder_that_cannot_be_made_is_no_bug(
    command: str, tmp_path: Path, call: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("a file")
    options = ["--runs", "1", "--workers", "1", "--archs", "mlp-4x1"] if command == "sweep" else ["--arch", "mlp-4x1"]
    assert call(command, *options, "--epochs", "1", "--out", str(tmp_path / "out"), "--device", "cpu") == 2
    err = capsys.readouterr().err
    assert "mtl-runs: " in err and "give another path" in err and "Traceback" not in err
    assert (tmp_path / "out").read_text() == "a file"
