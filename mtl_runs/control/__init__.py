"""Reinforcement learning of several control tasks by one policy, whose losses any balancer weighs.

`bodies` move, `deeds` are what is wanted of them, `family` puts both together to worlds, `policy` and `ppo` learn, and
`training` writes the run log. `metaworld` is a world of somebody else's.
"""

from mtl_runs.control.family import WORLDS, make_world
from mtl_runs.control.training import PolicyRun, train_policy
from mtl_runs.control.world import Episode, World

__all__ = ["WORLDS", "Episode", "PolicyRun", "World", "make_world", "train_policy"]
