"""Any balancer in a network and a training loop of the user's own."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from typing import Any, Literal, Protocol, get_args

import torch
from torch import Tensor

from lcode.errors import UsageError
from lcode.isolation import isolated
from mtl_runs.balancers import Balancer, Needs, make_balancer
from mtl_runs.balancers.base import N_BATCHES
from mtl_runs.balancing.arguments import Shared, as_tensors, by_task, names, parts
from mtl_runs.balancing.averages import Averages
from mtl_runs.balancing.buffers import buffers_kept
from mtl_runs.balancing.known import Known, trained
from mtl_runs.balancing.passes import Passes
from mtl_runs.balancing.processes import mean_over_processes
from mtl_runs.balancing.saved import saved_state
from mtl_runs.signals import named_signals

Reduction = Literal["sum", "mean"]
Closure = Callable[[], Mapping[str, Tensor]]


class Scaler(Protocol):
    """The part of `torch.amp.GradScaler` that is used."""

    def is_enabled(self) -> bool:
        """Whether it scales at all."""

    def scale(self, outputs: Tensor) -> Tensor:
        """The outputs times the scale."""

    def step(self, optimizer: Any) -> Any:
        """A step of the optimiser, unless a gradient is infinite."""

    def update(self) -> None:
        """Adapt the scale."""


class Balance:
    """Balances the tasks of any network: `balance.backward(losses)` in the place of `sum(losses).backward()`.

    Gradients are added to `.grad`, as a backward pass does. Shared parameters get the balancer's direction; a task's
    own parameters their task's gradient, times the task's weight if the balancer weighs losses (column *heads* of the
    guide); parameters of several tasks that are not in `shared` get `Σ_k w_k g_k`, so that `shared` may be the last
    layer that all tasks share. It is the trainer's balancer with the trainer's numbers; what a balancer does with
    losses of NaN, opposed gradients or a single task stands in its docstring (`mtl-runs balancers` lists them).

    - A gradient method needs a backward pass for each task and memory for K gradients of what is shared; with
      `features` the passes end at the features. A method that reads losses only is one pass.
    - Nothing is clipped. The authors of some methods do: `clip_grad_norm_(shared_parameters, balance.balancer.clip)`.
    - Where `torch.distributed` is initialised, losses and gradients are averaged over all processes, and every process
      makes the same decision, whether or not the model is wrapped in `DistributedDataParallel`.
    - Each call balances for itself when gradients are accumulated over several.
    - Hooks that wait for a gradient to be added up do not fire.

    Args:
        balancer: name in `mtl_runs.balancers.BALANCERS`, or a balancer.
        shared: what all tasks use: a module, parameters, or several of them. Frozen parameters are left alone. Which
            ones are frozen may change, except under a balancer that remembers gradients (`moco`, `db_mtl`, …).
        tasks: names of the K tasks, the keys of the losses.
        reduction: `sum`: equal weighting is the sum of the losses; `mean`: all gradients over K, as the trainer has
            it by default.
        watch_every: gradient norms and cosines are looked at in the first step after `signals` and then in every so
            many, by a pass for each task, where the balancer does not read them anyway; 0 = never.
        seed: of the balancers that draw. No global generator is touched.
        settings: of the balancer; `weights` and `reference` may be given by the names of the tasks.

    Attributes:
        balancer: what decides.
        tasks: names of the tasks.
        generator: where the balancer's random numbers come from.

    Raises:
        UsageError: no such balancer or setting, or a value that it cannot have; no shared parameter, or no tasks.

    Examples:
        >>> import torch, mtl_runs
        >>> encoder, heads = torch.nn.Linear(4, 8), torch.nn.ModuleDict({t: torch.nn.Linear(8, 1) for t in ("a", "b")})
        >>> balance = mtl_runs.Balance("fairgrad", shared=encoder, tasks=("a", "b"), alpha=1.0)
        >>> features = encoder(torch.randn(16, 4)).relu()
        >>> weights = balance.backward({task: head(features).square().mean() for task, head in heads.items()})
        >>> sorted(balance.signals())
        ['a/grad_norm', 'a/train_loss', 'a/weight', 'a|b/cosine', 'b/grad_norm', 'b/train_loss', 'b/weight']
    """

    def __init__(
        self,
        balancer: str | Balancer,
        /,
        shared: Shared,
        tasks: Sequence[str],
        *,
        reduction: Reduction = "sum",
        watch_every: int = 10,
        seed: int = 0,
        **settings: Any,
    ) -> None:
        if isinstance(balancer, Balancer) and settings:
            raise UsageError(f"a balancer has its settings already; leave out {', '.join(settings)}, or give its name")
        if reduction not in get_args(Reduction):
            raise UsageError(f"reduction must be one of {', '.join(get_args(Reduction))}; found '{reduction}'")
        self.tasks = names(tasks)
        for name, value, least in (("watch_every", watch_every, 0), ("seed", seed, -math.inf)):
            if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
                raise UsageError(f"{name} is {value!r}; it is a whole number{', at least 0' if least == 0 else ''}")
        settings = by_task(settings, self.tasks)
        self._name = balancer if isinstance(balancer, str) else type(balancer).__name__
        self._shared = parts(shared)
        factor = len(self.tasks) if reduction == "sum" else 1
        with isolated(torch.get_num_threads()):  # decisions are made on the CPU, whatever the caller's default device
            self.balancer = balancer if isinstance(balancer, Balancer) else make_balancer(balancer, **settings)
            self.generator = torch.Generator().manual_seed(int(seed))
            self._passes = Passes(self.tasks, self.balancer, factor, self.generator)
        self._watch_every, self._steps = watch_every, 0
        self._seen = Averages()
        self._warned = False

    def backward(
        self,
        losses: Mapping[str, Tensor],
        *,
        features: Tensor | Sequence[Tensor] | None = None,
        scaler: Scaler | None = None,
    ) -> dict[str, float]:
        """Add the balanced gradients of the losses to `.grad`.

        Args:
            losses: by task, single numbers, not scaled; NaN for a task of which the batch says nothing.
            features: all that the heads see of the shared part, if the balancer is to compare the gradients of these
                instead of the parameters': cheaper, and as in MGDA-UB an upper bound. Must lie in the losses' graph.
            scaler: the `torch.amp.GradScaler` that will step the optimiser: `.grad` is scaled by it, and the balancer
                sees what it would see without. A step with an infinite gradient leaves the balancer as it was.

        Returns:
            By task the weight in this step, on the scale of the mean: 1/K each is equal weighting.

        Raises:
            UsageError: the balancer needs more than the losses (see `step`); a task is missing or unknown, or its loss
                does not depend on what is shared; the balancer cannot compare gradients of features.
        """
        for need, why in _MORE.items():
            if need in self.balancer.needs:
                raise UsageError(f"balancer '{self._name}' {why}")
        return self._backward([losses], as_tensors(features), scaler)[0]

    def step(self, optimizer: Any, *closures: Closure, scaler: Scaler | None = None) -> dict[str, float]:
        """A whole step: `zero_grad`, the losses, their backward pass, `optimizer.step`. Serves every balancer.

        `famo` and `sel_update` want the losses of the same batch after the step: the closure is called once more,
        without a graph, and leaves the buffers of the modules that it calls as they were. `modo` and `sdmgrad` with
        `solver="paper_sgd"` want three closures, of independent batches.

        Args:
            optimizer: of all parameters.
            closures: return the losses of a batch by task.
            scaler: as in `backward`; it is updated.

        Returns:
            As `backward`.

        Raises:
            UsageError: as `backward`, or another number of closures is needed.
        """
        wanted = N_BATCHES if Needs.SEVERAL_BATCHES in self.balancer.needs else 1
        if len(closures) != wanted:
            raise UsageError(
                f"balancer '{self._name}' takes {wanted} closure{'s' * (wanted > 1)} per step, each of a batch of its "
                f"own; found {len(closures)}"
            )
        optimizer.zero_grad()
        weights, before = self._backward([closure() for closure in closures], (), scaler)
        if scaler is None:
            optimizer.step()
        else:
            scaler.step(optimizer)
            scaler.update()
        if Needs.AFTER_STEP_LOSSES in self.balancer.needs and before is not None:
            with torch.no_grad(), buffers_kept():
                after = closures[-1]()
            values = torch.stack([after[task].detach().reshape(()).double() for task in self.tasks])
            mean_over_processes(values)
            with isolated(torch.get_num_threads()):
                self._passes.state = self.balancer.after_step(self._passes.state, before, values.unsqueeze(0).cpu())
        return weights

    def signals(self) -> dict[str, float]:
        """What was seen since the last call, as means over the steps. To be called at the end of every epoch.

        It ends the epoch for balancers that count epochs (`dwa`, `autoscale`, `stch`, `pivrg`).

        Returns:
            Per task `train_loss`, `grad_norm` (of what is shared; of the features where they were given) and `weight`
            (on the scale of the mean), per pair of tasks the `cosine` of their gradients, under the trainer's names,
            such as `seg/grad_norm` and `seg|depth/cosine`. What was not seen is left out.
        """
        n = len(self.tasks)
        losses, norms, weights = (self._seen.take(name, (n,)) for name in ("losses", "norms", "weights"))
        named = named_signals(self.tasks, losses, norms, weights, self._seen.take("cosines", (n, n)))
        self._steps = 0
        if not bool(losses.isnan().all()):
            self._passes.state = self.balancer.end_epoch(self._passes.state)
        return {name: float(value) for name, value in named.items() if bool(value.isfinite())}

    def state_dict(self) -> dict[str, Tensor | int | str | list[str]]:
        """All that the next steps depend on, as tensors and JSON values; neither network nor settings are in it.

        Where gradients are remembered, `parameters` says by name and shape of what.
        """
        return {
            "balancer": self._name,
            "tasks": list(self.tasks),
            "steps": self._steps,
            "generator": self.generator.get_state(),
            **({"parameters": list(self._passes.known.labels)} if self._passes.known is not None else {}),
            **{f"state.{name}": value[0].clone() for name, value in self._passes.state.items()},
            **{f"seen.{name}": value.clone() for name, value in self._seen.state().items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` of a balance of the same balancer and tasks returned.

        Raises:
            UsageError: it is another balancer's or of other tasks, or not whole; then nothing is taken up.
        """
        saved = saved_state(state, self._name, self.tasks, self._passes.state)
        self._passes.state, self._seen, self._steps = saved.memory, saved.seen, saved.steps
        self._passes.known = None if saved.parameters is None else Known(saved.parameters)
        self.generator.set_state(saved.generator)

    def _backward(
        self, batches: Sequence[Mapping[str, Tensor]], features: Sequence[Tensor], scaler: Scaler | None
    ) -> tuple[dict[str, float], Tensor | None]:
        """Weights by task; and the losses, None where the step counts for nothing."""
        shared = trained(self._shared)
        if not shared:
            raise UsageError("no parameter of `shared` requires a gradient: there is nothing to balance")
        watch = self._watch_every > 0 and self._steps % self._watch_every == 0
        # The backward pass belongs outside of autocast, wherever it is called.
        with isolated(torch.get_num_threads()):
            scale = None
            if scaler is not None and scaler.is_enabled():
                scale = float(scaler.scale(torch.ones((), device=shared[0][1].device)))
            seen = self._passes.run(batches, shared, features, scale, watch=watch)
            if seen is None:
                return dict.fromkeys(self.tasks, 0.0), None
            self._steps += 1
            self._warn_of_losses(seen.losses[0])
            self._seen.add("losses", seen.losses[0])
            self._seen.add("weights", seen.weights[0])
            if seen.gramian is not None:
                norms = seen.gramian[0].diagonal().clamp(min=0).sqrt()
                self._seen.add("norms", norms)
                self._seen.add("cosines", seen.gramian[0] / (norms.unsqueeze(-1) * norms).clamp(min=1e-30))
        return dict(zip(self.tasks, seen.weights[0].tolist(), strict=True)), seen.losses

    def _warn_of_losses(self, losses: Tensor) -> None:
        """Say once that a loss is not positive where the balancer needs that."""
        if self._warned or not self.balancer.positive_losses or not bool((losses <= 0).any()):
            return
        self._warned = True
        task, loss = next((t, float(at)) for t, at in zip(self.tasks, losses, strict=True) if at <= 0)
        warnings.warn(
            f"balancer '{self._name}' takes losses to be positive, and that of '{task}' is {loss:.4g}; it counts as "
            "next to nothing. Add a constant to it, or take a balancer that reads gradients",
            stacklevel=4,
        )


_MORE = {
    Needs.AFTER_STEP_LOSSES: "measures the losses of the batch again after the step: call "
    "balance.step(optimizer, closure) with a closure that returns the losses by task",
    Needs.SEVERAL_BATCHES: f"compares {N_BATCHES} independent batches per step: call "
    "balance.step(optimizer, first, second, third) with closures that return the losses of a batch by task",
}
"""What a backward pass of one batch cannot give, and how to give it."""
