"""Two calls never write parts of one output at once; a call is known again by what it reads, not by what it writes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from lcode.cli.parts_beside import PartsBeside
from lcode.errors import UsageError

FRAME = pd.DataFrame({"run": ["a"], "mean": [0.5]})


def test_another_call_is_refused_and_leaves_the_first_alone(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    output = tmp_path / "out.csv"
    with PartsBeside(output) as parts:
        parts.scratch.mkdir()
        with pytest.raises(UsageError, match=r"another call is writing .*out\.csv; wait for it"), PartsBeside(output):
            pass
        assert parts.scratch.is_dir()
        parts.begin(["options"])
        parts.add(iter([FRAME]))
        parts.finish()
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_a_call_that_writes_into_the_folder_of_its_logs_goes_on(tmp_path: Path) -> None:
    FRAME.to_parquet(tmp_path / "part-0.parquet")
    for there in (0, 1, 2):
        with PartsBeside(tmp_path / "out.csv") as parts:
            parts.begin([tmp_path])
            assert parts.count == there
            parts.add(iter([FRAME]))
