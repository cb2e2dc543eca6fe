"""`lcode bench`: forecasters measured beside each other, over benchmarks and logs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from lcode.cli import options as opt
from lcode.cli.console import err, out, show_notes, steps_progress
from lcode.errors import UsageError
from lcode.files import replacing


def bench(
    out_dir: Annotated[Path, typer.Option("--out", help="Folder of the results; a second call goes on.")],
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE",
            help="Benchmarks (cifar10_cnn, taskset/TASK), families of them (taskset, mtl_curves), or logs. Without "
            "one, the report of what is there is written anew.",
            show_default=False,
        ),
    ] = None,
    forecasters: Annotated[
        str, typer.Option(help="Comma-separated; an unknown name lists them.")
    ] = "lcode,last,drift,power,trees",
    prefixes: Annotated[
        str,
        typer.Option(
            help="How much is seen: epochs as 5e, shares of the horizon, or random: each run to an epoch of its own."
        ),
    ] = "1e,2e,5e,10e,0.1,0.2,0.4",
    train: Annotated[str, typer.Option(help="Runs to learn from: all, or numbers of them.")] = "all,30,10,0",
    seeds: Annotated[int, typer.Option(help="Number of random divisions.", min=1)] = 5,
    protocol: Annotated[
        str | None,
        typer.Option(
            help="by-run, siblings (with the family's other benchmarks), by-config or by-arch (multi-task corpus), "
            "by-schedule (learned from constant rates and cosines, tested on others); comma-separated. Default: "
            "by-run, or by-config where the shipped model was pretrained.",
            show_default=False,
        ),
    ] = None,
    reference: Annotated[
        str, typer.Option(help="Forecaster to hold the others against, or several: the first that took part.")
    ] = "trees,last",
    workers: Annotated[int, typer.Option(help="Processes, with one thread each.", min=1)] = 1,
    graphs: opt.Graphs = None,
    direction: opt.Directions = None,
    horizon: opt.Horizon = None,
    on_repeat: opt.Repeats = opt.OnRepeat.error,
    rates: opt.Rates = opt.RateKind.plan,
) -> None:
    """Measure forecasters: every source, number of finished runs and prefix, over several divisions of the runs.

    One fit serves all prefixes. Writes report.md, and results.parquet after each fit; the next call does the rest.
    """
    from lcode.evaluation.bench import (
        Prefix,
        Store,
        bench_markdown,
        bench_tables,
        entrants,
        failures,
        find_sources,
        run_bench,
        summarise,
    )

    found = find_sources(
        sources or [],
        graphs=graphs,
        directions=opt.parse_directions(direction),
        horizon=horizon,
        on_repeat=on_repeat.rule,
        rates=rates.rule,
    )
    if found:
        with steps_progress("bench") as progress:
            results, notes = run_bench(
                found,
                entrants(_names(forecasters)),
                out_dir,
                prefixes=[Prefix(label) for label in _names(prefixes)],
                trains=_names(train),
                seeds=seeds,
                protocols=_names(protocol) if protocol else None,
                workers=workers,
                progress=progress,
            )
        show_notes(notes)
    else:
        results = Store(out_dir).frame
    if results.empty:
        what = "nothing could be measured, for the reasons above" if found else "name a source, such as cifar10_cnn"
        raise UsageError(f"{out_dir} holds no results; {what}")
    sections, failed = summarise(results, _names(reference)), failures(results)
    path = out_dir / "report.md"
    with replacing(path) as file:
        file.write(bench_markdown(sections, failed).encode())
    groups = {source.group for source in found}
    shown = [s for s in sections if s.subset == "all" and (not groups or s.group in groups)]
    for table in bench_tables(shown):
        out.print(table)
    for text, count in failed.items():
        err.print(f"[yellow]failed[/] {count} times: {escape(text)}", highlight=False)
    err.print(f"all tables: {escape(str(path))}", highlight=False)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
