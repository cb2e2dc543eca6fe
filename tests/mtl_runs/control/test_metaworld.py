"""Meta-World as a world; skipped where it is not installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
from torch import Tensor

from lcode.errors import MissingExtraError
from mtl_runs.control import PolicyRun, make_world, train_policy
from mtl_runs.control.worlds import META_WORLD
from mtl_runs.sweeps.logs import last_values

INSTALLED = importlib.util.find_spec("metaworld") is not None


@pytest.mark.skipif(INSTALLED, reason="metaworld is installed")
def test_without_the_library_its_extra_is_named() -> None:
    with pytest.raises(MissingExtraError, match=r"lcode\[metaworld\]"):
        make_world("metaworld-3")


@pytest.mark.skipif(not INSTALLED, reason="metaworld is not installed")
def test_episodes_of_meta_world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from metaworld.env_dict import MT10_V3

    from mtl_runs.control import metaworld

    assert META_WORLD["metaworld-10"] == tuple(MT10_V3)
    monkeypatch.setattr(metaworld, "STEPS", 20)
    world = make_world("metaworld-3", ["reach-v3", "drawer-close-v3"])

    def still(seen: Tensor) -> Tensor:
        return torch.zeros(2, 8, 4)

    first, again, other = (world.episode(still, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert first.observations.shape == (21, 2, 8, 39) and first.rewards.shape == (20, 2, 8)
    assert torch.equal(first.observations, again.observations) and torch.equal(first.rewards, again.rewards)
    assert not torch.equal(first.observations[:, :, :4], other.observations[:, :, :4])
    assert torch.equal(first.observations[:, :, 4:], other.observations[:, :, 4:])
    assert 0 < float(first.rewards.max()) <= 10 and not bool(first.success.all())
    assert train_policy(world, PolicyRun("a", "imgrad", 1e-2, 0, 1), tmp_path) == "finished"
    assert set(last_values(tmp_path, "a")) == {
        f"{task}/{name}" for task in world.tasks for name in ("return", "success")
    }
