"""Parquet tables too long for memory, read by blocks of whole runs."""

from lcode.readers.long.table import LongTable, Read

__all__ = ["LongTable", "Read"]
