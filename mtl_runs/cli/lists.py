"""`mtl-runs problems`, `balancers`, `architectures`: what there is to choose from."""

from __future__ import annotations

import typer

from mtl_runs.cli.options import Verbose


def problems(verbose: Verbose = False) -> None:
    """List the multi-task problems."""
    from lcode.errors import DataNotFoundError
    from mtl_runs.problems import FOLDERS, FORM, PROBLEMS, make_problem

    for name in PROBLEMS:
        try:
            made = make_problem(name)
        except DataNotFoundError as error:
            typer.echo(f"{name}: {error}")
            continue
        metrics = ", ".join(f"{metric.key} ({metric.direction})" for metric in made.metrics)
        sizes = f"{len(made.train)} / {len(made.validation)} / {len(made.test)} samples"
        typer.echo(f"{name}: {metrics}; {sizes} to train / validate / test")
    for kind, maker in FOLDERS.items():
        typer.echo(f"{kind}:FOLDER: {(maker.__doc__ or '').splitlines()[0]}")
    typer.echo(f"{FORM}: a problem, and perhaps a network, of your own; FUNCTION returns a mtl_runs.problems.Problem")


def balancers(verbose: Verbose = False) -> None:
    """List the balancers with their settings."""
    from inspect import getdoc, signature

    from mtl_runs.balancers import BALANCERS

    for name, kind in BALANCERS.items():
        settings = [
            str(p).split(":")[0] + ("" if p.default is p.empty else f"={p.default}")
            for p in signature(kind).parameters.values()
        ]
        typer.echo(f"{name}({', '.join(settings)})\n    {(getdoc(kind) or '').splitlines()[0]}")
    typer.echo(
        "\nAround any of them (`mtl-runs train --help`): flat minima (--flat-radius), an automatic learning rate "
        "(--auto-lr), COST (--teleport-from)"
    )


def architectures(verbose: Verbose = False) -> None:
    """List the families of architectures with the form of their names."""
    from mtl_runs.networks import FAMILIES, OWN

    for family in FAMILIES.values():
        typer.echo(f"{family.form}\n    {family.description}")
    typer.echo(f"{OWN}\n    the network that a problem of your own brings (--problem my.py:make); trained one by one")
