from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcode.errors import UsageError
from lcode.table.axis import MAX_TICKS, as_epochs, as_ticks, common_step, epoch_text


@pytest.mark.parametrize(
    ("epochs", "step"),
    [
        ([1, 2, 7], 1.0),
        ([100, 200, 300], 1.0),  # whole numbers are taken as they stand
        ([0.5, 1, 1.5], 0.5),
        ([0, 0.25, 1], 0.25),
        ([0.3, 0.6, 3.0], 0.3),
        ([0.26, 0.51, 0.77, 1.0], 0.01),  # fractions rounded to two decimals
        (np.arange(1, 90) / 39, 1 / 39),  # a logger that divides a counter by the batches of an epoch
        (np.round(np.arange(1, 90) / 39, 6), 1 / 39),
        ([*np.arange(500, 2000, 500) / 62137, 1.0], 1 / 62137),
        ([], 1.0),
    ],
)
def test_the_step_is_the_largest_of_which_all_epochs_are_multiples(epochs: list[float], step: float) -> None:
    assert common_step(epochs) == pytest.approx(step, rel=1e-12)


@pytest.mark.parametrize("epochs", [[0.1234567, 0.1234568], [0.1, 2.0 * MAX_TICKS]])
def test_epochs_without_a_step_are_refused(epochs: list[float]) -> None:
    with pytest.raises(UsageError, match="common step"):
        common_step(epochs)


@given(st.lists(st.integers(0, 10**5), min_size=1, max_size=30), st.integers(1, 3000), st.booleans())
def test_ticks_give_the_epochs_back(ticks: list[int], per_epoch: int, rounded: bool) -> None:
    epochs = np.array(ticks) / per_epoch
    epochs = np.round(epochs, 6) if rounded else epochs
    step = common_step(epochs)
    np.testing.assert_allclose(as_epochs(as_ticks(epochs, step), step), epochs, atol=1.1e-6)
    if not rounded:
        assert step >= (1 - 1e-9) / per_epoch or step == 1


def test_epochs_are_shown_as_the_user_counts_them() -> None:
    assert as_epochs([3, 6], 0.1).tolist() == [0.3, 0.6] and as_epochs([3], 1.0).tolist() == [3]
    assert as_epochs([3], 1.0).dtype == np.int64
    assert [epoch_text(3, 0.5), epoch_text(4, 0.5), epoch_text(12, 1.0)] == ["1.5", "2", "12"]
    with pytest.raises(UsageError, match=r"epoch 1\.25 does not fit.*multiples of 0\.5"):
        as_ticks([1.0, 1.25], 0.5)
    with pytest.raises(UsageError, match="whole numbers"):
        as_ticks([0.5], 1.0)
