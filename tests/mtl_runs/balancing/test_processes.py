"""Two processes that train together make one decision and get one gradient."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from lcode.errors import UsageError
from mtl_runs import Balance

TASKS = ("a", "b")
CASES = ("equal", "fairgrad", "graddrop", "moco", "famo", "modo")
"""Losses only, gradients, other rows, with memory, losses after the step, several batches."""


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.encoder = nn.Linear(3, 4)
            self.heads = nn.ModuleDict({task: nn.Linear(4, 1) for task in TASKS})

    def forward(self, inputs: torch.Tensor) -> dict[str, torch.Tensor]:
        features = self.encoder(inputs).tanh()
        return {"features": features, **{task: head(features) for task, head in self.heads.items()}}


def trained(case: str, rows: slice, *, wrapped: bool = False, features: bool = False) -> dict[str, Any]:
    """Two steps on some of the samples: the weights of both, and all parameters."""
    model = Model()
    called = DistributedDataParallel(model) if wrapped else model
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    settings: dict[str, Any] = {"gamma": 1.0} if case == "modo" else {}
    balance = Balance(case, model.encoder, TASKS, seed=1, watch_every=1, **settings)
    draws = torch.Generator().manual_seed(3)
    weights = []
    for _ in range(2):
        batches = [torch.randn(8, 4, generator=draws)[rows] for _ in range(3)]

        def losses(batch: torch.Tensor) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
            outputs = called(batch[:, :3])
            by_task = {t: ((k + 1) * outputs[t] - batch[:, 3:]).square().mean() for k, t in enumerate(TASKS)}
            return by_task, outputs["features"]

        if case in ("famo", "modo"):
            closures = [lambda batch=batch: losses(batch)[0] for batch in batches[: 3 if case == "modo" else 1]]
            weights.append(balance.step(optimizer, *closures))
        else:
            optimizer.zero_grad()
            given, found = losses(batches[0])
            weights.append(balance.backward(given, features=found if features else None))
            optimizer.step()
    return {"weights": weights, "parameters": nn.utils.parameters_to_vector(model.parameters()).detach()}


def work(folder: str, rank: int) -> None:
    """One of the two processes: it has every second sample."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    rows = slice(rank, None, 2)
    found: dict[str, Any] = {case: trained(case, rows, wrapped=case != "moco") for case in CASES}
    found["features"] = trained("mgda", rows, features=True)
    with pytest.raises(UsageError, match="the features of its own batch only"):
        trained("graddrop", rows, features=True)
    torch.save(found, f"{folder}/{rank}.pt")
    distributed.barrier()  # neither leaves while the other still needs it
    distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_are_one_on_all_their_samples(tmp_path: Path) -> None:
    command = [sys.executable, __file__, str(tmp_path)]
    processes = [subprocess.Popen([*command, str(rank)], stderr=subprocess.PIPE, text=True) for rank in (0, 1)]
    for process in processes:
        _, errors = process.communicate(timeout=100)
        assert process.returncode == 0, errors
    one, other = (torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1))
    for case in (*CASES, "features"):
        assert one[case]["weights"] == other[case]["weights"], case
        assert torch.equal(one[case]["parameters"], other[case]["parameters"]), case
        features = case == "features"
        alone = trained("mgda" if features else case, slice(None), features=features)
        for mine, theirs in zip(one[case]["weights"], alone["weights"], strict=True):
            assert mine == pytest.approx(theirs, rel=1e-4), case
        torch.testing.assert_close(one[case]["parameters"], alone["parameters"], rtol=1e-4, atol=1e-6)


if __name__ == "__main__":
    work(sys.argv[1], int(sys.argv[2]))
    sys.stderr.flush()
    os._exit(0)  # threads of gloo that are still there have aborted the interpreter's end ("terminate called")
