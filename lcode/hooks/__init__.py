"""The live side: what a training loop talks to. Importing it loads no torch."""

from lcode.hooks.monitor import Monitor

__all__ = ["Monitor"]
