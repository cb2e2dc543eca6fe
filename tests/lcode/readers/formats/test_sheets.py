"""Sheets as people keep them: titles, merged names, decimal commas, several tables; and files that are no logs."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.errors import InputError
from lcode.readers.read import read_logs

SHEET = """Experiment sheet,,,,,
updated 3.4.2024 by Ana,,,,,
,,Train,,Validation,
Run,Epoch,loss,acc,loss,acc
"""

ROWS = """base,1,"2,1379","0,3111","2,125","0,25"
,2,"1,8499","0,3999","1,75","0,5"
wide,1,"2,1558","0,3048","2,5","0,125"
,2,"1,8516","0,3943","1,5","0,375"
"""


def test_titles_merged_names_and_decimal_commas(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    (tmp_path / "sheet.csv").write_text(SHEET + ROWS)
    assert scored(tmp_path / "sheet.csv") == {
        "base loss min": [2.125, 1.75],
        "base acc max": [0.25, 0.5],
        "wide loss min": [2.5, 1.5],
        "wide acc max": [0.125, 0.375],
    }
    assert any("are of the one named above them" in note for note in read_logs(tmp_path / "sheet.csv").notes)


def test_of_which_run_a_row_is_must_be_sure(tmp_path: Path) -> None:
    (tmp_path / "sheet.csv").write_text("run,epoch,loss\na,1,0.5\n,2,0.4\nb,3,0.3\n,4,0.2\n")
    with pytest.raises(InputError, match=r"line 3.*the cell is empty; name the run in every row"):
        read_logs(tmp_path / "sheet.csv")


def test_a_comma_before_three_digits_may_stand_between_thousands(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text('epoch,val_loss\n1,"2,149"\n2,"1,844"\n')
    with pytest.raises(InputError, match="'2,149' is not a number"):
        read_logs(tmp_path / "log.csv")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "epoch;val_loss\n1;2,1493\n2;1.8448\n3;1.5932\n4;1.4036\n",
            "'2,1493' is not a number; decimals are written with a comma here and with a point in '1.8448'",
        ),
        (
            "lr 0.1,,\nepoch,loss,acc\n1,0.5,0.5\n2,0.4,0.6\n,,\nlr 0.01,,\nepoch,loss,acc\n1,0.6,0.4\n2,0.5,0.5\n",
            "line 6, .*'lr 0.01' is not a number; it is the title of another table",
        ),
    ],
)
def test_what_is_amiss_is_named(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "log.csv").write_text(text)
    with pytest.raises(InputError, match=told):
        read_logs(tmp_path / "log.csv")


def test_archives_are_to_be_unpacked(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("log.csv"))
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "logs.tar.gz").write_bytes(packed.getvalue())
    for path in (tmp_path / "a", tmp_path / "a" / "logs.tar.gz"):
        with pytest.raises(InputError, match=r"looks like an archive.*unpack it and name the folder"):
            read_logs(path)
    (tmp_path / "train.log.gz").write_bytes(gzip.compress(b"epoch 1 loss 0.5\n"))
    with pytest.raises(InputError, match=r"looks like a packed file.*unpack it"):
        read_logs(tmp_path / "train.log.gz")


def test_texts_for_people_are_named(tmp_path: Path) -> None:
    (tmp_path / "RESULTS.md").write_text("# Results\n\n| epoch | loss |\n|--|--|\n| 1 | 0.5 |\n")
    with pytest.raises(InputError, match=r"RESULTS\.md looks like a text for people, and \.md files are not read"):
        read_logs(tmp_path)
