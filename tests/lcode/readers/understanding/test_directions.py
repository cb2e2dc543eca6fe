"""Directions that the names of other curves tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from lcode.errors import InputError
from lcode.readers.read import read_logs
from lcode.table.direction import Direction
from lcode.table.metric import infer_direction


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("Total,Rec,KL", {"Total": "min", "Rec": "min", "KL": "min"}),
        ("Total,Rec,acc", {"acc": "max"}),  # a number of samples, and a recall, perhaps
        ("pos_err,neg_err", {"pos_err": "min", "neg_err": "min"}),
        ("neg_err,acc", {"acc": "max"}),
        ("acc_d1,acc_d2", {"acc_d1": "max", "acc_d2": "max"}),
    ],
)
def test_curves_of_one_kind_and_terms_of_a_sum_share_their_direction(
    tmp_path: Path, names: str, expected: dict[str, Direction]
) -> None:
    columns = len(names.split(","))
    rows = "".join(f"{at}{f',{1 / at:.3f}' * columns}\n" for at in (1, 2, 3, 4))
    (tmp_path / "a.csv").write_text(f"epoch,{names}\n{rows}")
    table = read_logs(tmp_path / "a.csv")
    assert {metric.key.replace("/", "_"): metric.direction for metric in table.metrics} == expected


def test_all_names_that_say_no_direction_are_told_at_once_as_a_shell_takes_them(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("run,epoch,val_loss,my quality,zzz\na,1,0.5,1,2\na,2,0.4,3,4\n")
    with pytest.raises(InputError, match="cannot tell") as caught:
        read_logs(tmp_path / "a.csv")
    told = str(caught.value)
    assert "nor of zzz" in told and "--direction 'my quality=max'" in told and "--ignore 'my quality'" in told


@pytest.mark.parametrize("name", ["energy MAE (meV/atom)", "force RMSE [eV/A]", "val_RMSE (m/s)"])
def test_a_unit_with_a_slash_is_none_of_the_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.csv").write_text(f"run,epoch,{name}\na,1,0.5\na,2,0.4\n")
    (metric,) = read_logs(tmp_path / "a.csv").metrics
    assert metric.direction == "min" and "/" not in metric.name


def test_what_two_fields_mean_otherwise_is_asked_for() -> None:
    assert (
        infer_direction("MR@2") is None
    )  # the miss rate of a forecast of paths, or the mean recall of a graph's edges
    assert infer_direction("miss_rate@2") == "min"


@pytest.mark.parametrize(
    ("runs", "rising", "stated", "expected"),
    [
        (3, 0, {}, "min"),
        (2, 0, {}, "max"),  # too few to say so
        (12, 1, {}, "min"),
        (5, 1, {}, "max"),
        (3, 0, {"Score": "max"}, "max"),
    ],
)
def test_what_is_called_a_score_and_falls_in_nearly_all_runs_is_an_error(
    tmp_path: Path, runs: int, rising: int, stated: dict[str, Direction], expected: Direction
) -> None:
    rows = "".join(
        f"r{run},{at},{at if run < rising else 9 - at + run},0.{at}\n" for run in range(runs) for at in (1, 2, 3, 4)
    )
    (tmp_path / "a.csv").write_text(f"run,epoch,Score,acc\n{rows}")
    table = read_logs(tmp_path / "a.csv", directions=stated)
    assert {metric.key: metric.direction for metric in table.metrics} == {"Score": expected, "acc": "max"}
    told = f"'Score' falls in {runs - rising} of {runs} runs, so it is taken for an error; else --direction Score=max."
    assert (told in table.notes) == (expected == "min")
