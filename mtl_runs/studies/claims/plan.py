"""What is compared: for each paper a problem, its method, what it is put around or beside, and rivals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mtl_runs.problems import Problem, make_problem
from mtl_runs.studies.arms import Arm, Experiment, at_rates, usual
from mtl_runs.studies.claims.unlearning import forgetting, kept_score

RATES = (1e-3, 2.5e-3, 5e-3, 1e-2, 2e-2, 5e-2)
"""Six candidates; who has a setting beside the rate has two rates and three values of it."""

FEW_RATES = (5e-3, 2e-2)
RADII = (0.02, 0.1, 0.5)

LOW_RATES = (3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
"""Of networks that have learned already."""

FEW_LOW_RATES = (1e-4, 1e-3)
FORGET_WEIGHTS = (0.2, 0.05, 0.01)


def flat_minima(problem: Problem | None = None, horizon: int = 20) -> Experiment:
    """Every base as it is, looking for flat minima, and as it is for twice the epochs, which costs about as much.

    Args:
        problem: `digits-pair` by default.
        horizon: epochs.
    """
    made = problem or make_problem("digits-pair")
    arms = {}
    for base in ("equal", "cagrad", "imtl_g"):
        arms[base] = Arm(at_rates(RATES, balancer=base), horizon)
        flat = tuple(usual(lr, balancer=base, flat_radius=radius) for lr in FEW_RATES for radius in RADII)
        arms[f"{base}, flat"] = Arm(flat, horizon, base)
        arms[f"{base}, twice the epochs"] = replace(arms[base], horizon=2 * horizon, base=base)
    arms["inverse_norm"] = Arm(at_rates(RATES, balancer="inverse_norm"), horizon)
    references = {task.name: Arm(at_rates(RATES, tasks=(task.name,)), horizon) for task in made.tasks}
    return Experiment("flat", lambda _: made, arms, references)


def teleports(problem: Problem | None = None, horizon: int = 12) -> Experiment:
    """COST around FairGrad, its paper's base, from a quarter of the epochs on. It takes many times as long.

    Args:
        problem: `digits-scaled` by default.
        horizon: epochs.
    """
    made = problem or make_problem("digits-scaled")
    rates, base = RATES[2:4], "fairgrad"
    plain = Arm(at_rates(rates, balancer=base), horizon)
    arms = {
        "equal": Arm(at_rates(rates), horizon),
        base: plain,
        f"{base}, COST": Arm(at_rates(rates, balancer=base, teleport_from=horizon // 4 + 1), horizon, base),
        f"{base}, twice the epochs": replace(plain, horizon=2 * horizon, base=base),
        "inverse_norm": Arm(at_rates(rates, balancer="inverse_norm"), horizon),
    }
    references = {task.name: Arm(at_rates(rates, tasks=(task.name,)), horizon) for task in made.tasks}
    return Experiment("cost", lambda _: made, arms, references, seeds=tuple(range(1, 6)))


def unlearning(horizon: int = 10) -> Experiment:
    """NGDiff beside the difference of losses: an own network that has learned all digits forgets one."""
    common: dict[str, Any] = {"arch": "own", "schedule": "constant", "batch_size": 64}
    weighted = tuple(
        usual(lr, **common, balancer="fixed", balancer_settings={"weights": (1 - share, share)})
        for lr in FEW_LOW_RATES
        for share in FORGET_WEIGHTS
    )
    base = "difference of losses"
    arms = {
        base: Arm(at_rates(LOW_RATES, **common), horizon),
        f"{base}, weights tuned": Arm(weighted, horizon, base),
        "cagrad": Arm(at_rates(LOW_RATES, **common, balancer="cagrad"), horizon, base),
        "NGDiff": Arm(at_rates(LOW_RATES, **common, balancer="ngdiff"), horizon, base),
        "NGDiff, automatic rate": Arm(at_rates(LOW_RATES, **common, balancer="ngdiff", auto_lr=10), horizon, base),
    }
    return Experiment("ngdiff", forgetting, arms, score=lambda values: 100 * kept_score(values))
