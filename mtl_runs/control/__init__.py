"""Reinforcement learning of several control tasks by one policy, whose losses any balancer weighs.

`bodies` move, `family` says what is wanted of them, `metaworld` is somebody else's family, and `worlds` names them all.
`policy` and `ppo` learn, and `training` writes the run log.
"""

from mtl_runs.control.training import PolicyRun, train_policy
from mtl_runs.control.world import Episode, World
from mtl_runs.control.worlds import WORLDS, make_world

__all__ = ["WORLDS", "Episode", "PolicyRun", "World", "make_world", "train_policy"]
