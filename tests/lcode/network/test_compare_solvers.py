from __future__ import annotations

import pytest

from lcode.network.compare_solvers import main


def test_every_solver_has_its_line_and_the_default_is_the_unit(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--epochs", "5", "--rounds", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:8].strip() for line in lines] == ["default", "the same", "RK4, a s", "dopri5,"]
    assert " 1.0 ×" in lines[0]
    assert all(float(line.split()[-1]) < 0.01 for line in lines)
