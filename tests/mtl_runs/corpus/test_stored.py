from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcode.errors import DataNotFoundError
from mtl_runs.corpus.check import first_difference
from mtl_runs.corpus.stored import COSINE_STEP, SIGNAL_BITS, read_curves, rounded_signal

normal = st.floats(min_value=2.0**-100, max_value=2.0**100, width=32)


@given(st.lists(st.one_of(normal, normal.map(lambda value: -value)), min_size=1, max_size=20))
def test_a_rounded_signal_is_near_and_short(values: list[float]) -> None:
    exact = np.array(values, dtype=np.float32)
    rounded = rounded_signal("left/grad_norm", values)
    assert rounded.dtype == np.float32
    assert np.all(np.abs(rounded - exact) <= np.abs(exact) * 2.0 ** -(SIGNAL_BITS + 1))
    assert not np.any(rounded.view(np.uint32) & ((1 << (23 - SIGNAL_BITS)) - 1))
    np.testing.assert_array_equal(rounded_signal("left/grad_norm", rounded.tolist()), rounded)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=20))
def test_a_cosine_is_rounded_to_steps(values: list[float]) -> None:
    rounded = rounded_signal("left|right/cosine", values)
    assert np.all(np.abs(rounded - np.array(values)) <= 0.51 * COSINE_STEP)
    assert np.all(rounded / COSINE_STEP == np.round(rounded / COSINE_STEP))


@pytest.mark.parametrize("name", ["left/weight", "left|right/cosine"])
def test_what_is_no_number_stays_as_it_is(name: str) -> None:
    rounded = rounded_signal(name, [np.nan, np.inf, -np.inf, 0.0])
    np.testing.assert_array_equal(rounded, np.array([np.nan, np.inf, -np.inf, 0.0], dtype=np.float32))


def curves(**values: list[float]) -> dict[str, np.ndarray]:
    return {name: np.array(numbers, dtype=np.float32) for name, numbers in values.items()}


def test_the_first_difference_is_the_earliest() -> None:
    stored = curves(a=[1, 2, 3], b=[4, 5, np.nan])
    assert first_difference(stored, stored) is None
    assert first_difference(curves(a=[1, 2, 0], b=[4, 0, 6]), stored) == (
        "b at epoch 2 is 0 here, 5 in the stored corpus"
    )
    assert first_difference(curves(a=[1, 2], b=[4, 5]), stored) == "it ended at epoch 2 here, 3 in the stored corpus"
    assert first_difference(curves(a=[1, 2, 3]), stored) == "it has no curve 'b' on one of the two sides"


def test_a_missing_corpus_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataNotFoundError, match=r"there is no .*curves.parquet; collect a corpus there"):
        list(read_curves(tmp_path))
