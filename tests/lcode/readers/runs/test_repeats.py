from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcode.errors import InputError, UsageError
from lcode.readers import read_logs
from lcode.readers.runs.repeats import latest_attempts
from lcode.table import Metric, RunTable
from lcode.table.runlog import RunHeader, RunLogWriter


def write(tmp_path: Path, text: str, name: str = "runs.csv") -> Path:
    (tmp_path / name).write_text(text)
    return tmp_path / name


def values(table: RunTable, run: str = "a", key: str = "err") -> dict[int, float]:
    curve = table.curve(run, key)
    return dict(zip(curve.epochs.tolist(), curve.values.tolist(), strict=True))


def attempt(run: str, epochs: range, offset: float) -> str:
    return "".join(f"{run},{epoch},{offset + epoch / 100}\n" for epoch in epochs)


HEAD = "run,epoch,err\n"
RESUMED = HEAD + attempt("a", range(1, 7), 1) + attempt("b", range(1, 4), 1) + attempt("a", range(4, 9), 2)


def test_one_message_names_all_repeats_and_the_remedy(tmp_path: Path) -> None:
    path = write(tmp_path, RESUMED + attempt("b", range(3, 4), 2))
    with pytest.raises(InputError) as caught:
        read_logs(path)
    for text in ("line 11", "column 'err'", "2.04 at epoch 4 here, but 1.04 on line 5", "'a' at 3 epochs (4 to 6,"):
        assert text in str(caught.value)
    for text in ("lines 11 to 13)", "'b' at epoch 3 (line 16)", "--on-repeat last"):
        assert text in str(caught.value)


def test_the_later_rows_of_a_resumed_run_count(tmp_path: Path) -> None:
    table = read_logs(write(tmp_path, RESUMED), on_repeat="last")
    assert values(table) == {**{e: 1 + e / 100 for e in range(1, 4)}, **{e: 2 + e / 100 for e in range(4, 9)}}
    assert values(table, "b") == {e: 1 + e / 100 for e in range(1, 4)}
    assert any("left out 3 rows from before a resume" in note and "(a)" in note for note in table.notes)


def test_what_a_resume_has_not_come_to_yet_is_given_up(tmp_path: Path) -> None:
    text = HEAD + attempt("a", range(1, 10), 1) + attempt("a", range(4, 8), 2) + attempt("a", range(5, 7), 3)
    table = read_logs(write(tmp_path, text), on_repeat="last")
    assert values(table) == {1: 1.01, 2: 1.02, 3: 1.03, 4: 2.04, 5: 3.05, 6: 3.06}


def test_rows_in_no_order_are_no_resume(tmp_path: Path) -> None:
    table = read_logs(write(tmp_path, HEAD + "a,3,0.3\na,1,0.1\na,2,0.2\na,5,0.5\na,2,0.7\n"), on_repeat="last")
    assert values(table) == {1: 0.1, 2: 0.7, 3: 0.3, 5: 0.5}
    assert any("1 values were replaced by later ones" in note for note in table.notes)


@pytest.mark.parametrize("by_metric", [False, True])
def test_a_long_table_is_resumed_whatever_the_order_of_its_metrics(by_metric: bool, tmp_path: Path) -> None:
    cells = [(e, m, 1 + e / 100) for e in range(1, 6) for m in ("acc", "err")]
    cells += [(e, m, 2 + e / 100) for e in range(3, 5) for m in ("acc", "err")]
    if by_metric:
        cells.sort(key=lambda cell: cell[1])
    text = "run,epoch,metric,value\n" + "".join(f"a,{epoch},{metric},{value}\n" for epoch, metric, value in cells)
    table = read_logs(write(tmp_path, text), on_repeat="last")
    for key in ("acc", "err"):
        assert values(table, key=key) == {1: 1.01, 2: 1.02, 3: 2.03, 4: 2.04}


def test_a_run_log_is_resumed_as_a_table_is(tmp_path: Path) -> None:
    with RunLogWriter(tmp_path, RunHeader("a", 9, (Metric("seg", "err", "min"),))) as log:
        for epoch in range(1, 6):
            log.epoch(epoch, {"seg/err": 1 + epoch / 100}, lr=0.1)
    with log.path.open("a") as file:
        for epoch in range(3, 5):
            line = {"type": "epoch", "epoch": epoch, "values": {"seg/err": 2 + epoch / 100}, "lr": 0.2}
            file.write(json.dumps(line) + "\n")
    with pytest.raises(InputError, match=r"'a' at 2 epochs \(3 to 4, lines \d+ to \d+\).*--on-repeat last"):
        read_logs(log.path)
    table = read_logs(log.path, on_repeat="last")
    assert values(table, key="seg/err") == {1: 1.01, 2: 1.02, 3: 2.03, 4: 2.04}
    assert table.signals["value"].tolist() == [0.1, 0.1, 0.2, 0.2]


def test_another_word_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'error' or 'last'"):
        read_logs(write(tmp_path, RESUMED), on_repeat="first")  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5)), min_size=1, max_size=30))
def test_the_latest_attempt_of_a_run_goes_up_to_its_last_row(rows: list[tuple[int, int]]) -> None:
    run, epoch = (np.array(column) for column in zip(*rows, strict=True))
    kept = latest_attempts(run, epoch)
    for code in np.unique(run):
        mine = run == code
        assert kept[mine][-1]
        if not kept[mine].all():
            assert (np.diff(epoch[mine & kept]) >= 0).all()


# Several rows per epoch.


def test_of_the_rows_of_an_epoch_each_column_s_last_value_counts(tmp_path: Path) -> None:
    steps = "a,0,10,1.2,\na,0,20,1.1,\na,0,29,,0.9\na,1,30,1.0,\na,1,40,0.8,\na,1,59,,0.7\n"
    table = read_logs(write(tmp_path, "run,epoch,step,loss,err\n" + steps))
    assert values(table, key="loss") == {0: 1.1, 1: 0.8} and values(table, key="err") == {0: 0.9, 1: 0.7}
    assert [metric.key for metric in table.metrics] == ["loss", "err"]
    assert any("counted by 'step'" in note for note in table.notes)


def test_steps_that_go_back_are_a_resume(tmp_path: Path) -> None:
    text = "run,epoch,iter,err\na,0,1,0.9\na,0,2,0.8\na,1,3,0.7\na,1,4,0.6\na,1,3,0.5\n"
    with pytest.raises(InputError, match="--on-repeat last"):
        read_logs(write(tmp_path, text))
    table = read_logs(write(tmp_path, text), on_repeat="last")
    assert values(table) == {0: 0.8, 1: 0.5}


def test_without_a_counter_the_message_says_how_to_choose(tmp_path: Path) -> None:
    path = write(tmp_path, HEAD + "a,1,0.9\na,1,0.8\na,2,0.7\na,2,0.6\n")
    with pytest.raises(InputError, match=r"several rows per epoch, --on-repeat last"):
        read_logs(path)
    assert values(read_logs(path, on_repeat="last")) == {1: 0.8, 2: 0.6}


def test_a_counter_is_dropped_from_a_long_table_too(tmp_path: Path) -> None:
    text = "run,epoch,step,metric,value\na,0,1,err,0.9\na,0,2,err,0.8\na,0,2,acc,0.1\n"
    table = read_logs(write(tmp_path, text))
    assert values(table) == {0: 0.8} and values(table, key="acc") == {0: 0.1}
