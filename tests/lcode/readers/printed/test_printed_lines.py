"""What programs print, line by line: counters, names and their numbers in the forms of many programs."""

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
def test_printed_lines_are_rows(tmp_path: Path, name: str, line: str, read: Read, curve: Curve) -> None:
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
        ("(epoch: {e}, iters: 400, time: 0.1) G_L1: {v} D_real+fake: -0.4 ", "G/L1_loss", "min"),  # DeblurGAN
        ("epoch {e}: train acc: 0.1%, loss: 9.5\nThe result of net 18 is test acc: 0.1%, loss: {v}", "loss", "min"),
        ("[ Train | 00{e}/100 ] loss = 9.5, acc = 0.1\n[ Valid | 00{e}/100 ] acc = {v}\n"
         "[ Valid | 00{e}/100 ] acc = {v} -> best", "acc", "max"),
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
        ("0m 24s ({e} 6%) {v}", "loss", "min"),  # PyTorch's tutorials
        ("1m 3s (- 15m 45s) ({e} 6%) {v}", "loss", "min"),
        ("{e} 5% (0m 7s) {v} Name / Language", "loss", "min"),
        ("Train loss {e} 9.5 Grad Norm 1.5\nValidation loss {e}: {v}", "loss", "min"),  # Tacotron
        ("epoch: {e} |loss 9.5 | acc 0.1 |loss {v} | acc 0.2 |", "loss", "min"),  # CenterNet
        ("Epoch {e} [INFO] 5, train_loss=9.5, test_loss={v}", "test_loss", "min"),
        ("epoch {e}: {{'accuracy': {v}, 'other': 0.1}}", "accuracy", "max"),
        ("('Epoch', {e}, 'train_loss', 9.5, 'val_loss:', {v})", "val_loss", "min"),
        ("Epoch {e}: loss(train)=9.5, loss(val)={v}", "val_loss", "min"),
        ("[0{e}/10] loss → 9.5 | val_f1 → {v}", "val_f1", "max"),
        ("epoch {e} — Train loss: 9.5 • Val loss: 9.5 → Acc: {v} %", "Acc", "max"),
        ("Epoch: {e}, Steps: 265 | Train Loss: 9.5 Vali Loss: {v} Test Loss: 9.5\n"
         "Validation loss decreased (0.9 --> 0.8).  Saving model ...", "Vali_Loss", "min"),  # Informer
        ("Starting iteration {e}\nAverage undiscounted return per training episode: 0.1\n"
         "Average undiscounted return per evaluation episode: {v}",
         "Average_undiscounted_return_evaluation", "max"),  # Dopamine
        ("epoch {e} - loss 9.5\nDEV : loss 9.5 - f1-score (micro avg)  {v}", "f1-score", "max"),  # Flair
        ("Run: 01, Epoch: {e}, Loss: 9.5, Train: 1{e}.1%, Valid: {v}% Test: 1{e}%", "score", "max"),  # OGB
        ("ITERATION 0{e}: TRAIN AVG.LOSS 9.5, (lr 0.008), CROSSVAL AVG.LOSS {v}", "CROSSVAL_AVG.LOSS", "min"),  # Kaldi
        ("Iter [{e}/9] loss: 9.5\nIter(val) [50]  mIoU: {v}, aAcc: 0.9", "mIoU", "max"),  # MMSegmentation
        ("\x1b[32m[2031-02-03 04:05:06 net]\x1b[0m (main.py 9): INFO Train: [{e}/9][0/99] loss 9.5\n"
         "\x1b[32m[2031-02-03 04:05:06 net]\x1b[0m (main.py 9): INFO  * Acc@1 {v}\n"
         "\x1b[32m[2031-02-03 04:05:06 net]\x1b[0m (main.py 9): INFO Max accuracy: 99.9%", "Acc@1", "max"),  # Swin
        ("Epoch {e} loss 9.5\nAccuracy of the network on the 10000 test images: {v} %", "accuracy", "max"),
        ("Game {e} Score {v} Record: 9", "Score", "max"),
        ("step {e},000: loss tensor(9.5, device='cuda:0'), val_loss {v}", "val_loss", "min"),
        ("【train】 epoch:{e} 3/454 loss:9.5\n[eval] f1_score={v}", "f1_score", "max"),
        ("step {e}\nSGG eval:   R @ 20: {v};   R @ 50: 0.1;  mR @ 20: 0.1;", "R@20", "max"),
        ("Epoch {e}: 100%|##| 9/9 [00:01<00:00, loss=9.5, v_num=0, train_loss=9.5, val_f1={v}]", "val_f1", "max"),
        ("Ep: {e}, steps: 9, D loss: 9.5, acc:  37%, G loss: {v}", "G/loss", "min"),
        ("step {e} f1 {v}\nTop k classes, the worst of them by f1: [7, 3, 5]", "f1", "max"),
        ("step {e}/9 loss: 9.5\nvalidation loss at step {e}: {v}, the acc is: 0.1", "loss", "min"),
        ("Epoch {e}: v_lat 9.5  lat 9.5  v_kl 1{e}.5  kl 9.5  v_loss {v}  loss 9.5", "loss", "min"),
        ("Epoch {e}: t_loss 9.5, v_loss {v}", "loss", "min"),
        ('tick 9  kimg {e}.0  time 1m 2s  sec/tick 9.5  maintenance 0.1  augment 0.0\nEvaluating metrics...\n'
         '{{"results": {{"fid50k_full": {v}}}, "metric": "fid50k_full", "num_gpus": 1}}', "val/fid50k_full", "min"),
        ("step {e} loss 9.5\nSample: 1, Validation mIoU: 0.1\nOverall validation mIoU: {v}", "mIoU", "max"),
        ("step {e}\nValidation perplexity: {v}\nModel is improving ppl: inf --> 9.5.", "validation/perplexity", "min"),
        ("LOG (nnet-train[5.5]:main():train.cc:149) Iteration {e}/9\nVLOG[1] (nnet-train:main():train.cc:9) At 9.5\n"
         "LOG (nnet-train[5.5]:Eval():loss.cc:269) ProgressLoss[last 5h of 1{e}h]: {v} (Mse)", "ProgressLoss", "min"),
        ("LOG (nnet3-train[5.5]:PrintStatsForThisPhase():nnet-training.cc:278) Average objective function for 'output' "
         "for minibatches 0-{e} is -0.1 + -9.5 = {v} over 99 frames.", "output/log-likelihood", "max"),
        ("Epoch {e}/9, Time (s): 9.5, Val Loss (NLL): {v}", "val/Loss_NLL", "min"),
        ("Epoch {e} | train acc (%): 9.5 | val acc(%): {v}\nlargest acc now 0.99", "acc_%", "max"),
        ("epoch {e} val accuracy (mean of all) = {v}", "val_accuracy", "max"),
        ("epoch {e}, accuracy (top-1): {v}", "accuracy_top-1", "max"),
        ("step {e}/9 (48.4%) | loss: {v} | dt: 6.1ms", "loss", "min"),  # nanochat
        ("Epoch {e}: 9/10 (90%), val accuracy: 35/100 ({v}%)", "val/accuracy", "max"),
        ("[{e}/9] test loss : 9.5 -> {v} by 1 step", "test/loss", "min"),
        ("[Fold 1] head E{e}/9: train_loss=9.5 val_loss={v} (a=9.5, b=0.1)", "val_loss", "min"),
        ("i_ep {e}: step:9 reward: {v}", "reward", "max"),
        ("loss in epoch {e} iteration 3: 9.5\nEvaluating...epoch:{e}, time: 9.5(s), valid (NDCG@10: {v}, HR@10: 0.1), "
         "test (NDCG@10: 0.5, HR@10: 0.5)", "NDCG@10", "max"),  # SASRec
        ("EPOCH[{e}/9] loss0.546-|Sample:3.4|\n[TEST]\n{{'precision': array([0.1]), 'recall': array([{v}])}}",
         "recall", "max"),  # LightGCN
        ("Epoch {e} [9.5s + 9.5s]: train==[9.5=9.4 + 0.1], recall=[{v}, 0.1], hit=[0.1, 0.2]",
         "recall_0", "max"),  # NGCF
        ("iter {e}\twasserstein distance\t{v}\ttime\t0.1\ttrain disc cost\t-9.5", "wasserstein_distance", "min"),
        ("iter {e:3d} value {v}", "loss", "min"),  # R's nnet
        ("a.log - Epoch={e} start\n[Metrics] AUC: {v} - other: 9.5", "AUC", "max"),  # FuxiCTR
        ("{e:<9} [9.5e+00, 9.5e+00]    [{v}, 9.5e+00]    []  ", "loss", "min"),  # DeepXDE
        ("INFO: in comm round:{e}\nEpoch: 0 Loss: 9.5\nEpoch: 1 Loss: 9.5\n>> Global Test accuracy: {v}",
         "Global_Test_accuracy", "max"),
        ("| Global Round : {e} | Local Epoch : 0 | Loss: 9.5\nTest accuracy: {v}%", "accuracy", "max"),
        ("epoch {e} | loss 9.5 (pde: 0.3, R: {v}) | lr 0.1", "R_loss", "min"),
        ("TRAINING - Epoch: [{e}][9/99]  Acc 0.1 (0.1)\nEVALUATING - Epoch: [{e}][9/99]  Acc 0.1 ({v})", "Acc", "max"),
        ("Scenario a Algo b updates {e}/9 episodes, total num timesteps 90/900, FPS 9.\naverage reward: {v}",
         "average_reward", "max"),  # MAPPO
        ("Epoch {e}: 100%|##| 9/9 [00:01<00:00, 9.1it/s, loss=9.5]metrics {{'Accuracy': tensor({v}),\n"
         "  'Confusion': tensor([[14, 3],\n   [ 6, 12]]), 'Recall': tensor(0.5)}}", "Accuracy", "max"),
        ("I0218 17:52:03.0 27 solver.cpp:5] Iteration {e}, loss = 9.5\n"
         "I0218 17:52:03.0 27 solver.cpp:5]     Test net output #1: softmax = {v} (* 1 = 9 loss)",
         "softmax_loss", "min"),  # Caffe
    ],
)  # fmt: skip
def test_forms_of_many_programs(
    tmp_path: Path, line: str, key: str, direction: str, read: Read, curve: Curve, directions: Directions
) -> None:
    text = "".join(line.format(e=epoch, v=value) + "\n" for epoch, value in enumerate(SPRINGS, start=1))
    table = read(tmp_path, "program.log", text)
    scored = directions(table)
    assert scored.get(key) == direction, scored
    thousand = 1000 if ",000" in line else 1
    assert curve(table, key) == [(thousand * at, value) for at, value in enumerate(SPRINGS, start=1)]
    assert not any("train" in name.lower() or ("_loss" in name and name != key) for name in scored)


def test_cocos_summary_has_its_names(tmp_path: Path, read: Read, curve: Curve, directions: Directions) -> None:
    summary = (
        " Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = {v}\n"
        " Average Precision  (AP) @[ IoU=0.75      | area=   all | maxDets=100 ] = 0.9\n"
        " Average Recall     (AR) @[ IoU=0.50:0.95 | area= small | maxDets=100 ] = 0.8\n"
    )
    text = "".join(f"Epoch: [{e}] [90/99] loss: 9.5\n" + summary.format(v=v) for e, v in enumerate(SPRINGS))
    table = read(tmp_path, "detector.log", text)
    assert directions(table) == {"AP": "max", "AP75": "max", "ARs": "max"}
    assert curve(table, "AP") == list(enumerate(SPRINGS))


def test_words_of_a_sentence_are_no_metrics(tmp_path: Path, read: Read, directions: Directions) -> None:
    text = "".join(
        f"step {e} loss: {v}\n (next mAP calculation at {e}00 steps)\nthis is {e} of them\n"
        f'"GET /models/refs%2Fpr%2F10 HTTP/1.1" {e} 25\n'
        for e, v in enumerate(SPRINGS)
    )
    assert directions(read(tmp_path, "run.log", text)) == {"loss": "min"}


def test_a_bare_pair_that_rises_is_a_score(tmp_path: Path, read: Read, directions: Directions) -> None:
    table = read(tmp_path, "run.log", "".join(f"epoch {e}: train 0.{e}1 val 0.{e}\n" for e in range(1, 9)))
    assert directions(table) == {"score": "max"}
    assert any("'train' and 'val' name no metric" in note for note in table.notes)


def test_what_is_printed_more_often_than_the_validation_is_of_the_training(
    tmp_path: Path, read: Read, directions: Directions
) -> None:
    text = "".join(
        f"Step {step}/900; acc: 41.5; ppl: 9.5\n" + f"Validation perplexity: {step / 10}\n" * (step % 50 == 0)
        for step in range(10, 210, 10)
    )
    assert directions(read(tmp_path, "translation.log", text)) == {"perplexity": "min"}


def test_scores_at_steps_of_an_epoch_are_of_the_training_where_the_epoch_is_evaluated(
    tmp_path: Path, read: Read, directions: Directions
) -> None:
    text = "".join(
        f"**EPOCH {e}**\n" + "".join(f"Step {9 * e + step} L_out=9.5 Acc=0.4\n" for step in range(9))
        + f"eval accuracy: 0.{e}\nmean IoU: 0.{e}\n" for e in range(4)
    )  # fmt: skip
    assert directions(read(tmp_path, "log.txt", text)) == {"accuracy": "max", "mean_IoU": "max"}


def test_the_mean_that_lightning_draws_is_no_curve_beside_what_is_logged(
    tmp_path: Path, read: Read, curve: Curve, directions: Directions
) -> None:
    text = "".join(
        f"Epoch {e}: 100%|##| 9/9 [00:01<00:00, 9.5it/s, loss=9.5, v_num=0, train_loss={v}]\n"
        for e, v in enumerate(SPRINGS)
    )
    table = read(tmp_path, "log.txt", text)
    assert directions(table) == {"train_loss": "min"} and curve(table, "train_loss") == list(enumerate(SPRINGS))
    assert not len(table.signals)


def test_what_lightning_says_of_its_checkpoints_is_a_curve_though_the_program_crashed_later(
    tmp_path: Path, read: Read, curve: Curve
) -> None:
    said = "saving model to '/x/best-epoch=0{e}-val_acc=val/accuracy=9.5.ckpt' as top 1"
    told = [f"'val/accuracy' reached 0.{e}5000 (best 0.95000), {said.format(e=e)}" for e in range(4)]
    told[2] = "'val/accuracy' was not in top 1"
    text = "summary.py:231: Precision 16-mixed is not supported by the model summary.\n" + "".join(
        f"Epoch {e}, global step {9 * e}: {what}\n" for e, what in enumerate(told)
    )
    table = read(tmp_path, "output.log", text + "Traceback (most recent call last):\nValueError: no key\n")
    assert curve(table, "val/accuracy") == [(0, 0.05), (1, 0.15), (3, 0.35)]


def test_a_long_object_is_read_to_its_end_and_a_long_line_of_another_kind_is_said_to_be_cut(
    tmp_path: Path, read: Read, curve: Curve
) -> None:
    many = ", ".join(f"'class_{at}_seen': {at}" for at in range(200))
    objects = "".join(f"INFO - log: {{'epoch': {e}, {many}, 'valid_acc': {v}}}\n" for e, v in enumerate(SPRINGS))
    assert curve(read(tmp_path, "a.log", objects), "valid_acc") == list(enumerate(SPRINGS))
    lines = "".join(f"Epoch {e}, valid_loss: {v}, {many}, valid_acc: 0.5\n" for e, v in enumerate(SPRINGS))
    notes = read(tmp_path, "b.log", lines).notes
    assert any("of long lines only the first 2000 characters were read: 1, 2" in note for note in notes)


def test_a_line_of_many_numbers_that_ends_otherwise_is_searched_at_once(
    tmp_path: Path, read: Read, curve: Curve
) -> None:
    text = "".join(f"Epoch {e}, val_loss: {v}\n{'part 123.456 ' * 60}!\n" for e, v in enumerate(SPRINGS))
    assert curve(read(tmp_path, "log.txt", text), "val_loss") == list(enumerate(SPRINGS))


def test_averages_of_the_test_below_its_batches_do_not_replace_those_of_the_training(
    tmp_path: Path, read: Read
) -> None:
    text = "".join(
        f"Epoch: [{e}]  [0/2]  loss: 9.5 (9.5)\nAveraged stats: loss: 9.5 ({v})\n"
        f"Test:  [0/2]  loss: 8.5 (8.5)\nAveraged stats: loss: 8.5 (8.{e})\n{e} val_acc: 0.{e}\n"
        for e, v in enumerate(SPRINGS)
    )
    signals = read(tmp_path, "log.txt", text).signals
    assert list(signals[signals["metric"] == "train/loss"]["value"]) == list(SPRINGS)


def test_a_number_within_a_word_is_no_value_and_an_error_at_the_end_says_nothing_of_what_came_before(
    tmp_path: Path, read: Read
) -> None:
    with pytest.raises(InputError, match="no known format"):
        read(tmp_path, "a.log", "Epoch 1\nPrecision 16-mixed is not supported\nEpoch 2\n")
    with pytest.raises(InputError, match="ended with an error, and no curve was found before it"):
        read(tmp_path, "b.log", "Epoch 1, acc: 0.5\nTraceback (most recent call last):\nValueError: no key\n")


def test_steps_count_where_all_is_told_often_in_two_epochs(tmp_path: Path, read: Read, curve: Curve) -> None:
    text = "".join(
        f"Epoch : {49 + step // 40}\n" * (step % 40 == 0) + f"Steps : {step}, Loss : {90 - step}, s/b : 1.1\n"
        for step in range(5, 75, 5)
    )
    table = read(tmp_path, "log.txt", "Epoch : 49\n" + text)
    assert curve(table, "Loss") == [(step, 90 - step) for step in range(5, 75, 5)]
    assert not len(table.signals)


def test_the_training_is_scored_where_nobody_knows_what_was_evaluated(
    tmp_path: Path, read: Read, curve: Curve, directions: Directions
) -> None:
    text = "".join(
        f"Train Epoch: {e}/4 ...\n    total_loss: {v} time: 15m 1s\nTest Epoch: {e} ...\n    ave: 95.3\n"
        for e, v in enumerate(SPRINGS, start=1)
    )
    table = read(tmp_path, "log.log", text)
    assert directions(table) == {"train/total_loss": "min"}
    assert curve(table, "train/total_loss") == list(enumerate(SPRINGS, start=1))


def test_what_follows_a_counter_belongs_to_it(tmp_path: Path, read: Read, curve: Curve, directions: Directions) -> None:
    text = "".join(
        f"epoch {epoch} - iter {step}/2 - loss {value + 1} - samples/sec: 99.5\n" * (step == 1)
        + f"DEV : loss {value} - f1-score 0.{epoch}\n" * (step == 2)
        for epoch, value in enumerate(SPRINGS, start=1)
        for step in (1, 2)
    )
    table = read(tmp_path, "training.log", text)
    assert directions(table) == {"loss": "min", "f1-score": "max"}
    assert curve(table, "loss") == list(enumerate(SPRINGS, start=1))


def test_boxes_of_names_and_numbers(tmp_path: Path, read: Read, curve: Curve, directions: Directions) -> None:
    rule = "-" * 30
    boxes = "".join(
        f"{rule}\n| rollout/ |  |\n|  ep_rew_mean | {reward} |\n| time/ | |\n|  total_timesteps | {at} |\n{rule}\n"
        for at, reward in ((2048, -3.5), (4096, -1.25), (6144, 4.0))
    )
    table = read(tmp_path, "ppo.log", boxes)
    assert directions(table) == {"rollout/ep_rew_mean": "max"}
    assert curve(table, "rollout/ep_rew_mean") == [(2048, -3.5), (4096, -1.25), (6144, 4.0)]


def test_settings_printed_before_the_training_count_nothing(tmp_path: Path, read: Read, curve: Curve) -> None:
    text = "epochs: 50\nSTEPS: (800, 900)\nhidden: 64\n" + "".join(
        f"step {10 * n}: val loss {4 - n}.5\n" for n in range(3)
    )
    table = read(tmp_path, "run.log", text)
    assert curve(table, table.metrics[0].key) == [(0, 4.5), (10, 3.5), (20, 2.5)]
    assert list(table.configs.columns) == []


def test_epochs_that_were_bad_or_best_are_not_the_present_one(tmp_path: Path, read: Read, curve: Curve) -> None:
    text = "".join(
        f"EPOCH {epoch} done: loss 0.5 - lr 0.1 - bad epochs 0\nDEV : loss {value}\nbest val loss at epoch 1\n"
        for epoch, value in enumerate(SPRINGS, start=1)
    )
    assert curve(read(tmp_path, "a.log", text), "loss") == list(enumerate(SPRINGS, start=1))


def test_a_table_of_classes_at_the_end_sums_up(tmp_path: Path, read: Read, directions: Directions) -> None:
    text = "".join(f"epoch {epoch}: val_loss {value}\n" for epoch, value in enumerate(SPRINGS, start=1))
    text += "epoch 5\ncats - precision: 0.8 - recall: 0.9\ndogs - precision: 0.7 - recall: 0.6\n"
    assert directions(read(tmp_path, "a.log", text)) == {"val_loss": "min"}


def test_the_result_of_an_evaluation_is_measured_apart(
    tmp_path: Path, read: Read, curve: Curve, directions: Directions
) -> None:
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
def test_aligned_numbers_ordinals_and_what_is_saved(tmp_path: Path, line: str, read: Read, curve: Curve) -> None:
    text = "".join(line.format(e=epoch, v=value) + "\n" for epoch, value in enumerate(SPRINGS, start=1))
    table = read(tmp_path, "a.log", text)
    (loss,) = [metric.key for metric in table.metrics if metric.key.lower().endswith("loss")]
    assert curve(table, loss) == list(enumerate(SPRINGS, start=1))


def test_a_list_of_numbers_is_a_curve_per_class(
    tmp_path: Path, read: Read, curve: Curve, directions: Directions
) -> None:
    text = "".join(
        f"epoch: {epoch}\nmean Dice: [0.{epoch}5, np.float32({value})]\nother: [1, 2]\n"
        for epoch, value in enumerate(SPRINGS, start=1)
    )
    table = read(tmp_path, "a.log", text)
    assert directions(table) == {"mean_Dice_0": "max", "mean_Dice_1": "max"}
    assert curve(table, "mean_Dice_1") == list(enumerate(SPRINGS, start=1))


def test_a_configuration_that_is_printed_again_is_no_curve(tmp_path: Path, read: Read, directions: Directions) -> None:
    begin = "  FOCAL_LOSS_ALPHA: 0.25\n"
    lines = [f"iter: {20 * at}  total_loss: {0.9 - at / 10:.1f}\n" for at in range(1, 8)]
    text = "".join([begin, *lines[:3], begin, *lines[3:5], begin, *lines[5:]])
    assert directions(read(tmp_path, "log.txt", text)) == {"total_loss": "min"}


def test_a_chinese_text_of_a_chinese_machine(tmp_path: Path, curve: Curve, directions: Directions) -> None:
    path = tmp_path / "train.log"
    path.write_bytes("".join(f"第{e}轮：损失值={v}，准确率：{e}%\n" for e, v in enumerate(SPRINGS)).encode("gb18030"))
    table = read_logs(path)
    assert directions(table) == {"loss": "min", "accuracy": "max"} and curve(table, "loss") == list(enumerate(SPRINGS))
    assert any("read as GB18030" in note for note in table.notes)


def test_the_last_batch_is_no_curve_beside_the_whole_epoch(tmp_path: Path, read: Read, directions: Directions) -> None:
    text = "".join(
        f"Epoch[{e}] Batch [20]\tacc=0.1\nEpoch[{e}] Train-acc={v}\nEpoch[{e}] Time cost=9.5\n"
        for e, v in enumerate(SPRINGS)
    )
    assert directions(read(tmp_path, "mxnet.log", text)) == {"Train-acc": "max"}


def test_a_loss_behind_scores_of_both_is_of_the_training(tmp_path: Path, read: Read, directions: Directions) -> None:
    lines = "".join(f"Epoch {e} | Train Acc: 9% | Test Acc: 1{e}% | Loss: {v}\n" for e, v in enumerate(SPRINGS))
    assert directions(read(tmp_path, "a.log", lines)) == {"Acc": "max"}
    alone = "".join(f"Epoch {e} | Test Acc: 1{e}% | Loss: {v}\n" for e, v in enumerate(SPRINGS))
    assert directions(read(tmp_path, "b.log", alone)) == {"test/Acc": "max", "test/Loss": "min"}


def test_what_is_printed_again_of_the_best_iteration_ends_nothing(tmp_path: Path, read: Read, curve: Curve) -> None:
    lines = "".join(f"[{10 * e}]\tvalid's auc: {v}\n" for e, v in enumerate(SPRINGS, start=1))
    table = read(tmp_path, "a.log", f"{lines}Early stopping, best iteration is:\n[20]\tvalid's auc: 0.7\n")
    assert curve(table, table.metrics[0].key) == [(10 * e, v) for e, v in enumerate(SPRINGS, start=1)]


def test_a_number_and_its_parts_in_brackets_are_losses_of_the_same_data(
    tmp_path: Path, read: Read, curve: Curve, directions: Directions
) -> None:
    lines = [
        f"epoch {e} | train 9.{e}000 (seg 9.0000, depth 0.{e}000) | val {v + 1:.4f} (seg 1.0000, depth {v:.4f})\n"
        for e, v in enumerate(SPRINGS, start=1)
    ]
    table = read(tmp_path, "a.log", "".join(lines))
    assert directions(table) == {"loss": "min", "seg/loss": "min", "depth/loss": "min"}
    assert curve(table, "depth/loss") == list(enumerate(SPRINGS, start=1))
    assert set(table.signals["metric"]) == {"train/loss", "train/seg_loss", "train/depth_loss"}


def test_a_held_out_score_that_stands_still_is_a_curve(tmp_path: Path, read: Read, curve: Curve) -> None:
    text = "".join(
        f"Epoch {e}/4\n" + "".join(f"{at}/9 - loss: {v}\n" for at in (3, 6)) + f"9/9 - loss: {v} - val_accuracy: 0.5\n"
        for e, v in enumerate(SPRINGS, start=1)
    )
    assert curve(read(tmp_path, "out.log", text), "val_accuracy") == [(1, 0.5), (2, 0.5), (3, 0.5), (4, 0.5)]


def test_a_count_without_values_at_the_end_is_no_divergence(tmp_path: Path, read: Read, curve: Curve) -> None:
    text = "".join(f"Iteration: {at}  Time: {at}.5\n  VALIDATION MAE: {v}\n" for at, v in enumerate(SPRINGS, start=1))
    table = read(tmp_path, "out.log", text + "Iteration: 5  Time: 5.5\n")
    assert curve(table, table.metrics[0].key) == list(enumerate(SPRINGS, start=1))
    assert not any("diverged" in note for note in table.notes)


def test_steps_count_where_fractions_of_an_epoch_do_not_tell_them_apart(
    tmp_path: Path, read: Read, curve: Curve
) -> None:
    text = "".join(
        f"(step={at:05d}) loss: {v}, epoch: {at // 3 / 100:.2f}\n" for at, v in enumerate(SPRINGS * 2, start=1)
    )
    assert [at for at, _ in curve(read(tmp_path, "out.log", text), "loss")] == list(range(1, 9))


def test_boxes_are_counted_by_what_was_not_rounded(tmp_path: Path, read: Read, curve: Curve) -> None:
    text = "".join(
        f"| rollout/return | {at} |\n| total/episodes | {1.23e5 + at:.3g} |\n| total/epochs | {at} |\n{'-' * 20}\n"
        for at in range(1, 7)
    )
    assert curve(read(tmp_path, "log.txt", text), "rollout/return") == [(at, at) for at in range(1, 7)]


def test_values_that_fall_in_each_of_several_trainings_are_losses(
    tmp_path: Path, read: Read, directions: Directions
) -> None:
    text = "".join(
        f"Epoch {e} train {v} test {v + 0.1}\n" for values in (SPRINGS, SPRINGS[:1]) for e, v in enumerate(values)
    )
    assert directions(read(tmp_path, "two.log", text)) == {"loss": "min"}


def test_a_loss_of_its_own_below_the_training_is_of_the_evaluation(
    tmp_path: Path, read: Read, curve: Curve, directions: Directions
) -> None:
    text = "".join(
        f"Epoch:{e}, Loss:{9 - e}.5\nEpoch:{e}, Loss:{8 - e}.5\nMSE_loss = {7 - e}.5\nR2_score = 0.{e}\n"
        for e in range(1, 5)
    )
    table = read(tmp_path, "a.log", text)
    assert directions(table) == {"MSE_loss": "min", "R2_score": "max"}
    assert curve(table, "MSE_loss") == [(1, 6.5), (2, 5.5), (3, 4.5), (4, 3.5)]


def test_how_long_something_took_is_no_cost(tmp_path: Path, read: Read, directions: Directions) -> None:
    text = "".join(
        f"epoch {e} loss: {4 - e}.5\nLoading model cost 0.{e} seconds.\nremaining: {9 - e}h\n" for e in range(3)
    )
    table = read(tmp_path, "a.log", text)
    assert list(directions(table).values()) == ["min"] and table.points["value"].tolist() == [4.5, 3.5, 2.5]
    assert not len(table.signals)


def test_of_a_list_that_grows_the_newest_value_is_told(
    tmp_path: Path, read: Read, curve: Curve, directions: Directions
) -> None:
    accuracies = [0.2, 0.3, 0.5, 0.4]
    text = "".join(
        "".join(f"Step: {40 * e + at} char-loss:  tensor({9 - e}.5, device='cuda:0')\n" for at in (20, 40))
        + f"accs:  {accuracies[: e + 1]}\ncoverage_errors:  {[9.5 - at for at in range(e + 1)]}\n"
        for e in range(4)
    )
    table = read(tmp_path, "nohup.out", text)
    assert directions(table) == {"accs": "max", "coverage_errors": "min"}
    assert curve(table, "accs") == [(40.0 * (e + 1), value) for e, value in enumerate(accuracies)]


def test_what_colours_a_text_or_clears_a_line_is_not_read(tmp_path: Path, read: Read, curve: Curve) -> None:
    head = "epoch       main/loss   validation/main/loss\n"
    rows = "".join(f"\x1b[J{e:<11} \x1b[32m9.5\x1b[0m         {v}\n" for e, v in enumerate(SPRINGS, start=1))
    assert curve(read(tmp_path, "chainer.log", head + rows), "loss") == list(enumerate(SPRINGS, start=1))


def test_the_time_of_an_epoch_counts_none(tmp_path: Path, read: Read, curve: Curve) -> None:
    text = "".join(f"epoch {e}: val_loss {v}\nTime for this epoch: {9.5 + e}\n" for e, v in enumerate(SPRINGS, start=1))
    assert curve(read(tmp_path, "out.log", text), "val_loss") == list(enumerate(SPRINGS, start=1))


def test_what_wandb_sums_up_at_the_end_is_no_value_of_the_last_epoch(tmp_path: Path, read: Read, curve: Curve) -> None:
    text = "".join(f"Epoch {at}: train_loss 9.5 val_loss {loss}\n" for at, loss in enumerate(SPRINGS, start=1))
    end = "wandb: \nwandb: Run summary:\nwandb:   test_acc 0.66\nwandb: val_loss 0.42\nwandb: \nwandb: Synced\n"
    table = read(tmp_path, "a.log", text + end)
    assert [metric.key for metric in table.metrics] == ["val_loss"]
    assert curve(table, "val_loss") == list(enumerate(SPRINGS, start=1))
