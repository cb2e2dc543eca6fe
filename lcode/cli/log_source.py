"""LOGS and the options that say how to read them: declared once, for every command that takes logs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer
from rich.markup import escape

from lcode.cli import options as opt
from lcode.cli.console import err, show_notes
from lcode.files import check_path

if TYPE_CHECKING:
    from lcode.readers import Choices
    from lcode.readers.raw import RawTable
    from lcode.table import Direction, RunTable

Globs = list[str] | None


@dataclass(frozen=True)
class LogSource:
    """The logs that a command was given, and how to read them."""

    logs: Annotated[
        Path,
        typer.Argument(
            metavar="LOGS",
            help="A log file, or a folder of logs of any supported tool, searched downwards.",
            show_default=False,
        ),
    ]
    graphs: opt.Graphs = None
    direction: opt.Directions = None
    horizon: opt.Horizon = None
    on_repeat: opt.Repeats = opt.OnRepeat.error
    rates: opt.Rates = opt.RateKind.plan
    only: Annotated[
        Globs, typer.Option(metavar="GLOB", help="Score only these task/metric (seg/*); the others are signals.")
    ] = None
    ignore: Annotated[Globs, typer.Option(metavar="GLOB", help="Leave out these columns (grad/*).")] = None
    map: Annotated[
        str | None,
        typer.Option(metavar="PATTERN", help="How names say task and metric: val/{task}_{metric}; others are signals."),
    ] = None
    epoch: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The column that counts the epochs; default: by its name.")
    ] = None
    config: Annotated[Globs, typer.Option(metavar="COLUMN", help="Columns that are hyper-parameters.")] = None
    mapping: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What `lcode inspect --save` wrote, instead of these options.")
    ] = None

    def choices(self) -> Choices:
        """What the user says of the columns: the mapping's, replaced by what the options say.

        Raises:
            InputError: the mapping cannot be read.
            UsageError: a pattern without a metric.
        """
        from lcode.readers import Choices

        known = Choices() if self.mapping is None else Choices.load(self.mapping)
        said: dict[str, Any] = {
            name: tuple(item.strip() for text in getattr(self, name) for item in text.split(",") if item.strip())
            for name in ("only", "ignore", "config")
            if getattr(self, name)
        }
        said |= {name: value for name in ("map", "epoch") if (value := getattr(self, name)) is not None}
        return replace(known, **said)

    def table(
        self,
        targets: list[str] | None = None,
        known: Mapping[str, Direction] | None = None,
        *,
        brief: bool = True,
        told: bool = True,
    ) -> RunTable:
        """Read the logs, and say on stderr what was understood.

        Args:
            targets: metrics that are to be forecast.
            known: directions that a model knows.
            brief: long lists are cut.
            told: False says nothing.
        """
        table = self.read(targets=targets, known=known)
        if told:
            self.tell(table, brief=brief)
        return table

    def read(
        self,
        rows: RawTable | None = None,
        *,
        targets: list[str] | None = None,
        known: Mapping[str, Direction] | None = None,
    ) -> RunTable:
        """Read the logs, or some rows of them, and say nothing; see `lcode.read_logs`."""
        from lcode.readers import read_logs

        return read_logs(
            self.logs,
            graphs=self.graphs,
            directions=opt.parse_directions(self.direction),
            targets=opt.parse_targets(targets),
            known=known,
            horizon=self.horizon,
            on_repeat=self.on_repeat.rule,
            rates=self.rates.rule,
            choices=self.choices(),
            rows=rows,
        )

    def tell(self, table: RunTable, *, brief: bool = True) -> None:
        """Say on stderr what was understood of the logs; `brief`: long lists are cut."""
        from lcode.report.understood import understood

        for line in understood(table, brief=brief):
            err.print(escape(line), highlight=False)
        show_notes(table.notes)


def reads_logs(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command, whose first parameter is a `LogSource`, LOGS and the options of one on the command line."""
    (_, *own) = inspect.signature(command).parameters.values()
    hints, of_source = get_type_hints(command, include_extras=True), get_type_hints(LogSource, include_extras=True)
    names = [field.name for field in fields(LogSource)]

    @wraps(command)
    def call(**values: Any) -> None:
        source = LogSource(**{name: values.pop(name) for name in names})
        check_path(source.logs)  # a wrong one is told before pandas and torch are loaded
        command(source, **values)

    keyword = inspect.Parameter.KEYWORD_ONLY
    given = [
        inspect.Parameter(f.name, keyword, annotation=of_source[f.name], default=_default(f.default))
        for f in fields(LogSource)
    ]
    mine = [parameter.replace(kind=keyword, annotation=hints[parameter.name]) for parameter in own]
    # LOGS, what the command is about, then how to read.
    call.__signature__ = inspect.Signature([given[0], *mine, *given[1:]])  # type: ignore[attr-defined]
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in [given[0], *mine, *given[1:]]}
    return call


def _default(value: Any) -> Any:

    return inspect.Parameter.empty if value is MISSING else value
