"""Words in a line that say of which task the values behind them are, up to the next such word."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.readers.read import read_logs

VALUES = ((0.9, 0.25), (0.7, 0.5), (0.5, 0.75))
"""A loss that falls and an accuracy that rises, of one task; the other has half of them."""


def tasks(block: str) -> str:
    """The text of a training of which this is printed in each epoch."""
    rows = enumerate(VALUES, start=1)
    return "".join(block.format(e=e, l=loss, a=acc, m=loss / 2, b=acc / 2) for e, (loss, acc) in rows)


@pytest.mark.parametrize(
    "block",
    [
        "Epoch {e}: {{'age': {{'acc': {a}, 'loss': {l}}}, 'gender': {{'acc': {b}, 'loss': {m}}}}}\n",
        "Epoch {e} val: {{'age': {{'acc': {a}, 'loss': {l}}}, 'gender': {{'acc': {b}, 'loss': {m}}}}}\n",
        "json {{'epoch': {e}, 'age': {{'acc': {a}, 'loss': {l}}}, 'gender': {{'acc': {b}, 'loss': {m}}}}}\n",
        "Epoch {e} Val: age(acc={a}, loss={l}) gender(acc={b}, loss={m}) avg=0.1\n",
        "Epoch {e} age[acc {a} loss {l}] gender[acc {b} loss {m}]\n",
        "Epoch {e} acc(age={a}, gender={b}) loss(age={l}, gender={m})\n",
        "[{e}/40] age acc {a}% loss {l} | gender acc {b}% loss {m}\n",
        "[{e}/40] train_loss=9.5 | age acc {a} loss {l} | gender acc {b} loss {m} | lr 0.1\n",
        "Epoch {e} age acc={a}, loss={l}, gender acc={b}, loss={m}\n",
        "Epoch {e} - age: acc {a}, loss {l}; gender: acc {b}, loss {m}\n",
        "Epoch {e} | Val | age: acc {a} | loss {l} | gender: acc {b} | loss {m}\n",
        "Epoch {e} | age | acc {a} | loss {l} | gender | acc {b} | loss {m}\n",
    ],
)
def test_each_value_is_of_the_task_before_it(
    tmp_path: Path, block: str, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "one.log"
    log.write_text(tasks(block))
    told = scored(log)
    scale = max(told["one age/acc max"]) / VALUES[-1][1]  # per cent
    assert {name: values for name, values in told.items() if "loss" in name} == {
        "one age/loss min": [loss for loss, _ in VALUES],
        "one gender/loss min": [loss / 2 for loss, _ in VALUES],
    }
    assert told["one gender/acc max"] == pytest.approx([scale * acc / 2 for _, acc in VALUES])


def test_tasks_of_different_metrics(tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    log = tmp_path / "one.log"
    log.write_text(tasks("Epoch {e} seg mIoU {a} acc {b} | depth rmse {l} absrel {m}\n"))
    assert [name.split()[1] for name in scored(log)] == ["seg/mIoU", "seg/acc", "depth/rmse", "depth/absrel"]


def test_numbered_tasks_in_a_line(tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    log = tmp_path / "one.log"
    log.write_text(tasks("Epoch {e} task 0 acc {a} loss {l} task 1 acc {b} loss {m}\n"))
    keys = [f"task_{at}/{metric}" for at in range(2) for metric in ("acc", "loss")]
    assert [name.split()[1] for name in scored(log)] == keys


@pytest.mark.parametrize(
    "block",
    [
        "第{e}轮/共20轮 点击率AUC：{a}，点击率logloss：{l}，转化率AUC：{b}，转化率logloss：{m}\n",
        "第{e}轮/共20轮 验证: 点击率AUC={a} 点击率logloss={l} 转化率AUC={b} 转化率logloss={m}\n",
        "第{e}/共20轮\n点击率AUC：{a}\n点击率logloss：{l}\n转化率AUC：{b}\n转化率logloss：{m}\n",
        "第{e}轮（共20轮）\n点击率：AUC {a}，logloss {l}\n转化率：AUC {b}，logloss {m}\n",
        "第{e}轮（共20轮），用时12.5秒 点击率AUC：{a}，logloss：{l}，转化率AUC：{b}，logloss：{m}\n",
    ],
)
def test_tasks_in_chinese(tmp_path: Path, block: str, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    log = tmp_path / "one.log"
    log.write_text(tasks(block))
    assert scored(log) == {
        "one 点击率/AUC max": [acc for _, acc in VALUES],
        "one 点击率/logloss min": [loss for loss, _ in VALUES],
        "one 转化率/AUC max": [acc / 2 for _, acc in VALUES],
        "one 转化率/logloss min": [loss / 2 for loss, _ in VALUES],
    }
    assert [*read_logs(log).runs["horizon"]] == [20]


def test_numbers_within_chinese_words_are_in_no_name(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "one.log"
    log.write_text(tasks("第{e}轮，第{e}次评估 AUC：{a}，耗时3.5秒 验证损失：{l}\n"))
    assert [name.split()[1] for name in scored(log)] == ["AUC", "val_loss"]


def test_words_of_an_average_count_where_a_name_comes_again(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "one.log"
    log.write_text(tasks("Epoch {e} precision {a} recall {b} | macro precision {b} recall {a}\n"))
    assert {name.split()[1] for name in scored(log)} == {"precision", "recall", "macro_precision", "macro_recall"}


@pytest.mark.parametrize(
    "block",
    [
        "Epoch {e} train: loss 9.5 acc 0.1 val: loss {l} acc {a}\n",
        "Epoch {e} train acc 0.1 loss 9.5 | val acc {a} loss {l}\n",
        "Epoch {e} Train Loss: 9.5 Acc: 0.1 Val Loss: {l} Acc: {a}\n",
        "Epoch {e} Train Loss: 9.5 | Acc: 0.1 | Val Loss: {l} | Acc: {a}\n",
    ],
)
def test_so_are_those_behind_the_data(tmp_path: Path, block: str) -> None:
    log = tmp_path / "one.log"
    log.write_text(tasks(block))
    table = read_logs(log)
    told = table.points.groupby("metric", observed=True)["value"].apply(list).to_dict()
    assert {str(name).lower().removeprefix("val_"): values for name, values in told.items()} == {
        "loss": [loss for loss, _ in VALUES],
        "acc": [acc for _, acc in VALUES],
    }
    assert {name.lower() for name in table.signals["metric"]} == {"train/loss", "train/acc"}


@pytest.mark.parametrize(
    ("block", "keys"),
    [
        ("Epoch {e} G loss {l} | D loss {m} | acc {a}\n", ["acc", "G/loss", "D/loss"]),
        ("Epoch {e} loss {l} (pde {l}, bc {m}) acc {a}\n", ["acc", "loss", "pde", "bc_loss"]),
        ("Epoch {e} | mean acc {a} | total loss {l} | lr 0.1 | time 3.1s\n", ["mean_acc", "total_loss"]),
    ],
)
def test_words_that_are_none(
    tmp_path: Path, block: str, keys: list[str], scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "one.log"
    log.write_text(tasks(block))
    assert {name.split()[1] for name in scored(log)} == set(keys)


@pytest.mark.parametrize("line", ["a(" + "b 0.1 " * 330, "{'a': " * 300, "python -m " * 190, "task 0 " * 280])
def test_lines_of_many_names_are_searched_at_once(
    tmp_path: Path, line: str, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "one.log"
    log.write_text(tasks("Epoch {e} val acc {a}\n") + line + "\n")
    assert list(scored(log)) == ["one val_acc max"]
