"""The words around a metric in its name: which say nothing, which turn its direction, which make it another thing."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SPLITS = {
    **dict.fromkeys(
        _words("""
            val valid vaild validation vali validate validating va vld eval evaluation evaluate evaluating dev holdout
            heldout crossval
        """),
        "val",
    ),
    **dict.fromkeys(_words("train training trn tr learn rollout batch minibatch"), "train"),
    **dict.fromkeys(_words("test testing tst"), "test"),
}
"""Words that say on which data a metric was measured, in its name or as that of a folder; RecBole writes `vaild`."""

NEUTRAL = SPLITS.keys() | _words("""
    oof cv online offline
    mean avg average ave median med best top last final max min maximum minimum peak current cur epoch epochs step steps
    iter iters iteration batch ema swa smooth smoothed raw running moving rolling macro micro weighted samples binary
    multiclass multilabel multi label overall all total global local each class classes classwise task tasks head heads
    fold seed client agent metric metrics performance perf result results monitor db none k main aux cls box bbox segm
    seg mask rpn roi obj ep episode episodic x y z n full
""")
"""Where, when or over what a metric was taken, not what it is."""

PERCENT = _words("% pct percent percentage")
"""The value is in per cent."""

SYNONYMS = {**SPLITS, **dict.fromkeys(_words("average avg ave"), "mean")}
"""Neutral words with one meaning."""

GENERIC = _words("loss error reward return cost score rms")
"""Metrics that name a kind of quantity rather than one measure. As a folder they say nothing of what lies in it
(`losses/clipfrac`, `rewards/rejected`)."""

LOSSES_OF = frozenset(("iou", "giou", "diou", "ciou", "dice", "tversky", "ssim", "cosine similarity", "elbo", "f1"))
"""What losses are made of, though more of it is better: `loss_dice` is a loss. What `loss_acc` is, nobody can say."""

NEGATING = _words("neg negative minus")
"""The measure after it was multiplied by -1, as by scikit-learn's scorers (`neg_mean_squared_error`)."""

LOGARITHMS = _words("log ln log2")
"""The bounds of the measure after it do not hold."""

COUNTS = _words("num number count")
"""The measure after it was counted, it is no share (`num_success`); a number of losses is none (`full_loss_num`)."""

DERIVED = _words("var variance inverse inv")
"""The measure directly after it is no longer what is meant."""

PREPOSITIONS = _words("@ per of on for over vs under given with without from by")
"""What stands before it is the quantity, what comes after it a condition: `tpr@fpr`, `reward_per_cost`."""

NEVER = (
    *_words("std stddev stdev stderr sem"),
    "std err",
    "grad norm",
    "gradient norm",
    "weight norm",
    "learning rate",
    "time to",
    "steps to",
    "epochs to",
    "iterations to",
)
"""With these anywhere, a name is no metric that has a direction: a spread, a diagnostic, a time."""

WHEN = _words("epoch epochs step steps iter iters iteration")
"""After the best value of a metric: when it was reached (`best_acc_epoch`)."""

COEFFICIENT = _words("coef coeff coefficient")
"""What measures of agreement are called (`dice_coef`); after anything else, a setting (`kl_coef`)."""

CHANGES = _words("drop reduction improvement gain increase decrease degradation")
"""After a metric: by how much it changed. An `error_reduction` is no error, and which way is better nobody says."""

DIFFERENCES = CHANGES | _words("gap diff difference delta ratio margin margins")
"""After a measure of which more is better, these are no task of it: `acc_gap`. An `mae_gap` may be of a band gap."""

NOT_AFTER = (
    COEFFICIENT
    | CHANGES
    | _words("""
    var variance scale scaler scaling weight weights lambda temperature threshold thresholds thresh thr lr time seconds
    sec ms grad index idx id len length size momentum decay schedule clip distance dist dissimilarity disparity
    discrepancy
""")
)
"""After a metric these make it something else: `loss_scale`, `kl_coef`, `acc_time`."""

NOT_AFTER_GENERIC = DIFFERENCES | _words("""
    alpha beta gamma penalty bonus target divergence
""")
"""The same after generic words and shares. After a measured error they can be what was measured: `mae_gap`."""
