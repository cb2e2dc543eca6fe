"""Neptune's export: a row per value, and one without a step per parameter."""

from __future__ import annotations

from pathlib import Path

import pytest

from lcode.errors import InputError
from lcode.readers.read import read_logs

HEADER = "project_id,run_id,attribute_path,attribute_type,step,timestamp,int_value,float_value,string_value\n"


def _run(run: str, epochs: int, lr: float) -> str:
    text = "".join(
        f"w/p,{run},metrics/val/acc,float_series,{e}.000000,2031-02-03T04:05:06Z,,{e / (e + lr + 1)},\n"
        for e in range(1, epochs + 1)
    )
    text += f"w/p,{run},parameters/lr,float,,,,{lr},\nw/p,{run},parameters/net/kind,string,,,,,wide\n"
    return text + f"w/p,{run},parameters/epochs,int,,,9,,\nw/p,{run},sys/state,string,,,,,inactive\n"


def test_rows_without_a_step_are_settings(tmp_path: Path) -> None:
    (tmp_path / "export.csv").write_text(HEADER + _run("R-1", 9, 0.5) + _run("R-2", 4, 0.25))
    table = read_logs(tmp_path)
    assert table.runs["status"].to_dict() == {"R-1": "finished", "R-2": "running"}
    assert table.runs["horizon"].tolist() == [9, 9]
    assert table.configs["lr"].tolist() == [0.5, 0.25] and table.configs["net.kind"].tolist() == ["wide", "wide"]
    assert not any("state" in str(name) for name in table.configs)
    assert len(table.points) == 13 and [metric.key for metric in table.metrics] == ["metrics/val/acc"]


def test_parameters_alone_are_refused(tmp_path: Path) -> None:
    (tmp_path / "export.csv").write_text(f"{HEADER}w/p,R-1,parameters/lr,float,,,,0.5,\n")
    with pytest.raises(InputError):
        read_logs(tmp_path / "export.csv")


def test_a_table_of_ones_own_stays_one(tmp_path: Path) -> None:
    rows = "".join(f"a,val/acc,{e},0.{e}\n" for e in range(1, 5))
    (tmp_path / "log.csv").write_text(f"run_id,metric,step,value\n{rows}")
    reading = read_logs(tmp_path / "log.csv").reading
    assert reading is not None and "Neptune" not in reading.sources
