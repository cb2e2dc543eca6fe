"""What is told of batches and of whole epochs; and other things that a printed line says beside its values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.readers.read import read_logs

VALUES = (0.1, 0.2, 0.3, 0.4)


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        # The whole epoch, under another name than its batches.
        ("TRAIN\tepoch: {e}/9\tbatch: 4/11\tloss: 9.5\taccuracy: 0.9\nepoch: {e}/9\tavg_loss: 9.4\taccuracy: {v}",
         {"avg_loss min", "accuracy max"}),
        ("[{e}/9], [1/60], global_step: {e}1, acc: 0.9, loss: 9.5\n[{e}/9], train_loss: 9.4\ntest: recall: {v}",
         {"recall max"}),
        # A ranking comes from an evaluation, the loss beside it does not.
        ("Epoch {e}/9  loss=9.5  HR@10: 0.5  NDCG@10: {v}\n  [BEST] NDCG@10=0.9", {"HR@10 max", "NDCG@10 max"}),
        ("==>> [Epoch={e:03d}/009] [Best : Acc=0.9]\n  **Train** Prec@1 0.9\n  **Test** Prec@1 {v}", {"Prec@1 max"}),
        ("[NEW BEST] Epoch #{e}: train_acc=0.9, val_acc={v}", {"val_acc max"}),
        ("2031-02-03 04:05:06,789 - INFO - Loss: 9.5, Last Reward: {v}, Total Steps: 200", {"Last_Reward max"}),
        # An evaluation's batches beside what all of them came to; a step that has no values yet.
        ("epoch:[ {e}/9 ] val step:0 top1: 0.9 ips: 20.5 img/s\nEND epoch:{e} val top1_avg: {v}", {"val_top1_avg max"}),
        # Steps within a pass; conlleval's counts are none of its scores, and each class is a part.
        ("iteration:{e} step:8/65, loss: 9.5\nprocessed 9 tokens with 8 phrases; found: 7 phrases; correct: 6.\n"
         "FB1:  {v}", {"FB1 max"}),
        ("epoch {e} val_acc {v}\nMonitored metric val_loss did not improve in the last 9 records.", {"val_acc max"}),
        ("Timer: 0.6\nepoch:{e} || iter:9 || Loss:9.5\nstart eval....\nTimer: 1.6\ntest epoch:{e} || Loss:{v}",
         {"Loss min"}),
        ("batch i:{e}, episode_len:{e}\nlr_multiplier:1.0,loss:{v},entropy:1.9", {"loss min"}),  # as AlphaZero counts
        # A record in two lines; what was done with which data; loguru's place in the program.
        ("epoch: {e}, 5/12 8.8%, 0.7s per iter, lr: 0.1\n    ppl: {v}", {"ppl min"}),
        ("Epoch {e} trained with loss: 9.5. It took 9.\nEpoch {e} evaluated with loss: {v}. It took 9.", {"loss min"}),
        ("2031-02-03 04:05:06.789 | INFO     | __main__:<module>:9 - epoch {e}, val_acc: {v}", {"val_acc max"}),
        ("step {e}: Precision at k = 5: {v}", {"Precision@5 max"}),
        ("epoch {e} val_acc {v}\nseed: {e}", {"val_acc max"}),  # a setting that is printed again is none of the run
    ],
)  # fmt: skip
def test_what_of_a_line_is_the_curve(
    tmp_path: Path, line: str, keys: set[str], scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "run.log"
    log.write_text("".join(line.format(e=e, v=v) + "\n" for e, v in enumerate(VALUES, start=1)))
    found = scored(log)
    assert {key.removeprefix("run ") for key in found} == keys
    assert list(VALUES) in found.values()


def test_values_of_batches_that_are_left_out_are_told(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.write_text(
        "".join(f"epoch {e} batch 4/9 loss 9.5\nepoch {e} train loss 8.5 val loss {v}\n" for e, v in enumerate(VALUES))
    )
    (note,) = (note for note in read_logs(log).notes if "batches" in note)
    assert note.endswith("values of batches are left out where others are of whole epochs: loss.")


def test_an_epoch_that_has_only_begun_is_no_divergence(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    batch = "Epoch[{e}] Batch [20]\tSpeed: 25.6 samples/sec\tRPNAcc=0.9\n"
    log.write_text(
        "".join(f"{batch.format(e=e)}Epoch[{e}] Train-RPNAcc={v}\n" for e, v in enumerate(VALUES)) + batch.format(e=4)
    )
    table = read_logs(log)
    assert not any("diverged" in note for note in table.notes)
    assert table.points["value"].tolist() == list(VALUES)


def test_a_text_without_line_breaks_is_broken_where_it_counts(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "run.txt"
    log.write_bytes(
        "".join(f"第{e}轮：训练损失：9.5, 验证准确率:{v}, 耗时2秒" for e, v in enumerate(VALUES, 1)).encode("gb18030")
    )
    assert scored(log) == {"run accuracy max": list(VALUES)}


def test_lines_without_breaks_between_them_are_broken_among_others(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "run.txt"
    lines = [f"epoch: {e}/9, train_loss: 9.5, val_acc: {v}" for e, v in enumerate(VALUES, 1)]
    log.write_text("\n".join(["model a", "", *lines, "model b", "", "".join(lines)]))
    assert scored(log) == {"run val_acc max": list(VALUES), "run#2 val_acc max": list(VALUES)}


def test_other_epochs_beside_the_present_one_break_no_line(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "run.txt"
    log.write_text(
        "".join(
            f"epoch {e}: val_acc {v}, the best was epoch 1, patience is out in epoch 9\n"
            for e, v in enumerate(VALUES, 1)
        )
    )
    assert scored(log) == {"run val_acc max": list(VALUES)}


def test_only_what_says_so_is_held_out_in_lines_that_name_held_out_values(tmp_path: Path) -> None:
    text = ""
    for step in range(1, 9):
        text += f"step:{step} - actor/kl_loss:0.{step} - critic/rewards/mean:0.{step}"
        text += f" - val-core/gsm8k/reward/mean@1:0.{step}\n" if step % 2 == 0 else "\n"
    (tmp_path / "one.log").write_text(text)
    table = read_logs(tmp_path / "one.log")
    assert [metric.key for metric in table.metrics] == ["core/gsm8k/reward/mean@1"]
    assert set(table.signals["metric"]) == {"train/actor/kl_loss", "train/critic/rewards/mean"}
    assert table.points["epoch"].tolist() == [2, 4, 6, 8]
