"""Tables in JSONL files: one JSON object per row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lcode.errors import InputError
from lcode.json_text import parse_json
from lcode.readers.formats.rows import counting_rows, rows_to_table
from lcode.readers.formats.rows_of_settings import with_settings_of_rows
from lcode.readers.packed import plain_name, unpacked
from lcode.readers.raw import RawTable, decoded
from lcode.readers.run_logs.log import is_run_log


class JsonlFormat:
    """Reads wide and long tables from `.jsonl` files that are not run logs, also compressed (`.jsonl.gz`)."""

    suffix = ".jsonl"

    def sniff(self, path: Path) -> bool:
        """Whether the file is of this format."""
        return plain_name(path).endswith(self.suffix) and not is_run_log(path)

    def load(self, path: Path) -> RawTable:
        """The cells of a JSONL file; null and absent keys are null, NaN is NaN.

        Raises:
            InputError: a line that is no flat JSON object.
        """
        text, odd = decoded(path, unpacked(path))
        unterminated = not text.endswith("\n")
        lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
        if not lines:
            raise InputError(
                "is empty; expected one JSON object per line, with run, epoch and a key per curve", path=path
            )
        rows: list[dict[str, Any]] = []
        notes = [*odd]
        for number, line in lines:
            try:
                row = parse_json(line)
            except ValueError as error:
                if number == lines[-1][0] and unterminated and rows:
                    notes.append(f"{path.name}: the last line is incomplete and was skipped.")
                    unterminated = False
                    break
                raise InputError(
                    f"is not JSON ({error}); write one object per line, or rename a CSV file to .csv",
                    path=path,
                    line=number,
                ) from error
            if not isinstance(row, dict):
                raise InputError(f"is not a JSON object but {line.strip()[:40]}", path=path, line=number)
            rows.append(row)
        if rows[0].get("type") == "header" and plain_name(path) != path.name.lower():
            raise InputError("is a compressed run log; unpack it", path=path)
        if rows[0].get("type") == "end" or (rows[0].get("type") == "epoch" and isinstance(rows[0].get("values"), dict)):
            raise InputError(
                "looks like a run log whose header line is missing; restore its first line", path=path, line=1
            )
        numbers: Sequence[int] = [number for number, _ in lines]
        below, numbers, set_by = with_settings_of_rows(path, rows, numbers[: len(rows)], "lines")
        kept, places, told = counting_rows(path, below, numbers, "lines")
        return rows_to_table(path, kept, places, unterminated=unterminated, notes=(*notes, *set_by, *told))
