"""What a run is worth per epoch, if it may be given up at any time: the reservation price of its next epochs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

GRID, FURTHEST = 32, 4.0
"""Levels of what the next epochs may show, and where the outermost lie, in standard deviations: evenly spaced, not
equally likely, for a run that hardly ever wins is worth what it wins then."""

HALVINGS = 50
"""Of the interval that holds the price: to fifteen digits."""


def looks_ahead(to_come: int, every: int = 1) -> NDArray[np.int64]:
    """Numbers of epochs after which one may look again, ascending: 1, 2, 4 … evaluations and all that are to come."""
    looks = {every * 2**i for i in range(to_come.bit_length()) if every * 2**i < to_come}
    return np.array([*sorted(looks), to_come])


def price(
    samples: NDArray[np.float64], best: float, to_come: int, persistence: float, every: int = 1
) -> tuple[float, int]:
    """The highest cost per epoch at which a run is worth training, and how many epochs to train before looking again.

    Of training c epochs, then to the end if that still pays, else not at all, the net gain at a cost λ per epoch is
    `E[max(EI_c − λ(H − c), 0)] − λc`, where EI_c is the expected improvement over the incumbent as it will be seen
    after c of the H epochs to come. The price is the λ at which the best c gains nothing: the reservation price of
    Weitzman's boxes (Econometrica 1979), with one look on the way. With c = H it is the expected improvement per epoch.
    What c epochs show is told by the forecast's `persistence`: normal scores at leads c and H are correlated by
    (c/H)^(1/persistence − 1), as in its paths.

    Args:
        samples: of the run's final score, [n]; −∞ where it is infeasible.
        best: score of the incumbent.
        to_come: H ≥ 1, epochs to the end.
        persistence: see `Forecast`, 0 to 1.
        every: epochs between two evaluations, ≥ 1: before the next one there is nothing to look at.

    Returns:
        Price in units of the score per epoch, ≥ 0, and epochs, 1 to H.
    """
    gains = np.sort(np.maximum(samples - best, 0.0))
    looks = looks_ahead(to_come, every)
    if gains[-1] <= 0:
        return 0.0, int(looks[-1])
    edges = np.linspace(-FURTHEST, FURTHEST, GRID + 1)
    levels, width = (edges[1:] + edges[:-1]) / 2, edges[1] - edges[0]
    likely = np.diff(ndtr(np.r_[-np.inf, edges[1:-1], np.inf]))
    known = (looks / to_come) ** (1 / max(persistence, 1e-3) - 1)
    # What is not known then, and how wide a level is.
    unknown = np.sqrt(np.maximum(1 - known**2, 0.0) + (known * width) ** 2 / 12)
    steps = ndtri(np.arange(len(gains) + 1) / len(gains))  # between the normal scores of two samples
    below = ndtr((steps - known[:, None, None] * levels[:, None]) / unknown[:, None, None])
    seen = np.diff(below) @ gains  # expected improvement by look and by what it shows, [C, GRID]
    rest = (to_come - looks)[:, None]

    def net(cost: float) -> NDArray[np.float64]:
        """Net gain of each look at this cost per epoch, [C]."""
        return np.maximum(seen - cost * rest, 0.0) @ likely - cost * looks

    low, high = 0.0, float(gains[-1])
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if net(middle).max() > 0 else (low, middle)
    net_gains = net(low)
    # Where looks on the way show nothing that matters, none is taken.
    return low, int(looks[np.flatnonzero(net_gains >= net_gains.max() - 1e-9 * gains[-1])[-1]])
