"""The fixed-grid solve of the vector field as one node of the autograd graph, with its backward pass by hand.

Operators on such small states cost more to call than to compute, and each is recorded and undone by itself: solved
through `integrators.solve_rk4`, two thirds of a training step went into the field. Here

- everything is laid out features first, [M, features, K, B], so that sums over tasks run along whole rows of memory;
- tanh(x) = 2 σ(2x) - 1, whose factors are put into the weights beforehand: σ takes a seventh of the time of tanh;
- the attention over tasks is contracted to the width of the state, see `Listening`.

The tests hold states and gradients against `integrators.solve_rk4` of the same field under autograd.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class Listening(NamedTuple):
    """Attention over the other tasks, softmax_j(z_j · (ask z_i + offset) + bias_ij), whose result is a mean of states.

    Attributes:
        ask: queries times keys, [M, D, D].
        offset: [M, D, 1].
        bias: logits of each listener i and speaker j, [M, K, K, B] or broadcastable to it.
    """

    ask: Tensor
    offset: Tensor
    bias: Tensor


class _Evaluation(NamedTuple):
    """What the backward pass needs of one evaluation of the field."""

    inputs: Tensor
    hidden: Tensor
    out: Tensor
    heard: _Heard | None


class _Heard(NamedTuple):
    """What the backward pass needs of how the tasks heard each other: asked [M, D, R] and weights [M, K, K, B]."""

    asked: Tensor
    weights: Tensor


def fused_rk4(
    start: Tensor,
    base: Tensor,
    drive: Tensor,
    w_in: Tensor,
    w_out: Tensor,
    b_out: Tensor,
    speed: Tensor,
    listening: Listening | None,
) -> Tensor:
    """Solve dz/ds = speed · (2 σ(w_out σ(w_in [z, heard] + base + drive(s)) + b_out) - 1) over s in [0, 1] by RK4.

    Args:
        start: z at s = 0, [M, D, K, B].
        base: [M, H, K, B].
        drive: what depends on time, at the 2 N + 1 half nodes, [2 N + 1, M, H, B].
        w_in: [M, H, D], or [M, H, 2 D] with `listening`.
        w_out: [M, D, H].
        b_out: [M, D, 1].
        speed: [M, D, 1].
        listening: how tasks hear each other; None: they do not.

    Returns:
        The states at the N + 1 nodes, then their derivatives, [2 (N + 1), M, D, K, B].
    """
    inputs = start, base, drive, w_in, w_out, b_out, speed, *(listening or ())
    if torch.is_grad_enabled():
        result: Tensor = _FusedRK4.apply(*inputs)
        return result
    return _Solve(*inputs).run(None)


class _FusedRK4(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *inputs: Tensor) -> Tensor:
        ctx.solve, ctx.tape = _Solve(*inputs), []
        return ctx.solve.run(ctx.tape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, ...]:
        gradients: tuple[Tensor, ...] = ctx.solve.pull_back(grads[0], ctx.tape)
        return gradients


class _Solve:
    """One solve: the inputs of `fused_rk4` with tasks and runs as one axis R, the way forward and the way back."""

    def __init__(
        self,
        start: Tensor,
        base: Tensor,
        drive: Tensor,
        w_in: Tensor,
        w_out: Tensor,
        b_out: Tensor,
        speed: Tensor,
        *listening: Tensor,
    ) -> None:
        self.members, self.width, self.tasks, self.runs = start.shape
        self.start, self.steps = start.flatten(2), len(drive) // 2
        # Products of many small matrices are several times slower where rows are not adjacent in memory.
        self.base, self.drive, self.w_in, self.w_out = (t.contiguous() for t in (base, drive, w_in, w_out))
        self.b_out, self.speed, self.double_speed = b_out, speed, 2 * speed
        self.listening = Listening(*listening) if listening else None

    def run(self, tape: list[_Evaluation] | None) -> Tensor:
        """Forward; what `pull_back` needs is appended to the tape, if there is one."""
        steps, h = self.steps, 1.0 / self.steps
        nodes = self.start.new_empty(2 * (steps + 1), *self.start.shape)
        nodes[0] = self.start
        after = self._base_at(0)
        for n in range(steps):
            z, before, middle, after = nodes[n], after, self._base_at(2 * n + 1), self._base_at(2 * n + 2)
            k1 = self._slope(z, before, tape, out=nodes[steps + 1 + n])
            k2 = self._slope(torch.add(z, k1, alpha=h / 2), middle, tape)
            k3 = self._slope(torch.add(z, k2, alpha=h / 2), middle, tape)
            k4 = self._slope(torch.add(z, k3, alpha=h), after, tape)
            total = k4.add_(k1).add_(k2.add_(k3), alpha=2)
            torch.add(z, total, alpha=h / 6, out=nodes[n + 1])
        self._slope(nodes[steps], after, tape, out=nodes[-1])
        return nodes.unflatten(-1, (self.tasks, self.runs))

    def pull_back(self, grads: Tensor, tape: list[_Evaluation]) -> tuple[Tensor, ...]:
        """Backward: from the gradient of what `run` returned to those of its inputs, in the order of `fused_rk4`."""
        steps, h = self.steps, 1.0 / self.steps
        grads = grads.flatten(3)
        sums = _Sums(self)
        total = self._pull(grads[-1], 2 * steps, tape[-1], sums).add_(grads[steps])
        for n in reversed(range(steps)):
            k4, k3, k2, k1 = (tape[4 * n + i] for i in (3, 2, 1, 0))
            third = total * (h / 3)
            g4 = self._pull(total * (h / 6), 2 * n + 2, k4, sums)
            g3 = self._pull(torch.add(third, g4, alpha=h), 2 * n + 1, k3, sums)
            g2 = self._pull(torch.add(third, g3, alpha=h / 2), 2 * n + 1, k2, sums)
            by_slope = torch.add(grads[steps + 1 + n], total, alpha=h / 6).add_(g2, alpha=h / 2)
            g1 = self._pull(by_slope, 2 * n, k1, sums)
            total = total.add_(g4).add_(g3).add_(g2).add_(g1).add_(grads[n])
        return sums.gradients(total)

    def _base_at(self, half: int) -> Tensor:
        """All that enters the hidden layer at this half node beside the states, [M, H, R]."""
        return (self.base + self.drive[half, :, :, None]).flatten(2)

    def _slope(self, z: Tensor, base: Tensor, tape: list[_Evaluation] | None, out: Tensor | None = None) -> Tensor:
        """dz/ds at state z [M, D, R]."""
        width = self.width
        inputs, heard = z, None
        if self.listening is not None:
            inputs = z.new_empty(self.members, 2 * width, z.shape[-1])
            inputs[:, :width] = z
            asked = torch.baddbmm(self.listening.offset, self.listening.ask, z)
            speakers = self._by_task(z)[:, :, None]  # [M, D, 1, K, B]
            scores = (self._by_task(asked).unsqueeze(3) * speakers).sum(1).add_(self.listening.bias)
            heard = _Heard(asked, scores.softmax(2))
            inputs[:, width:] = (heard.weights[:, None] * speakers).sum(3).flatten(2)
        hidden = torch.baddbmm(base, self.w_in, inputs).sigmoid_()
        result = torch.baddbmm(self.b_out, self.w_out, hidden).sigmoid_()
        if tape is not None:
            tape.append(_Evaluation(inputs, hidden, result, heard))
        return torch.mul(result, self.double_speed, out=out).sub_(self.speed)

    def _pull(self, grad: Tensor, half: int, at: _Evaluation, sums: _Sums) -> Tensor:
        """From the gradient of a slope to that of the state it was taken at; the other inputs' are summed up."""
        sums.slope.add_(grad)
        sums.slope_out.add_(grad * at.out)
        out = _sigmoid_backward(grad * self.double_speed, at.out)
        sums.b_out.add_(out)
        sums.w_out.baddbmm_(out, at.hidden.mT)
        hidden = _sigmoid_backward(torch.bmm(self.w_out.mT, out), at.hidden)
        sums.add_hidden(half, hidden)
        sums.w_in.baddbmm_(hidden, at.inputs.mT)
        state = torch.bmm(self.w_in.mT, hidden)
        if self.listening is None or at.heard is None:
            return state
        state, heard = state[:, : self.width], self._by_task(state[:, self.width :]).unsqueeze(3)
        z, weights = at.inputs[:, : self.width], at.heard.weights
        speakers, listeners = self._by_task(z)[:, :, None], self._by_task(at.heard.asked).unsqueeze(3)
        by_weight = (heard * speakers).sum(1)
        scores = weights * (by_weight - (by_weight * weights).sum(2, keepdim=True))
        sums.bias.add_(scores)
        asked = (scores[:, None] * speakers).sum(3).flatten(2)
        sums.offset.add_(asked)
        sums.ask.baddbmm_(asked, z.mT)
        state = state + (weights[:, None] * heard).add_(scores[:, None] * listeners).sum(2).flatten(2)
        return state.baddbmm_(self.listening.ask.mT, asked)

    def _by_task(self, rows: Tensor) -> Tensor:
        """[M, D, R] -> [M, D, K, B]."""
        return rows.view(self.members, self.width, self.tasks, self.runs)


class _Sums:
    """Gradients summed over the evaluations of one solve."""

    def __init__(self, solve: _Solve) -> None:
        self.solve = solve
        members, width, tasks, runs = solve.members, solve.width, solve.tasks, solve.runs
        zeros = solve.start.new_zeros
        self.slope, self.slope_out, self.b_out, self.offset = (zeros(solve.start.shape) for _ in range(4))
        self.w_in, self.w_out = zeros(solve.w_in.shape), zeros(solve.w_out.shape)
        self.ask, self.bias = zeros(members, width, width), zeros(members, tasks, tasks, runs)
        self.hidden: dict[int, Tensor] = {}

    def add_hidden(self, half: int, gradient: Tensor) -> None:
        """Keep what an evaluation at this half node says of its hidden layer, [M, H, R]; the tensor is taken over."""
        if half in self.hidden:
            self.hidden[half].add_(gradient)
        else:
            self.hidden[half] = gradient

    def gradients(self, start: Tensor) -> tuple[Tensor, ...]:
        """Of the inputs of `fused_rk4`, given that of the first one."""
        solve = self.solve
        shape = solve.members, -1, solve.tasks, solve.runs
        hidden = torch.stack([self.hidden[half] for half in range(len(self.hidden))]).unflatten(-1, shape[2:])
        gradients: tuple[Tensor, ...] = (
            start.view(shape),
            hidden.sum(0),
            hidden.sum(3),
            self.w_in,
            self.w_out,
            _over_rows(self.b_out),
            _over_rows(2 * self.slope_out - self.slope),
        )
        if solve.listening is None:
            return gradients
        return *gradients, self.ask, _over_rows(self.offset), self.bias.sum_to_size(solve.listening.bias.shape)


def _over_rows(gradient: Tensor) -> Tensor:
    return gradient.sum(-1, keepdim=True)


_sigmoid_backward = torch.ops.aten.sigmoid_backward
