"""Numbers that stand for values that were not measured are told of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.readers.read import read_logs


@pytest.mark.parametrize(
    ("number", "cell", "told"),
    [
        ("0", lambda at: 0.0 if at % 5 else 1 / at, True),
        ("-1", lambda at: -1.0 if at % 5 else 1 / at, True),
        ("0", lambda at: 0.0 if at < 9 else at / 50, False),  # nothing is found at first
        ("0", lambda at: 0.0 if at in (1, 2, 7) else at / 50, False),
        ("0", lambda at: 0.0, False),
        ("0", lambda at: 0.0 if at in (3, 6, 7, 12) else 0.5, False),  # of few episodes none succeeds
    ],
)
def test_a_number_that_comes_again_between_others(
    tmp_path: Path, number: str, cell: Callable[[int], float], told: bool
) -> None:
    rows = "".join(
        f"r{run},{at},{0.1 * at + run},{(run + 1) * cell(at) if cell(at) > 0 else cell(at)}\n"
        for run in range(3)
        for at in range(1, 21)
    )
    (tmp_path / "a.csv").write_text(f"run,epoch,seg_miou,depth_err\n{rows}")
    notes = [note for note in read_logs(tmp_path / "a.csv").notes if "again and again" in note]
    expected = (
        f"{number} stands between other values of depth/err again and again; if it says that nothing was measured"
    )
    assert [note.startswith(expected) for note in notes] == [True] * told
