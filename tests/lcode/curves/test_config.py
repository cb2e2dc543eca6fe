from __future__ import annotations

import json

import numpy as np
import pandas as pd

from lcode.curves.config import ConfigEncoder

CONFIGS = pd.DataFrame(
    {
        "lr": [1e-4, 1e-3, 1e-2, 1e-1],
        "width": [16.0, 32.0, 48.0, np.nan],
        "balancer": ["mgda", "equal", "mgda", None],
        "same": ["x"] * 4,
        "nothing": [None] * 4,
        "nesterov": [True, False, True, False],
    },
    index=list("abcd"),
)


def test_decades_are_read_on_a_log_scale_and_the_rest_as_they_are() -> None:
    encoder = ConfigEncoder.fit(CONFIGS)
    assert encoder.names == ("lr", "width", "balancer=equal", "balancer=mgda", "nesterov")
    assert {column.name: column.log for column in encoder.columns}["lr"]
    assert not {column.name: column.log for column in encoder.columns}["width"]
    encoded = encoder.encode(CONFIGS)
    assert encoded.shape == (4, encoder.width) == (4, 5)
    np.testing.assert_allclose(encoded[:, 0].mean(), 0, atol=1e-12)
    np.testing.assert_allclose(encoded[:, 0].std(), 1)
    np.testing.assert_allclose(np.diff(encoded[:, 0], 2), 0, atol=1e-9)
    np.testing.assert_allclose(np.diff(encoded[:3, 1], 2), 0, atol=1e-9)


def test_categories_are_indicators_and_missing_is_nothing() -> None:
    encoded = ConfigEncoder.fit(CONFIGS).encode(CONFIGS)
    assert encoded[:, 2:4].tolist() == [[0, 1], [1, 0], [0, 1], [0, 0]]
    assert encoded[3, 1] == 0


def test_what_is_new_is_nothing() -> None:
    encoder = ConfigEncoder.fit(CONFIGS)
    other = pd.DataFrame({"lr": [1e9, -1.0], "balancer": ["new", "equal"], "unheard": [1, 2]})
    encoded = encoder.encode(other)
    assert encoded.shape == (2, 5)
    assert encoded[0].tolist() == [4, 0, 0, 0, 0]  # clipped, absent, unseen, absent
    assert encoded[1].tolist() == [0, 0, 1, 0, 0]


def test_numbers_may_come_as_text() -> None:
    text = CONFIGS.assign(lr=["1e-4", "0.001", "0.01", "0.1"])
    np.testing.assert_allclose(ConfigEncoder.fit(text).encode(text), ConfigEncoder.fit(CONFIGS).encode(CONFIGS))


def test_nothing_to_encode() -> None:
    encoder = ConfigEncoder.fit(CONFIGS[["same", "nothing"]])
    assert encoder.width == 0 and encoder.encode(CONFIGS).shape == (4, 0)


def test_json_round_trip() -> None:
    encoder = ConfigEncoder.fit(CONFIGS)
    assert ConfigEncoder.from_json(json.loads(json.dumps(encoder.to_json()))) == encoder
