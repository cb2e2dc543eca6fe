"""Returns, or rates of success, of five methods of reinforcement learning on 54 control tasks × 3 seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from lcode.benchmarks.files import DataFile, find_file
from lcode.table import MAIN_TASK, Metric, RunTable

_CURVES = DataFile(
    "rl_returns/rl_returns.curves.parquet", "8a7734f2b97b75f88cbcfff2d9e5836b556ab942107e06233e1648f11d89892e"
)

FEWEST_EVALUATIONS = 8
"""Shorter trainings are left out; they broke off."""

_SCORES = {
    "reward": (
        "acrobot-swingup cartpole-balance cartpole-balance-sparse cartpole-swingup cartpole-swingup-sparse "
        "cheetah-jump cheetah-run cheetah-run-back cheetah-run-backwards cheetah-run-front cup-catch cup-spin dog-run "
        "dog-stand dog-trot dog-walk finger-spin finger-turn-easy finger-turn-hard fish-swim hopper-hop "
        "hopper-hop-backwards hopper-stand humanoid-run humanoid-stand humanoid-walk pendulum-spin pendulum-swingup "
        "quadruped-run quadruped-walk reacher-easy reacher-hard reacher-three-easy reacher-three-hard walker-run "
        "walker-run-backwards walker-stand walker-walk walker-walk-backwards"
    ),
    "success": (
        "lift-cube myo-hand-key-turn myo-hand-key-turn-hard myo-hand-obj-hold myo-hand-obj-hold-hard "
        "myo-hand-pen-twirl myo-hand-pen-twirl-hard myo-hand-pose myo-hand-pose-hard myo-hand-reach "
        "myo-hand-reach-hard pick-cube pick-ycb stack-cube turn-faucet"
    ),
}
"""By what was measured, the tasks."""


@dataclass(frozen=True)
class ReturnsCollection:
    """The runs on one task.

    Attributes:
        task: body and deed, such as `walker-run`.
        score: what was measured: the `reward` of an episode, or the share of episodes with `success`.
    """

    task: str
    score: str

    source: ClassVar[str] = "Hansen et al. 2024, TD-MPC2: scalable, robust world models for continuous control"

    @property
    def name(self) -> str:
        """Name of the benchmark."""
        return f"rl_returns/{self.task}"

    @property
    def files(self) -> tuple[DataFile, ...]:
        """The file of all tasks."""
        return (_CURVES,)

    def load(self) -> RunTable:
        """Read the task's runs into a table; an epoch is a step in the environment, the horizon the last evaluated one.

        Raises:
            DataNotFoundError: the file is neither in `LCODE_DATA` nor in the cache.
        """
        rows = pd.read_parquet(find_file(_CURVES), filters=[("task", "==", self.task)])
        rows = rows.assign(run=rows["method"] + "-" + rows["seed"].astype(str))
        rows = rows.groupby("run", sort=False, group_keys=False)[list(rows)].apply(_longest)
        rows = rows[rows.groupby("run")["step"].transform("size") >= FEWEST_EVALUATIONS]
        metric = Metric(MAIN_TASK, self.score, "max")
        side = rows.drop_duplicates("run").set_index("run")
        return RunTable.from_points(
            rows[["run"]].assign(epoch=rows["step"], metric=metric.key, value=rows[self.score]),
            [metric],
            runs=side[["seed"]].assign(horizon=rows.groupby("run")["step"].max()),
            configs=side[["method"]],
        )


def _longest(run: pd.DataFrame) -> pd.DataFrame:
    """The longest training of those filed one after the other under the run's name: each begins where steps fall."""
    training = (run["step"].diff() <= 0).cumsum()
    return run[training == training.value_counts().idxmax()]


RL_RETURNS = {
    collection.name: collection
    for collection in (ReturnsCollection(task, score) for score, tasks in _SCORES.items() for task in tasks.split())
}
"""By name `rl_returns/<task>`."""
