"""Run logs: one append-only JSONL file per run, as `lcode.table.runlog` writes them."""

from lcode.readers.run_logs.reader import RunLogReader

__all__ = ["RunLogReader"]
