"""Shares of surface normals, which programs name by the angle alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

LINES = [
    "Epoch {e}/9\n[val] seg: mIoU {s}, pixAcc {s} | depth: absErr {m}, relErr {m} | "
    "normals: mean {m}, median {m}, 11.25 {s}, 22.5 {s}, 30 {s}\n",
    "Evaluate at epoch {e}:\n{{'seg': {{'mIoU': {s}, "
    "'jaccards_all_categs': [{s}, 0.5, 0.25]}}, 'depth': {{'rmse': {m}}}"
    ", 'normals': {{'mean': {m}, 'rmse': {m}, '11.25': {s}, '22.5': {s}, '30': {s}, 'median': {m}}}}}\n",
]


@pytest.mark.parametrize("line", LINES)
def test_they_are_of_the_task_that_names_them(
    tmp_path: Path, line: str, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    (tmp_path / "one.log").write_text("".join(line.format(e=e, s=e / 10, m=e + 20.5) for e in (1, 2, 3, 4)))
    found = {key.removeprefix("one "): values for key, values in scored(tmp_path / "one.log").items()}
    for key in ("mean", "median"):
        assert found[f"normals/{key} min"] == [21.5, 22.5, 23.5, 24.5]
    for key in ("11.25", "22.5", "30"):
        assert found[f"normals/within_{key} max"] == [0.1, 0.2, 0.3, 0.4]
    assert not any("jaccards" in key for key in found)  # of classes, beside their mean


def test_other_numbers_are_no_names(tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    text = "".join(f"epoch {e} mean loss 11.25 acc 0.{e} lr 22.5 0.1\n" for e in (1, 2, 3, 4))
    (tmp_path / "one.log").write_text(text)
    assert list(scored(tmp_path / "one.log")) == ["one mean_loss min", "one acc max"]
