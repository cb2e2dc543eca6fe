"""What was found, for people: one self-contained HTML page, tables for the terminal. No torch here.

Rich is imported with `lcode.report.terminal`.
"""

from lcode.report.advice import Headline, headline
from lcode.report.html import write_report
from lcode.report.packed import page_epochs
from lcode.report.trusted import Trust

__all__ = ["Headline", "Trust", "headline", "page_epochs", "write_report"]
