"""A line of names above a line of their numbers, among what else a program prints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

VALUES = (0.25, 0.5, 0.625, 0.75)

Scored = Callable[[Path], dict[str, list[float]]]


def test_of_bts_whose_lines_count_steps_in_brackets(tmp_path: Path, scored: Scored) -> None:
    text = ""
    for at, value in enumerate(VALUES, start=1):
        text += f"[epoch][s/s_per_e/gs]: [{at // 2}][{at % 2}/1000/{at}500], lr: 0.000100000000, loss: 9.{at}\n"
        text += "Computing errors for 697 eval samples , post_process:  True\n"
        text += f"  silog, abs_rel,  log10,     d1,     d2,     d3\n{10 - value}, {value}, 0.1, {value}, 0.8, 0.9\n"
    (tmp_path / "train.log").write_text(text)
    found = scored(tmp_path / "train.log")
    assert found["train silog min"] == [10 - value for value in VALUES]
    assert found["train abs_rel min"] == found["train delta_1 max"] == [*VALUES]
    assert len(found) == 6 and not any("loss" in name for name in found)


def test_of_monodepth_whose_numbers_are_those_of_a_table_in_latex(tmp_path: Path, scored: Scored) -> None:
    text = "".join(
        f"epoch   {at} | lr 0.00010 | train loss: 9.{at}\n\n   abs_rel |   sq_rel |     rmse | rmse_log |       a1 | \n"
        f"&   {value}  &   {value}  &   7.801  &   0.291  &   {value}  \\\\\n\n-> Done!\n"
        for at, value in enumerate(VALUES)
    )
    (tmp_path / "run.log").write_text(text)
    found = scored(tmp_path / "run.log")
    assert {*found} == {f"run {key}" for key in ("abs_rel min", "sq_rel min", "rmse min", "rmse_log min", "a1 max")}
    assert found["run sq_rel min"] == [*VALUES]


def test_rows_of_which_nothing_says_what_they_are_tell_nothing(tmp_path: Path, scored: Scored) -> None:
    text = "".join(
        f"epoch {at} val_loss {value}\nabs_rel, sq_rel, rmse\n0.1, 0.2, 0.3\n0.2, 0.3, 0.4\n"
        for at, value in enumerate(VALUES)
    )
    (tmp_path / "run.log").write_text(text)
    assert [*scored(tmp_path / "run.log")] == ["run val_loss min"]
