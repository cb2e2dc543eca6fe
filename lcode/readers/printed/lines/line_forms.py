"""Printed lines in other forms, brought to that of most programs: a word and its count, names and their numbers.

Each form is that of a program many people use, or of many programs; what a line says does not change.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from lcode.readers.printed.lines.angle_shares import with_angle_shares
from lcode.readers.printed.lines.evaluation_forms import OF_EVALUATIONS
from lcode.readers.printed.lines.form_parts import (
    ANY_DATA,
    BY_TURNS,
    COCO,
    LIST,
    NUMBER,
    ROW,
    by_class,
    marked,
    of_bar,
    of_coco,
    of_deepxde,
    of_gan,
    of_kaldi,
    of_parts,
    of_share,
    of_split,
    of_sum,
    of_thousands,
    of_tutorial,
    row_by_class,
    with_data,
    with_stand_ins,
)
from lcode.readers.printed.lines.labels import with_named_groups, with_numbered_parts
from lcode.readers.printed.lines.metric_before import with_metric_of_all
from lcode.readers.printed.lines.split_values import with_split_values
from lcode.table.other_languages import in_english

_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

_NOISE = re.compile(
    r"^[IWEF]\d{4} [\d:.]+ +\d+ \S+\]"  # what Google's logging begins a line with
    r"|\[[^\[\]]*\b(?:INFO|DEBUG|WARNING)\]|^(?:INFO|DEBUG|WARNING):(?:[\w.]+:)?"  # what Python's begins it with
    r"|^(?:V?LOG|WARNING)(?:\[\d+\])? \(\S+:\d+\)"  # Kaldi's: program, function, file and line
    r"|^(?:(?!epoch|step|iter|round).){1,100}?[ |\]:](?:INFO|DEBUG|WARNING)\]?[ :|>-]+"  # time, file, name, level
    r"|\[[\w./-]{1,80}\.py:\d+\]"  # where in the program a line is printed
    r"|(?<=\| )[\w.]+:(?:[\w<>]+:)?\d+ - |^wandb:[ \t]"  # loguru's place in the program, and whose line it is
    r"|\b[a-z]\w*(?:\.\w+)+:\d+(?=\s+(?:INFO|DEBUG|WARNING)\b)"  # the place before the level, as OLMo has it
    r"|\b\d{4}[-/]\d{1,2}[-/]\d{1,2}|\b\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?(?: ?[AP]M)?"  # dates, times
    r"|\[[=>.#\s*-]*\]|(?:\d+%)?\|[█▏▎▍▌▋▊▉ #]*\|"  # progress bars
    r"|\[ *(?i:new )?(?i:best)\b[^\]]*\](?= *(?i:epoch|iter|step))|\[ *(?i:best) *[:=][^\]]*\]"  # beside the present
    r"|\bhttps?://\S+|\S*%[0-9A-F]{2}\S*|\S*[/\\]\S+\.(?:py|pth?|ckpt|json|txt|png)\b\S*"  # addresses and files
)
_EDGE_OF_SCRIPT = re.compile(r"(?<=[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])(?=[A-Za-z])")
"""Where the name of a task in Chinese, Japanese or Korean ends and that of its metric begins: `点击率|AUC`."""

_AFTER_MARK = re.compile(r"([:=])[ \t]+|(?<=[A-Za-z)\]]) {2,}(?=[+-]?\d)")
"""What stands between a name and its number where numbers are aligned."""

_FORMS: tuple[tuple[str, re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    ("np.float", re.compile(rf"np\.float\d+\(({NUMBER})\)", re.IGNORECASE), r"\1"),
    # `('epoch', 3, 'loss:', 0.3)` and `{'loss': 0.3}`, as Python prints them.
    ("'", re.compile(rf"'([A-Za-z][^']*?):?', *(?={NUMBER})", re.IGNORECASE), r"\1: "),
    ("", re.compile(r"""['"]([A-Za-z][\w ./@-]*)['"] *: *"""), r"\1: "),
    # GluonTS: `Epoch[0] Evaluation metric 'epoch_loss'=3.0`, of the training, and `'validation_epoch_loss'=3.3`
    ("=", re.compile(rf"(?i)(?:\bevaluation metric )?['\"]([a-z][\w ./@-]*)['\"] *= *(?=(?:{NUMBER}))"), r", \1: "),
    # `0.4 -> 0.3`: what it was, and what it is now
    (">", re.compile(rf"(?i)(?<![\w.])(?=[+-]?(?:\d*\.|nan|inf))(?:{NUMBER}) *[-=]+> *(?={NUMBER})"), ""),
    ("→", re.compile(rf"(?i)(?<![\w.])(?=[+-]?(?:\d*\.|nan|inf))(?:{NUMBER}) *→ *(?={NUMBER})"), ""),
    # `loss → 0.3`, `loss(val)=0.3`
    (">", re.compile(r"(?:(?<=[A-Za-z%)])|(?<=[A-Za-z@]\d)) *[-=]+> *(?=[+-]?[.\d])"), ": "),
    ("→", re.compile(r"(?:(?<=[A-Za-z%)])|(?<=[A-Za-z@]\d)) *→ *(?=[+-]?[.\d])"), ": "),
    ("(", re.compile(rf"(?i)\b([a-z][\w@]*) ?\(({ANY_DATA})\)(?= *[:=])"), r"\2 \1"),
    # thousands: `1,356`, `ppl 1,167.5`
    (",", re.compile(r"(?<![\w.,])(\d{1,3}),(\d{3})(?:,(\d{3}))?(?![\d,]|\.(?:\D|$|\d*[.,]\d))"), r"\1\2\3"),
    # `mAP@0.5:0.95` and `mAP50-95`, which stand beside `mAP@0.5` and `mAP50`
    ("95", re.compile(r"(?<=AP)(?: ?@ ?\[?(?:0?\.50?:0?\.|50:)95(?::0?\.05)?\]?|_?50-95)(?![\d.])"), "50_95"),
    # SASRec: `loss in epoch 3 iteration 2: 0.3`, `valid (NDCG@10: 0.4, HR@10: 0.6), test (NDCG@10: 0.3, HR@10: 0.5)`
    (
        " in epoch ",
        re.compile(rf"(?i)\b([a-z]\w*) in epoch (\d+) iter(?:ation)? (\d+): (?=(?:{NUMBER})\s*$)"),
        r"epoch \2, batch \3, \1: ",
    ),
    ("(", re.compile(rf"(?i)(?<![\w.])({ANY_DATA}) \(((?:[^()]*?[:=] *(?:{NUMBER})%?,? *){{2,}})\)"), of_split),
    # `step 6k/400k`, `[1.5k/400k]`
    (
        "",
        re.compile(
            r"(?P<before>(?i:\b(?:(?:global[_ ]|time)?steps?|epochs?|iter(?:ation)?s?|updates?|episodes?|rounds?|it))"
            r"[\s:=#\[(_-]*|^\W*\[ *)(?P<count>\d+(?:\.\d+)?[kKM]?(?: *(?:/|of) *\d+(?:\.\d+)?[kKM]?)?)(?![\w.])"
        ),
        of_thousands,
    ),
    # icefall: of a batch, and of those of the epoch so far
    ("tot_loss[", re.compile(r"(?:\bloss\[[^\[\]]*\],? *)?\btot_loss\[([^\[\]]*[=:][^\[\]]*)\]"), r"\1"),
    # BTS, NeWCRFs: epoch, step in it, and in all
    ("gs]: [", re.compile(r"\[epoch\]\[s/s_per_e/gs\]: \[\d+\]\[\d+/\d+/(\d+)\]"), r"step \1"),
    ("train==[", re.compile(rf"\btrain==\[({NUMBER})="), r"train loss: \1, [="),  # NGCF, KGAT
    ("\t", re.compile(rf"(?<=[A-Za-z])\t(?=(?:{NUMBER})(?:\t|\s*$))", re.IGNORECASE), ": "),  # `loss\t0.3\ttime\t9.5`
    # Sockeye's `metrics`, by checkpoints: `3  epoch=1  perplexity-val=49.9` with tabs
    ("\t", re.compile(r"^(\d+)\t(?=[a-z][\w-]*=\S)(?!(?:epoch|step|iter)\w*=)(?=.*-(?:train|val)=)"), r"step \1, "),
    ("loss", re.compile(r"\bloss(?=\d+\.\d)"), "loss: "),  # LightGCN: `EPOCH[1/1000] loss0.546-|Sample:3.4|`
    ("iter ", re.compile(rf"^iter +(\d+) value ({NUMBER})\s*$"), r"step \1, loss: \2"),  # R's nnet
    # Tacotron: `Train loss 100 0.31`, `Validation loss 1000: 0.4`.
    (
        " ",
        re.compile(rf"(?i)^\W*({ANY_DATA}) (loss|acc|accuracy) (\d+)(?:: *| +)(?=(?:{NUMBER}))"),
        r"step \3, \1 \2: ",
    ),
    ("array(", re.compile(rf"(?:np\.)?array\(({NUMBER})[^()]*\)", re.IGNORECASE), r"\1"),
    ("array(", re.compile(r"array\((\[[^\[\]()]*\])[^()]*\)"), r"\1"),
    ("tensor(", re.compile(rf"tensor\(({NUMBER})[^()]*\)", re.IGNORECASE), r"\1"),
    # DeepXDE: `1000  [1.2e-01, 3.4e-02]  [1.3e-01, 3.5e-02]  [9.5e-02]`: losses of both, metrics
    (
        "]  ",
        re.compile(
            r"^(?P<step>\d+) +\[(?P<train>[\d.e+, -]+)\] +\[(?P<test>[\d.e+, -]+)\] +\[(?P<metrics>[\d.e+, -]*)\]\s*$"
        ),
        of_deepxde,
    ),
    ("]", LIST, by_class),
    ("", ROW, row_by_class),
    ("Average ", COCO, of_coco),
    # Darknet has the number first: `12: 900.1, 899.3 avg loss, 0.001 rate, 3.2 seconds`.
    (
        " avg",
        re.compile(rf"^\s*(\d+): (?:{NUMBER}), ({NUMBER}) avg(?: loss)?, ({NUMBER}) rate,.*", re.IGNORECASE),
        r"step \1, loss: \2, lr: \3",
    ),
    # PyTorch's tutorials: `1m 3s (- 15m 45s) (5000 6%) 3.5`, `5000 5% (0m 7s) 2.7`.
    (
        "s ",
        re.compile(rf"(?i)\b\d+m \d+s *(?:\(- [\dms ]+\) *)?\((?P<step>\d+) \d+%\)(?: *(?P<value>{NUMBER})(?=\s*$))?"),
        of_tutorial,
    ),
    ("s)", re.compile(rf"(?i)^\s*(\d+) \d+% \(\d+m \d+s\) ({NUMBER})\b"), r"step \1, loss: \2 "),
    # build-nanogpt: `250 val 3.2`.
    (" ", re.compile(rf"^\s*(\d+) ([A-Za-z]\w*) ({NUMBER})\s*$", re.IGNORECASE), r"step \1, \2: \3"),
    (
        "(* ",
        re.compile(rf"(?i)\b(?!\w*loss)(\w+) = ({NUMBER}) \(\*[^)]* loss\)"),
        r"\1_loss = \2",
    ),  # Caffe: an output with a weight
    ("(*", re.compile(r"\(\*[^)]*\)"), "\n"),  # of a loss
    # `Accuracy: 2508/10042=0.2498`, `Accuracy: 9913/10000 (99%)`.
    ("=", re.compile(rf"\b\d+ */ *\d+ *=+ *({NUMBER})"), r"\1"),
    (
        "%",
        re.compile(
            rf"(?P<before>\b[A-Za-z]+[\s:=#-]{{0,3}})?(?<![\[\d./])\b\d+ */ *\d+ *\( *(?P<value>{NUMBER}) *%\)",
            re.IGNORECASE,
        ),
        of_share,
    ),
    # ESPnet: `3epoch results: [train] …`; `2-epoch (4/100): …`, `7th step, …`.
    (
        "",
        re.compile(
            r"(?i)(?<![\w.])(\d+)(?:st|nd|rd|th)?[- ]?(epoch|step|iter(?:ation)?|episode|(?:mini-?)?batch)"
            r"(?:\s+results?)?(?=\s*(?:[(\[,|]|:(?!\s*\d)))"
        ),
        r"\2 \1 ",
    ),
    ("", re.compile(r"^(\W*)[Ee](\d{1,4})(?=[ |:,]+[A-Za-z])"), r"\1epoch \2 "),  # `E012 tr_loss=0.3`
    ("/", re.compile(r"(?<!\S)[Ee](\d+/\d+)(?=[ |:,])"), r"epoch \1 "),  # `[fold 2] head E3/10: loss=0.3`
    # `epoch:0 32/454 loss: 1`
    ("/", re.compile(r"(?i)(\bepoch *[:=]? *\d+)[ ,|]+(\d+/\d+)(?= *(?:[,|:a-z]|[\d.]+%))"), r"\1, batch \2,"),
    # Swin: `Train: [3/300][0/1251]`
    ("][", re.compile(rf"(?i)^(\W*(?:{ANY_DATA})): *\[(\d+)/(\d+)\]\[(\d+)/"), r"\1: epoch \2/\3, batch \4/"),
    # `[ Train | 001/100 ] loss = 0.3`, as in the homework of a lecture that many take.
    ("|", re.compile(rf"(?i)^\W*\[ *({ANY_DATA}) *\| *(\d+ */ *\d+) *\]"), r"\1: epoch \2, "),
    # `val 1.25 (seg 0.25, depth 1.00)`
    (
        "(",
        re.compile(
            rf"(?i)\b(?P<split>{ANY_DATA})(?: loss)?[ :=]+(?P<value>\d+\.\d+) *"
            rf"\((?P<parts>[a-z][\w/-]*[ :=]+(?:{NUMBER})(?: *[,|] *[a-z][\w/-]*[ :=]+(?:{NUMBER}))+)\)"
        ),
        of_sum,
    ),
    # `loss 0.5 (pde 0.3, bc 0.2)`
    (
        "(",
        re.compile(
            rf"(?i)(?P<loss>\bloss *[:=]? *(?:{NUMBER})) *"
            rf"\((?P<parts>[a-z][\w/-]*(?: *[:=] *| +)(?:{NUMBER})"
            rf"(?:[ ,;|]+[a-z][\w/-]*(?: *[:=] *| +)(?:{NUMBER}))*)\)"
        ),
        of_parts,
    ),
    # timm: `Train: 3 [  50/100 ( 50%)]`; `Test 3, loss: 0.4`.
    ("", re.compile(rf"(?i)^(\W*)({ANY_DATA})(?:: *(\d+)(?= *\[)| +#?(\d+)(?= *[,:|\[]))"), r"\1\2: epoch \3\4 "),
    ("]", re.compile(rf"(?i)(?<=[\d%] )\[({ANY_DATA})\]:? *(?=[a-z])"), r", \1: "),  # `loss=0.3 [val] acc=0.9`
    ("][", re.compile(rf"(?i)(\[[a-z][\w.-]*\]) ?(\[(?:{ANY_DATA})\])"), r"\2\1"),  # `[seg][val] loss=0.3`
    # `root: Train: loss 0.3`: who says it comes first.
    (": ", re.compile(rf"(?i)^\W*[a-z_][\w.]*: +(?=(?:{ANY_DATA}) *:)"), ""),
    ("(", re.compile(r"(?i)\biter\((val|test)\) *\[ *\d+(?: */ *\d+)?\]"), r"\1: "),  # MMCV: of the batches of its data
    ("(", re.compile(r"(?i)\b(epoch|iter)\((train|val|test)\)"), r"\2: \1"),
    (
        "(epoch: ",
        re.compile(r"^\W*\(epoch: (?P<epoch>\d+), iters: (?P<batch>\d+),[^()]*\)(?P<losses>(?: [\w+-]+: \S+)+)\s*$"),
        of_gan,
    ),
    # `Cost after iteration 100: 0.6`, `validation loss at step 60: 1.7, acc: 0.5`.
    (
        " ",
        re.compile(
            r"(?i)((?:(?<![\w/])[a-z][\w@.-]*/[\w@/.-]*|\b[a-z][\w@]*)(?: [\w@]+)?) (?:after|at|for|in|of) "
            rf"(?=(?:epoch|iter|step|round|episode))([a-z]+) *#?(\d+) *(?:[:=]|is *:?) *(?=(?:{NUMBER})\s*(?:$|[,;|]))"
        ),
        r"\2 \3, \1: ",
    ),
    # `Average return per evaluation episode: 22.1`
    ("per ", re.compile(r"(?i)\bper (\w+)? ?(?:episode|epoch|step|iteration)\b(?= *[:=])"), r"\1"),
    # `Accuracy of the network on the 10000 test images: 55 %`
    (
        "ccuracy of the ",
        re.compile(
            rf"(?i)\baccuracy of the \w+ on (?:the )?(?:\d+ )?({ANY_DATA})(?:ing)?"
            r"(?: (?:images|set|data|samples|dataset))*"
        ),
        r"\1 accuracy",
    ),
    ("cv", re.compile(r"\bcv[_ ](?=loss|acc|ppl)"), "val_"),  # WeNet: of cross-validation
    ("metric", re.compile(r"\bcur(?:rent)? metrics?,"), ", val:"),  # PaddleOCR
    ("'s ", re.compile(r"\b(\w+)'s (?=[A-Za-z])"), r"\1/"),  # LightGBM: `valid_0's auc: 0.9`
    ("[", re.compile(rf"(?i)(?<=[:=])\s*\[ *({NUMBER}) *\]"), r"\1"),  # CleanRL: `episodic_return=[12.]`
    # `mean/median reward 11.1/12.0`
    (
        "/",
        re.compile(rf"(?i)\b([a-z]+)/([a-z]+) ([a-z]+):? ({NUMBER})/({NUMBER})"),
        r"\1 \3: \4, \2 \3: \5",
    ),
    # TD3's authors: `Total T: 9000 Episode Num: 9 Episode T: 1000 Reward: 11.3`
    ("Total T", re.compile(r"Total T: (\d+) Episode Num: \d+ Episode T: \d+"), r"step \1,"),
    ("Evaluation", re.compile(r"^\W*Evaluation over \d+ episodes: "), "eval reward: "),
    # MAPPO: `updates 5/100 episodes, total num timesteps 1000/20000`
    ("updates ", re.compile(r"\bupdates (?=\d+/\d+ episodes\b)"), "episode "),
    # conlleval: what was counted for the scores below
    (" phrases; ", re.compile(r"processed \d+ tokens with \d+ phrases; found: \d+ phrases; correct: \d+\.?"), "\n"),
    # Lightning's checkpoints: `Epoch 3, global step 400: 'val_acc' reached 0.81 (best 0.83), saving model to …`
    (
        " reached ",
        re.compile(rf"(?i)(?<= step)( \d+): '?([a-z][\w/.@ -]*?)'? reached ({NUMBER}) \(best [^)]*\).*"),
        r"\1, \2: \3",
    ),
    # `Epoch 3 evaluated with loss: 0.4`
    (" with ", re.compile(r"(?i)\b(train|test|evaluat|validat)ed with (?=[a-z])"), with_data),
    # segmentation_models_pytorch: `100/100 [00:10<00:00, 2.1it/s, dice_loss - 0.43, iou_score - 0.71]`
    (" - ", re.compile(r"(?<=<)[\d:?]+,[^\[\]]*"), of_bar),
    # fairseq: `valid on 'test' subset`
    (" on ", re.compile(rf"(?i)\b(?:valid\w*|eval\w*|test\w*) on (?:the )?'?({ANY_DATA})'? (?:sub)?set\b"), r"\1:"),
    # `Precision at k = 5: 6.4`
    (" k = ", re.compile(r"\b([A-Za-z]+) (?:at|@) ?k = (\d+)(?= *:)"), r"\1@\2"),
    ("L.r.", re.compile(r"\bL\.r\."), "lr"),  # Marian
    # Lightning's bar of old: its own mean of the last batches, beside what the user logs
    ("v_num=", re.compile(r"\bloss=\S+ (?=v_num=.*\btrain\w*loss)"), ""),
    ("v_num=", re.compile(r"\bv_num=[\w.-]+,? *"), ""),  # the number of the run
    (" @", re.compile(r"\b([A-Za-z]+) @ ?(\d+(?:\.\d+)?)(?= *[:=])"), r"\1@\2"),  # `R @ 20: 0.2; Hits @10: 0.3`
    ("][", re.compile(r"^(\W*\[[A-Za-z][\w.-]*\])\[(\d+)\] ?(?=[A-Za-z])"), r"\1 step \2, "),  # `[lfw][2000]acc: 0.9`
    (" ", BY_TURNS, marked),
    # Kaldi: `Average objective function for 'output' for minibatches 90-99 is -0.2 + -0.1 = -0.3 over 9000 frames.`
    (
        "objective function for",
        re.compile(
            r"^\W*Average objective function for '(?P<output>[\w.-]+)' for minibatches \d+-(?P<batch>\d+) is "
            rf"(?P<value>{NUMBER})(?: \+ (?:{NUMBER}) = (?P<whole>{NUMBER}))?.*",
            re.IGNORECASE,
        ),
        of_kaldi,
    ),
    ("[last ", re.compile(r"\[last \S+ of \S+\](?=:)"), ""),  # Kaldi: `ProgressLoss[last 5h of 10h]: 2.1 (Xent)`
    # MONAI's tutorials, with a unit behind it: `time consuming of epoch 1 is: 60.1 s`
    (" is", re.compile(r"(?i)(\b(?:epoch|iter|step|round)[a-z]* *#?\d+) +is *:"), r"\1 "),
    # Tesseract's, of the outputs of the network: the errors of characters and words are the scores.
    ("ean rms=", re.compile(rf"(?i)\bmean rms=(?:{NUMBER})%, delta=(?:{NUMBER})%,(?=.*\bBCER )"), ""),
    *OF_EVALUATIONS,
)
"""What is in every line of a form, the form, and the usual one for it."""


def without_noise(line: str) -> str:
    """The line without dates, bars, addresses and the like, with a number wherever one may stand."""
    line = _COLOUR.sub("", line) if "\x1b" in line else line  # before others, which may begin the line
    if not line.isascii():
        line = _EDGE_OF_SCRIPT.sub(" ", in_english(line.replace("：", "： ")))
    return _NOISE.sub("\n", with_stand_ins(line))


def usual_form(line: str) -> str:
    """The line without noise, in the form of most programs."""
    line = with_metric_of_all(with_angle_shares(with_numbered_parts(without_noise(line))))
    for mark, form, usual in _FORMS:
        if mark in line:
            line = form.sub(usual, line)
    line = with_split_values(line)
    line = with_named_groups(line) if sum(map(line.count, "({[")) > 1 else line
    return _AFTER_MARK.sub(r"\1 ", line)
