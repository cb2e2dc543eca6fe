"""The commands by the Python that is named: `python -m lcode`."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(("module", "command"), [("lcode", "rank"), ("mtl_runs", "sweep")])
def test_a_package_is_its_command(module: str, command: str) -> None:
    helped = subprocess.run([sys.executable, "-m", module, "--help"], capture_output=True, text=True)
    assert helped.returncode == 0 and command in helped.stdout
    refused = subprocess.run([sys.executable, "-m", module, "no-such-command"], capture_output=True, text=True)
    assert refused.returncode == 2 and "no-such-command" in refused.stderr
