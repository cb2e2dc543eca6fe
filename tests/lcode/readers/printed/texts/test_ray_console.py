"""What Ray Tune and RLlib print of their trials."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.table.table import RunTable

Read = Callable[[Path, str, str], RunTable]

REWARDS = {"PPO_env_00000": [1.5, 2.5, 4.0], "PPO_env_00001": [0.5, 3.0, 3.5]}

BLOCK = """Result for {trial}:
  date: 2031-02-03_04-05-06
  done: false
  episode_reward_mean: {reward}
  info:
    learner:
      default_policy:
        policy_loss: 9.5
  timesteps_total: {at}000
  training_iteration: {at}

"""

BOX = """╭──────────────────────────────╮
│ Trial {trial} result   │
├──────────────────────────────┤
│ episode_reward_mean  {reward}     │
│ training_iteration   {at}       │
╰──────────────────────────────╯
"""

TABLE = """== Status ==
| Trial name    | status  | loc        |  lr |   iter |   total time (s) |    ts |   episode_reward_mean |
|---------------+---------+------------+-----+--------+------------------+-------+-----------------------|
| {trial} | RUNNING | 10.0.0.1:9 | 0.1 |      {at} |             9.5  | {at}000 |           {reward} |
| PPO_env_00009 | PENDING |            | 0.1 |        |                  |       |                       |

"""


@pytest.mark.parametrize("form", [BLOCK, BOX, TABLE])
def test_results_of_trials_are_runs(tmp_path: Path, form: str, read: Read) -> None:
    text = "".join(
        form.format(trial=trial, at=at, reward=values[at - 1]) for at in (1, 2, 3) for trial, values in REWARDS.items()
    )
    table = read(tmp_path, "nohup.out", text)
    (metric,) = table.metrics
    assert (metric.key, metric.direction) == ("episode_reward_mean", "max")
    for trial, values in REWARDS.items():
        points = table.points[table.points["run"] == trial]
        assert points["epoch"].tolist() == [1, 2, 3] and points["value"].tolist() == values


def test_lines_of_several_processes_are_those_of_several_runs(tmp_path: Path, read: Read) -> None:
    lines = [
        f"\x1b[2m\x1b[36m(train_model pid={pid})\x1b[0m Epoch {e + late}: val_loss {value}\n"
        f"\x1b[2m\x1b[36m(train_model pid={pid})\x1b[0m   val_acc {e / 10}\n"
        for e in range(4)
        for pid, late, value in ((11, 0, 0.9 - e / 10), (12, 1, 0.8 - e / 10))
    ]
    table = read(tmp_path, "tune.log", "".join(lines))
    assert list(table.runs.index) == ["train_model pid=11", "train_model pid=12"]
    accuracy = table.points[table.points["metric"] == "val_acc"]
    assert accuracy[accuracy["run"] == "train_model pid=12"]["epoch"].tolist() == [1, 2, 3, 4]
