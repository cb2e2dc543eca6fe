"""`balance.backward(losses)` in the place of `sum(losses).backward()`."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any
from weakref import ref

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

import mtl_runs
from lcode.errors import UsageError
from mtl_runs import Balance
from mtl_runs.balancers import BALANCERS, Needs, make_balancer

TASKS = ("seg", "depth", "normals")


def plain_backward(network: Any) -> Tensor:
    torch.stack(list(network.losses().values())).sum().backward()
    return network.gradients()


def test_equal_weighting_is_a_plain_backward_of_the_sum(network: Callable[..., Any]) -> None:
    expected = plain_backward(network())
    own = network()
    assert Balance("equal", own.encoder, TASKS).backward(own.losses()) == dict.fromkeys(TASKS, 1 / 3)
    torch.testing.assert_close(own.gradients(), expected)
    own = network()
    Balance("equal", own.encoder, TASKS, reduction="mean").backward(own.losses())
    torch.testing.assert_close(own.gradients(), expected / 3)


@pytest.mark.parametrize("balancer", ["equal", "pcgrad"])
def test_gradients_share_no_memory(balancer: str) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(8, 3, generator=generator)
    encoder = nn.Linear(3, 3)
    parts = [nn.Parameter(torch.randn(1, 3, generator=generator)) for _ in range(2)]
    offset = nn.Parameter(torch.zeros(2, 3))  # its gradient is a number, broadcast

    def losses() -> dict[str, Tensor]:
        features = encoder(x)
        together = nn.functional.linear(features, parts[0] + parts[1])
        return {"a": together.square().mean() + offset.sum(), "b": features.square().mean()}

    balance = Balance(balancer, shared=encoder, tasks=("a", "b"))
    balance.backward(losses())
    once = [leaf.grad.clone() for leaf in (*parts, offset) if leaf.grad is not None]
    nn.utils.clip_grad_norm_([*parts, offset], 1e6)  # changes nothing, in place
    balance.backward(losses())
    for leaf, gradient in zip((*parts, offset), once, strict=True):
        assert leaf.grad is not None
        torch.testing.assert_close(leaf.grad, 2 * gradient)


@pytest.mark.parametrize(("balancer", "heads"), [("mgda", "plain"), ("inverse_norm", "weighted")])
def test_shared_parameters_get_the_direction_and_heads_their_own_gradient(
    network: Callable[..., Any], weighted: Callable[..., Tensor], balancer: str, heads: str
) -> None:
    own, plain = network(), network()
    weights = Balance(balancer, own.encoder, TASKS).backward(own.losses())
    plain_backward(plain)
    found = torch.cat([p.grad.flatten() for p in own.encoder.parameters()])
    torch.testing.assert_close(found, weighted(weights))
    for task, weight in weights.items():
        factor = 3 * weight if heads == "weighted" else 1.0
        torch.testing.assert_close(own.heads[task].weight.grad, factor * plain.heads[task].weight.grad)


@pytest.mark.parametrize("balancer", ["equal", "uw_o", "fairgrad"])
def test_gradients_add_up_over_several_calls(network: Callable[..., Any], balancer: str) -> None:
    once, twice = network(), network()
    halves = (slice(0, 6), slice(6, 12))
    parts = []
    for half in halves:
        part = network()
        Balance(balancer, part.encoder, TASKS).backward(part.losses(rows=half))
        parts.append(part.gradients())
        Balance(balancer, twice.encoder, TASKS).backward(twice.losses(rows=half))
    torch.testing.assert_close(twice.gradients(), parts[0] + parts[1])
    Balance(balancer, once.encoder, TASKS).backward({t: 2 * loss for t, loss in once.losses().items()})
    if balancer == "equal":
        torch.testing.assert_close(twice.gradients(), once.gradients())


@pytest.mark.parametrize("balancer", ["equal", "cagrad"])
def test_frozen_and_unused_parameters_have_no_gradient(network: Callable[..., Any], balancer: str) -> None:
    own = network()
    own.encoder[0].requires_grad_(False)
    own.encoder.register_parameter("unused", nn.Parameter(torch.ones(3)))
    Balance(balancer, own.encoder, TASKS).backward(own.losses())
    assert own.encoder[0].weight.grad is None and own.encoder.unused.grad is None
    assert own.encoder[2].weight.grad.any()
    own.encoder.requires_grad_(False)
    with pytest.raises(UsageError, match="no parameter of `shared` requires a gradient"):
        Balance(balancer, own.encoder, TASKS).backward(own.losses())


def test_the_last_shared_layer_may_decide_for_all(network: Callable[..., Any], weighted: Callable[..., Tensor]) -> None:
    own, all_shared = network(), network()
    weights = Balance("mgda", own.encoder[2], TASKS).backward(own.losses())
    torch.testing.assert_close(torch.cat([p.grad.flatten() for p in own.encoder.parameters()]), weighted(weights))
    assert weights != Balance("mgda", all_shared.encoder, TASKS).backward(all_shared.losses())
    with pytest.raises(UsageError, match=r"shape \[6, 5\] is used by several tasks but is not in `shared`.*GradDrop"):
        Balance("graddrop", own.encoder[2], TASKS).backward(own.losses())


@pytest.mark.parametrize("balancer", ["equal", "fairgrad"])
def test_a_task_without_labels_in_this_batch_is_left_out(network: Callable[..., Any], balancer: str) -> None:
    own = network()
    balance = Balance(balancer, own.encoder, TASKS, watch_every=1)
    weights = balance.backward({**own.losses(), "depth": torch.tensor(torch.nan)})
    assert weights["depth"] == 0 and weights["seg"] > 0
    assert own.heads["depth"].weight.grad is None and own.heads["seg"].weight.grad.isfinite().all()
    signals = balance.signals()
    assert "depth/grad_norm" not in signals and "seg|depth/cosine" not in signals and "seg|normals/cosine" in signals
    nothing = Balance(balancer, own.encoder, TASKS).backward(dict.fromkeys(TASKS, torch.tensor(torch.nan)))
    assert set(nothing.values()) <= {0.0, 1 / 3}


@pytest.mark.parametrize("balancer", ["fairgrad", "pcgrad"])
def test_a_task_whose_gradient_is_nan_breaks_no_parameter(network: Callable[..., Any], balancer: str) -> None:
    own, without = network(), network()
    broken = own.losses()
    broken["depth"] = broken["depth"] + 0 * own.encoder(own.inputs).sub(own.encoder(own.inputs)).sum().sqrt()
    assert broken["depth"].isfinite()
    weights = Balance(balancer, own.encoder, TASKS).backward(broken)
    Balance(balancer, without.encoder, TASKS).backward({**without.losses(), "depth": torch.tensor(torch.nan)})
    assert weights["depth"] == 0
    torch.testing.assert_close(own.gradients(), without.gradients(), equal_nan=True)


def test_shared_is_a_module_or_parameters_or_several(network: Callable[..., Any]) -> None:
    gradients = []
    for pick in (
        lambda encoder: encoder,
        lambda encoder: [encoder[0], encoder[2]],
        lambda encoder: encoder.parameters(),
        lambda encoder: [encoder, encoder[0].weight],
    ):
        own = network()
        balance = Balance("cagrad", shared=pick(own.encoder), tasks=TASKS)
        for _ in range(2):  # a generator of parameters is gone through once only
            own.zero_grad()
            balance.backward(own.losses())
        gradients.append(own.gradients())
    for other in gradients[1:]:
        torch.testing.assert_close(other, gradients[0])


def test_nothing_of_the_callers_is_touched(network: Callable[..., Any]) -> None:
    own = network()
    state, dtype = torch.get_rng_state(), torch.get_default_dtype()
    balance = Balance("rgw", own.encoder, TASKS, seed=3)
    first = balance.backward(own.losses())
    assert torch.equal(torch.get_rng_state(), state) and torch.get_default_dtype() == dtype
    assert first != balance.backward(own.losses())
    assert first == Balance("rgw", own.encoder, TASKS, seed=3).backward(own.losses())
    torch.manual_seed(5)
    assert first == Balance("rgw", own.encoder, TASKS, seed=3).backward(own.losses())


def test_a_network_in_double_precision_stays_in_it(network: Callable[..., Any]) -> None:
    own = network()
    single = Balance("fairgrad", own.encoder, TASKS).backward(own.losses())
    own.double()
    own.zero_grad()
    own.inputs, own.targets = own.inputs.double(), {task: values.double() for task, values in own.targets.items()}
    weights = Balance("fairgrad", own.encoder, TASKS).backward(own.losses())
    assert own.encoder[0].weight.grad.dtype == torch.float64
    assert weights == pytest.approx(single, rel=1e-4) and weights != single


def test_no_more_than_one_tasks_gradients_lie_beside_the_rows(
    network: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = torch.autograd.grad
    returned: list[ref[Tensor]] = []

    def watched(*arguments: Any, **options: Any) -> Any:
        assert not [1 for reference in returned if reference() is not None]
        gradients = plain(*arguments, **options)
        returned.extend(ref(gradient) for gradient in gradients if gradient.ndim == 2 and len(gradient) == 6)
        return gradients

    monkeypatch.setattr(torch.autograd, "grad", watched)
    own = network()
    Balance("mgda", own.encoder, TASKS).backward(own.losses())
    assert len(returned) == 3


def test_signals_are_means_since_the_last_call(network: Callable[..., Any]) -> None:
    own = network()
    balance = Balance("uw_o", own.encoder, TASKS, watch_every=2)
    losses = []
    for _ in range(3):
        losses.append({task: float(loss.detach()) for task, loss in own.losses().items()})
        balance.backward(own.losses())
        with torch.no_grad():
            own.heads["seg"].weight.mul_(2)
    signals = balance.signals()
    assert list(signals)[:3] == ["seg/train_loss", "seg/grad_norm", "seg/weight"]
    assert signals["seg/train_loss"] == pytest.approx(sum(each["seg"] for each in losses) / 3)
    assert balance.signals() == {}


def test_gradients_are_looked_at_in_some_steps_of_every_epoch(network: Callable[..., Any]) -> None:
    own, looked = network(), []
    own.encoder[0].weight.register_hook(lambda gradient: looked.append(1))
    balance = Balance("equal", own.encoder, TASKS, watch_every=2)
    for _ in range(2):
        passes = []
        for _ in range(3):
            looked.clear()
            balance.backward(own.losses())
            passes.append(len(looked))
        assert passes == [4, 1, 4]
        assert "seg|depth/cosine" in balance.signals()
    never = Balance("equal", own.encoder, TASKS, watch_every=0)
    never.backward(own.losses())
    assert not any("cosine" in name for name in never.signals())


def test_signals_end_the_epoch(network: Callable[..., Any]) -> None:
    own = network()
    balance = Balance("dwa", own.encoder, TASKS)
    for step in range(3):
        weights = balance.backward(own.losses())
        assert (len(set(weights.values())) == 1) == (step < 2)
        balance.signals()
        with torch.no_grad():
            own.heads["seg"].weight.mul_(0.5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"normals": None}, "there is none of: normals .*for a batch without labels"),
        ({"edges": torch.ones(())}, "unknown: edges"),
        ({"depth": torch.ones(())}, "the loss of task 'depth' depends on no parameter"),
        ({"depth": torch.ones(2, requires_grad=True)}, r"the loss of task 'depth' is a tensor of shape \[2\]"),
        ({"depth": torch.ones((), requires_grad=True) * 2}, "the loss of task 'depth' does not depend on any shared"),
        ({"depth": 1.5}, "the loss of task 'depth' is a float"),
    ],
)
@pytest.mark.parametrize("balancer", ["equal", "mgda"])
def test_losses_that_cannot_be_balanced_are_refused_by_task(
    network: Callable[..., Any], balancer: str, change: Mapping[str, Any], message: str
) -> None:
    own = network()
    losses = {task: loss for task, loss in {**own.losses(), **change}.items() if loss is not None}
    with pytest.raises(UsageError, match=message):
        Balance(balancer, own.encoder, TASKS).backward(losses)
    assert own.gradients().isnan().all()


def test_losses_are_given_by_task(network: Callable[..., Any]) -> None:
    own = network()
    with pytest.raises(UsageError, match=r"losses are a Tensor; give a dictionary, such as \{'seg': loss"):
        Balance("equal", own.encoder, TASKS).backward(torch.ones(3))  # type: ignore[arg-type]


@pytest.mark.parametrize("balancer", ["famo", "uw_o", "gls", "go4align", "db_mtl", "stch", "log"])
def test_a_loss_that_is_not_positive_is_told_of_once_and_breaks_nothing(
    network: Callable[..., Any], balancer: str
) -> None:
    own = network()
    settings: dict[str, Any] = {"of": "mgda"} if balancer == "log" else {}
    balance = Balance(balancer, own.encoder, TASKS, **settings)
    optimiser = torch.optim.SGD(own.parameters(), lr=1e-9)

    def closure() -> dict[str, Tensor]:
        return {**own.losses(), "depth": own.losses()["depth"] - 1e3}

    with pytest.warns(
        UserWarning, match=f"balancer '{balancer}' takes losses to be positive, and that of 'depth' is -"
    ):
        balance.step(optimiser, closure)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            weights = balance.step(optimiser, closure)
    assert all(map(math.isfinite, weights.values())) and own.gradients().isfinite().all()
    assert all(part.isfinite().all() for part in balance.state_dict().values() if isinstance(part, Tensor))


@pytest.mark.parametrize("balancer", sorted(BALANCERS.keys() - {"fixed", "log", "cr_mogm", "torchjd", "pivrg"}))
def test_a_default_device_of_the_callers_changes_nothing(network: Callable[..., Any], balancer: str) -> None:
    own = network()
    with torch.device("meta"):
        balance = Balance(balancer, own.encoder, TASKS)
    several = 3 if Needs.SEVERAL_BATCHES in balance.balancer.needs else 1
    weights = balance.step(torch.optim.SGD(own.parameters(), lr=0.1), *[own.losses] * several)
    assert all(map(math.isfinite, weights.values()))


@pytest.mark.parametrize("balancer", ["equal", "fairgrad"])
def test_a_part_that_is_computed_again_on_the_way_back_has_the_same_gradients(
    network: Callable[..., Any], balancer: str
) -> None:
    own, plain = network(), network()
    seen = own.encoder[0](own.inputs)
    Balance(balancer, own.encoder, TASKS).backward(own.losses(checkpoint(own.encoder[1:], seen, use_reentrant=False)))
    Balance(balancer, plain.encoder, TASKS).backward(plain.losses())
    torch.testing.assert_close(own.gradients(), plain.gradients())
    hidden = checkpoint(own.encoder[1:], own.encoder[0](own.inputs), use_reentrant=True)
    with pytest.raises(UsageError, match="use_reentrant=False"):
        Balance(balancer, own.encoder, TASKS).backward(own.losses(hidden))


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        (("no", nn.Linear(1, 1), TASKS), {}, "no balancer 'no'; there are: equal"),
        (("cagrad", nn.Linear(1, 1), TASKS), {"a": 1}, "no setting 'a'"),
        (("cagrad", nn.ReLU(), TASKS), {}, "`shared` has no parameters"),
        (("cagrad", ["encoder"], TASKS), {}, "found a str"),
        (("cagrad", nn.Linear(1, 1), "seg"), {}, "tasks must be different names"),
        (("cagrad", nn.Linear(1, 1), ("a", "a")), {}, "tasks must be different names"),
        (("cagrad", nn.Linear(1, 1), TASKS), {"reduction": "max"}, "reduction must be one of sum, mean"),
        ((make_balancer("mgda"), nn.Linear(1, 1), TASKS), {"c": 1}, "has its settings already"),
        (("fixed", nn.Linear(1, 1), TASKS), {"weights": [1, 2]}, "2 fixed weights were given for 3 tasks"),
        (("fixed", nn.Linear(1, 1), TASKS), {"weights": "abc"}, "weights must be numbers, one per task; found 'abc'"),
        (("cagrad", nn.Linear(1, 1), TASKS), {"c": "high"}, "balancer 'cagrad': c is 'high'; it is a number, such as"),
        (
            ("cagrad", nn.Linear(1, 1), TASKS),
            {"watch_every": -1},
            "watch_every is -1; it is a whole number, at least 0",
        ),
        (("cagrad", nn.Linear(1, 1), TASKS), {"seed": None}, "seed is None; it is a whole number"),
        (("cagrad", nn.Linear(1, 1), TASKS), {"c": math.inf}, "balancer 'cagrad': c is inf; it is a number, such as"),
        (("uncertainty", nn.Linear(1, 1), TASKS), {"lr": math.nan}, "balancer 'uncertainty': lr is nan"),
        (("uncertainty", nn.Linear(1, 1), TASKS), {"lr": -1.0}, "lr is -1.0; it must not be negative"),
        (("cagrad", None, TASKS), {}, "shared must be a module, parameters, or several of them; found a NoneType"),
        (("cagrad", nn.Linear(1, 1), (1, 2)), {}, "tasks must be different names"),
        (("cagrad", nn.Linear(1, 1), None), {}, "tasks must be different names"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(
    arguments: tuple[Any, ...], settings: Mapping[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        Balance(*arguments, **settings)


def test_no_balancer_has_a_setting_that_balance_takes_for_itself() -> None:
    own = set(signature(Balance).parameters) - {"balancer", "settings"}
    for kind in BALANCERS.values():
        assert not own & set(signature(kind).parameters)


def test_the_public_name_is_loaded_when_it_is_used() -> None:
    assert mtl_runs.Balance is Balance and mtl_runs.__all__ == ["Balance"]
    with pytest.raises(AttributeError, match="no attribute 'Balanced'"):
        _ = mtl_runs.Balanced


def test_weights_may_be_given_by_the_names_of_the_tasks(network: Callable[..., Any]) -> None:
    named, ordered = network(), network()
    weights = dict(zip(reversed(TASKS), (3.0, 2.0, 1.0), strict=True))
    Balance("fixed", named.encoder, TASKS, weights=weights).backward(named.losses())
    Balance("fixed", ordered.encoder, TASKS, weights=(1.0, 2.0, 3.0)).backward(ordered.losses())
    torch.testing.assert_close(named.gradients(), ordered.gradients())
    with pytest.raises(UsageError, match="weights has numbers for seg, odd; the tasks are seg, depth, normals"):
        Balance("fixed", named.encoder, TASKS, weights={"seg": 1.0, "odd": 2.0})


def test_so_may_the_losses_that_tasks_are_compared_with(network: Callable[..., Any]) -> None:
    named, ordered = network(), network()
    losses = dict(zip(reversed(TASKS), (0.3, 0.2, 0.1), strict=True))
    Balance("pivrg", named.encoder, TASKS, reference=losses).backward(named.losses())
    Balance("pivrg", ordered.encoder, TASKS, reference=(0.1, 0.2, 0.3)).backward(ordered.losses())
    torch.testing.assert_close(named.gradients(), ordered.gradients())
    with pytest.raises(UsageError, match="reference has numbers for seg; the tasks are seg, depth, normals"):
        Balance("pivrg", named.encoder, TASKS, reference={"seg": 0.1})
    for wrong in ("abc", ["a", "b", "c"], None):
        with pytest.raises(UsageError, match="reference must be numbers, one per task; found"):
            Balance("pivrg", named.encoder, TASKS, reference=wrong)
