from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from mtl_runs.mlp_curves import EPOCHS, BinaryTable, Curves, RunPlan, plan_run, train


@pytest.fixture(scope="module")
def table() -> BinaryTable:
    """The label is the sign of the first two inputs' sum; 70 rows and 5 inputs, the last steps are short ones."""
    inputs = torch.randn(100, 5, generator=torch.Generator().manual_seed(0))
    labels = (inputs[:, :2].sum(1, keepdim=True) > 0).float()
    return BinaryTable(inputs[:70], labels[:70], inputs[70:], labels[70:])


PLAN = replace(
    plan_run("car", 0), widths=(7, 9, 8), batch_size=32, lr=0.1, momentum=0.8, weight_decay=1e-3, dropout=0.25
)


def by_autograd(table: BinaryTable, plan: RunPlan) -> Curves:
    """The same training in double precision, with torch's own gradients and optimiser and the same random numbers."""
    rng = np.random.default_rng(plan.seed)
    parameters = []
    for n, m in pairwise((table.train_inputs.shape[1], *plan.widths, 1)):
        for shape in ((n, m), (m,)):
            values = np.asarray(n**-0.5 * rng.uniform(-1, 1, shape), dtype=np.float32)
            parameters.append(torch.from_numpy(values).double().requires_grad_())
    layers = list(zip(parameters[::2], parameters[1::2], strict=True))
    sgd = torch.optim.SGD(parameters, momentum=plan.momentum, weight_decay=plan.weight_decay)

    def logits(inputs: torch.Tensor, masks: list[torch.Tensor]) -> torch.Tensor:
        hidden = inputs.double()
        for (weight, bias), mask in zip(layers[:-1], masks, strict=True):
            hidden = (hidden @ weight + bias).relu() * mask
        return hidden @ layers[-1][0] + layers[-1][1]

    curves = []
    for rate in plan.rates:
        sgd.param_groups[0]["lr"] = rate
        seen = 0.0
        for rows in torch.from_numpy(rng.permutation(len(table.train_inputs))).split(plan.batch_size):
            bits = rng.integers(-(2**15), 2**15, len(rows) * sum(plan.widths), dtype=np.int16)
            kept = torch.from_numpy(bits / 2**16 + 0.5 < 1 - plan.dropout) / (1 - plan.dropout)
            masks = [m.view(len(rows), -1) for m in kept.split([len(rows) * width for width in plan.widths])]
            loss = binary_cross_entropy_with_logits(
                logits(table.train_inputs[rows], masks), table.train_labels[rows].double()
            )
            sgd.zero_grad()
            loss.backward()
            sgd.step()
            seen += loss.item() * len(rows) / len(table.train_inputs)
        with torch.no_grad():
            output = logits(table.test_inputs, [torch.ones(1)] * len(plan.widths))
        wrong = ((output > 0) != (table.test_labels > 0)).double().mean()
        test_loss = binary_cross_entropy_with_logits(output, table.test_labels.double())
        curves.append([float(test_loss), float(wrong), seen])
    return Curves(*np.array(curves, dtype=np.float32).T)


@pytest.mark.parametrize("plan", [PLAN, replace(PLAN, widths=(12,), batch_size=500, dropout=2.0**-16)])
def test_the_training_is_that_of_autograd_and_sgd(table: BinaryTable, plan: RunPlan) -> None:
    ours, expected = train(table, plan), by_autograd(table, plan)
    np.testing.assert_allclose(ours.test_loss, expected.test_loss, rtol=1e-3)
    np.testing.assert_allclose(ours.train_loss, expected.train_loss, rtol=1e-3)
    np.testing.assert_array_equal(ours.test_error, expected.test_error)
    assert len(ours.test_loss) == EPOCHS and ours.train_loss[-1] < 0.5 < ours.train_loss[0]


def test_a_training_depends_on_its_plan_alone(table: BinaryTable) -> None:
    first = train(table, PLAN)
    train(table, replace(PLAN, widths=(3, 3)))
    torch.manual_seed(1)
    np.testing.assert_array_equal(first.test_loss, train(table, PLAN).test_loss)
    other = train(table, replace(PLAN, seed=(0, 0, 1, 1)))
    assert (first.test_loss != other.test_loss).all()


def test_a_diverged_run_is_nan_from_there_on(table: BinaryTable) -> None:
    curves = train(table, replace(PLAN, lr=3e3, momentum=0.99))
    last = int(np.isnan(curves.test_loss).argmax())
    for values in (curves.test_loss, curves.test_error, curves.train_loss):
        assert np.isfinite(values[:last]).all() and np.isnan(values[last:]).all() and last < EPOCHS


def test_torch_is_left_as_it_was(table: BinaryTable) -> None:
    """Tiny numbers and the number of threads are process-wide settings."""
    train(table, PLAN)
    assert torch.tensor(1e-20) * torch.tensor(1e-20) > 0
