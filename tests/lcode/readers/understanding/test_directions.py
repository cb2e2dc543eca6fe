"""Directions that the names of other curves tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from lcode.readers.read import read_logs
from lcode.table.direction import Direction


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
