from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lcode.evaluation.replay import RecordedSweep
from lcode.evaluation.replay.patience import Patience

Recorded = Callable[..., RecordedSweep]


def test_a_run_is_stopped_after_so_many_reports_without_a_new_best(recorded: Recorded) -> None:
    sweep = recorded(
        [
            [0.1, 0.2, 0.2, 0.1, 0.9],  # the best at epoch 2, two reports without a better one at 4
            [0.1, 0.2, 0.1, 0.3, 0.4],
            [np.nan, np.nan, np.nan, 0.1, 0.2],  # nothing to wait for yet
        ]
    )
    assert Patience(2).play(sweep, range(3), workers=1).reports.tolist() == [4, 5, 5]


def test_what_was_stopped_is_kept_as_it_was(recorded: Recorded) -> None:
    sweep = recorded([[0.5, 0.6, 0.6, 0.6, 0.9], [0.1, 0.2, 0.3, 0.4, 0.5]])
    result = sweep.replay(Patience(2))
    assert result.stopped == {"r0": 4}
    # 0.6 is left of 0.9, not 0.5: the other run ended lower.
    assert abs(result.regret - 30) < 1e-9
