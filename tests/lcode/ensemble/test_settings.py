from __future__ import annotations

import pytest

from lcode.ensemble.settings import SETTINGS, share_of_many


@pytest.mark.parametrize(("runs", "share"), [(0, 0), (SETTINGS.few, 0), (60, 0.5), (SETTINGS.many, 1), (5000, 1)])
def test_runs_are_many_by_the_logarithm_of_their_number(runs: int, share: float) -> None:
    assert share_of_many(runs) == pytest.approx(share)
