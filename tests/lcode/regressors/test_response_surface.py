from __future__ import annotations

import numpy as np

from lcode.regressors.response_surface import ResponseSurface


def test_linear_square_and_product_terms_are_found_whatever_the_level_of_a_problem() -> None:
    generator = np.random.default_rng(0)
    problems = []
    for level in (0.0, 5.0):
        x = generator.standard_normal((400, 2))
        problems.append((x, level + 2 * x[:, 0] - x[:, 1] ** 2 + 0.5 * x[:, 0] * x[:, 1], 1.0))
    surface = ResponseSurface.learned(problems)
    np.testing.assert_allclose(surface.weights, [2, 0, 0, 0.5, -1], atol=0.1)  # the ridge shrinks a little
    found = surface.above_mean(np.array([[1.0, 0.0], [0.0, 2.0]]), np.zeros((3, 2)))
    np.testing.assert_allclose(found, [2, -4], atol=0.2)


def test_problems_count_by_their_weight_not_by_their_rows() -> None:
    x = np.linspace(-1, 1, 50)[:, None]
    large, small = np.tile(x, (20, 1)), x
    even = ResponseSurface.learned([(large, large[:, 0], 1.0), (small, -small[:, 0], 1.0)])
    np.testing.assert_allclose(even.weights, 0, atol=1e-9)
    tilted = ResponseSurface.learned([(large, large[:, 0], 1.0), (small, -small[:, 0], 3.0)])
    assert tilted.weights[0] < -0.4


def test_it_is_stored_as_plain_values() -> None:
    surface = ResponseSurface(np.arange(5.0))
    again = ResponseSurface.from_json(surface.to_json())
    np.testing.assert_array_equal(again.weights, surface.weights)
