"""Run logs: one append-only JSONL file per run, as `lcode.table.runlog` writes them."""

from lcode.readers.run_logs.reader import RunLogReader

RUN_LOG = "run-log"
"""What run logs are called among the formats of files."""

__all__ = ["RUN_LOG", "RunLogReader"]
