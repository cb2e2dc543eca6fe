"""Values with their deviations in one cell: the values are read, and a note says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lcode.errors import InputError
from lcode.readers import read_logs

FORMS = [
    "{} ± 0.01",
    "{}±0.01",
    "{} (0.01)",
    "{} +/- 0.01",
    r"${} \pm 0.01$",
    "{} (± 0.01)",
    "{}% ± 1.0%",
    "{} ± 1.0 %",
]


@pytest.mark.parametrize("form", FORMS)
def test_the_value_is_read_and_its_deviation_left_out(tmp_path: Path, form: str) -> None:
    cells = [form.format(value) for value in (0.25, 0.5, 1e-3)]
    (tmp_path / "a.csv").write_text("epoch,val_miou\n" + "".join(f"{e},{cell}\n" for e, cell in enumerate(cells, 1)))
    table = read_logs(tmp_path / "a.csv")
    assert table.curve("a", "val_miou").values.tolist() == [0.25, 0.5, 0.001]
    assert any(f"'{cells[0]}'" in note and "deviations are left out" in note for note in table.notes)


def test_cells_without_a_deviation_and_with_decimal_commas(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("epoch;val_acc\n1;0,25\n2;0,5 ± 0,01\n3;nan ± nan\n4;0,75 ±\n")
    assert read_logs(tmp_path / "a.csv").points["value"].dropna().tolist() == [0.25, 0.5, 0.75]


def test_they_are_read_in_every_format(tmp_path: Path) -> None:
    rows = [{"epoch": e, "val_acc": f"0.{e} ± 0.01"} for e in (1, 2, 3)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert read_logs(tmp_path / "a.jsonl").points["value"].tolist() == [0.1, 0.2, 0.3]


def test_names_of_runs_are_no_values_and_other_cells_are_told_of(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("run,epoch,val_acc\n1,1,0.1\n1,2,0.2\n1 (2),1,0.3\n1 (2),2,0.4\n")
    assert read_logs(path).run_ids == ("1", "1 (2)")
    path.write_text("epoch,val_acc\n1,0.1 ± 0.1\n2,0.2 ± 0.1\n3,0.2 or more\n")
    with pytest.raises(InputError, match=r"line 4.*'0.2 or more' is not a number"):
        read_logs(path)
