"""Files of numbers without a name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.errors import InputError
from lcode.readers.read import read_logs


@pytest.mark.parametrize(
    ("name", "text", "key"),
    [
        ("loss.txt", "0.9\n0.7\n0.6\n", "loss min"),
        ("val_acc_list.json", "[0.9, 0.7, 0.6]", "val_acc max"),
        ("train_loss.csv", "0\n0.9\n0.7\n0.6\n", "train_loss min"),  # a column of pandas without a name
        ("loss_log.dat", "1 0.9\n2 0.7\n3 0.6\n", "loss min"),
        ("log.txt", "\n1\t\t0\t\t9.5\n1\t\t1\t\t0.9\n2\t\t0\t\t0.8\n2\t\t1\t\t0.7\n3\t\t0\t\t0.6\n", "loss min"),
    ],
)
def test_a_file_is_the_curve_that_it_is_named_after(
    tmp_path: Path, name: str, text: str, key: str, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    (tmp_path / name).write_text(text)
    assert scored(tmp_path / name) == {f"{name.partition('.')[0]} {key}": [0.9, 0.7, 0.6]}


def test_the_columns_of_a_file_are_curves_of_its_name(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    rows = [(0.9, 97.5), (0.8, 91.5), (0.85, 93.5), (0.7, 90.5), (0.6, 88.5)]
    (tmp_path / "val_error.txt").write_text("".join(f"{a:.6e} {b:.6e}\n" for a, b in rows))
    told = scored(tmp_path / "val_error.txt")
    assert told == {f"val_error val_error_{at + 1} min": [row[at] for row in rows] for at in (0, 1)}
    (tmp_path / "loss.txt").write_text("".join(f"{3.5 * at} {b}\n" for at, (_, b) in enumerate(rows)))  # behind a clock
    with pytest.raises(InputError):
        read_logs(tmp_path / "loss.txt")


def test_the_files_of_a_folder_are_the_curves_of_a_run(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "val_loss.txt").write_text("0.9\n0.7\n0.6\n")
    (folder / "val_acc.txt").write_text("[0.1, 0.2, 0.3]")
    (folder / "time.txt").write_text("5\n5\n5\n")
    assert scored(folder) == {"run val_loss min": [0.9, 0.7, 0.6], "run val_acc max": [0.1, 0.2, 0.3]}


def test_what_was_measured_every_second_epoch_is_set_beside_the_epochs(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    earlier = "1,9.5\n2,9.5\n3,9.5\n4,9.5\n"  # another training before
    (folder / "train_loss.txt").write_text(f"{earlier}1,0.9\n2,0.8\n3,0.7\n4,0.6\n5,0.5\n6,0.4\n7,0.3\n")
    (folder / "val_loss.txt").write_text("2,9.5\n4,9.5\n6,9.5\n2,9.5\n2,0.95\n4,9.5\n4,0.85\n6,0.75\n")
    table = read_logs(folder)
    assert scored(folder) == {"run val_loss min": [0.95, 0.85, 0.75]} and table.points["epoch"].tolist() == [2, 4, 6]
    assert table.signals["value"].tolist() == [0.8, 0.6, 0.4]
    assert any("9 rows of trainings before" in note for note in table.notes)


def test_epochs_are_not_set_beside_steps(tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "train_loss.txt").write_text("".join(f"{step} {1 / step}\n" for step in range(1, 41)))
    (folder / "val_loss.txt").write_text("1 0.5\n2 0.4\n3 0.3\n")
    assert scored(folder) == {"run val_loss min": [0.5, 0.4, 0.3]}
    assert any("left out, since they do not hold 3 numbers" in note for note in read_logs(folder).notes)


ROWS = range(1, 25)


@pytest.mark.parametrize(
    ("name", "row", "expected"),
    [
        ("run.csv", lambda at: f"{at},{1 / at},{1 - 1 / at}", {"loss min", "score max"}),
        ("run.tsv", lambda at: f"{at}\t{1 / at}\t{2 / at}", {"loss_1 min", "loss_2 min"}),
        ("run.dat", lambda at: f"{100 * at} {1 / at}", {"loss min"}),
        ("run.csv", lambda at: f"{1 / at}", {"loss min"}),
    ],
)
def test_many_rows_without_a_header_are_curves_where_they_go_one_way(
    tmp_path: Path,
    name: str,
    row: Callable[[int], str],
    expected: set[str],
    scored: Callable[[Path], dict[str, list[float]]],
) -> None:
    (tmp_path / name).write_text("".join(f"{row(at)}\n" for at in ROWS))
    found = scored(tmp_path / name)
    assert set(found) == {f"run {key}" for key in expected}
    assert len(next(iter(found.values()))) == len(ROWS)
    assert any("by the way that they went" in note for note in read_logs(tmp_path / name).notes)


def test_tables_without_a_header_in_one_folder_are_a_run_each(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    for way, start in (("cagrad", 1.0), ("mgda", 2.0), ("worse", 3.0)):
        falls = "-" if way == "worse" else ""  # what it is, most runs say
        rows = [f"{at},{start / at},{falls}{at / start / 2}\n" for at in ROWS]
        (tmp_path / f"{way}.csv").write_text("".join(rows))
    found = scored(tmp_path)
    assert set(found) == {f"{way} {key}" for way in ("cagrad", "mgda", "worse") for key in ("loss min", "score max")}
    assert found["mgda loss min"][:2] == [2.0, 1.0] and found["worse score max"][0] == -1 / 6


def test_files_of_a_folder_whose_curves_differ_by_their_course_stay_one_run(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "one.csv").write_text("".join(f"{at},{1 / at}\n" for at in ROWS))
    (folder / "two.csv").write_text("".join(f"{at},{1 - 1 / at}\n" for at in ROWS))
    assert set(scored(folder)) == {"run loss min", "run score max"}


@pytest.mark.parametrize("row", [lambda at: f"{at},{at * 7 % 5 / 8}", lambda at: f"{at * 2},{at * 3}"])
def test_rows_that_go_no_way_or_only_count_may_be_anything(tmp_path: Path, row: Callable[[int], str]) -> None:
    (tmp_path / "run.csv").write_text("".join(f"{row(at)}\n" for at in ROWS))
    with pytest.raises(InputError, match="its first line holds numbers"):
        read_logs(tmp_path / "run.csv")


@pytest.mark.parametrize(("name", "text"), [("labels.txt", "0\n1\n1\n0\n"), ("log.txt", "0.9\n0.7\n0.6\n")])
def test_numbers_in_a_file_that_says_nothing_may_be_anything(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match="numbers without names"):
        read_logs(tmp_path / name)
