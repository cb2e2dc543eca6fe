"""The names of metrics by field, each with its direction and bounds: a table to read and to extend.

A row is `Row(direction, lower, upper, unit, names)`: which way is better, the bounds in natural units of one (None: no
bound, or not sure of one), `SHARE` where people write it as a part of 1 or in per cent, and the names. Metrics are
separated by commas, spellings of one metric by `|`. The words of a name are written apart; in a log they may be joined
in any way (`mean_iou`, `meanIoU`, `MEAN-IOU`, `meaniou`). `#` stands for a number, `@` also for the word "at".
A row without a direction holds names that say nothing by themselves, so that no word in them is taken for an answer.

From the documentation of torchmetrics, scikit-learn, Keras, COCO and its tools, Ultralytics, mmengine, detectron2,
LibMTL, Hugging Face evaluate, RecBole, Stable-Baselines3 and CleanRL.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from lcode.table.direction import Direction

SHARE = True
Weight = Literal["head", "weak", "whole"]


class Row(NamedTuple):
    """Names of one direction and of the same bounds.

    Attributes:
        direction: which way is better; None: cannot be told from the name.
        lower: smallest possible value, None where there is none or it is not sure.
        upper: largest possible value, likewise.
        share: whether it is written as a part of 1 or in per cent.
        names: the metrics, separated by commas; their spellings by `|`.
        weight: `head`: the last one in a name decides. `weak`: decides only in a name without a head (`top5` in
            `top5_err`). `whole`: short or everyday words, which count only where they are all that is said.
    """

    direction: Direction | None
    lower: float | None
    upper: float | None
    share: bool
    names: str
    weight: Weight = "head"


FIELDS: dict[str, tuple[Row, ...]] = {
    "classification": (
        Row("max", 0, 1, SHARE, "accuracy|acc|accuracies|aacc|macc|pacc, precision|prec|ppv, recall|sensitivity|tpr"),
        Row("max", 0, 1, SHARE, "balanced accuracy|balanced acc|bal acc, pixel accuracy|pixel acc|pix acc"),
        Row("max", 0, 1, SHARE, "f1|f1 score|f score|f measure|f beta, f2, f0.5|f05, specificity|tnr, npv"),
        Row("max", 0, 1, SHARE, "negative predictive value, positive predictive value, true positive rate"),
        Row("max", 0, 1, SHARE, "true negative rate, exact match, subset accuracy, g mean, tpr @ fpr, tar @ far"),
        Row("max", 0, 1, SHARE, "auc|auroc|roc auc|auc roc|area under curve, aupr|auprc|pr auc|auc pr|prc auc"),
        Row("max", 0, 1, SHARE, "average precision, lrap, aupro, aupimo, oscr, purity, top # acc|top # accuracy"),
        Row("max", 0, 1, SHARE, "top #|top k, sens, spec, roc", "weak"),
        Row("max", 0, 1, SHARE, "em, pix, ods, ois", "whole"),
        Row("max", -1, 1, False, "kappa|cohen kappa|cohens kappa|quadratic weighted kappa|qwk"),
        Row("max", -1, 1, False, "mcc|matthews|matthews corr coef|matthews correlation coefficient, informedness"),
        Row("min", 0, 1, SHARE, "error rate|err rate, misclassification|misclassification rate, hamming loss"),
        Row("min", 0, 1, SHARE, "zero one loss, fpr|false positive rate|fall out, fnr|false negative rate|miss rate"),
        Row("min", 0, 1, SHARE, "false negative, false positive, false alarm rate, fdr|false discovery rate, ber"),
        Row("min", 0, 1, SHARE, "top # err|top # error|err top #|error top #, hamming distance, eer|equal error rate"),
        Row("min", 0, 1, SHARE, "frr|false rejection rate, false acceptance rate, apcer, bpcer, acer, far", "whole"),
        Row("min", 0, 1, SHARE, "ece|expected calibration error, mce, brier|brier score, calibration error"),
        Row("min", 0, None, False, "cross entropy|crossentropy|ce|bce|xent|xentropy|binary crossentropy"),
        Row("min", 0, None, False, "categorical crossentropy, sparse categorical crossentropy, log loss|logloss"),
        Row("min", 0, None, False, "hinge|hinge loss, squared hinge, focal loss, coverage error, rank loss"),
    ),
    "detection and tracking": (
        Row("max", 0, 1, SHARE, "ap|aps|apm|apl|ap small|ap medium|ap large, ar|ars|arm|arl|mar, average recall"),
        Row("max", 0, 1, SHARE, "mean average precision|mean ap, nds, pck|pckh, oks, hota, deta, assa, loca"),
        Row("max", 0, 1, SHARE, "map", "weak"),
        Row("max", None, 1, SHARE, "mota, moda, amota, smota, motsa, smotsa"),
        Row("max", 0, 1, SHARE, "idf1, idp, idr, success auc, robustness eao|eao"),
        Row("max", 0, None, False, "fitness"),
        Row("min", 0, 1, SHARE, "lamr, log average miss rate"),
        Row("min", 0, None, False, "box loss, cls loss, obj loss, dfl loss|dfl, mask loss|seg loss, objectness loss"),
        Row("min", 0, None, False, "giou loss, iou loss, kpt loss|keypoint loss|pose loss|kobj loss"),
        Row("min", 0, None, False, "mate, mase, maoe, mave, maae, id switches|id switch|idsw|num switches, amotp"),
        Row(None, None, None, False, "motp, iou thr|iou threshold|iou thresh"),
    ),
    "segmentation": (
        Row("max", 0, 1, SHARE, "iou|miou|mean iou|mean intersection over union|intersection over union, fw iou"),
        Row(
            "max", 0, 1, SHARE, "jaccard|jaccard index|jaccard score|jaccard coef, dice|mdice|dice coef|dice score|dsc"
        ),
        Row("max", 0, 1, SHARE, "dice coefficient|dice similarity coefficient, tversky, boundary iou, nsd"),
        Row("max", 0, 1, SHARE, "surface dice|normalized surface dice, panoptic quality|pq, j f|j f mean, bf score"),
        Row("max", 0, 1, SHARE, "s measure, e measure, mean f measure, mean fscore|mfscore"),
        Row("max", 0, 1, SHARE, "sq, rq", "whole"),
        Row("max", None, 1, SHARE, "giou|diou|ciou|generalized iou"),
        Row(
            "min",
            0,
            None,
            False,
            "hausdorff|hausdorff distance|hd95|hausdorff 95|hausdorff95, assd, average surface distance",
        ),
        Row("min", 0, None, False, "symmetric surface distance, voe, arand|adapted rand error"),
        Row("min", 0, None, False, "asd, hd, msd, voi", "whole"),
        Row("min", 0, 1, SHARE, "jaccard distance"),
    ),
    "depth, normals, flow and pose": (
        Row("max", 0, 1, SHARE, "< #, within #, delta < #|d < #, pixels within #"),
        Row("max", 0, 1, SHARE, "delta #, within", "weak"),
        Row("max", 0, 1, SHARE, "a 1, a 2, a 3, acc within #", "whole"),
        Row(
            "min",
            0,
            None,
            False,
            "abs rel|abs rel err|abs rel error, sq rel|sq rel err|sq rel error, rel err|rel error",
        ),
        Row(
            "min",
            0,
            None,
            False,
            "silog|si log|scale invariant log error, log rmse|rmse log|rms log|log rms, irmse, imae",
        ),
        Row("min", 0, None, False, "abs err|abs error, rms"),
        Row("min", 0, None, False, "rel, log 10|log10 err|log10 error", "whole"),
        Row(
            "min",
            0,
            180,
            False,
            "mean angle|median angle|mean angular error|median angular error, normal mean|normals mean",
        ),
        Row("min", 0, 180, False, "normal median|normals median"),
        Row("min", 0, None, False, "angle|angular, deg|degrees", "weak"),
        Row(
            "min", 0, None, False, "epe|aepe|end point error|endpoint error, mpjpe|pa mpjpe|n mpjpe, mpvpe|pve|pa mpvpe"
        ),
        Row(
            "min",
            0,
            None,
            False,
            "nme, ade|min ade, fde|min fde, rpe, absolute trajectory error, chamfer|chamfer distance|cd l1|cd l2",
        ),
        Row("min", 0, None, False, "ate, reprojection error, bad #", "whole"),
        Row("min", 0, 1, SHARE, "fl all|fl bg|fl fg, d1 all|d1 bg|d1 fg, outlier rate|outliers"),
        Row(None, None, None, False, "d #, # px, kitti f1"),
    ),
    "image, audio and video quality": (
        Row("max", 0, None, False, "psnr|psnr db|peak signal to noise ratio, vif, is mean"),
        Row("max", -1, 1, False, "ssim|ms ssim|mssim|ssim index|structural similarity, uqi, fsim, gmsd sim"),
        Row("max", 1, None, False, "inception score"),
        Row("max", 1, None, False, "is", "whole"),
        Row(
            "max",
            None,
            None,
            False,
            "clip score|clipscore, clip iqa, musiq, maniqa, nima, topiq, aesthetic score, vmaf",
        ),
        Row("max", None, None, False, "snr|si snr|sisnr|sisnri|si snri, sdr|si sdr|sisdr|sisdri|si sdri|sdri"),
        Row("max", -0.5, 4.64, False, "pesq"),
        Row("max", 0, 1, SHARE, "stoi|estoi"),
        Row("max", 1, 5, False, "mos|dnsmos|utmos|nisqa|p808 mos"),
        Row("min", 0, None, False, "lpips|perceptual distance, dists, fid|sfid|frechet inception distance, fvd, fad"),
        Row(
            "min",
            0,
            None,
            False,
            "frechet distance|frechet audio distance, niqe, brisque, piqe, ergas, mel cepstral distortion|mcd",
        ),
        Row("min", None, None, False, "kid|kernel inception distance, bd rate"),
    ),
    "retrieval and recommendation": (
        Row("max", 0, 1, SHARE, "ndcg|normalized discounted cumulative gain, mrr|mean reciprocal rank|reciprocal rank"),
        Row(
            "max",
            0,
            1,
            SHARE,
            "hit @|hits @|hit rate|hit ratio|hitrate, hr @, h @, p @, r @, r # @, recall @, precision @",
        ),
        Row("max", 0, 1, SHARE, "r precision, gauc, hit|hits, item coverage"),
        Row("max", 0, 1, SHARE, "rank #|rank @|cmc", "weak"),
        Row("max", 0, 600, False, "rsum|r sum"),
        Row("max", 0, None, False, "dcg"),
        Row("min", 1, None, False, "mean rank|meanr, median rank|medr|med r"),
        Row("min", 0, None, False, "mr", "whole"),
        Row(None, None, None, False, "rank, err @, effective rank, stable rank"),
    ),
    "regression": (
        Row(
            "min",
            0,
            None,
            False,
            "mse|mean squared error|squared error, rmse|root mean squared error|root mean square error",
        ),
        Row(
            "min",
            0,
            None,
            False,
            "mae|mean absolute error|absolute error|median absolute error|medae, msle|mean squared log error",
        ),
        Row(
            "min",
            0,
            None,
            False,
            "mean squared logarithmic error, rmsle|root mean squared log error, max error, nmse, nrmse, rrmse",
        ),
        Row(
            "min",
            0,
            None,
            False,
            "nmae, sse|rss, rse|rae|relative absolute error|relative squared error, mre, mean relative error",
        ),
        Row("min", 0, None, False, "relative l2|rel l2|l2 relative error, smooth l1|smooth l1 loss, l1 loss, l2 loss"),
        Row(
            "min",
            0,
            None,
            False,
            "huber|huber loss, log cosh|logcosh, pinball|pinball loss|quantile loss, crps, deviance",
        ),
        Row(
            "min",
            0,
            None,
            False,
            "poisson deviance, gamma deviance, tweedie deviance, winkler score|interval score, mase",
        ),
        Row("min", 0, None, False, "l1, l2, rmsd, mue", "whole"),
        Row("min", 0, None, SHARE, "mape|mean absolute percentage error, wape|wmape, mdape"),
        Row("min", 0, 2, SHARE, "smape|symmetric mean absolute percentage error"),
        Row(
            "max", None, 1, False, "r2|r2 score|r squared|r square|adjusted r2|adj r2, explained variance|explained var"
        ),
        Row("max", None, 1, False, "nse|nash sutcliffe, kge, d2"),
        Row(
            "max",
            -1,
            1,
            False,
            "pearson|pearsonr|pearson r|pearson corr coef|plcc|pcc, spearman|spearmanr|spearman r|srcc|srocc",
        ),
        Row(
            "max", -1, 1, False, "kendall|kendall tau|kendalltau|krcc|kendall rank corr coef, concordance corr coef|ccc"
        ),
        Row(
            "max",
            -1,
            1,
            False,
            "correlation|corr|corr coef|corrcoef|correlation coefficient|spearman rho, spearman rank corr coef",
        ),
        Row("max", -1, 1, False, "cosine similarity|cosine sim|cos sim|cossim, rank ic"),
        Row("max", -1, 1, False, "ic, cc", "whole"),
        Row("min", 0, 2, False, "cosine distance|cos dist|cosine dist"),
        Row(None, None, None, False, "bias, coverage"),
    ),
    "language and speech": (
        Row(
            "max",
            0,
            1,
            SHARE,
            "bleu|sacre bleu|google bleu|self bleu, rouge|rouge #|rouge l|rouge lsum|rougelsum, chrf|chr f",
        ),
        Row("max", 0, 1, SHARE, "meteor, spice, gleu, sari, mauve, anls, pass @, maj @, token accuracy"),
        Row("max", 0, 10, SHARE, "cider|cider d"),
        Row("max", None, 1, SHARE, "bert score|bertscore"),
        Row("max", None, None, False, "bleurt, comet, nist, moverscore"),
        Row("max", 0, 1, SHARE, "wip|word information preserved"),
        Row("min", 0, 1, SHARE, "wil|word information lost, mer|match error rate"),
        Row(
            "min",
            0,
            None,
            SHARE,
            "wer|word error rate, cer|character error rate|char error rate, phoneme error rate, ser",
        ),
        Row("min", 0, None, SHARE, "der|diarization error rate, jer, token error rate|translation edit rate"),
        Row("min", 0, None, SHARE, "per, ter, ler", "whole"),
        Row(
            "min",
            0,
            None,
            False,
            "min dcf|mindcf|min tdcf|tdcf|dcf, edit distance|levenshtein|levenshtein distance|edit dist",
        ),
        Row("min", 1, None, False, "perplexity|ppl"),
        Row(
            "min",
            0,
            None,
            False,
            "bpc|bits per char|bits per character, bpb|bits per byte, bits per word|bpw, nce|infonce|info nce",
        ),
        Row("min", 0, None, False, "ctc", "weak"),
    ),
    "generative and probabilistic": (
        Row(
            "max",
            None,
            None,
            False,
            "elbo|evidence lower bound, log likelihood|loglikelihood|loglik|log lik|log prob|logprob, lpd|elpd",
        ),
        Row("max", None, None, False, "ll", "whole"),
        Row(
            "min",
            None,
            None,
            False,
            "nll|negative log likelihood|neg log likelihood, neg log prob, bpd|bits per dim|bits per dimension|bits dim",
        ),
        Row("min", None, None, False, "elbo loss|neg elbo|negative elbo, nats per dim, energy score, mmd"),
        Row(
            "min",
            0,
            None,
            False,
            "kl|kl div|kl divergence|kld|kullback leibler|kl loss, js divergence|jsd, wasserstein|wasserstein distance",
        ),
        Row("min", 0, None, False, "emd|earth mover distance|earth movers distance, sliced wasserstein|swd"),
        Row("max", 0, 1, SHARE, "nmi|normalized mutual info, v measure, homogeneity, completeness"),
        Row("max", -1, 1, False, "ari|adjusted rand index|adjusted rand score, ami, silhouette|silhouette score"),
        Row("max", 0, None, False, "calinski harabasz"),
        Row("min", 0, None, False, "davies bouldin|davies bouldin score, inertia"),
        Row(None, None, None, False, "approx kl|old approx kl, entropy, beta vae, mutual information gap"),
    ),
    "reinforcement learning": (
        Row(
            "max",
            None,
            None,
            False,
            "reward|rewards|rew|ep rew mean|episode reward, return|returns|episode return|episodic return",
        ),
        Row("max", None, None, False, "ep ret|eprew|epret|avg ret, elo|elo rating"),
        Row("max", None, None, False, "r", "whole"),
        Row(
            "max",
            0,
            1,
            SHARE,
            "success|success rate|success ratio|successes, win rate|winrate|win ratio|win pct, solve rate|solved",
        ),
        Row("max", None, None, False, "score", "weak"),
        Row("min", 0, 1, SHARE, "failure rate|fail rate, collision rate|crash rate, violation rate"),
        Row("min", 0, None, False, "regret, failure|failures, collision|collisions|crashes, violation|violations"),
        Row(
            "min",
            None,
            None,
            False,
            "cost|ep cost|episode cost|cost return|ep cost return|cost returns|episode cost return",
        ),
        Row(None, None, None, False, "anomaly score, z score, risk score, toxicity score"),
        Row(None, None, None, False, "clip frac|clip fraction, ep len|episode length|ep len mean, value estimate"),
    ),
    "molecules and physics": (
        Row(
            "max",
            0,
            1,
            SHARE,
            "validity|validity rate, uniqueness, novelty, qed, tm score|tmscore, lddt|plddt, gdt|gdt ts, dockq, efwt",
        ),
        Row("max", None, None, False, "penalized logp|plogp"),
        Row("min", None, None, False, "sa score, vina|vina score|docking score"),
        Row("min", 0, None, False, "residual|residual norm, pde loss", "weak"),
    ),
    "continual learning and survival": (
        Row("max", 0, 1, SHARE, "c index|cindex|concordance index"),
        Row("max", -1, 1, SHARE, "backward transfer|bwt, forward transfer|fwt"),
        Row("min", None, 1, SHARE, "forgetting|average forgetting"),
        Row("min", 0, 1, SHARE, "integrated brier score|ibs"),
    ),
    "losses and errors of any kind": (
        Row("min", None, None, False, "loss|losses"),
        Row("min", 0, None, False, "error|err|errors"),
        Row(
            "min",
            0,
            None,
            False,
            "triplet loss, contrastive loss, perceptual loss, reconstruction loss|recon loss|rec loss",
        ),
    ),
}
"""The vocabulary, by field. `losses and errors of any kind` are the generic ones: see `GENERIC`."""

GENERIC = frozenset("loss error reward return cost score".split())
"""Words that name a kind of quantity rather than one measure. As a folder (`losses/clipfrac`, `rewards/rejected`) they
say nothing of what lies in it."""

LOSSES_OF = frozenset("iou|giou|dice|jaccard|tversky|ssim|cosine similarity|elbo|log likelihood|f1".split("|"))
"""What losses are made of, though more of it is better: `loss_dice` is a loss. `loss_acc` says nothing."""

NEUTRAL = frozenset(
    """train training tr val valid validation vali eval evaluation test testing dev holdout oof cv online offline
    mean avg average ave median med best top last final max min maximum minimum peak current cur epoch epochs step
    steps iter iters iteration batch ema swa smooth smoothed raw running moving rolling macro micro weighted samples
    binary multiclass multilabel multi label overall all total global local each class classes classwise task tasks
    head heads fold seed client agent metric metrics performance perf result results monitor percent percentage pct db
    k at main aux cls box bbox segm seg mask rpn roi obj none ep episode episodic x y z n""".split()
)
"""Words that say where, when or over what a metric was taken, not what it is."""

PERCENT = frozenset("% pct percent percentage".split())
"""Words that say that a share is in per cent."""

NEGATING = frozenset("neg negative minus".split())
"""Words that turn the direction of the measure after them, as scikit-learn's scorers do (`neg_mean_squared_error`)."""

PREPOSITIONS = frozenset("@ per of on for over vs under given with without from by".split())
"""What comes before one of these is the quantity, what comes after it a condition: `tpr@fpr`, `reward_per_cost`."""

NEVER = tuple(
    "std|stddev|stdev|stderr|sem|std err|grad norm|gradient norm|weight norm|learning rate|time to|steps to|epochs to|"
    "iterations to".split("|")
)
"""With these a name is no metric that has a direction: a spread, a diagnostic, a time."""

LOGARITHMS = frozenset("log ln log2".split())
"""Words that take the bounds from the measure after them."""

COUNTS = frozenset("num number count".split())
"""Words that make a count of a share: `num_success`."""

COEFFICIENT = frozenset("coef coeff coefficient".split())
"""What measures of agreement are called (`dice_coef`); after anything else, a setting (`kl_coef`)."""

NOT_AFTER = COEFFICIENT | frozenset(
    """var variance scale scaler scaling weight weights lambda temperature threshold thresh thr lr time seconds sec ms
    grad index idx id len length size momentum decay schedule clip""".split()
)
"""Words after a metric with which it is something else: `loss_scale`, `kl_coef`, `acc_time`."""

NOT_AFTER_GENERIC = frozenset(
    "gap diff difference drop change delta ratio alpha beta gamma margin penalty bonus target improvement gain".split()
)
"""The same after generic words and shares. After a measured error they can be what was measured: `mae_gap`."""
