from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import pytest

from lcode.readers.remarks import name_remarks
from lcode.table import Metric, RunTable, infer_direction, split_key


def table_of(curves: Mapping[tuple[str, str], Sequence[tuple[int, float]]]) -> RunTable:
    """A table of (run, key) -> points (epoch, value)."""
    rows = [(run, epoch, key, value) for (run, key), points in curves.items() for epoch, value in points]
    metrics = [
        Metric(*split_key(key), infer_direction(key) or "max") for key in dict.fromkeys(key for _, key in curves)
    ]
    return RunTable.from_points(pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"]), metrics)


def line(first: int, values: Sequence[float]) -> list[tuple[int, float]]:
    return list(enumerate(values, first))


def test_a_metric_that_goes_on_under_another_name_is_remarked() -> None:
    (remark,) = name_remarks(table_of({("a", "val_acc"): line(1, [0.1, 0.2]), ("a", "val/acc"): line(3, [0.3])}))
    assert remark.startswith("val_acc ends where val/acc begins, in run 'a' (epochs 2 and 3)")


def test_names_that_change_from_run_to_run_are_remarked() -> None:
    (remark,) = name_remarks(table_of({("a", "val_acc"): line(1, [0.1]), ("b", "val/acc"): line(1, [0.3])}))
    assert "run 'a' only the first" in remark and "run 'b' only the second" in remark


@pytest.mark.parametrize("other", ["val_loss", "train/acc", "val/acc"])
def test_other_words_or_epochs_in_common_are_two_curves(other: str) -> None:
    first = 2 if other == "val/acc" else 3
    assert name_remarks(table_of({("a", "val_acc"): line(1, [0.1, 0.2]), ("a", other): line(first, [0.3])})) == []


def test_runs_in_per_cent_beside_shares_are_remarked() -> None:
    (remark,) = name_remarks(
        table_of({("pc", "cls/acc"): line(1, [20.0, 60.0, 80.0]), ("sh", "cls/acc"): line(1, [0.2, 0.6, 0.81])})
    )
    assert remark.startswith("cls/acc is in per cent in run 'pc' (up to 80), but at most 0.81 in run 'sh'")


@pytest.mark.parametrize(
    ("key", "low"),
    [
        ("mt/bleu", [0.0, 0.01, 0.02]),  # 2 % of what the others reach either way
        ("mt/bleu", [0.4]),  # so early the others were below 1 as well
        ("mt/bleu", [0.0, 0.0, 0.0]),
        ("mt/loss", [0.2, 0.3, 0.4]),  # no share
        ("mt/bleu", [float("nan")]),
    ],
)
def test_poor_young_or_unknown_values_are_not_remarked(key: str, low: list[float]) -> None:
    assert name_remarks(table_of({("a", key): line(1, [0.5, 20.0, 28.0]), ("b", key): line(1, low)})) == []


def test_a_word_error_rate_above_one_is_no_per_cent() -> None:
    curves = {("a", "asr/wer"): line(1, [3.0, 1.2, 0.4]), ("b", "asr/wer"): line(1, [1.0, 0.5, 0.3])}
    assert name_remarks(table_of(curves)) == []


def test_a_table_without_points_has_no_remarks() -> None:
    assert name_remarks(table_of({("a", "acc"): line(1, [0.5])}).prefix(0)) == []
