"""`lcode predict --out`: forecasts in a file, of a table too long for memory block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rich.markup import escape

from lcode.cli.console import check_output, err, show_notes, steps_progress, write_frames
from lcode.cli.log_source import LogSource
from lcode.cli.model_source import known_directions, loaded_model, model_and_table, told_model
from lcode.cli.parts_beside import PartsBeside
from lcode.files import refusals

if TYPE_CHECKING:
    import pandas as pd

    from lcode.forecast import Forecast
    from lcode.readers.long import LongTable


@dataclass(frozen=True)
class ForecastFile:
    """What is forecast, and into which file.

    Attributes:
        path: of the file, CSV or Parquet.
        source: the logs.
        model: folder of a model; None: the shipped one.
        device: of the model; None: as there is.
        at: the horizon alone, or every epoch.
    """

    path: Path
    source: LogSource
    model: Path | None
    device: str | None
    at: Literal["horizon", "full"]

    def write(self) -> None:
        """Forecast every run, and write the file; a long table is read, forecast and written by blocks.

        Raises:
            LcodeError: the logs or the model cannot be read, or the file cannot be written.
        """
        check_output(self.path, ".csv", ".parquet", logs=self.source.logs)
        with PartsBeside(self.path) as parts:
            with refusals(parts.folder):
                from lcode.readers.long import LongTable

                long = LongTable.open(self.source.logs, self.source.choices(), parts.scratch)
            count = self._at_once() if long is None else self._by_blocks(long, parts)
        err.print(f"forecasts of {count} runs written to {escape(str(self.path))}", highlight=False)

    def _at_once(self) -> int:
        """Number of runs, after all were forecast."""
        forecaster, table = model_and_table(self.source, self.model, self.device)
        with _as_frames(len(table)) as frames:
            write_frames(frames(forecaster.predict_in_blocks(table, self.at), 0), self.path)
        return len(table)

    def _by_blocks(self, table: LongTable, parts: PartsBeside) -> int:
        """The same of a long table; the forecasts are those of the table read at once, see `known_runs`."""
        from lcode.forecasters.known import known_runs

        loaded = forecaster = loaded_model(self.source, self.model, self.device)
        read = partial(self.source.read, known=known_directions(forecaster))
        outline = table.outline(read)
        self.source.tell(outline)
        if forecaster.learns_in_context:
            names = known_runs(outline, seed=forecaster.seed, at_least=forecaster.min_finished)
            forecaster = forecaster.in_context(table.select(names, read))
        told_model(loaded, forecaster, outline)
        parts.begin([self.model, self.device, self.at, *(getattr(self.source, f.name) for f in fields(self.source))])
        there = f"{parts.count} of them are there from an earlier call, and " if parts.count else ""
        show_notes([f"forecasts are made in blocks of runs: {there}if this call is interrupted, the same one goes on."])
        runs = outline.run_ids
        with _as_frames(len(outline)) as frames:
            for block in table.blocks(read, after=parts.count):
                done = runs.index(block.run_ids[0])
                parts.add(frames(forecaster.predict_in_blocks(block, self.at), done))
            parts.finish()
        return len(outline)


_Frames = Callable[[Iterator["Forecast"], int], Iterator["pd.DataFrame"]]


@contextmanager
def _as_frames(count: int) -> Iterator[_Frames]:
    """Yield what makes tables of forecasts of some runs after the others and shows how far they are.

    It takes the forecasts and how many of all `count` runs stand before the first; their remarks are shown at the end.
    """
    notes: dict[str, None] = {}
    with steps_progress("forecasting") as progress:

        def frames(forecasts: Iterator[Forecast], done: int) -> Iterator[pd.DataFrame]:
            for forecast in forecasts:
                notes.update(dict.fromkeys(forecast.notes))
                done += len(forecast.run_ids)
                yield forecast.to_frame()
                progress(done, count, f"{done} of {count} runs")

        yield frames
    show_notes(list(notes))
