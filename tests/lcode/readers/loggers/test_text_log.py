"""Text files of no tool in particular: what in them is a training, and how it is read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lcode.errors import InputError
from lcode.readers.read import read_logs
from lcode.table.table import RunTable

SPRINGS = (0.9, 0.7, 0.55, 0.5)
"""A loss that falls."""


def read(tmp_path: Path, name: str, text: str) -> RunTable:
    path = tmp_path / name
    path.write_text(text)
    return read_logs(path)


def curve(table: RunTable, key: str) -> list[tuple[float, float]]:
    points = table.points[table.points["metric"] == key]
    return [
        (float(epoch) * table.epoch_unit, float(value)) for epoch, value in zip(points.epoch, points.value, strict=True)
    ]


def directions(table: RunTable) -> dict[str, str]:
    return {metric.key: metric.direction for metric in table.metrics}


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("a.log", "Epoch {e}: train loss=9.5, val loss={v}, lr=0.1"),
        ("b.txt", "epoch: {e}, lr: 1e-1 - train loss: 9.5 - val loss: {v}"),
        ("c.log", "2031-02-03 04:05:06,789 INFO: [Epoch {e}/4] train_loss 9.5 | val_loss {v} | time 3.1s"),
        ("d.out", "Epoch[{e}] Speed: 31.2 samples/sec train-loss=9.5\tval-loss={v}"),
        ("e.log", "Train: epoch {e} loss 9.5 (9.5)\nVal: loss 7.0 ({v})"),
        ("f", "step:{e}/4 train_loss:9.5 val_loss:{v} train_time:120ms"),
        ("g.log", 'json_stats: {{"_type": "val_epoch", "epoch": "{e}/4", "loss": {v}}}'),
    ],
)
def test_printed_lines_are_rows(tmp_path: Path, name: str, line: str) -> None:
    text = "".join(line.format(e=epoch, v=value) + "\n" for epoch, value in enumerate(SPRINGS, start=1))
    table = read(tmp_path, name, text)
    (metric,) = table.metrics
    assert metric.direction == "min" and "val" in f"val {metric.key}".lower()
    assert curve(table, metric.key) == list(enumerate(SPRINGS, start=1))


@pytest.mark.parametrize(
    ("line", "key", "direction"),
    [
        ("[{e}]\ttrain-rmse:9.5\teval-rmse:{v}", "rmse", "min"),  # XGBoost
        ("[14:02:31] [{e}]\ttrain-auc:9.5\teval-auc:{v}", "auc", "max"),
        ("[LightGBM] [Info] of no interest\n[{e}]\ttraining's l2: 9.5\tvalid_0's l2: {v}", "l2", "min"),
        ("{e}:\tlearn: {v}\ttest: {v}\tbest: 0.1 (2)\ttotal: 51ms\tremaining: 51s", "loss", "min"),  # CatBoost
        ("{e} val {v}\n{e} train {v}", "loss", "min"),  # build-nanogpt
        ("[eval] iter {e}: train {v} val {v} lr 7.50e-07\n[train] iter {e}: loss 9.5", "loss", "min"),
        ("Train {e}, loss: 9.5, train acc: 0.1\nTest {e}, loss: {v}", "loss", "min"),  # DGCNN
        ("Train: {e} [  50/100 ( 50%)]  Loss: 9.5 (9.5)\nTest: [ 9/9]  Loss: 7.0 ({v})", "Loss", "min"),  # timm
        ("{e}epoch:train:1-9batch: loss=9.5\n{e}epoch results: [train] loss=9.5, [valid] wer={v}", "wer", "min"),
        (" {e}: 9.5, {v} avg loss, 0.001000 rate, 3.2 seconds, 640 images", "loss", "min"),  # Darknet
        ("[mt][train][INFO] - {{'epoch': {e}, 'loss': 9.5}}\n{{'epoch': {e}, 'eval_loss': '{v}'}}", "eval_loss", "min"),
        ("Epoch [{e}][50/99]\tloss: 9.5, acc: 91.2\nEpoch(val) [{e}][500]\tbbox_mAP: {v}", "bbox_mAP", "max"),  # MMCV
        ("epoch: [{e}/500], acc: 0.1\ncur metric, acc: {v}, fps: 9\nbest metric, acc: 0.99", "acc", "max"),  # PaddleOCR
        ("Ep. {e} : Up. 9{e} : Cost 9.5 : L.r. 3e-4\n[valid] Ep. {e} : Up. 9{e} : ce-mean-words : 1 : bleu : {v}",
         "valid/bleu", "max"),  # Marian
        ("iteration {e}, loss = 9.5\nValidation score: {v}", "Validation_score", "max"),
        ("Epoch: {e}\nINFO:root:\tTrain: loss = 9.5 | f1 = 0.1\nINFO:root:\tTest: f1 = {v}", "f1", "max"),
        ("epoch: {e}, train loss is: 9.5, val acc is: {v}", "acc", "max"),
        ("Epoch {e}/9 | loss=9.5 | val={v}\nNew best model: best.pt (val_loss=0.1)", "loss", "min"),
        ("Epoch {e}/9 - Train Loss: 9.5, Val Loss: {v}\n  保存最佳模型 (val_loss=0.1)", "Loss", "min"),
        ("Epoch {e}, Loss: 9.5, Test Acc: {v}%", "Acc", "max"),
        ("Epoch {e} accuracy: 9/10=0.9 train\nval accuracy: 35/100 ({v}%)", "accuracy", "max"),
        ("[{e},  2000] loss: {v}", "loss", "min"),  # PyTorch's tutorials
        ("[{e}/9][50/391] Loss_D: 9.5 acc: {v}", "acc", "max"),  # DCGAN
        ("{e} [D loss: 9.5, acc.: {v}%] [G loss: 9.5]", "acc", "max"),  # Keras-GAN
        ("[{e} :   3300] score : {v}", "score", "max"),
        ("#{e} acc: {v}", "acc", "max"),
        ("epoch_{e} acc {v}", "acc", "max"),
        ("(epoch: {e}, iters: 400, time: 0.1, data: 0.2) G_L1: {v} D_fake: 0.4", "G/L1_loss", "min"),  # CycleGAN
        ("Cost after iteration {e}: {v}", "Cost", "min"),
        ("At epoch {e} train loss is 9.5 and test rmse is {v}", "test_rmse", "min"),
        ("Epoch: 0{e}, Loss: 9.5, Train: 0.{e}, Val: {v}, Test: 0.1", "score", "max"),  # PyTorch Geometric
        ("{{'loss': 9.5, 'epoch': {e}.0}}\n{{'eval_loss': {v}, 'epoch': {e}.0}}", "eval_loss", "min"),  # Transformers
        ("训练轮次 {e}/9, 训练损失: 9.5, 验证损失: {v}", "loss", "min"),
        ("Epoch [{e}/9], Loss_D: 9.5, StegAcc: 0.7\nValidation Epoch [{e}/9], PSNR: {v}", "PSNR", "max"),
        ("Epoch: [{e}]  [ 0/500]  loss: 9.5\nTest: [ 0/50] acc1: 9.5\n* Acc@1 {v} loss 9.5\nMax accuracy: 99%",
         "Acc@1", "max"),  # DeiT
        ("epoch {e} train_loss 9.5, HR@10 {v}", "HR@10", "max"),
        ("Updates {e}, num timesteps 9{e}0, FPS 9\n Last 10 training episodes: mean/median reward {v}/2.0, "
         "min/max reward 0.1/9.5", "mean_reward", "max"),
        ("Total T: {e} Episode Num: 7 Episode T: 200 Reward: 9.5\nEvaluation over 10 episodes: {v}", "reward", "max"),
        ("global_step={e}, episodic_return=[{v}]", "episodic_return", "max"),  # CleanRL
        ("train loss: 9.5 val loss: {v}", "val_loss", "min"),
        ("Epoch {e}/9\n step 9/9 - loss: 9.5 - auc: 0.1\nEval begin...\n step 2/2 - auc: {v}", "auc", "max"),
        ("epoch {e}\ntrain:\n  iou: 0.1\nvalidation:\n  iou: {v}", "iou", "max"),
        ("Epoch: [{e}/9] Iter:[0/247], Loss: 9.5, Acc: 0.1\nLoss: 9.5, MeanIU:  {v}, Best_mIoU:  0.9", "MeanIU", "max"),
        ("===> Epoch {e} Complete: Avg. Loss: 9.5\n===> Avg. PSNR: {v} dB", "Avg._PSNR", "max"),
        ("epoch_out: {e}, epoch_in: 8, acc: 0.1\nepoch_out: {e}, epoch_in: 9, acc: {v}", "acc", "max"),
        ("epoch:[{e}/9] train step:5 top1: 0.1 batch_cost: 0.1 s\nEND epoch:{e} val top1_avg: {v} batch_cost_sum: 9 s",
         "val_top1_avg", "max"),  # PaddleVideo
        ("Epoch {e}\n{v}", "loss", "min"),
    ],
)  # fmt: skip
def test_forms_of_many_programs(tmp_path: Path, line: str, key: str, direction: str) -> None:
    text = "".join(line.format(e=epoch, v=value) + "\n" for epoch, value in enumerate(SPRINGS, start=1))
    table = read(tmp_path, "program.log", text)
    scored = directions(table)
    assert scored.get(key) == direction, scored
    assert curve(table, key) == list(enumerate(SPRINGS, start=1))
    assert not any("train" in name.lower() or ("_loss" in name and name != key) for name in scored)


def test_cocos_summary_has_its_names(tmp_path: Path) -> None:
    summary = (
        " Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = {v}\n"
        " Average Precision  (AP) @[ IoU=0.75      | area=   all | maxDets=100 ] = 0.9\n"
        " Average Recall     (AR) @[ IoU=0.50:0.95 | area= small | maxDets=100 ] = 0.8\n"
    )
    text = "".join(f"Epoch: [{e}] [90/99] loss: 9.5\n" + summary.format(v=v) for e, v in enumerate(SPRINGS))
    table = read(tmp_path, "detector.log", text)
    assert directions(table) == {"AP": "max", "AP75": "max", "ARs": "max"}
    assert curve(table, "AP") == list(enumerate(SPRINGS))


def test_words_of_a_sentence_are_no_metrics(tmp_path: Path) -> None:
    text = "".join(
        f"step {e} loss: {v}\n (next mAP calculation at {e}00 steps)\nthis is {e} of them\n"
        f'"GET /models/refs%2Fpr%2F10 HTTP/1.1" {e} 25\n'
        for e, v in enumerate(SPRINGS)
    )
    assert directions(read(tmp_path, "run.log", text)) == {"loss": "min"}


def test_a_bare_pair_that_rises_is_a_score(tmp_path: Path) -> None:
    table = read(tmp_path, "run.log", "".join(f"epoch {e}: train 0.{e}1 val 0.{e}\n" for e in range(1, 9)))
    assert directions(table) == {"score": "max"}
    assert any("'train' and 'val' name no metric" in note for note in table.notes)


def test_what_is_printed_more_often_than_the_validation_is_of_the_training(tmp_path: Path) -> None:
    text = "".join(
        f"Step {step}/900; acc: 41.5; ppl: 9.5\n" + f"Validation perplexity: {step / 10}\n" * (step % 50 == 0)
        for step in range(10, 210, 10)
    )
    assert directions(read(tmp_path, "translation.log", text)) == {"perplexity": "min"}


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
def test_tables_in_texts(tmp_path: Path, text: str, scored: dict[str, str]) -> None:
    assert directions(read(tmp_path, "table.log", text)) == scored


def test_what_follows_a_counter_belongs_to_it(tmp_path: Path) -> None:
    text = "".join(
        f"epoch {epoch} - iter {step}/2 - loss {value + 1} - samples/sec: 99.5\n" * (step == 1)
        + f"DEV : loss {value} - f1-score 0.{epoch}\n" * (step == 2)
        for epoch, value in enumerate(SPRINGS, start=1)
        for step in (1, 2)
    )
    table = read(tmp_path, "training.log", text)
    assert directions(table) == {"loss": "min", "f1-score": "max"}
    assert curve(table, "loss") == list(enumerate(SPRINGS, start=1))


def test_a_counter_that_starts_at_0_ends_one_before_its_total(tmp_path: Path) -> None:
    table = read(tmp_path, "run.log", "".join(f"[Epoch {e}/9] val_acc: 0.{e + 1}\n" for e in range(4)))
    assert table.runs["horizon"].tolist() == [8]
    assert table.runs["status"].tolist() == ["running"]


def test_boxes_of_names_and_numbers(tmp_path: Path) -> None:
    rule = "-" * 30
    boxes = "".join(
        f"{rule}\n| rollout/ |  |\n|  ep_rew_mean | {reward} |\n| time/ | |\n|  total_timesteps | {at} |\n{rule}\n"
        for at, reward in ((2048, -3.5), (4096, -1.25), (6144, 4.0))
    )
    table = read(tmp_path, "ppo.log", boxes)
    assert directions(table) == {"rollout/ep_rew_mean": "max"}
    assert curve(table, "rollout/ep_rew_mean") == [(2048, -3.5), (4096, -1.25), (6144, 4.0)]


def test_settings_printed_before_the_training_count_nothing(tmp_path: Path) -> None:
    text = "epochs: 50\nSTEPS: (800, 900)\nhidden: 64\n" + "".join(
        f"step {10 * n}: val loss {4 - n}.5\n" for n in range(3)
    )
    table = read(tmp_path, "run.log", text)
    assert curve(table, table.metrics[0].key) == [(0, 4.5), (10, 3.5), (20, 2.5)]
    assert list(table.configs.columns) == []


def test_files_that_count_otherwise_than_most_are_left_out_by_name(tmp_path: Path) -> None:
    for name, counter in (("a", "epoch"), ("b", "epoch"), ("c", "step")):
        (tmp_path / f"{name}.log").write_text("".join(f"{counter} {n} val_loss {4 - n}.5\n" for n in range(3)))
    table = read_logs(tmp_path)
    assert sorted(table.runs.index) == ["a", "b"] and any("c.log" in note for note in table.notes)


def test_a_program_and_its_settings_are_no_log(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_text("epochs = 20\nlr = 0.1\nfor epoch in range(epochs):\n    print(f'epoch {epoch} loss {loss}')\n")
    with pytest.raises(InputError, match="a counter stands before named numbers"):
        read_logs(path)


@pytest.mark.parametrize("suffix", [".log", ".txt", ".json"])
def test_json_lines_of_any_name(tmp_path: Path, suffix: str) -> None:
    rows = [
        {"epoch": e, "train_loss": 2.0, "test_acc1": 10.0 * e, "test_coco_eval_bbox": [e / 10] * 12} for e in range(3)
    ]
    table = read(tmp_path, f"log{suffix}", "".join(json.dumps(row) + "\n" for row in rows))
    assert directions(table)["test_acc1"] == "max"
    assert [value for _, value in curve(table, "test_acc1")] == [0.0, 10.0, 20.0]
    assert any(key.endswith("AP50") for key in directions(table))


def test_a_list_of_objects_in_a_file_without_ending(tmp_path: Path) -> None:
    rows = [{"main/loss": 3.0 - e, "validation/main/loss": 4.0 - e, "epoch": e, "iteration": 10 * e} for e in (1, 2)]
    table = read(tmp_path, "log", json.dumps(rows, indent=1))
    assert [(m.key, m.direction) for m in table.metrics] == [("loss", "min")]
    assert curve(table, "loss") == [(1.0, 3.0), (2.0, 2.0)]


def test_columns_between_blanks_below_a_commented_header(tmp_path: Path) -> None:
    text = "#  step   rmse_val  rmse_trn  rmse_e_val rmse_e_trn   lr\n"
    text += "".join(f"   {100 * n}   {1 / n:.2e}  9.0e+00   {2 / n:.2e}   8e-1  1.0e-03\n" for n in (1, 2, 4))
    table = read(tmp_path, "lcurve.out", text)
    assert set(directions(table).values()) == {"min"} and len(table.metrics) == 2
    assert [epoch for epoch, _ in curve(table, table.metrics[0].key)] == [100, 200, 400]


def test_a_table_without_epochs_is_counted_if_trained_and_validated(tmp_path: Path) -> None:
    text = "Learning Rate\tTrain Loss\tValid Loss\tValid Acc.\t\n0.1\t4.5\t3.5\t10.0\t\n0.1\t4.0\t3.0\t20.0\t\n"
    table = read(tmp_path, "log.txt", text)
    assert directions(table) == {"Valid Loss": "min", "Valid Acc.": "max"}
    assert curve(table, "Valid Loss") == [(1, 3.5), (2, 3.0)]
    assert any("its rows were counted" in note for note in table.notes)


def test_a_table_of_losses_alone_is_counted(tmp_path: Path) -> None:
    table = read(tmp_path, "log.txt", "total loss\tseg loss\tdepth loss\t\n4.5\t3.5\t1.0\t\n4.0\t3.0\t1.0\t\n")
    assert set(directions(table).values()) == {"min"} and len(table.metrics) == 3
    assert sorted(table.points["epoch"].unique()) == [1, 2]


def test_a_table_of_results_is_not_counted(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text("model,accuracy,f1\nsvm,0.5,0.25\nmlp,0.75,0.5\n")
    with pytest.raises(InputError, match="no column counts the epochs"):
        read_logs(path)


def test_a_table_of_several_runs_keeps_them(tmp_path: Path) -> None:
    table = read(tmp_path, "runs.txt", "run,epoch,seg/miou\na,1,0.5\nb,1,0.25\na,2,0.75\n")
    assert sorted(table.runs.index) == ["a", "b"]
    assert sorted(table.points["value"]) == [0.25, 0.5, 0.75]


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


def test_epochs_that_were_bad_or_best_are_not_the_present_one(tmp_path: Path) -> None:
    text = "".join(
        f"EPOCH {epoch} done: loss 0.5 - lr 0.1 - bad epochs 0\nDEV : loss {value}\nbest val loss at epoch 1\n"
        for epoch, value in enumerate(SPRINGS, start=1)
    )
    assert curve(read(tmp_path, "a.log", text), "loss") == list(enumerate(SPRINGS, start=1))


def test_a_table_of_classes_at_the_end_sums_up(tmp_path: Path) -> None:
    text = "".join(f"epoch {epoch}: val_loss {value}\n" for epoch, value in enumerate(SPRINGS, start=1))
    text += "epoch 5\ncats - precision: 0.8 - recall: 0.9\ndogs - precision: 0.7 - recall: 0.6\n"
    assert directions(read(tmp_path, "a.log", text)) == {"val_loss": "min"}


def test_the_result_of_an_evaluation_is_measured_apart(tmp_path: Path) -> None:
    text = "".join(
        f"Step: {step}, Batch Loss: 9.5\nEvaluation result (greedy) loss: {value}, acc: 0.{step}\n"
        for step, value in enumerate(SPRINGS, start=1)
    )
    table = read(tmp_path, "a.log", text)
    assert directions(table) == {"loss": "min", "acc": "max"}
    assert curve(table, "loss") == list(enumerate(SPRINGS, start=1))


@pytest.mark.parametrize(
    "line",
    [
        "| epoch   {e} | 100/ 200 batches | lr 20.00 | loss  9.50 | ppl   99.56\n"
        "| end of epoch   {e} | time: 60.80s | valid loss  {v} | valid ppl    8.99",
        "current step: {e}th step\nloss:{v}",
        "[{e}/9] train loss : 9.9 | time : 4.45s\n[{e}/9] mean test loss : {v}",
        "Epoch: {e}. Loss: {v}.\nCheckpoint saved. At epoch: {e}. With loss: 9.9",
    ],
)
def test_aligned_numbers_ordinals_and_what_is_saved(tmp_path: Path, line: str) -> None:
    text = "".join(line.format(e=epoch, v=value) + "\n" for epoch, value in enumerate(SPRINGS, start=1))
    table = read(tmp_path, "a.log", text)
    (loss,) = [metric.key for metric in table.metrics if metric.key.lower().endswith("loss")]
    assert curve(table, loss) == list(enumerate(SPRINGS, start=1))


def test_a_list_of_numbers_is_a_curve_per_class(tmp_path: Path) -> None:
    text = "".join(
        f"epoch: {epoch}\nmean Dice: [0.{epoch}5, np.float32({value})]\nother: [1, 2]\n"
        for epoch, value in enumerate(SPRINGS, start=1)
    )
    table = read(tmp_path, "a.log", text)
    assert directions(table) == {"mean_Dice_0": "max", "mean_Dice_1": "max"}
    assert curve(table, "mean_Dice_1") == list(enumerate(SPRINGS, start=1))


def test_a_configuration_that_is_printed_again_is_no_curve(tmp_path: Path) -> None:
    begin = "  FOCAL_LOSS_ALPHA: 0.25\n"
    lines = [f"iter: {20 * at}  total_loss: {0.9 - at / 10:.1f}\n" for at in range(1, 8)]
    text = "".join([begin, *lines[:3], begin, *lines[3:5], begin, *lines[5:]])
    assert directions(read(tmp_path, "log.txt", text)) == {"total_loss": "min"}


def test_one_object_in_a_json_file_is_no_log(tmp_path: Path) -> None:
    summary = '{"global_step": 50, "val_loss": 0.5}\n'
    with pytest.raises(InputError, match=r"looks like W&B's summary"):
        read(tmp_path, "wandb-summary.json", summary)
    assert len(read(tmp_path, "lines.json", summary + summary.replace("50", "60")).points) == 2


@pytest.mark.parametrize("encoding", ["utf-16", "gbk", "utf-8"])
def test_what_shells_write(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "train.log"
    text = "".join(f"Epoch {e}: 训练 train loss=9.5, val loss={v}\n" for e, v in enumerate(SPRINGS))
    path.write_bytes(text.encode(encoding).replace(b"Epoch 3", b"\0Epoch 3"))
    table = read_logs(path)
    assert curve(table, "val_loss") == list(enumerate(SPRINGS))
    assert any("1 zero bytes were left out" in note for note in table.notes) is (encoding != "utf-16")


def test_batches_alone_are_counted_by_passes(tmp_path: Path) -> None:
    text = "".join(f"  Batch {at}/3 | Loss: {v + at}\n" for v in SPRINGS for at in (1, 2, 3))
    assert curve(read(tmp_path, "run.log", text), "Loss") == [(e, v + 3) for e, v in enumerate(SPRINGS, start=1)]


def test_trainings_printed_one_after_another_are_runs(tmp_path: Path) -> None:
    text = "".join(
        f"Fold {fold}\n" + "".join(f"epoch {e}/4 val loss {v + fold}\n" for e, v in enumerate(SPRINGS, start=1))
        for fold in (1, 2)
    )
    table = read(tmp_path, "folds.log", text.replace("Fold 2", "Final score: 0.5\nFold 2") + "epoch 4/4 val loss 0.1\n")
    assert directions(table) == {"val_loss": "min"}
    assert list(table.runs.index) == ["folds", "folds#2"] and table.runs["horizon"].tolist() == [4, 4]
    assert table.points["value"].tolist()[:4] == [v + 1 for v in SPRINGS]
    assert any("epochs begin anew 1 times, so it holds 2 runs" in note for note in table.notes)
    resumed = "".join(f"epoch {e} val loss {v}\n" for e, v in ((1, 0.9), (2, 0.8), (3, 0.7), (2, 0.75), (3, 0.6)))
    assert curve(read(tmp_path, "resumed.log", resumed), "val_loss") == [(1, 0.9), (2, 0.75), (3, 0.6)]


def test_each_training_in_a_file_has_the_total_that_was_said_of_it(tmp_path: Path) -> None:
    text = "".join(
        f"epoch {e}/{total}:\n  val loss {v}\n" for total in (40, 60, 50) for e, v in enumerate(SPRINGS, start=1)
    )
    assert read(tmp_path, "folds.log", text).runs["horizon"].tolist() == [40, 60, 50]
    prolonged = "".join(f"epoch {e}/{3 if e < 3 else 5} val loss {v}\n" for e, v in enumerate(SPRINGS, start=1))
    assert read(tmp_path, "prolonged.log", prolonged).runs["horizon"].tolist() == [5]


def test_rows_before_the_first_epoch_begin_no_run(tmp_path: Path) -> None:
    text = "step 5 loss 3.0\n" + "".join(f"epoch {e} loss {v}\n" for e, v in enumerate(SPRINGS)) + "epoch 0 loss 2.0\n"
    table = read(tmp_path, "run.log", text)
    assert list(table.runs.index) == ["run", "run#2"] and curve(table, "loss")[-1] == (0, 2.0)


@pytest.mark.parametrize(
    "name", ["run.log.bk", "run.log.1", "run.txt.old", "run.out~", "run.sh.o12345", "run.log.2031-02-03"]
)
def test_logs_that_were_set_aside(tmp_path: Path, name: str) -> None:
    text = "".join(f"epoch {e} val_loss {v}\n" for e, v in enumerate(SPRINGS))
    assert curve(read(tmp_path, name, text), "val_loss") == list(enumerate(SPRINGS))


def test_a_chinese_text_of_a_chinese_machine(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    path.write_bytes("".join(f"第{e}轮：损失值={v}，准确率：{e}%\n" for e, v in enumerate(SPRINGS)).encode("gb18030"))
    table = read_logs(path)
    assert directions(table) == {"loss": "min", "accuracy": "max"} and curve(table, "loss") == list(enumerate(SPRINGS))
    assert any("read as GB18030" in note for note in table.notes)


def test_several_tables_in_one_text_are_runs(tmp_path: Path) -> None:
    rows = "".join(f"{e}\t{10 * e}\t{v}\n" for e, v in enumerate(SPRINGS))
    text = f"### 128 tokens\nepoch, step, ppl\n{rows}### 256 tokens\nepoch, step, ppl\n{rows}epoch, step, f1\n{rows}"
    table = read(tmp_path, "eval.txt", text)
    assert list(table.runs.index) == ["eval", "eval#2", "eval#3"]
    assert table.points["metric"].value_counts().to_dict() == {"ppl": 8, "f1": 4}


def test_a_table_in_markdown(tmp_path: Path) -> None:
    rows = "".join(f"| {e} | {v} |\n" for e, v in enumerate(SPRINGS))
    table = read(tmp_path, "log.txt", f"| epoch | val loss |\n|:-----|-----:|\n{rows}")
    assert curve(table, "val loss") == list(enumerate(SPRINGS))


def test_train_and_test_logs_of_torch_are_one_run(tmp_path: Path) -> None:
    for split in ("train", "test"):
        column = "".join(f" {v:.4e}\n" for v in SPRINGS)
        (tmp_path / f"{split}.log").write_text(f"% mean class accuracy ({split} set)\t\n{column}")
    table = read_logs(tmp_path)
    assert len(table.runs) == 1 and [value for _, value in curve(table, "mean class accuracy")] == list(SPRINGS)
    assert directions(table) == {"mean class accuracy": "max"}


def test_of_several_files_on_one_run_the_evaluation_counts(tmp_path: Path) -> None:
    for name, line in (
        ("metrics", '{{"epoch": {e}, "val_loss": {v}, "val_acc": 0.{e}}}'),
        ("timing", "epoch={e} loss=0.001"),
    ):
        text = "".join(line.format(e=e, v=v) + "\n" for e, v in enumerate(SPRINGS, start=1))
        (tmp_path / f"{name}_20310203.log").write_text(text)
    table = read_logs(tmp_path)
    assert len(table.runs) == 1 and set(directions(table)) == {"val_loss", "val_acc"}
    assert any("so not read: timing_20310203.log" in note for note in table.notes)


def test_numbers_without_a_name_are_counted_if_there_are_many_in_an_epoch(tmp_path: Path) -> None:
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


def test_the_remedies_of_refusals_work(tmp_path: Path) -> None:
    assert len(read(tmp_path, "a.log", "".join(f"epoch {e}, acc: 0.{e}\n" for e in range(3))).points) == 3
    assert len(read(tmp_path, "b.log", "epoch,loss,accuracy\n0, 44.7, 50.9\n1, 43.0, 51.0\n").points) == 4
    assert len(read(tmp_path, "c.log", "epoch,loss,accuracy\n1,16.84,-210.5\n2,10.07,-158.7\n").points) == 4
    assert len(read(tmp_path, "d.log", "loss\n1.5\n1.4\n1.3\n").points) == 3


def test_the_last_batch_is_no_curve_beside_the_whole_epoch(tmp_path: Path) -> None:
    text = "".join(
        f"Epoch[{e}] Batch [20]\tacc=0.1\nEpoch[{e}] Train-acc={v}\nEpoch[{e}] Time cost=9.5\n"
        for e, v in enumerate(SPRINGS)
    )
    assert directions(read(tmp_path, "mxnet.log", text)) == {"Train-acc": "max"}


def test_batches_of_one_epoch_are_steps(tmp_path: Path) -> None:
    text = "".join(f"(epoch: 1, iters: {n}00, time: 0.1, data: 0.2) G_L1: {v}\n" for n, v in enumerate(SPRINGS, 1))
    table = read(tmp_path, "loss_log.txt", text)
    assert curve(table, table.metrics[0].key) == [(100 * n, v) for n, v in enumerate(SPRINGS, 1)]
