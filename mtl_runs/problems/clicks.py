"""A recommender's log: was the item clicked, was it liked, how long was it watched."""

from __future__ import annotations

import numpy as np

from mtl_runs.problems.base import Problem, Split
from mtl_runs.problems.latent import RandomFunction, Sensors, classes, reals
from mtl_runs.problems.tasks import BinaryClassification, Regression

N_TASTES = 4
"""Hidden traits of a user, and as many of an item."""


LONGEST = 12.0
"""Minutes after which every item ends."""


def clicks(
    name: str = "clicks",
    *,
    sizes: tuple[int, int, int] = (2500, 2500, 2500),
    n_columns: int = 12,
    noise: float = 0.25,
    seed: int = 0,
) -> Problem:
    """Rows of readings of a user, of an item, and the place on the page (1 to 8) where the item stood.

    How well user and item fit is a product of their traits, which a network has to find. `click`: about 30 % of rows,
    likelier for a good fit and near the top of the page (err, auc). `like`: about 10 %; only what was clicked can be
    liked, and only a very good fit is (err, auc). `watch`: minutes, 0 for what was not clicked and else log-normal
    up to `LONGEST`, with a mean that depends on the fit and on the item alone (squared error, some fifteen times the
    cross-entropies at the start; rmse).

    Args:
        name: the problem's name.
        sizes: rows to train, to validate and to test.
        n_columns: readings of the user, and as many of the item.
        noise: standard deviation of the noise of each reading.
        seed: decides the population, rows and noise.
    """
    generator = np.random.default_rng(seed)
    users = Sensors(N_TASTES, n_columns, noise, generator)
    items = Sensors(N_TASTES, n_columns, noise, generator)
    appeal = RandomFunction(N_TASTES, 2, 0.8, generator)
    splits = []
    for n in sizes:
        user, item = generator.normal(0, 1, (2, n, N_TASTES))
        place = generator.integers(8, size=n)
        fit = (user * item)[:, :2].sum(-1) / np.sqrt(2)
        popular, long = appeal(item).T
        clicked = generator.random(n) < _sigmoid(2.5 * fit + 1.5 * popular - 0.4 * place - 0.3)
        liked = clicked & (generator.random(n) < _sigmoid(3 * fit - 1.5 * user[:, 2] - 3.5))
        minutes = np.exp(1.0 + 0.5 * fit + 0.5 * long + 0.3 * generator.normal(0, 1, n)).clip(max=LONGEST) * clicked
        inputs = np.concatenate(
            [users(user, generator), items(item, generator), np.eye(8)[place]],
            axis=-1,
        )
        targets = {"click": classes(clicked), "like": classes(liked), "watch": reals(minutes)}
        splits.append(Split(reals(inputs), targets))
    return Problem(name, (BinaryClassification("click"), BinaryClassification("like"), Regression("watch", 1)), *splits)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))
