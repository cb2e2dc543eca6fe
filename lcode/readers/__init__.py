"""Readers of training logs: one file per format, all ending in a `RunTable`. No torch here."""

from lcode.readers.read import READERS, Reader, read_logs

__all__ = ["READERS", "Reader", "read_logs"]
