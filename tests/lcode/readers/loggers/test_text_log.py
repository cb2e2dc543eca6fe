"""Text files of no tool in particular: which of them are logs, in which encodings, and what is said of others."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lcode.errors import InputError
from lcode.readers.read import read_logs
from lcode.table.table import RunTable

Read = Callable[[Path, str, str], RunTable]
Curve = Callable[[RunTable, str], list[tuple[float, float]]]
Directions = Callable[[RunTable], dict[str, str]]

SPRINGS = (0.9, 0.7, 0.55, 0.5)
"""A loss that falls."""


def test_a_program_and_its_settings_are_no_log(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_text("epochs = 20\nlr = 0.1\nfor epoch in range(epochs):\n    print(f'epoch {epoch} loss {loss}')\n")
    with pytest.raises(InputError, match="a counter stands before named numbers"):
        read_logs(path)


@pytest.mark.parametrize("suffix", [".log", ".txt", ".json"])
def test_json_lines_of_any_name(tmp_path: Path, suffix: str, read: Read, curve: Curve, directions: Directions) -> None:
    rows = [
        {"epoch": e, "train_loss": 2.0, "test_acc1": 10.0 * e, "test_coco_eval_bbox": [e / 10] * 12} for e in range(3)
    ]
    table = read(tmp_path, f"log{suffix}", "".join(json.dumps(row) + "\n" for row in rows))
    assert directions(table)["test_acc1"] == "max"
    assert [value for _, value in curve(table, "test_acc1")] == [0.0, 10.0, 20.0]
    assert any(key.endswith("AP50") for key in directions(table))


def test_a_list_of_objects_in_a_file_without_ending(tmp_path: Path, read: Read, curve: Curve) -> None:
    rows = [{"main/loss": 3.0 - e, "validation/main/loss": 4.0 - e, "epoch": e, "iteration": 10 * e} for e in (1, 2)]
    table = read(tmp_path, "log", json.dumps(rows, indent=1))
    assert [(m.key, m.direction) for m in table.metrics] == [("loss", "min")]
    assert curve(table, "loss") == [(1.0, 3.0), (2.0, 2.0)]


def test_what_is_printed_is_read_only_where_nothing_else_is(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("epoch,val_loss\n1,0.5\n2,0.25\n")
    (tmp_path / "out.log").write_text("epoch 1 val_loss 0.51\nepoch 2 val_loss 0.26\n")
    table = read_logs(tmp_path)
    assert len(table.runs) == 1 and np.array_equal(table.points["value"], [0.5, 0.25])
    assert any("out.log" in note for note in table.notes)


def test_a_log_counts_where_the_table_beside_it_is_none(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("image,label\nx.png,cat\n")
    (tmp_path / "out.log").write_text("epoch 1 val_loss 0.5\nepoch 2 val_loss 0.25\n")
    table = read_logs(tmp_path)
    assert np.array_equal(table.points["value"], [0.5, 0.25])
    assert any("labels.csv" in note for note in table.notes)


def test_one_object_in_a_json_file_is_no_log(tmp_path: Path, read: Read) -> None:
    summary = '{"global_step": 50, "val_loss": 0.5}\n'
    with pytest.raises(InputError, match=r"looks like W&B's summary"):
        read(tmp_path, "wandb-summary.json", summary)
    assert len(read(tmp_path, "lines.json", summary + summary.replace("50", "60")).points) == 2


@pytest.mark.parametrize("encoding", ["utf-16", "gbk", "utf-8"])
def test_what_shells_write(tmp_path: Path, encoding: str, curve: Curve) -> None:
    path = tmp_path / "train.log"
    text = "".join(f"Epoch {e}: 训练 train loss=9.5, val loss={v}\n" for e, v in enumerate(SPRINGS))
    path.write_bytes(text.encode(encoding).replace(b"Epoch 3", b"\0Epoch 3"))
    table = read_logs(path)
    assert curve(table, "val_loss") == list(enumerate(SPRINGS))
    assert any("1 zero bytes were left out" in note for note in table.notes) is (encoding != "utf-16")


@pytest.mark.parametrize(
    "name", ["run.log.bk", "run.log.1", "run.txt.old", "run.out~", "run.sh.o12345", "run.log.2031-02-03"]
)
def test_logs_that_were_set_aside(tmp_path: Path, name: str, read: Read, curve: Curve) -> None:
    text = "".join(f"epoch {e} val_loss {v}\n" for e, v in enumerate(SPRINGS))
    assert curve(read(tmp_path, name, text), "val_loss") == list(enumerate(SPRINGS))


def test_numbers_without_a_name_are_counted_if_there_are_many_in_an_epoch(
    tmp_path: Path, read: Read, curve: Curve
) -> None:
    text = "".join(f"Epoch {e}\n" + "".join(f"{v + n / 100}\n" for n in range(9, 0, -1)) for e, v in enumerate(SPRINGS))
    table = read(tmp_path, "a.txt", text)
    assert len(curve(table, "loss")) == 36 and any(
        "have no name and are read as a loss" in note for note in table.notes
    )


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("acc: 0.5\nacc: 0.6\nacc: 0.7\n", r"put 'epoch 1, ', 'epoch 2, ' … before each line that tells 'acc'"),
        ("epoch 1 acc: 0.5\n", "tells 'acc' at one count of epochs or steps only"),
        ("16.84,-210.5\n10.07,-158.7\n6.74,-203.3\n", "number the lines, and put a line with a name .* epoch,loss,acc"),
        ("[1.5, 1.4, 1.3]", "write each into a line of its own, below a line with their name: loss"),
    ],
)
def test_a_refusal_names_a_metric_of_the_file_and_what_to_do(tmp_path: Path, text: str, remedy: str) -> None:
    for place in (tmp_path / "run.log", tmp_path):
        (tmp_path / "run.log").write_text(text)
        with pytest.raises(InputError, match=remedy):
            read_logs(place)


def test_the_remedies_of_refusals_work(tmp_path: Path, read: Read) -> None:
    assert len(read(tmp_path, "a.log", "".join(f"epoch {e}, acc: 0.{e}\n" for e in range(3))).points) == 3
    assert len(read(tmp_path, "b.log", "epoch,loss,accuracy\n0, 44.7, 50.9\n1, 43.0, 51.0\n").points) == 4
    assert len(read(tmp_path, "c.log", "epoch,loss,accuracy\n1,16.84,-210.5\n2,10.07,-158.7\n").points) == 4
    assert len(read(tmp_path, "d.log", "loss\n1.5\n1.4\n1.3\n").points) == 3


def test_a_restarted_job_may_leave_zeros_for_what_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "job.out"
    path.write_bytes(b"".join(b"epoch %d val_loss 0.%d\n" % (at, 9 - at) + b"\0" * 500 * (at == 2) for at in range(5)))
    assert read_logs(path).points["value"].tolist() == [0.9, 0.8, 0.7, 0.6, 0.5]


@pytest.mark.parametrize("name", ["train.log1", "train.log.1", "out.txt2", "train.log.bak"])
def test_files_set_aside_are_logs(tmp_path: Path, name: str, read: Read) -> None:
    assert len(read(tmp_path, name, "epoch 1 val_loss 0.5\nepoch 2 val_loss 0.25\n").points) == 2


def test_a_long_text_is_searched_where_its_beginning_only_counts(tmp_path: Path, read: Read, curve: Curve) -> None:
    batches = "".join(f"New volume {at} of 9000 in epoch {{e}} of 9, saving checkpoint\n" for at in range(1000))
    text = "".join(batches.replace("{e}", str(e)) + f"Epoch {e}/9, Val Loss: {v}\n" for e, v in enumerate(SPRINGS))
    table = read(tmp_path, "unet.log", text + batches.replace("{e}", "4"))
    assert curve(table, table.metrics[0].key) == list(enumerate(SPRINGS))


def test_iterations_count_where_an_epoch_has_many_evaluations(tmp_path: Path) -> None:
    rows = [{"validation/main/loss": 9.0 / step, "epoch": step // 40, "iteration": step} for step in range(2, 102, 2)]
    (tmp_path / "log").write_text(json.dumps(rows))
    table = read_logs(tmp_path)
    assert table.points["epoch"].tolist() == list(range(2, 102, 2))


@pytest.mark.parametrize("endless", [9999, 999999, 10**9])
def test_epochs_that_are_planned_for_ever_give_way_to_steps(tmp_path: Path, endless: int) -> None:
    log = tmp_path / "train.log"
    log.write_text(
        f"Namespace(epochs={endless}, max_iter=500, model='vit')\n"
        + "".join(
            f"Epoch {2 * e}/{endless}\nTrain ...\nEvaluate results at iteration {100 * e}:\nval mIoU: 0.{e}\n"
            for e in range(1, 5)
        )
    )
    table = read_logs(log)
    assert (table.points["epoch"] * table.epoch_unit).tolist() == [100, 200, 300, 400]
    assert table.runs["horizon"].tolist() == [500 / table.epoch_unit]


def test_half_a_surrogate_pair_in_an_object_is_no_name(tmp_path: Path) -> None:
    first = '{"epoch": 0, "loss": 1.2, "accur\\ud800acy": 0.2}\n'
    others = "".join(f'{{"epoch": {epoch}, "loss": {1.2 / epoch}, "accuracy": 0.{epoch}}}\n' for epoch in range(1, 7))
    (tmp_path / "stats.json").write_text(first + others)
    try:
        table = read_logs(tmp_path)
    except InputError:
        return
    for metric in table.metrics:
        metric.key.encode()
