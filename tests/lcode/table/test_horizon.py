from __future__ import annotations

import numpy as np
import pytest

from lcode.table.horizon import counts_from_zero

NAN = np.nan


@pytest.mark.parametrize(
    ("first", "last", "stated", "expected"),
    [
        ([0, 0], [19, 5], [20, 20], [True, True]),
        ([0, 0], [20, 5], [20, 20], [False, False]),  # epoch 0 is the state before the training
        ([1, 1], [20, 5], [20, 20], [False, False]),
        ([0, 1], [19, 20], [20, 20], [True, False]),
        ([0, NAN], [19, NAN], [20, 20], [True, True]),  # nothing known of it: as the others
        ([1, NAN], [5, NAN], [20, 20], [False, False]),
        ([0, 0], [19, 5], [NAN, 20], [False, True]),
        ([0, 0], [0, 0], [1, 2], [False, True]),
    ],
)
def test_a_horizon_of_n_ends_at_n_minus_1_where_epochs_count_from_0(
    first: list[float], last: list[float], stated: list[float], expected: list[bool]
) -> None:
    assert counts_from_zero(first, last, stated).tolist() == expected
