"""The names of metrics by field, each with its direction and bounds: a table to read and to extend.

A row reads `direction lower upper share weight: names`:

- which way is better, `min` or `max`; `?`: the name does not say, so that no word in it is taken for an answer.
- the smallest and the largest possible value in natural units of one; `-`: there is none, or it is not sure.
- `share` where people write it as a part of 1 or in per cent, else `-`.
- `head`: the last such metric in a name decides. `weak`: decides only in a name without a head (`top5` in `top5_err`).
  `whole`: short or everyday words, which count only where they are all that is said.
- the metrics, separated by commas; spellings of one metric by `|`. The words of a spelling are written apart, in a log
  they may be joined in any way (`mean_iou`, `meanIoU`, `MEAN-IOU`, `meaniou`); `#` stands for a number, `@` also for
  the word "at".

From the documentation of torchmetrics, scikit-learn, Keras, XGBoost, COCO and its tools, Ultralytics, mmengine,
detectron2, LibMTL, Hugging Face evaluate and TRL, RecBole, PyKEEN, GluonTS, Stable-Baselines3 and CleanRL. Where a
library's own flag contradicts the definition (Davies–Bouldin, word information preserved), the definition counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lcode.table.direction import Direction, as_direction

FIELDS: dict[str, str] = {
    "classification": """
        max 0 1 share head: accuracy|acc|accuracies|accuracy score|aacc|macc|pacc|oacc, token accuracy,
            balanced accuracy|balanced acc|bal acc, pixel accuracy|pixel acc|pix acc, cluster accuracy, precision|
            prec|ppv|positive predictive value, recall|sensitivity|tpr|true positive rate|tp rate|hit rate,
            specificity|tnr|true negative rate|tn rate, npv|negative predictive value, f1|f1 score|f score|f measure|
            fb1, f beta|fbeta score, f2, f0.5|f05, average precision|ap score, lrap,
            label ranking average precision, auc|auroc|roc auc|auc roc|auc score|area under curve|log auc,
            aupr|auprc|pr auc|auc pr|prc auc|auc prc,
            precision recall curve, exact match|subset accuracy, g mean|gmean|geometric mean score, aupro, aupimo,
            oscr, purity, top # acc|top # accuracy, csi|critical success index
        max 0 1 share weak: top #|top k, sens, spec, roc, exact
        max 0 1 share whole: em, pix, ods, ois, oa, uas, las
        max -1 1 share head: kappa|cohen kappa|cohens kappa|cohen kappa score|quadratic weighted kappa|qwk, mcc|
            matthews|matthews corr coef|matthews corrcoef|matthews correlation|matthews correlation coefficient,
            informedness|youden|youdens j, markedness, cramers v|cramers, tschuprows t, theils u
        max 0 - - weak: correct
        min 0 - - weak: incorrect|wrong|mistakes
        min 0 1 share head: error rate|err rate, misclassification|misclassification rate, merror, hamming loss,
            zero one loss, hamming distance, fpr|false positive rate|fp rate|fall out, fnr|false negative rate|
            fn rate|miss rate, false negative, false positive, false alarm|false alarm rate|false alarm ratio, fdr|
            false discovery rate, top # err|top # error|err top #|error top #|top # error rate, ber|
            balanced error rate|bit error rate, eer|equal error rate, frr|false rejection rate|false reject rate,
            false refusal rate|false refuse rate|over refusal rate,
            false acceptance rate|false accept rate, apcer, bpcer, acer, hter, ece|expected calibration error|
            calibration error, brier|brier score|brier score loss
        min 0 1 share whole: far, mce, ace
        min 0 - - head: cross entropy|ce|bce|xent|xentropy|binary crossentropy|categorical crossentropy|
            sparse categorical crossentropy|binary cross entropy, log loss|mlogloss, hinge|hinge loss|squared hinge,
            focal loss, coverage error, ranking loss, merror rate
        ? - - - head: err @, asr|attack success|attack success rate, forget acc|forget accuracy, stat scores
        """,
    "detection and tracking": """
        max 0 1 share head: ap|aps|apm|apl|ap small|ap medium|ap large, ar|ars|arm|arl|mar|average recall,
            mean average precision|mean ap, nds, pck|pckh, oks, hota, deta, assa, loca, idf1, idp, idr, eao
        max 0 1 share weak: map
        max - 1 share head: mota|moda|amota|smota|motsa|smotsa
        max 0 - - head: fitness
        min 0 1 share head: lamr|log average miss rate
        min 0 - - head: box loss, cls loss, obj loss|objectness loss, dfl loss|dfl, mask loss|seg loss, iou loss,
            giou loss, kpt loss|keypoint loss|pose loss|kobj loss, mate, maoe, mave, maae, amotp, id switches|
            id switch|idsw|num switches
        ? - - - head: motp, iou thr|iou threshold|iou thresh
        """,
    "segmentation": """
        max 0 1 share head: iou|miou|mean iou|mean iu|iou score|intersection over union|
            mean intersection over union|jaccard|
            jaccard index|jaccard score|jaccard coef|jaccard similarity|jaccard sim|jac score, fw iou, boundary iou|
            biou, dice|mdice|dice coef|dice score|dice coefficient|dice similarity coefficient|dsc|generalized dice|
            dice similarity, tversky|tversky index, nsd|surface dice|normalized surface dice|normalised surface dice,
            bf score|boundary f1, max f|ods f|ois f,
            pq|panoptic quality, j f|j f mean, s measure, e measure, mean f measure|mean fscore|
            mfscore
        max 0 1 share whole: sq, rq
        max - 1 share head: giou|generalized iou|generalized intersection over union, diou|
            distance intersection over union, ciou|complete intersection over union
        min 0 - - head: hausdorff|hausdorff distance|hd 95|hausdorff 95|hausdorff distance 95|95 hd, assd|
            average symmetric surface distance|average surface distance|surface distance, voe|
            volumetric overlap error, arand|adapted rand error
        min 0 - - whole: asd, hd, msd, voi
        min 0 1 share head: jaccard distance, dice distance, dice loss
        """,
    "depth, normals, flow and pose": """
        max 0 1 share head: < #, within #, delta < #|d < #, normals 11.25|normals 22.5|normals 30|normal 11.25|
            normal 22.5|normal 30|angle 11.25|angle 22.5|angle 30|angles 11.25|angles 22.5|angles 30,
            sigma 1.25|sigma 1.25 #
        max 0 1 share weak: delta #, within
        max 0 1 share whole: a 1, a 2, a 3
        min 0 - - head: abs rel|abs rel err|abs rel error|abs rel diff, sq rel|sq rel err|sq rel error, rel err|
            rel error|relative error, l2re|rel l2|relative l2|l2 rel,
            silog|si log|scale invariant log error, log rmse|rmse log|rms log|log rms,
            irmse|inverse rmse, imae|inverse mae, abs err|abs error, rms, log 10 err|log 10 error, epe|aepe|
            end point error|endpoint error, mpjpe|pa mpjpe|p mpjpe|n mpjpe, mpvpe|pve|pa mpvpe|v2v, nme|
            normalized mean error, ade|min ade, fde|min fde, rpe, absolute trajectory error, chamfer|chamfer distance|
            chamfer dist|cd l1|cd l2, reprojection error
        min 0 - - whole: rel, log 10, ate, bad #
        min 0 180 - head: mean angle|median angle|mean angular error|median angular error|angular error|
            mean angle error|normal mean|normals mean|normal median|normals median
        min 0 180 - weak: angle|angular, deg|degrees
        min 0 1 share head: fl all|fl bg|fl fg, d1 all|d1 bg|d1 fg, outlier rate|outlier ratio|outliers
        ? - - - head: d #, # px, kitti f1, rms ratio|rms norm|update rms|param rms|grad rms
        """,
    "image, audio and video quality": """
        max 0 - - head: psnr|peak signal noise ratio|peak signal to noise ratio, vif|visual information fidelity
        max - 1 share head: ssim|ms ssim|mssim|ssim index|structural similarity|structural similarity index measure|
            multi scale structural similarity index measure, uqi|universal image quality index, fsim,
            quality with no reference|qnr, spatial correlation coefficient
        max 1 - - head: inception score
        max 1 - - whole: is
        max - - - head: clip score, clip iqa|clip image quality assessment, musiq, maniqa, nima, topiq, arniqa,
            aesthetic score, snr|si snr|scale invariant signal noise ratio|signal noise ratio|signal to noise ratio|
            sisnri|c si snr, complex scale invariant signal noise ratio, sdr|si sdr|sisdri|sdri|nsdr|sa sdr|
            scale invariant signal distortion ratio|signal distortion ratio|signal to distortion ratio,
            source aggregated signal distortion ratio, srmr
        max 0 100 - head: vmaf
        max -0.5 4.64 - head: pesq|perceptual evaluation speech quality
        max 0 1 share head: stoi|estoi|short time objective intelligibility
        max 1 5 - head: mos|dnsmos|utmos|nisqa
        min 0 - - head: lpips|perceptual distance|learned perceptual image patch similarity, dists,
            deep image structure and texture similarity, fid|sfid|frechet inception distance, fvd|
            frechet video distance, fad|frechet audio distance, frechet distance, niqe, brisque, piqe, ergas, mcd|
            mel cepstral distortion, lsd|log spectral distance, d lambda, spectral distortion index,
            spatial distortion index, spectral angle mapper, rase
        min - - - head: kid|kernel inception distance, bd rate
        ? - - - head: is best|is last|is final, perceptual path length, total variation
        """,
    "retrieval, recommendation and knowledge graphs": """
        max 0 1 share head: ndcg|normalized dcg|normalized discounted cumulative gain, r precision, gauc, pfound, hit|
            hits|hit ratio|hitrate, mrr|mean reciprocal rank|reciprocal rank|inverse harmonic mean rank, hr @, hr #,
            h @, p @, r @, r # @, minp|mean inverse negative penalty, item coverage, tpr @ fpr, tar @ far
        max 0 1 share weak: rank #|rank @|cmc
        ? - - - head: mr @
        max 0 600 - head: rsum|r sum
        max 0 - - head: dcg
        min 1 - - head: mean rank|meanr, median rank|medr|med r
        min 0 - - whole: mr
        ? - - - head: rank, inverse rank
        """,
    "regression and forecasting": """
        min 0 - - head: mse|mean squared error|squared error|mean square error, rmse|root mean squared error|
            root mean square error, mae|mean absolute error|absolute error|median absolute error|medae, mase|
            mean absolute scaled error, msle|mean squared log error|mean squared logarithmic error, rmsle|
            root mean squared log error, max error, nmse, nrmse, rrmse, nmae, sse|rss, rse|relative squared error|rae|
            relative absolute error, mre|mean relative error, relative l2|rel l2|l2 relative error, smooth l1|
            smooth l1 loss|l1 loss, l2 loss, huber|huber loss, log cosh|log cosh error, pinball|pinball loss|
            quantile loss|wql, crps|continuous ranked probability score|ranked probability score|rps, deviance|
            poisson deviance|gamma deviance|tweedie deviance|deviance score|tweedie deviance score, winkler score|
            interval score|msis, owa, rmsd|drmsd, minkowski distance, euclidean distance, mahalanobis distance,
            l1 distance, l2 distance, procrustes disparity|procrustes
        min 0 - - whole: l1, l2, mue, poisson
        min 0 - share head: mape|mean absolute percentage error, wape|wmape|weighted mean absolute percentage error,
            mdape, rmspe
        min 0 2 share head: smape|symmetric mean absolute percentage error
        max - 1 - head: r2|r2 score|r squared|r square|adjusted r2|adj r2, explained variance|explained var|
            explained variance score, nse|nash sutcliffe|nash sutcliffe efficiency, kge, d2|d2 score|
            d2 absolute error|d2 absolute error score|d2 pinball score|d2 tweedie score|d2 brier score|
            d2 log loss score
        max -1 1 share head: pearson|pearsonr|pearson r|pearson corr coef|pearson corr|pearson correlation|plcc|pcc,
            spearman|spearmanr|spearman r|spearman rho|spearman corr coef|spearman corr|spearman correlation|srcc|
            srocc, kendall|kendall tau|kendall rank corr coef|krcc, ccc|concordance corr coef|
            concordance correlation coefficient, correlation|corr|corr coef|correlation coefficient|corrcoef, rank ic
        max -1 1 share whole: ic, cc
        max -1 1 - head: cosine similarity|cosine sim|cos sim
        min 0 2 - head: cosine distance|cos dist|cosine dist
        max - - - weak: similarity
        ? - - - head: bias|mean bias error|mbe|pbias, coverage|picp
        """,
    "language and speech": """
        max 0 1 share head: bleu|sacre bleu|google bleu|bleu score, rouge|rouge score, rouge #, rouge l|rouge lsum,
            chrf|chrf score, meteor, spice, gleu, sari, mauve, anls, pass @, maj @, wip|word info preserved|
            word information preserved
        max 0 10 share head: cider
        max - 1 share head: bert score
        max - - - head: bleurt, comet, nist, mover score
        min 0 1 share head: wil|word info lost|word information lost, mer|match error rate
        min 0 - share head: wer|word error rate|bwer, bcer, cer|character error rate|char error rate,
            phoneme error rate, uer, token error rate, translation edit rate|translation error rate,
            extended edit distance, jer, diarization error rate, sentence error rate
        min 0 - share whole: per, ter, ser, ler, der
        min 0 - - head: min dcf|dcf|min tdcf|tdcf, edit distance|edit dist|levenshtein|levenshtein distance|
            levenshtein dist, bpc|bits per char|bits per character, bpb|bits per byte, bpw|bits per word
        min 0 1 share head: ned|normalized edit distance|normalised edit distance
        min 1 - - head: perplexity|ppl
        min 0 - - weak: ctc
        ? - - - head: self bleu
        """,
    "generative models, likelihoods and clustering": """
        max - - - head: elbo|evidence lower bound, likelihood|log likelihood|loglik|log lik, log prob, lpd|elpd
        max - - - whole: ll
        min - - - head: nll|negative log likelihood|neg log likelihood|negative likelihood|nloglik, neg log prob,
            energy score, mmd, bpd|bits per dim|bits per dimension|bits dim|nats per dim|nats dim, elbo loss|neg elbo|
            negative elbo
        min 0 - - head: kl|kl div|kl divergence|kld|kullback leibler|kullback leibler divergence|kl loss, nce|infonce|
            info nce, js divergence|jsd|jensen shannon|jensen shannon divergence, wasserstein|wasserstein distance|
            wasserstein dist, swd, emd|earth mover distance|earth movers distance
        max 0 1 share head: nmi|normalized mutual info|normalized mutual info score|normalized mutual information,
            rand score|rand index, v measure|v measure score, homogeneity|homogeneity score, completeness|
            completeness score, fowlkes mallows|fowlkes mallows score|fowlkes mallows index
        max -1 1 share head: ari|adjusted rand index|adjusted rand score, ami|adjusted mutual info|
            adjusted mutual info score, silhouette|silhouette score
        max 0 - - head: calinski harabasz|calinski harabasz score, dunn index, mutual info score
        min 0 - - head: davies bouldin|davies bouldin score|davies bouldin index, inertia
        ? - - - head: approx kl|old approx kl|kl coef, entropy|entropy loss, mutual information gap, log prob ratio
        """,
    "reinforcement learning": """
        max - - - head: reward|rew|reward mean, return|ret|episode return, eprew|eprewmean, epret, elo|elo rating
        max - - - head: reward margin|reward margins|rewards margins
        ? - - - head: reward chosen|rewards chosen|chosen reward|chosen rewards, reward rejected|rewards rejected|
            rejected reward|rejected rewards|reject reward
        max - - - whole: r
        max 0 1 share whole: sr
        max - - - weak: score
        max 0 1 share head: success|success rate|success ratio, win rate|win ratio|win pct, solve rate|solved
        min 0 1 share head: failure rate|fail rate, collision rate|crash rate, violation rate
        min - - - head: optimality gap|opt gap|optimal gap|integrality gap|duality gap|mean gap|gap mean|avg gap|
            average gap
        min 0 - - head: regret, failure|failures|fails, collision|crash|crashes, violation
        min - - - head: cost|ep cost|episode cost|cost return|cost returns|episode cost return
        ? - - - head: anomaly score, z score, risk score, toxicity score, perturbation score, clip frac|clip fraction,
            positive likelihood ratio, negative likelihood ratio
        """,
    "molecules, physics, continual learning, survival": """
        max 0 1 share head: validity, uniqueness, novelty, qed, tm score, lddt|plddt, gdt|gdt ts|gdt ha, dockq, efwt|
            energy force within threshold, ewt|energy within threshold, c index|concordance index
        max - - - head: penalized logp|plogp
        max -1 1 share head: backward transfer|bwt, forward transfer|fwt
        min - - - head: sa score, vina|vina score|docking score
        min - - - whole: energy|ground state energy|variational energy|potential energy|free energy
        min 0 - - head: pde loss
        min 0 - - whole: pde, phys|physics
        min 0 - - weak: residual
        min - 1 share head: forgetting|average forgetting
        min 0 1 share head: integrated brier score|ibs
        """,
    "losses and errors of any kind": """
        min - - - head: loss|losses
        min 0 - - head: error|err
        min 0 - - head: triplet loss, contrastive loss, perceptual loss, reconstruction loss|recon loss
        min 0 - - whole: reconstruction|recon
        """,
}
"""The rows by field. The last field's words are generic, see `lcode.table.metric_words.GENERIC`."""


@dataclass(frozen=True)
class Entry:
    """One metric of the vocabulary.

    Attributes:
        name: its first spelling, in lower case, the words apart.
        direction: which way is better; None: the name does not say.
        lower: smallest possible value in natural units of one, None where there is none or it is not sure.
        upper: largest possible value, likewise.
        share: whether people write it as a part of 1 or in per cent.
        weight: `head`, `weak` or `whole`: when the name counts, see the module's text.
    """

    name: str
    direction: Direction | None
    lower: float | None
    upper: float | None
    share: bool
    weight: str


def entries() -> dict[str, Entry]:
    """Every spelling, its words joined, with its metric."""
    table: dict[str, Entry] = {}
    for text in FIELDS.values():
        for row in re.split(r"\n\s*(?=(?:min|max|\?) \S+ \S+ \S+ \w+:)", text)[1:]:
            facts, names = row.split(":", 1)
            direction, lower, upper, share, weight = facts.split()
            for metric in names.split(","):
                spellings = [" ".join(spelling.split()) for spelling in metric.split("|")]
                entry = Entry(
                    name=spellings[0],
                    direction=None if direction == "?" else as_direction(direction, of=spellings[0]),
                    lower=None if lower == "-" else float(lower),
                    upper=None if upper == "-" else float(upper),
                    share=share == "share",
                    weight=weight,
                )
                table.update((spelling.replace(" ", ""), entry) for spelling in spellings)
    return table
