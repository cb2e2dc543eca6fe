"""Readers of training logs: tables, run logs, other tools' logs, all ending in a `RunTable`. No torch here."""

from lcode.readers.choices import Choices
from lcode.readers.rates import Rates
from lcode.readers.read import read_logs
from lcode.readers.repeats import OnRepeat

__all__ = ["Choices", "OnRepeat", "Rates", "read_logs"]
