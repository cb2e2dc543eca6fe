"""Readers of training logs: one file per format, all ending in a `RunTable`. No torch here."""

from lcode.readers.choices import Choices
from lcode.readers.rates import Rates
from lcode.readers.read import READERS, Reader, read_logs
from lcode.readers.repeats import OnRepeat

__all__ = ["READERS", "Choices", "OnRepeat", "Rates", "Reader", "read_logs"]
