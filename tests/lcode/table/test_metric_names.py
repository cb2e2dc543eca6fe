from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import get_scorer_names

from lcode.table import known_metric
from lcode.table.metric_names import meaning
from lcode.table.metric_vocabulary import entries

# Direction, bounds in natural units of one (None: none, or not sure), and whether people write it in per cent.
PART = ("max", 0, 1, True)
POOR_PART = ("min", 0, 1, True)
ERROR = ("min", 0, None, False)
FREE_LOSS = ("min", None, None, False)
GAIN = ("max", None, None, False)
CORRELATION = ("max", -1, 1, True)

FACTS = [
    (PART, "acc accuracy val_acc acc5 acc@1 acc1 top1 top-5 top1_acc Top-5_accuracy val_seg_acc aAcc mAcc"),
    (PART, "pixAcc pix_acc"),
    (PART, "F1 f1-macro macro_f1 f-score fbeta f0.5 precision recall prec@1 sensitivity AUPRC AUROC roc_auc"),
    (PART, "auc exact_match"),
    (PART, "mAP mAP50-95 mAP50 metrics/mAP50-95(B) mAP@0.5:0.95 metrics/mAP_0.5 coco/bbox_mAP_50"),
    (PART, "map_per_class ap AP50 APs"),
    (PART, "bbox/AP-person AP_R40 AR@100 mar_100 PQ SQ RQ PQ_th HOTA IDF1 NDS PCK@0.2 PCKh pck_0.05"),
    (PART, "mIoU IoU val_mean_iou mean_io_u fwIoU IoU.wall IoU/wall jaccard DiceCoef dice_coef val_dice_LV"),
    (PART, "dsc iou3d"),
    (PART, "delta1 delta_1.25 δ<1.25 δ1 a1 a2 <11.25 <22.5 <30 within_11.25 within_30"),
    (PART, "hits@10 hits_at_10 Hit@5 HR@10 hit_rate Recall@20 recall_at_20 R@1 p@10 ndcg@20 nDCG mrr MRR@10"),
    (PART, "rank1 tpr@fpr=1e-3 SR mean_SR push-v2/SR"),
    (PART, "bleu BLEU-4 sacrebleu SacreBLEU chrf chrF++ meteor METEOR spice rouge1 rougeL ROUGE-L rougeLsum"),
    (PART, "pass@1 anls"),
    (PART, "success_rate is_success success win_rate winrate validity lddt_ca c-index stoi nmi r_precision"),
    (PART, "pix em uas LAS mINP maxF odsF edge/odsF normals/11.25 normal/22.5 normals_30"),
    (PART, "Accuracy/train accuracy/cifar10 acc/mean1 rewards/accuracies multi-label/f1-score"),
    (PART, "fast_rcnn/cls_accuracy val_acc_epoch"),
    (PART, "eval_overall_f1 train/mean_token_accuracy acc_norm,none best_acc neg_f1 1-shot-acc"),
    (PART, "accuracy(k=10) testacc meaniou"),
    (POOR_PART, "eer brier ece error_rate err_rate top1_err top-5_error err_top5 failure_rate false_refuse_rate"),
    (POOR_PART, "collision_rate fpr95 fpr@95tpr hter"),
    (POOR_PART, "1-iou one_minus_acc hamming_loss false_negative Fl-all D1-all lamr"),
    (ERROR, "mse MSE rmse mae val_depth_rmse train_depth_rmse mae_gap mae/gap abs_rel sq_rel abs_err"),
    (ERROR, "rel_err rmse_log log_rmse"),
    (ERROR, "silog epe AEPE mpjpe pa-mpjpe PA-MPJPE nme chamfer hausdorff hd95 HD95 assd asd min_dcf minDCF"),
    (ERROR, "lpips fid FID fid50k"),
    (ERROR, "cross_entropy ce bce log_loss logloss hinge kl kl_div kl_loss bpc bits_per_byte bits_per_char"),
    (ERROR, "crps violation regret"),
    (ERROR, "box_loss cls_loss dfl_loss train/giou_loss mse_loss loss_mse l1_loss err test_error log10 rel"),
    (ERROR, "edit_distance"),
    (("min", 1, None, False), "perplexity ppl val_ppl word_perplexity mean_rank median_rank"),
    (("min", 0, None, True), "wer WER eval_wer cer mape PER phoneme_error_rate"),
    (("min", 0, 2, True), "smape sMAPE"),
    (("min", 0, 2, False), "cosine_distance cosineDistance"),
    (("min", 0, 180, False), "mean_angle median_angle angle normal/mean normals_median"),
    (FREE_LOSS, "loss valLoss val_loss Loss/train valid_loss losses train/loss_epoch accuracy_loss"),
    (FREE_LOSS, "loss_dice d0.loss_iou nll"),
    (FREE_LOSS, "elbo_loss neg_elbo bits/dim bpd value_loss gloss policy_loss iou_ssim_loss depth_loss"),
    (FREE_LOSS, "valloss kid"),
    (GAIN, "reward ep_rew_mean rollout/ep_rew_mean return episode_return episodic_return eval/avg_return"),
    (GAIN, "rewards elo elbo"),
    (GAIN, "log_likelihood score eval/normalized_score SI-SDR sdr Nsdr clip_score"),
    (("max", 0, None, False), "psnr PSNR val_psnr psnr_y"),
    (("max", 1, None, False), "IS inception_score"),
    (("max", None, 1, False), "r2 R² r2_score explained_variance losses/explained_variance nse"),
    (("max", None, 1, True), "MOTA giou"),
    (CORRELATION, "pearson pearsonr spearman kendall_tau kendall ccc mcc matthews_corrcoef kappa"),
    (CORRELATION, "cohen_kappa corr"),
    (("max", -1, 1, False), "cosine_similarity cos_sim cosineSimilarity"),
    (("max", 0, 10, True), "cider CIDEr CIDEr-D"),
    (("min", None, None, False), "val_energy mean_energy total_energy"),
    (("max", 0, 1, True), "g_mean test/gmean"),
    (("max", None, None, False), "neg_log_perplexity eval/negative_log_perplexity neg_log_mse"),
    (("max", None, 0, False), "neg_mean_squared_error neg_rmse neg_mean_gamma_deviance -mae"),
]


@pytest.mark.parametrize(
    ("name", "facts"), [(name, facts) for facts, names in FACTS for name in names.split()], ids=lambda value: str(value)
)
def test_names_say_direction_bounds_and_share(name: str, facts: tuple[str, float | None, float | None, bool]) -> None:
    known = known_metric(name)
    assert known is not None
    assert (known.direction, known.lower, known.upper, known.share) == facts


UNSAID = """
    foo class value metric step lr learning_rate time fps train_samples_per_second p95 ep_len_mean entropy
    train/entropy_loss approx_kl losses/clipfrac losses/entropy rewards/rejected rewards/chosen scores/fake std
    reward_std acc_stderr grad_norm loss_scale kl_coef loss_weight best_f1_threshold iou_thr acc_gap
    reward_penalty time_to_accuracy best_acc_epoch loss_acc loss_precision d1 3px kitti-f1 motp coverage@10 rank
    effective_rank err@10 attack_success_rate iou_distance is_best lossless distance_to_goal accuracy_drop
    var_loss neg_loss neg_err negative_log_loss one_minus_psnr old_approx_kl policy/ratio alpha Δm
    full_loss_num num_losses loss_count stats_g/mean energy_ratio rms_ratio error_reduction
    rmse_improvement acc/gap chosen_reward
"""


@pytest.mark.parametrize("name", UNSAID.split())
def test_names_that_do_not_say_it_are_left_to_the_user(name: str) -> None:
    assert known_metric(name) is None


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("tpr@fpr", "max"),
        ("recall_at_fixed_precision", "max"),
        ("reward_per_cost", "max"),
        ("error_of_accuracy", "min"),
        ("acc_top1_err", "min"),
        ("gloss_wer", "min"),
        ("cost_return", "min"),
        ("log_mse", "min"),
        ("num_success", "max"),
        ("foo ↑", "max"),
        ("foo↓", "min"),
    ],
)
def test_the_head_of_the_name_decides(name: str, direction: str) -> None:
    known = known_metric(name)
    assert known is not None and known.direction == direction


def test_bounds_go_with_logarithms_and_counts() -> None:
    log, count = known_metric("log_mse"), known_metric("num_success")
    assert log is not None and log.lower is None
    assert count is not None and (count.lower, count.upper, count.share) == (0, None, False)


@pytest.mark.parametrize("name", ["acc_pct", "Accuracy (%)", "percent_accuracy"])
def test_a_name_may_say_that_it_is_in_per_cent(name: str) -> None:
    known = known_metric(name)
    assert known is not None and known.percent and known.upper == 1


def test_an_error_in_per_cent_of_the_truth_is_not_given_in_per_cent_for_that() -> None:
    known = known_metric("mean_absolute_percentage_error")
    assert known is not None and known.share and not known.percent


def test_the_scorers_of_scikit_learn_are_to_be_maximised() -> None:
    ratios = {"positive_likelihood_ratio", "neg_negative_likelihood_ratio"}  # the name alone does not say it
    directions = {name: known_metric(name) for name in get_scorer_names() if name not in ratios}
    assert {name for name, facts in directions.items() if facts is None or facts.direction != "max"} == set()


def test_every_spelling_of_the_vocabulary_has_sound_facts() -> None:
    for spelling, entry in entries().items():
        assert entry.weight in ("head", "weak", "whole"), spelling
        assert entry.lower is None or entry.upper is None or entry.lower < entry.upper, spelling
        assert not entry.share or entry.upper is None or entry.upper >= 1, spelling


WORDS = ["val_loss", "dice_coef", "mean_iou", "abs_rel", "top5_err", "train_acc", "ndcg@20", "pix_acc", "hits@10", "f1"]
JOINED = [
    *WORDS,
    "test_mse",
    "avg_reward",
    "box_loss",
    "cosine_similarity",
    "rouge_l",
    "explained_variance",
    "eval_wer",
]


@given(
    st.sampled_from(JOINED),
    st.sampled_from(["_", "-", " ", "__", ".", "", "camel"]),
    st.sampled_from(["lower", "upper", "title"]),
)
def test_case_and_separators_do_not_matter(name: str, separator: str, case: str) -> None:
    words = name.split("_")
    if separator == "camel":
        spelled = words[0] + "".join(word.capitalize() for word in words[1:])
    else:
        spelled = separator.join(getattr(word, case)() for word in words)
    assert known_metric(spelled) == known_metric(name)


@given(st.text(max_size=40))
def test_any_text_is_a_name(text: str) -> None:
    known = known_metric(text)
    assert known is None or known.direction in ("min", "max")
    meaning(text)


def test_long_names_and_many_columns_are_looked_up_fast() -> None:
    # Quadratic work here took minutes; the suite's time limit is the assertion.
    for name in ("loss" * 50_000, "x" * 200_000, "a_" * 50_000, "neg_" * 20_000 + "loss"):
        known_metric(name)
    assert all(known_metric(f"layer_{i}/accuracy") == known_metric("accuracy") for i in range(20_000))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("val_acc", "val/acc", True),
        ("val_acc", "validation/accuracy", True),
        ("val_acc", "acc/val", True),
        ("seg/mIoU", "seg_mean_iou", True),
        ("val_acc", "train_acc", False),
        ("val_acc", "test/acc", False),
        ("top1_acc", "top5_acc", False),
        ("rouge1", "rouge2", False),
        ("en-de/bleu", "de-en/bleu", False),
        ("seg/acc", "cls/acc", False),
    ],
)
def test_names_of_one_meaning_have_the_same_words(one: str, other: str, same: bool) -> None:
    assert (meaning(one) == meaning(other)) == same
