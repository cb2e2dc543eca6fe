"""Which curves are scored, which only tell of the training, and what they are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from lcode.errors import InputError, UsageError
from lcode.readers import Choices, read_logs
from lcode.readers.understanding.column_words import why_left_out, words_of
from lcode.readers.understanding.curves import settle_curves
from lcode.readers.understanding.how_often import HowOften


@pytest.mark.parametrize(
    ("keys", "scored", "signals"),
    [
        ("seg/acc depth/rmse", "seg/acc depth/rmse", ""),
        ("val_seg_acc val_depth_rmse train_seg_acc train_loss", "seg/acc depth/rmse", "train_seg_acc train_loss"),
        ("train/seg/miou val/seg/miou train/loss val/loss", "seg/miou loss", "train/seg/miou train/loss"),
        ("loss accuracy val_loss val_accuracy", "val_loss val_accuracy", "loss accuracy"),
        ("Loss/train Loss/val", "Loss", "Loss/train"),
        ("loss vali_loss", "vali_loss", "loss"),
        ("train_loss heldout_acc held_out_f1", "heldout_acc held_out_f1", "train_loss"),
        ("train/Loss test/Loss val/Timer", "Loss Timer", "train/Loss"),
        ("trainLoss valLoss", "valLoss", "trainLoss"),
        ("train/loss train/acc", "train/loss train/acc", ""),
        ("val/acc", "val/acc", ""),
        ("rollout/ep_rew_mean eval/mean_reward", "mean_reward", "rollout/ep_rew_mean"),
        ("ep_rew_mean value/loss approx_kl obs_rms_mean", "ep_rew_mean", "value/loss approx_kl obs_rms_mean"),
        ("batch_loss eval/loss total_train_loss", "loss", "batch_loss total_train_loss"),
        ("click_auc like_auc watch_rmse", "click/auc like/auc watch/rmse", ""),
        ("val/seg_loss val/depth_acc train/loss", "seg/loss depth/acc", "train/loss"),
        ("mse_loss bce_loss", "mse_loss bce_loss", ""),
        ("energy_rmse force_mae loss", "energy/rmse force/mae loss", ""),
        ("val/loss/depth val/loss/seg train/loss", "depth/loss seg/loss", "train/loss"),
        ("val/loss_seg val/loss_depth train/loss_seg", "seg/loss depth/loss", "train/loss_seg"),
        ("acc/top1 acc/top5", "acc/top1 acc/top5", ""),
        ("abs_err rel_err mean_iou top5_acc", "abs_err rel_err mean_iou top5_acc", ""),
        ("loss NDCG@10 Hit@10", "NDCG@10 Hit@10", "loss"),
        ("loss acc", "loss acc", ""),
        (
            "val_acc/dataloader_idx_0 val_acc/dataloader_idx_1 val_loss/dataloader_idx_0 val_loss/dataloader_idx_1",
            "dataloader_idx_0/acc dataloader_idx_1/acc dataloader_idx_0/loss dataloader_idx_1/loss",
            "",
        ),
        ("acc/dataloader_idx_0 acc/dataloader_idx_1", "dataloader_idx_0/acc dataloader_idx_1/acc", ""),
        # Keras numbers names that come again.
        ("a_loss b_loss a_auc b_auc_1", "a/loss b/loss a/auc b/auc", ""),
        ("a_loss b_loss a_f1 b_acc_1 b_acc_5", "a/loss b/loss a/f1 b_acc_1 b_acc_5", ""),
        ("class_err val/AP test/class_err", "AP", "class_err"),  # DETR prints its averages so
        ("mean_reward novelty", "mean_reward", "novelty"),
        ("err signal.norm", "err", "signal.norm"),
        ("validation_0-rmse validation_1-rmse", "validation_1-rmse", "validation_0-rmse"),
        ("train_loss HR@10 loss", "HR@10", "train_loss loss"),
        ("train_loss loss", "train_loss loss", ""),
        ("train_acc acc train_loss", "train_acc acc train_loss", ""),
        ("mean_reward min_reward max_reward agent_acc", "mean_reward", "min_reward max_reward agent_acc"),
        ("mean_reward KLDifference MaxKL", "mean_reward", "KLDifference MaxKL"),
        ("max_reward success_rate", "max_reward success_rate", ""),
        ("训练损失 验证损失 验证准确率", "验证损失 验证准确率", "训练损失"),
        ("seg/miou grad_cos/seg_depth weights/seg", "seg/miou", "grad_cos/seg_depth weights/seg"),
        ("main/loss main/acc a/main/loss b/main/loss", "a/main/loss b/main/loss", "main/loss main/acc"),  # Chainer
        ("mIoU IoU.error IoU.road", "mIoU error/IoU road/IoU", ""),  # classes
        ("top_score weights/exit_score weights/cone_angle", "top_score", "weights/exit_score weights/cone_angle"),
        ("val/miou val/miou_std seg/acc seg/acc_stderr", "miou seg/acc", "val/miou_std seg/acc_stderr"),
        ("normals/cosine parcel/weight_mae", "normals/cosine parcel/weight_mae", ""),
    ],
)
def test_by_their_names(keys: str, scored: str, signals: str) -> None:
    curves = settle_curves(keys.split(), Choices())
    assert " ".join(curves.scored.values()) == scored and " ".join(curves.signals) == signals


def test_test_sets_are_left_out_where_there_is_a_validation_set() -> None:
    curves = settle_curves(["val/seg/miou", "test/seg/miou"], Choices())
    assert curves.scored == {"val/seg/miou": "seg/miou"} and curves.left_out == {"test/seg/miou": "test set"}
    assert settle_curves(["train/seg/miou", "test/seg/miou"], Choices()).scored == {"test/seg/miou": "seg/miou"}


def test_best_values_so_far_are_left_out() -> None:
    curves = settle_curves(["val/miou", "best_val/miou", "best_acc", "acc"], Choices())
    assert set(curves.scored) == {"val/miou", "acc"}
    assert curves.left_out == dict.fromkeys(("best_val/miou", "best_acc"), "best so far")
    assert set(settle_curves(["best_acc", "loss"], Choices()).scored) == {"best_acc", "loss"}
    assert set(settle_curves(["best_acc", "acc"], Choices(), stated={"best_acc"}).scored) == {"best_acc", "acc"}


def test_bounds_of_another_curve_are_left_out() -> None:
    keys = "val/miou val/miou_ci_low val/miou_ci95_upper val/loss_mean val/loss_lower val/loss_upper acc_upper acc_leg"
    curves = settle_curves([*keys.split(), "acc"], Choices())
    assert list(curves.scored) == ["val/miou", "val/loss_mean", "acc_upper", "acc_leg", "acc"]
    reasons = ("val/miou", "val/miou", "val/loss_mean", "val/loss_mean")
    assert [*curves.left_out.values()] == [f"bound of {of}" for of in reasons]
    assert "miou_ci_low" in settle_curves(["miou", "miou_ci_low"], Choices(), stated={"miou_ci_low"}).scored


def test_a_loss_that_is_logged_much_more_often_is_that_of_the_training() -> None:
    counts = {"loss": 100, "bbox/AP": 10, "loss_box": 10}
    curves = settle_curves(counts, Choices(), often=HowOften(counts, {}))
    assert set(curves.scored) == {"bbox/AP", "loss_box"} and curves.signals == {"loss": "train/loss"}
    assert set(settle_curves(counts, Choices(), stated={"loss"}, often=HowOften(counts, {})).scored) == set(counts)
    assert set(settle_curves(counts, Choices()).scored) == set(counts)


def test_a_task_that_is_evaluated_less_often_takes_no_score_from_the_others() -> None:
    counts = {"seg_loss": 20, "seg_miou": 20, "depth_abs_err": 4}
    curves = settle_curves(counts, Choices(), often=HowOften(counts, {}))
    assert curves.scored == {"seg_miou": "seg/miou", "depth_abs_err": "depth/abs_err"}
    counts |= {"seg_acc": 4}  # an evaluation of this task as well, so that what is told more often is of the training
    assert set(settle_curves(counts, Choices(), often=HowOften(counts, {})).scored) == {"depth_abs_err", "seg_acc"}


@pytest.mark.parametrize(("often", "scored"), [(9, ["loss"]), (90, ["train_loss", "loss"])])
def test_the_loss_told_beside_that_of_the_training_is_another(often: int, scored: list[str]) -> None:
    told = HowOften({"train_loss": 9, "loss": often}, {"train_loss": 1, "loss": 1})
    assert list(settle_curves(["train_loss", "loss"], Choices(), often=told).scored) == scored


def test_two_curves_never_become_one() -> None:
    curves = settle_curves(["val/acc", "eval/acc", "train/acc"], Choices())
    assert len(set(curves.scored.values())) == 2


def test_a_pattern_says_task_and_metric() -> None:
    choices = Choices(map="val/{task}_{metric}")
    curves = settle_curves(["val/seg_acc", "val/depth_abs_err", "val/loss", "lr"], choices)
    assert curves.scored == {"val/seg_acc": "seg/acc", "val/depth_abs_err": "depth/abs_err"}
    assert set(curves.signals) == {"val/loss", "lr"}
    with pytest.raises(UsageError, match="metric"):
        Choices(map="val/{task}")


def test_training_curves_are_signals_at_the_epochs_that_were_scored(tmp_path: Path) -> None:
    rows = "".join(f"a,{step},{1 / step:.4f},{0.5 / step if step % 5 == 0 else ''}\n" for step in range(1, 11))
    (tmp_path / "runs.csv").write_text("run,step,train_loss,val_loss\n" + rows)
    table = read_logs(tmp_path / "runs.csv")
    assert [metric.key for metric in table.metrics] == ["val_loss"] and table.points["epoch"].tolist() == [5, 10]
    signals = table.signals[table.signals["metric"] == "main/train_loss"]
    assert signals["epoch"].tolist() == [5, 10] and signals["value"].tolist() == [0.2, 0.1]


def test_a_long_table_says_in_a_column_on_which_data(tmp_path: Path) -> None:
    rows = [
        f"a,{epoch},{task},loss,{split},{1 / epoch:.2f}"
        for epoch in (1, 2)
        for task in ("seg", "depth")
        for split in ("train", "val")
    ]
    (tmp_path / "long.csv").write_text("\n".join(["run,epoch,task,metric,split,value", *rows, ""]))
    table = read_logs(tmp_path / "long.csv")
    assert {metric.key for metric in table.metrics} == {"seg/loss", "depth/loss"} and len(table.points) == 4
    assert set(table.signals["metric"]) == {"train/seg/loss", "train/depth/loss"}


def test_learning_rates_stand_beside_training_curves(tmp_path: Path) -> None:
    for run in ("a", "b"):
        (tmp_path / run).mkdir()
        (tmp_path / run / "summary.csv").write_text("epoch,train_loss,eval_loss,lr\n0,3,3.2,0.1\n1,2,2.5,0.1\n")
    table = read_logs(tmp_path)
    assert set(table.signals["metric"]) == {"main/lr", "main/train_loss"} and table.run_ids == ("a", "b")


def test_nothing_left_to_score(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text("run,epoch,acc\na,1,0.5\na,2,0.5\n")
    with pytest.raises(InputError, match="no curve is left to be scored; there are: acc"):
        read_logs(tmp_path / "runs.csv", choices=Choices(only=("seg/*",)))


@pytest.mark.parametrize(
    ("choices", "why"),
    [
        (Choices(only=("seg/*",)), r"--only seg/\* matches none of them \(capitals count\)"),
        (Choices(map="val/{task}_{metric}"), r"--map 'val/\{task\}_\{metric\}' fits none of them \(capitals count\)"),
    ],
)
def test_the_choice_that_leaves_nothing_is_named(tmp_path: Path, choices: Choices, why: str) -> None:
    (tmp_path / "runs.csv").write_text("run,epoch,Val/seg_acc\na,1,0.5\na,2,0.5\n")
    with pytest.raises(InputError, match=f"there are: Val/seg_acc; {why}"):
        read_logs(tmp_path / "runs.csv", choices=choices)


def test_choices_are_kept_in_a_file(tmp_path: Path) -> None:
    choices = Choices(only=("seg/*",), map="{task}.{metric}", epoch="round", config=("alpha",))
    choices.save(tmp_path / "m.json")
    assert Choices.load(tmp_path / "m.json") == choices
    for text in ("[]", '{"onyl": []}', '{"only": "seg"}', "no json", '{"map": 3}'):
        (tmp_path / "m.json").write_text(text)
        with pytest.raises(InputError, match=r"m\.json"):
            Choices.load(tmp_path / "m.json")


def test_a_declared_signal_is_no_setting_even_where_it_is_constant(tmp_path: Path) -> None:
    rows = "".join(f"{run},{epoch},{0.1 * epoch},0.5\n" for run in "ab" for epoch in range(1, 9))
    (tmp_path / "logs.csv").write_text(f"run,epoch,miou,signal.grad_cos\n{rows}")
    table = read_logs(tmp_path / "logs.csv")
    assert table.configs.columns.tolist() == [] and set(table.signals["metric"]) == {"main/grad_cos"}


def test_what_is_asked_for_is_scored(tmp_path: Path) -> None:
    curves = settle_curves(["seg/miou", "weights/seg"], Choices(only=("weights/*",)))
    assert list(curves.scored) == ["weights/seg"] and list(curves.signals) == ["seg/miou"]


@pytest.mark.parametrize(
    ("evaluations", "evaluated", "scored"), [(10, 3, "mean_reward"), (2, 3, "ep_rew_mean"), (10, 2, "ep_rew_mean")]
)
def test_rollouts_are_scored_where_agents_were_hardly_evaluated_apart(
    evaluations: int, evaluated: int, scored: str
) -> None:
    keys = ["rollout/ep_rew_mean", "eval/mean_reward"]
    counts, spread = [dict(zip(keys, numbers, strict=True)) for numbers in ((100, evaluations), (3, evaluated))]
    assert [*settle_curves(keys, Choices(), often=HowOften(counts, spread)).scored.values()] == [scored]


def test_scores_that_were_logged_with_the_losses_are_those_of_the_training() -> None:
    counts = {"total_loss": 75, "fast_rcnn/cls_accuracy": 75, "bbox/AP": 3}
    curves = settle_curves(counts, Choices(), often=HowOften(counts, {}))
    assert set(curves.scored) == {"bbox/AP"} and set(curves.signals) == {"total_loss", "fast_rcnn/cls_accuracy"}
    once = counts | {"bbox/AP": 1}
    assert set(settle_curves(once, Choices(), often=HowOften(once, {})).scored) == set(once)


def test_the_best_value_so_far_may_be_written_in_one_word() -> None:
    assert settle_curves(["Val/BestDice", "Val/Dice"], Choices()).left_out == {"Val/BestDice": "best so far"}


def test_the_best_loss_so_far_of_the_training_is_left_out() -> None:
    assert settle_curves(["train_loss", "best_loss"], Choices()).left_out == {"best_loss": "best so far"}


def test_the_smallest_error_so_far_is_left_out_and_the_largest_reward_of_a_batch_is_not() -> None:
    curves = settle_curves(["top1_err", "min_top1_err", "max_acc", "reward", "max_reward"], Choices())
    assert curves.left_out == {"min_top1_err": "best so far"}


@pytest.mark.parametrize(
    ("keys", "scored"),
    [
        (["d_loss", "g_loss", "FID"], ["FID"]),
        (["Loss_D", "Loss_G", "psnr", "content_loss"], ["psnr", "content_loss"]),
        (["loss", "aux_loss", "accuracy"], ["loss", "accuracy"]),
        (["d_loss", "g_loss"], ["d_loss", "g_loss"]),
        (["D_loss", "G_loss", "acc"], ["D_loss", "G_loss", "acc"]),  # with which the real ones are told from the made
    ],
)
def test_losses_of_adversaries_tell_of_the_training_beside_a_measure_of_what_is_made(
    keys: list[str], scored: list[str]
) -> None:
    assert list(settle_curves(keys, Choices()).scored) == scored


def test_an_ending_that_is_no_unit_beside_a_loss() -> None:
    assert why_left_out("train_loss_mb") is None and why_left_out("gpu_mem_mb") == "bookkeeping"
    assert why_left_out("distance_computing_time_cost") == "clock"
    assert words_of("ARmax") == ["ar", "max"] and words_of("KLLoss") == ["kl", "loss"]
