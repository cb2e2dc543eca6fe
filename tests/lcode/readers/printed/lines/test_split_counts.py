"""Counts behind the data, `train (3/20)`, are of epochs where each evaluation has that of the training before it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.readers.read import read_logs

LOSSES = (0.9, 0.7, 0.6, 0.5)


@pytest.mark.parametrize(
    "form",
    [
        "train ({e}/4) loss: 9.{e} | acc: 0.9{e}\nvalid ({e}/4) loss: {v} | acc: 0.1{e}\n",
        "train ({e}/4): loss=9.{e} acc=0.9{e}\nval ({e}/4): loss={v} acc=0.1{e}\n",
        "Train [{e}/4] loss=9.{e} acc=0.9{e}\nTest [{e}/4] loss={v} acc=0.1{e}\n",
        "2031-02-03 04:05:06 INFO train ({e}/4) loss: 9.{e}, acc: 0.9{e}\n"
        "2031-02-03 04:05:06 INFO valid ({e}/4) loss: {v}, acc: 0.1{e}\n* Epoch ({e}/4)\n",
    ],
)
def test_both_parts_of_the_data_have_a_count(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]], form: str
) -> None:
    log = tmp_path / "run.log"
    log.write_text("".join(form.format(e=e, v=v) for e, v in enumerate(LOSSES, start=1)))
    told = scored(log)
    assert told["run loss min"] == list(LOSSES) and told["run acc max"] == [0.11, 0.12, 0.13, 0.14]
    table = read_logs(log)
    assert list(table.runs["horizon"]) == [4] and {*table.signals["metric"]} == {"train/loss", "train/acc"}


def test_batches_are_no_epochs(tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    log = tmp_path / "run.log"
    log.write_text(
        "".join(
            f"Epoch {e}/9\n"
            + "".join(f"train ({b}/20) loss: 9.{b}\n" for b in (10, 20))
            + "".join(f"valid ({b}/5) loss: {v}\n" for b in (1, 5))
            for e, v in enumerate(LOSSES, start=1)
        )
    )
    assert scored(log) == {"run loss min": list(LOSSES)}
    assert list(read_logs(log).runs["horizon"]) == [9]
