"""Contracts that tests share; shipped, so that whoever extends the package can run them. No torch, no pytest."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet


@dataclass(frozen=True)
class BadInput:
    """Logs that must be refused with a message that names the place and the remedy.

    Attributes:
        name: what is wrong with them.
        files: content by path relative to an empty folder.
        logs: the path to hand to the reader, relative to that folder; `.` is the folder itself.
        expect: texts that the message must contain.
    """

    name: str
    files: Mapping[str, str | bytes]
    logs: str
    expect: tuple[str, ...]

    def write(self, folder: Path) -> Path:
        """Write the files into the folder and return the path to read."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return folder / self.logs


def _one(name: str, file: str, content: str | bytes, *expect: str) -> BadInput:
    return BadInput(name, {file: content}, file, (file, *expect))


_HEADER = (
    '{"type":"header","version":1,"run":"a","horizon":3,'
    '"metrics":[{"task":"seg","name":"miou","direction":"max"}],"config":{"lr":0.1}}\n'
)
_EPOCH = '{"type":"epoch","epoch":1,"values":{"seg/miou":0.5}}\n'
_WIDE = "run,epoch,seg/miou\na,1,0.5\na,2,0.6\n"


@cache
def _parquet(rows: int) -> bytes:
    buffer = io.BytesIO()
    table = pa.table({"run": ["a"] * rows, "epoch": list(range(rows)), "seg/miou": ["0.5"] * (rows - 1) + ["x"]})
    parquet.write_table(table, buffer)
    return buffer.getvalue()


def bad_inputs() -> list[BadInput]:
    """Cases for every reader and for the command line, which must exit with status 2."""
    return [
        # Files that are no table at all.
        BadInput("missing file", {}, "runs.csv", ("runs.csv", "no such file", "check the path")),
        BadInput("empty folder", {"logs/notes.md": "x"}, "logs", ("logs", "holds no logs", "notes.md", ".parquet")),
        BadInput(
            "mixed folder",
            {"a.csv": _WIDE, "b.parquet": _parquet(2)},
            ".",
            ("several formats", "a.csv", "b.parquet", "move one"),
        ),
        BadInput(
            "run in two files with other curves",
            {"one.csv": _WIDE, "two.csv": _WIDE.replace("miou", "err")},
            ".",
            ("one.csv", "two.csv", "'a'", "seg/err only in", "rename its runs"),
        ),
        BadInput(
            "run in two files with another configuration",
            {"one.csv": "run,epoch,acc,config.lr\na,1,0.5,0.1\n", "two.csv": "run,epoch,acc,config.lr\na,2,0.6,0.2\n"},
            ".",
            ("two.csv", "line 2 of ", "one.csv", "column 'config.lr'", "run 'a' has '0.2' here and '0.1'", "constant"),
        ),
        BadInput(
            "epochs in two files",
            {"one.csv": "run,epoch,acc\na,1,0.5\na,2,0.6\n", "two.csv": "run,epoch,acc\na,2,0.7\n"},
            ".",
            ("two.csv", "line 2", "0.7 at epoch 2 here, but 0.6 on line 3 of ", "one.csv", "--on-repeat last"),
        ),
        _one("empty file", "runs.csv", "", "is empty", "header line"),
        _one("empty jsonl", "runs.jsonl", "", "is empty", "one JSON object per line"),
        _one("empty parquet", "runs.parquet", b"", "no Parquet file", "write it again"),
        _one("header only", "runs.csv", "run,epoch,seg/miou\n", "no rows", "add one row"),
        _one("unknown ending", "runs.foo", _WIDE, "no known format", ".csv, .parquet or .jsonl"),
        _one("binary junk", "runs.csv", b"run,epoch\0\xff\x00\x01", "zero bytes", "UTF-8"),
        _one("truncated parquet", "runs.parquet", _parquet(9)[:-20], "damaged or incomplete", "write it again"),
        _one("csv named parquet", "runs.parquet", _WIDE, "no Parquet file", "ending"),
        _one("parquet named csv", "runs.csv", _parquet(2), "is a Parquet file", "rename it to .parquet"),
        _one("csv named jsonl", "runs.jsonl", _WIDE, "line 1", "not JSON", "rename a CSV file to .csv"),
        _one("json named csv", "runs.csv", '{"run":"a"}\n', "line 1", "rename it to .jsonl"),
        _one("unending quote", "runs.csv", _WIDE + 'a,"3,0.7\n', "line 4", "cells", "header has 3"),
        _one("no values", "runs.csv", "run,epoch,acc,lr\na,1,,0.1\n", "no curve holds a value"),
        # Columns.
        _one("no epoch column", "runs.csv", "run,seg,acc\na,1,1\n", "no column counts", "run, seg, acc", "--epoch"),
        _one("mixed separators", "runs.csv", "run;epoch;acc\na,1,1\na,2,1\n", "line 2", "1 cells", "semicolons"),
        _one("no compressed file", "runs.csv.gz", _WIDE, "runs.csv.gz", "compress it again"),
        _one("no curve", "runs.csv", "run,epoch,lr\na,1,1\n", "no column holds a curve", "task/metric"),
        _one("column twice", "runs.csv", "run,epoch,acc,acc\na,1,1,1\n", "line 1", "column 'acc'", "rename or remove"),
        _one(
            "curve twice", "runs.csv", "run,epoch,acc,main/acc\na,1,1,1\n", "column 'main/acc'", "same curve", "remove"
        ),
        _one("ragged row", "runs.csv", _WIDE + "a,3\na,4,0.8\n", "line 4", "2 cells", "has 3", "commas"),
        _one("long cell row", "runs.csv", _WIDE + "\na,3,0.7,0.8\na,4,0.9\n", "line 5", "4 cells", "has 3"),
        _one(
            "unknown direction", "runs.csv", "run,epoch,seg/foo\na,1,1\n", "column 'seg/foo'", "--direction seg/foo=max"
        ),
        _one("long without value", "runs.csv", "run,epoch,task,metric\na,1,seg,miou\n", "no column 'value'", "add"),
        _one(
            "extra column in a long table",
            "runs.csv",
            "run,epoch,metric,value,flavour\na,1,acc,1,1\na,2,acc,1,3\na,3,acc,1,2\n",
            "column 'flavour'",
            "'config.flavour'",
        ),
        # Cells.
        _one(
            "bad cell", "runs.csv", _WIDE + "a,3,abc\n", "line 4", "column 'seg/miou'", "'abc'", "leave the cell empty"
        ),
        _one("bad parquet cell", "runs.parquet", _parquet(3), "line 3", "column 'seg/miou'", "'x' is not a number"),
        _one(
            "bad jsonl cell",
            "runs.jsonl",
            '{"run":"a","epoch":1,"acc":0.5}\n\n{"run":"a","epoch":2,"acc":"high"}\n',
            "line 3",
            "column 'acc'",
            "'high' is not a number",
            "config.acc",
        ),
        _one(
            "bad long cell",
            "runs.csv",
            "run,epoch,task,metric,value\na,1,seg,miou,?\n",
            "line 2",
            "column 'value'",
            "'?' is not a number",
            "leave the cell empty",
        ),
        _one(
            "value without metric",
            "runs.csv",
            "run,epoch,metric,value\na,1,,1\n",
            "line 2",
            "column 'metric'",
            "name the",
        ),
        _one("run missing", "runs.csv", _WIDE + ",3,0.7\n", "line 4", "column 'run'", "name the run"),
        _one(
            "epochs without a common step",
            "runs.csv",
            "run,epoch,acc\na,0.1234567,1\na,0.1234568,1\n",
            "column 'epoch'",
            "common step",
            "count in steps",
        ),
        _one("negative epoch", "runs.csv", "run,epoch,acc\na,-1,1\n", "line 2", "'-1'", "whole numbers"),
        _one(
            "textual epoch",
            "runs.csv",
            "run,epoch,acc\na,abc,1\n",
            "line 2",
            "column 'epoch'",
            "'abc'",
            "whole numbers",
        ),
        _one("NaN epoch", "runs.csv", "run,epoch,acc\na,nan,1\n", "line 2", "'nan'", "whole numbers"),
        _one("empty epoch", "runs.csv", "run,epoch,acc\na,,1\n", "line 2", "cell is empty", "whole numbers"),
        _one("time stamp epoch", "runs.csv", "run,epoch,acc\na,1700000000000,1\n", "line 2", "not an epoch"),
        _one(
            "conflicting duplicates",
            "runs.csv",
            _WIDE + "a,1,0.7\n",
            "line 4",
            "column 'seg/miou'",
            "0.7",
            "0.5 on line 2",
            "--on-repeat last",
            "remove one",
        ),
        _one(
            "conflicting long duplicates",
            "runs.csv",
            "run,epoch,metric,value\na,1,acc,1\na,1,acc,2\n",
            "line 3",
            "acc = 2",
            "1 on line 2",
            "remove one",
        ),
        _one(
            "unknown status",
            "runs.csv",
            "run,epoch,acc,status\na,1,1,done\n",
            "line 2",
            "column 'status'",
            "'done'",
            "running, finished, failed, stopped",
        ),
        _one(
            "two statuses",
            "runs.csv",
            "run,epoch,acc,status\na,1,1,running\na,2,1,finished\n",
            "line 3",
            "'finished' here and 'running' on line 2",
            "constant within a run",
        ),
        _one(
            "bad horizon", "runs.csv", "run,epoch,acc,horizon\na,1,1,0\n", "line 2", "column 'horizon'", "whole number"
        ),
        _one(
            "config changes",
            "runs.csv",
            "run,epoch,acc,config.width\nb,1,1,8\na,1,1,8\na,2,1,16\n",
            "line 4",
            "column 'config.width'",
            "run 'a'",
            "'16' here and '8' on line 3",
            "constant within a run",
        ),
        _one("nested jsonl", "runs.jsonl", '{"run":"a","epoch":1,"seg":[1]}\n', "line 1", "column 'seg'", "list"),
        _one("jsonl of lists", "runs.jsonl", '{"run":"a","epoch":1,"acc":1}\n[1,2]\n', "line 2", "not a JSON object"),
        # Run logs.
        _one("run log without header", "a.jsonl", _EPOCH, "line 1", "header line is missing", "restore"),
        _one("newer run log", "a.jsonl", _HEADER.replace(":1,", ":9,", 1), "line 1", "version 9", "upgrade"),
        _one(
            "run log without horizon",
            "a.jsonl",
            _HEADER.replace("horizon", "h"),
            "line 1",
            "column 'horizon'",
            "whole number",
        ),
        _one(
            "run log with a bad direction",
            "a.jsonl",
            _HEADER.replace('"max"', '"up"'),
            "line 1",
            "metrics",
            '"min" or "max"',
        ),
        _one(
            "broken line in a run log",
            "a.jsonl",
            _HEADER + '{"type":"ep\n' + _EPOCH,
            "line 2",
            "not JSON",
            "mend or remove",
        ),
        _one("unknown line in a run log", "a.jsonl", _HEADER + '{"type":"note"}\n', "line 2", "'epoch' or 'end'"),
        _one(
            "unknown metric in a run log",
            "a.jsonl",
            _HEADER + _EPOCH.replace("miou", "acc"),
            "line 2",
            "seg/acc",
            "add it",
        ),
        _one(
            "text in a run log", "a.jsonl", _HEADER + _EPOCH.replace("0.5", '"x"'), "line 2", "seg/miou", "write null"
        ),
        _one(
            "bad epoch in a run log",
            "a.jsonl",
            _HEADER + _EPOCH.replace(":1,", ":1.5,"),
            "line 2",
            "1.5",
            "whole numbers",
        ),
        _one(
            "conflicting epochs in a run log",
            "a.jsonl",
            _HEADER + _EPOCH + _EPOCH.replace("0.5", "0.6"),
            "line 3",
            "0.6 here, but 0.5 on line 2",
            "--on-repeat last",
            "remove one",
        ),
        _one(
            "bad status in a run log",
            "a.jsonl",
            _HEADER + '{"type":"end","status":"done"}\n',
            "line 2",
            "'done'",
            "finished",
        ),
        _one(
            "run log with a bad schedule",
            "a.jsonl",
            _HEADER[:-2] + ',"schedule":"cosine"}\n',
            "line 1",
            "column 'schedule'",
            "list of learning rates",
        ),
        _one(
            "run log with a short schedule",
            "a.jsonl",
            _HEADER[:-2] + ',"schedule":[0.1]}\n',
            "line 1",
            "each of the 3 epochs, not for 1",
            "correct the header",
        ),
        _one("two headers", "a.jsonl", _HEADER + _HEADER, "line 2", "second header", "log of their own"),
        BadInput(
            "two logs of one run with another configuration",
            {"logs/a.jsonl": _HEADER, "logs/b.jsonl": _HEADER.replace('"lr":0.1', '"lr":0.2')},
            "logs",
            ("b.jsonl", "a.jsonl", "run 'a'", "'config'", "correct one of the headers"),
        ),
        BadInput(
            "disagreeing run logs",
            {"logs/a.jsonl": _HEADER, "logs/b.jsonl": _HEADER.replace('"a"', '"b"').replace('"max"', '"min"')},
            "logs",
            ("b.jsonl", "a.jsonl", "seg/miou", "correct one"),
        ),
        BadInput(
            "run logs beside a table",
            {"logs/a.jsonl": _HEADER, "logs/b.jsonl": '{"run":"b","epoch":1,"acc":1}\n'},
            "logs",
            ("b.jsonl", "a.jsonl", "move it elsewhere"),
        ),
        _one(
            "cyclic graph in a run log",
            "a.jsonl",
            _HEADER[:-2] + ',"graph":{"nodes":[{"op":"x"},{"op":"y"}],"edges":[[0,1],[1,0]]}}\n',
            "cycle",
        ),
    ]
