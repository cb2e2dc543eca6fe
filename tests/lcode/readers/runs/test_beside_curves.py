"""Files that lie beside curves and hold none, or nothing yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from lcode.errors import InputError
from lcode.readers.read import read_logs

CURVES = "epoch,val_acc\n" + "".join(f"{at},0.{at}{{run}}\n" for at in range(1, 6))


@pytest.mark.parametrize(
    ("header", "row"),
    [("timestamp,cpu,gpu_mem", "17{at:08},50,12.{at}"), ("step,gpu_util,mem", "{at},9{at},3"), ("elapsed", "{at}.5")],
)
def test_readings_of_the_machine_are_no_epochs(tmp_path: Path, header: str, row: str) -> None:
    for run in range(3):
        folder = tmp_path / f"r{run}"
        folder.mkdir()
        (folder / "metrics.csv").write_text(CURVES.format(run=run))
        (folder / "system.csv").write_text("\n".join([header, *(row.format(at=at) for at in range(40)), ""]))
    table = read_logs(tmp_path)
    assert table.runs["horizon"].tolist() == [5, 5, 5] and table.runs["status"].tolist() == ["finished"] * 3
    assert len(table.points) == 15
    told = "no curve, but clocks or readings of the machine, so not read beside the logs: system.csv."
    assert told in table.notes


def test_a_file_that_holds_nothing_yet_keeps_no_other_from_being_read(tmp_path: Path) -> None:
    for run in range(2):
        (tmp_path / f"r{run}.csv").write_text(CURVES.format(run=run))
    (tmp_path / "new.csv").write_text("")
    table = read_logs(tmp_path)
    assert table.run_ids == ("r0", "r1")
    assert "left out, since they hold nothing yet: new.csv." in table.notes
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "new.csv").write_text("")
    with pytest.raises(InputError, match=r"new.csv: is empty; expected a header"):
        read_logs(tmp_path / "alone")
