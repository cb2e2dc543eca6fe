"""Tables as they lie in files: one module per format, each of which knows its files and hands over their cells."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from lcode.readers.formats.csv_file import CsvFormat
from lcode.readers.formats.excel_file import ExcelFormat
from lcode.readers.formats.json_file import JsonFormat
from lcode.readers.formats.jsonl_file import JsonlFormat
from lcode.readers.formats.parquet_file import ParquetFormat
from lcode.readers.formats.sqlite_file import SqliteFormat
from lcode.readers.formats.yaml_file import YamlFormat
from lcode.readers.raw import RawTable


class TableFormat(Protocol):
    """Loads the files of one format."""

    def sniff(self, path: Path) -> bool:
        """Whether the file is of this format."""

    def load(self, path: Path) -> RawTable:
        """The cells of the file; what its columns mean is settled later, for all formats alike.

        Raises:
            InputError: it is no such table; the message says where and how to mend it.
            MissingExtraError: a package is missing that reading takes; the message names the extra.
        """


FORMATS: dict[str, TableFormat] = {
    "csv": CsvFormat(),
    "parquet": ParquetFormat(),
    "jsonl": JsonlFormat(),
    "json": JsonFormat(),
    "yaml": YamlFormat(),
    "excel": ExcelFormat(),
    "sqlite": SqliteFormat(),
}
"""Table format by name. The first whose `sniff` says yes loads the file."""

__all__ = ["FORMATS", "TableFormat"]
