"""What there is to choose from."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lcode.errors import DataNotFoundError
from mtl_runs import problems
from mtl_runs.problems import Problem


def test_lists(call: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert call("problems") == 0
    assert "digits: left/err (min), right/err (min), sum/rmse (min); 2500 / 1500 / 1500" in capsys.readouterr().out
    assert call("balancers") == 0
    out = capsys.readouterr().out
    assert "cagrad(c=0.4, rescale=1)\n    CAGrad (Liu et al., NeurIPS 2021" in out
    assert call("architectures") == 0
    assert "mmoe-<width>x<depth>e<experts>\n" in capsys.readouterr().out


def test_a_problem_without_its_data_is_listed_with_the_remedy(
    call: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing() -> Problem:
        raise DataNotFoundError("its pictures are missing; install them")

    monkeypatch.setattr(problems, "PROBLEMS", {"digits": problems.PROBLEMS["digits"], "fashion": missing})
    assert call("problems") == 0
    out = capsys.readouterr().out
    assert "fashion: its pictures are missing; install them\n" in out
    assert "nyuv2:FOLDER: " in out
    assert "metagraspnet:FOLDER: Objects in a bin" in out
