"""Forecasts of a Parquet table too long for memory: made and written block by block, from what all blocks may know."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lcode.cli.console import show_notes
from lcode.cli.log_source import LogSource
from lcode.cli.model_source import known_directions, loaded_model, told_model

if TYPE_CHECKING:
    from lcode.forecast import Forecast
    from lcode.forecasters.lcgode import LCGODEForecaster
    from lcode.readers.long_table import LongTable, Read


def long_table(source: LogSource) -> LongTable | None:
    """The logs as a table to be read in blocks; None where they are to be read whole."""
    from lcode.readers.long_table import LongTable, RunsApartError

    try:
        return LongTable.open(source.logs, source.choices())
    except RunsApartError as error:
        show_notes([f"{error}, and it is read by blocks, in little memory; as it is it is read whole."])
        return None


def long_forecasts(
    table: LongTable, source: LogSource, model: Path | None, device: str | None, full: bool
) -> tuple[int, Iterator[Forecast]]:
    """How many runs the table has, and their forecasts, some after the others; they are those of the table read whole.

    Args:
        table: the logs.
        source: how to read them.
        model: folder of a model; None: the shipped one, which knows some of the runs, see `known_runs`.
        device: of the model.
        full: whether every epoch is forecast.
    """
    from lcode.forecasters.known import known_runs

    forecaster = loaded_model(source, model, device)
    read = partial(source.read, known=known_directions(forecaster))
    outline = table.outline(read)
    source.tell(outline)
    if forecaster.learns_in_context:
        names = known_runs(outline, seed=forecaster.seed, at_least=forecaster.min_finished)
        forecaster = forecaster.in_context(table.select(names, read))
    told_model(forecaster, outline, model)
    return len(outline), _forecasts(table, forecaster, read, full)


def _forecasts(table: LongTable, forecaster: LCGODEForecaster, read: Read, full: bool) -> Iterator[Forecast]:
    for block in table.blocks(read):
        yield from forecaster.predict_in_blocks(block, "full" if full else "horizon")
