"""Readers of training logs: tables, run logs, other tools' logs, all ending in a `RunTable`. No torch here."""

from lcode.readers.choices import Choices
from lcode.readers.read import read_logs
from lcode.readers.runs.repeats import OnRepeat
from lcode.readers.understanding.rates import Rates

__all__ = ["Choices", "OnRepeat", "Rates", "read_logs"]
