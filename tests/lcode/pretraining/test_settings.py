from __future__ import annotations

import numpy as np
import pandas as pd

from lcode.pretraining.settings import learn_settings
from lcode.table import Metric, RunTable

RATES = np.geomspace(1e-4, 1e-1, 12)


def ended(sign: float) -> RunTable:
    """Finished runs of which the larger rates end better (1) or worse (-1)."""
    runs = [f"r{i:02d}" for i in range(len(RATES))]
    points = pd.DataFrame({"run": runs, "epoch": 10, "metric": "acc", "value": sign * np.log(RATES)})
    facts = pd.DataFrame({"horizon": 10}, index=runs)
    configs = pd.DataFrame({"lr": RATES}, index=runs)
    return RunTable.from_points(points, [Metric("main", "acc", "max")], runs=facts, configs=configs)


def test_families_count_alike_whatever_their_numbers_of_tables() -> None:
    """One table of a family that says the opposite of three of another one balances them."""
    alike = {f"many/{i}": ended(1.0) for i in range(3)}
    configs = pd.DataFrame({"lr": RATES})
    one_sided = learn_settings(alike).among(configs)(configs)
    assert one_sided[-1] > 1 and one_sided[0] < -1
    both = learn_settings({**alike, "one/0": ended(-1.0)}).among(configs)(configs)
    np.testing.assert_allclose(both, 0, atol=1e-9)
