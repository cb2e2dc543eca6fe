"""Options that several commands have, and what their texts mean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lcode.errors import UsageError

if TYPE_CHECKING:
    from mtl_runs.problems import Problem

Out = Annotated[Path, typer.Option(help="Folder of the run logs.")]
ProblemName = Annotated[
    str, typer.Option(help="Multi-task problem; `mtl-runs problems` lists them; or one of your own: my.py:make.")
]
Epochs = Annotated[int, typer.Option(min=1, help="Epochs of every run.")]
Seed = Annotated[int, typer.Option(min=0, help="Decides everything random.")]
Features = Annotated[
    bool,
    typer.Option(
        "--features",
        help="Also log every epoch how far tasks use different features, as <task>|<task>/disentanglement, 0..1.",
    ),
]
Device = Annotated[str, typer.Option(help="auto | cpu | cuda")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show the traceback of an error.")]


def device_of(name: str) -> str:
    """The device to train on; `auto` is a GPU where there is one."""
    if name == "cpu":
        return "cpu"
    import torch

    if name != "auto" and name.split(":")[0] != "cuda":
        raise UsageError(f"device must be auto, cpu or cuda; found '{name}'")
    if torch.cuda.is_available():
        return "cuda" if name == "auto" else name
    if name == "auto":
        return "cpu"
    raise UsageError("no CUDA device is available here; use --device cpu")


def names_of(text: str) -> tuple[str, ...]:
    """Names from `a,b`."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def balancers_of(text: str, *, drawn: bool = True) -> tuple[str, ...]:
    """Balancers from `a,b`, or all whose settings can be drawn.

    Args:
        text: what was given.
        drawn: whether the settings of balancers are drawn, as in a sample; in a population they are not.

    Raises:
        UsageError: there is no such balancer, or it needs a setting that it would not get.
    """
    from mtl_runs.balancers import BALANCERS, make_balancer
    from mtl_runs.sweeps.space import NOT_DRAWN

    if text == "all":
        return tuple(name for name in BALANCERS if name not in NOT_DRAWN)
    names = names_of(text)
    unknown = [name for name in names if name not in BALANCERS]
    if unknown or not names:
        raise UsageError(f"no balancer '{', '.join(unknown)}'; there are: {', '.join(BALANCERS)}")
    for name in names:
        if name == "fixed" and not drawn:
            raise UsageError(
                "--balancers fixed: the loss weights of a population are drawn, and exchanged, before its balancer; "
                "name equal, and it searches for fixed weights"
            )
        if drawn and name not in NOT_DRAWN:
            continue
        try:
            make_balancer(name)
        except UsageError as error:
            raise UsageError(
                f"--balancers: {error}, which a {'sweep' if drawn else 'population'} does not draw; name another one, "
                f"such as equal, or train single runs: mtl-runs train --balancer {name} --set …"
            ) from error
    return names


def archs_of(text: str, problem: Problem) -> tuple[str, ...]:
    """Architectures from `a,b`, each of which takes the problem's inputs and has its tasks.

    Raises:
        UsageError: none is named, or one is no architecture, or not for this problem.
    """
    import torch

    from mtl_runs.networks import OWN, make_network

    names = names_of(text)
    if not names:
        raise UsageError(f"--archs names no architecture, such as mlp-64x2; found '{text}'")
    for name in names:
        if name == OWN and problem.network is None:
            raise UsageError(
                f"--archs {OWN}: problem '{problem.name}' brings no network of its own; name another architecture, or "
                "let its function return Problem(…, network=…)"
            )
        if name != OWN:
            try:
                with torch.device("meta"):  # no memory for what may be large
                    make_network(name, problem.input_shape, problem.tasks)
            except UsageError as error:
                raise UsageError(f"--archs {name}: {error}") from error
    return names


def setting_of(text: str) -> tuple[str, Any]:
    """A balancer's setting from `name=value`; numbers become numbers, `a,b` a list of them."""
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"a setting is written name=value, such as c=0.4; found '{text}'")
    parts = [_number(part) for part in value.split(",")]
    return name, parts if len(parts) > 1 else parts[0]


def loss_weights_of(text: str | None, tasks: list[str]) -> list[float] | None:
    """One factor per task from `left=1,sum=0.1`; tasks that are not named have 1.

    Raises:
        UsageError: it is written otherwise, or names no task.
    """
    if text is None:
        return None
    if not all("=" in part for part in text.split(",")):
        raise UsageError(f"loss weights are written task=weight, such as {tasks[0]}=1,{tasks[-1]}=0.5; found '{text}'")
    given = dict(setting_of(part) for part in text.split(","))
    unknown = [name for name in given if name not in tasks]
    if unknown:
        raise UsageError(f"no task '{unknown[0]}'; there are: {', '.join(tasks)}")
    wrong = [name for name, weight in given.items() if not isinstance(weight, int | float) or not 0 <= weight < 1e9]
    if wrong:
        raise UsageError(f"the loss weight of '{wrong[0]}' must be a number of at least 0; found '{given[wrong[0]]}'")
    return [float(given.get(task, 1)) for task in tasks]


def only_one(names: tuple[str, ...], what: str) -> str:
    """The single name in an option of a population, whose members are alike in it.

    Raises:
        UsageError: there are several, or none.
    """
    if len(names) != 1:
        raise UsageError(
            f"the members of a population take each other's networks, so they have one {what}; "
            f"name one, not {len(names)} ({', '.join(names)}), or choose another engine"
        )
    return names[0]


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
