"""Wrote the folders beside it, with stable-baselines3 2.9: `python write.py FOLDER [RUNS] [STEPS]`."""

from __future__ import annotations

import sys
from pathlib import Path

from stable_baselines3 import PPO  # type: ignore[import-not-found]
from stable_baselines3.common.callbacks import EvalCallback  # type: ignore[import-not-found]
from stable_baselines3.common.env_util import make_vec_env  # type: ignore[import-not-found]
from stable_baselines3.common.logger import configure  # type: ignore[import-not-found]


def write(folder: Path, runs: int, steps: int) -> None:
    """Short trainings of PPO on the cart pole, evaluated a few times."""
    for run in range(runs):
        model = PPO("MlpPolicy", make_vec_env("CartPole-v1", seed=run), n_steps=256, seed=run, device="cpu",
                    learning_rate=10 ** (-4 + 2 * run / max(runs - 1, 1)))  # fmt: skip
        model.set_logger(configure(str(folder / f"ppo_{run}"), ["csv"]))
        evaluated = EvalCallback(make_vec_env("CartPole-v1", seed=99), n_eval_episodes=2, eval_freq=512, verbose=0)
        model.learn(steps, callback=evaluated)


if __name__ == "__main__":
    out, *sizes = sys.argv[1:]
    write(Path(out), *(int(size) for size in sizes or (2, 1536)))
