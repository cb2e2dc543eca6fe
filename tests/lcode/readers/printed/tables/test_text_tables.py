"""Tables in text files of any name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.errors import InputError
from lcode.readers.read import read_logs
from lcode.table.table import RunTable

Read = Callable[[Path, str, str], RunTable]
Curve = Callable[[RunTable, str], list[tuple[float, float]]]
Directions = Callable[[RunTable], dict[str, str]]

SPRINGS = (0.9, 0.7, 0.55, 0.5)
"""A loss that falls."""


@pytest.mark.parametrize(
    ("text", "scored"),
    [
        (
            "some words first\nE    #   LOSS NER  ENTS_R  SCORE\n---  ---  --------  ------  -----\n"
            + "".join(f"{e:3d}  {9 * e:3d}  {9 - e:8.2f}  {e * e:6.2f}  0.{e}\n" for e in range(4)),
            {"SCORE": "max"},
        ),
        (
            "Epoch\tTraining Loss\tValidation Loss\n1\tNo log\t0.9\n2\t0.8\t0.7\n3\t0.7\t0.6\n",
            {"Validation Loss": "min"},
        ),
        (
            "training\n# Epoch batch    loss   f_mae\n  1  10   0.9  0.5\n  2  10   0.8  0.4\n  3  10  0.7  0.3\n",
            {"loss": "min", "f_mae": "min"},
        ),
    ],
)
def test_tables_in_texts(tmp_path: Path, text: str, scored: dict[str, str], read: Read, directions: Directions) -> None:
    assert directions(read(tmp_path, "table.log", text)) == scored


def test_columns_between_blanks_below_a_commented_header(
    tmp_path: Path, read: Read, curve: Curve, directions: Directions
) -> None:
    text = "#  step   rmse_val  rmse_trn  rmse_e_val rmse_e_trn   lr\n# where there are no energies, nan is printed\n"
    text += "".join(f"   {100 * n}   {1 / n:.2e}  9.0e+00   {2 / n:.2e}   8e-1  1.0e-03\n" for n in (1, 2, 4))
    table = read(tmp_path, "lcurve.out", text)
    assert set(directions(table).values()) == {"min"} and len(table.metrics) == 2
    assert [epoch for epoch, _ in curve(table, table.metrics[0].key)] == [100, 200, 400]


def test_a_table_without_epochs_is_counted_if_trained_and_validated(
    tmp_path: Path, read: Read, curve: Curve, directions: Directions
) -> None:
    text = "Learning Rate\tTrain Loss\tValid Loss\tValid Acc.\t\n0.1\t4.5\t3.5\t10.0\t\n0.1\t4.0\t3.0\t20.0\t\n"
    table = read(tmp_path, "log.txt", text)
    assert directions(table) == {"Valid Loss": "min", "Valid Acc.": "max"}
    assert curve(table, "Valid Loss") == [(1, 3.5), (2, 3.0)]
    assert any("its rows were counted" in note for note in table.notes)


def test_a_table_of_losses_alone_is_counted(tmp_path: Path, read: Read, directions: Directions) -> None:
    table = read(tmp_path, "log.txt", "total loss\tseg loss\tdepth loss\t\n4.5\t3.5\t1.0\t\n4.0\t3.0\t1.0\t\n")
    assert set(directions(table).values()) == {"min"} and len(table.metrics) == 3
    assert sorted(table.points["epoch"].unique()) == [1, 2]


def test_a_table_of_results_is_not_counted(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text("model,accuracy,f1\nsvm,0.5,0.25\nmlp,0.75,0.5\n")
    with pytest.raises(InputError, match="no column counts the epochs"):
        read_logs(path)


def test_a_table_of_several_runs_keeps_them(tmp_path: Path, read: Read) -> None:
    table = read(tmp_path, "runs.txt", "run,epoch,seg/miou\na,1,0.5\nb,1,0.25\na,2,0.75\n")
    assert sorted(table.runs.index) == ["a", "b"]
    assert sorted(table.points["value"]) == [0.25, 0.5, 0.75]


def test_several_tables_in_one_text_are_runs(tmp_path: Path, read: Read) -> None:
    rows = "".join(f"{e}\t{10 * e}\t{v}\n" for e, v in enumerate(SPRINGS))
    text = f"### 128 tokens\nepoch, step, ppl\n{rows}### 256 tokens\nepoch, step, ppl\n{rows}epoch, step, f1\n{rows}"
    table = read(tmp_path, "eval.txt", text)
    assert list(table.runs.index) == ["eval", "eval#2", "eval#3"]
    assert table.points["metric"].value_counts().to_dict() == {"ppl": 8, "f1": 4}


def test_a_table_in_markdown(tmp_path: Path, read: Read, curve: Curve) -> None:
    rows = "".join(f"| {e} | {v} |\n" for e, v in enumerate(SPRINGS))
    table = read(tmp_path, "log.txt", f"| epoch | val loss |\n|:-----|-----:|\n{rows}")
    assert curve(table, "val loss") == list(enumerate(SPRINGS))


def test_a_data_frame_among_what_was_printed(tmp_path: Path, read: Read, curve: Curve, directions: Directions) -> None:
    rows = "".join(f"{e},9.5,0.5,{v},0.5\n" for e, v in enumerate(SPRINGS))
    text = f"Total params: 443,110\n\n,loss,acc,val_loss,val_acc\n{rows}\n\nResults:\n" + "class  1  2  3\n" * 9
    table = read(tmp_path, "a.log", text)
    assert directions(table) == {"val_loss": "min", "val_acc": "max"}
    assert curve(table, "val_loss") == list(enumerate(SPRINGS, start=1))


def test_spacy_s_scores_of_one_task(tmp_path: Path) -> None:
    names: list[object] = ["E", "#", "LOSS TAGGER", "LOSS NER", "TAG_ACC", "ENTS_F", "ENTS_P", "ENTS_R", "SCORE"]
    log = tmp_path / "spacy.log"
    rows: list[list[object]] = [
        [e, 200 * e, 90.5 - e, 80.5 - e, *(f"{40 + 5 * e + at}.00" for at in range(4)), 0.4] for e in range(5)
    ]
    rules = ["  ".join("-" * 6 for _ in names)]
    lines = ["  ".join(f"{name!s:<6}" for name in row) for row in (names, *rows)]
    log.write_text("\n".join(["ℹ Initial learn rate: 0.001", lines[0], *rules, *lines[1:]]))
    table = read_logs(log)
    told = {metric.key: metric.direction for metric in table.metrics}
    scores = ("TAG/ACC", "ENTS/F1", "ENTS/precision", "ENTS/recall")
    assert {key: told.get(key) for key in scores} == dict.fromkeys(scores, "max")


def test_evaluations_of_few_epochs_are_kept_by_their_steps(tmp_path: Path) -> None:
    rows = "".join(f"  {at // 3}    {200 * at:>4}     {90 - at}.00   {50 + at}.00    0.{50 + at}\n" for at in range(6))
    (tmp_path / "a.log").write_text(
        f"E    #       LOSS NER  ENTS_F  SCORE \n---  ------  --------  ------  ------\n{rows}"
    )
    assert read_logs(tmp_path / "a.log").points["epoch"].tolist() == [*range(0, 1200, 200)]
