from __future__ import annotations

import numpy as np
import pytest

from lcode.curves.arrays import curve_arrays
from lcode.evaluation.speed import main, repeated
from lcode.pretraining.prior import synthetic_runs


def test_runs_are_repeated_under_other_names() -> None:
    table = synthetic_runs(4, tasks=2, horizon=6, seed=0).prefix(3)
    longer = repeated(table, 10)
    assert len(set(longer.run_ids)) == 10 and (longer.runs["horizon"] == 6).all()
    values = curve_arrays(table).values
    np.testing.assert_array_equal(curve_arrays(longer).values, np.concatenate([values, values, values[:2]]))


def test_every_line_has_its_seconds(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from lcode.ensemble import training
    from lcode.network.loop import FitSettings

    monkeypatch.setattr(training, "settings_for", lambda runs, **_: FitSettings(steps=4, batch=8))
    main(["--fit", "8", "--full", "3", "--finals", "5"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 and all(" s, " in line and "GB" in line for line in lines)
