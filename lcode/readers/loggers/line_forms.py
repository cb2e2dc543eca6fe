"""Printed lines in other forms, brought to that of most programs: a word and its count, names and their numbers.

Each form is that of a program many people use, or of many programs; what a line says does not change.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from lcode.readers.understanding.column_words import is_counter, why_left_out
from lcode.readers.understanding.rates import is_rate
from lcode.table.metric_names import known_metric
from lcode.table.metric_words import SPLITS
from lcode.table.other_languages import in_english

NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:nan|inf(?:inity)?)\b"

_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

_NOISE = re.compile(
    r"^[IWEF]\d{4} [\d:.]+ +\d+ \S+\]"  # what Google's logging begins a line with
    r"|\[[^\[\]]*\b(?:INFO|DEBUG|WARNING)\]|^(?:INFO|DEBUG|WARNING):(?:[\w.]+:)?"  # what Python's begins it with
    r"|^(?:V?LOG|WARNING)(?:\[\d+\])? \(\S+:\d+\)"  # Kaldi's: program, function, file and line
    r"|^(?:(?!epoch|step|iter|round).){1,100}?[ |\]](?:INFO|DEBUG|WARNING)\]?[ :|>-]+"  # time, file, name, level
    r"|\b\d{4}[-/]\d{1,2}[-/]\d{1,2}|\b\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?(?: ?[AP]M)?"  # dates, times
    r"|\[[=>.#\s*-]*\]|(?:\d+%)?\|[█▏▎▍▌▋▊▉ #]*\|"  # progress bars
    r"|\[ *(?i:new )?(?i:best)\b[^\]]*\](?= *(?i:epoch|iter|step))|\[ *(?i:best) *[:=][^\]]*\]"  # beside the present
    r"|\bhttps?://\S+|\S*%[0-9A-F]{2}\S*|\S*[/\\]\S+\.(?:py|pth?|ckpt|json|txt|png)\b\S*"  # addresses and files
)
_AFTER_MARK = re.compile(r"([:=])[ \t]+|(?<=[A-Za-z)\]]) {2,}(?=[+-]?\d)")
"""What stands between a name and its number where numbers are aligned."""

_LIST = re.compile(
    rf"(?P<name>[A-Za-z][\w @./%-]*)[:=]? *\[(?P<values> *(?:{NUMBER}) *(?:, *(?:{NUMBER}) *)+)\]", re.IGNORECASE
)
"""A number for each class: `Dice: [0.9, 0.8]`."""

_ROW = re.compile(
    rf"^(?P<name>[A-Za-z][\w @./%-]*)[:=] *(?P<values>(?:{NUMBER})(?:\s+(?:{NUMBER})){{3,}})\s*$", re.IGNORECASE
)
"""The same without brackets, of a score, in a line of its own: `IoU:64.22  0.00  1.50 12.75`."""

_COCO = re.compile(
    r"Average (?:Precision|Recall)\s+\((?P<what>A[PR])\) @\[ IoU=(?P<iou>[\d.:]+)\s*\| area=\s*(?P<area>\w+)\s*"
    r"\| maxDets=\s*(?P<most>\d+) \]\s*="
)
"""A line of COCO's evaluation as `pycocotools` prints it."""

DATA = SPLITS.keys() - {"batch", "minibatch", "rollout", "tr", "trn"}
"""Words that alone say on which data was measured."""

_SPLIT = "|".join(sorted(DATA, key=len, reverse=True))

_BARE = re.compile(
    r"^(?!\W*\[ *\[)[\W_]*?\[ *(?P<at>\d+)(?: */ *(?P<of>\d+))?"
    r"(?: *(?:[,:;]|\],? *\[) *(?P<batch>\d+)(?: */ *\d+)?)? *\](?! *\])(?=.*[A-Za-z])"
    r"|^\s*#?(?P<first>\d+)(?:[:,]\s*|\s+)(?=\[?[A-Za-z])"
)
"""Counters without a name before all else: `[100/5000] loss: 0.3`, XGBoost's `[7]`, CatBoost's `7:`, `#7 loss`; an
epoch and a batch of it where there are two: `[1, 2000] loss: 2.2`, `[3/25][50/391] Loss_D: 0.4`."""


def _by_class(found: re.Match[str]) -> str:
    """The numbers of a list with a name each, where it is that of a metric; whole ones are numbers of classes."""
    if known_metric(found["name"]) is None or "." not in found["values"]:
        return found.group()
    return ", ".join(f"{found['name']}_{at}: {value.strip()}" for at, value in enumerate(found["values"].split(",")))


def _row_by_class(found: re.Match[str]) -> str:
    """The numbers of such a line with a name each; of losses the first one is the sum of the others."""
    facts = known_metric(found["name"])
    if facts is None or not facts.share:
        return found.group()
    return ", ".join(f"{found['name']}_{at}: {value}" for at, value in enumerate(found["values"].split()))


def _of_gan(found: re.Match[str]) -> str:
    """A line of CycleGAN's and pix2pix' log, in which each number is a loss."""
    losses = re.sub(rf"([A-Za-z][\w+-]*): (?={NUMBER})", r"\1_loss: ", found["losses"], flags=re.IGNORECASE)
    return f"epoch: {found['epoch']}, batch: {found['batch']}, {losses}"


def _of_coco(found: re.Match[str]) -> str:
    """The name by which COCO's numbers are known: AP, AP50, APs, AR100."""
    area = "" if found["area"] == "all" else found["area"][0]
    if found["what"] == "AR":
        return f"val/AR{area or found['most']}:"
    return f"val/AP{'' if ':' in found['iou'] else round(100 * float(found['iou']))}{area}:"


def _of_kaldi(found: re.Match[str]) -> str:
    """A line of Kaldi's nnet3, which tells of each output of the network what it came to in the last minibatches."""
    return f"batch {found['batch']}, {found['output']}/log-likelihood: {found['whole'] or found['value']}"


def _of_tutorial(found: re.Match[str]) -> str:
    """A line of PyTorch's tutorials: after what time, at which step, how much of all, and the loss."""
    return f"step {found['step']}, " + ("" if found["value"] is None else f"loss: {found['value']}")


_PART = re.compile(rf"(?<![\w.])(?P<name>[A-Za-z][\w/-]*)(?P<mark> *[:=] *| +)(?={NUMBER})", re.IGNORECASE)


def _of_sum(found: re.Match[str]) -> str:
    """A number that is the sum of those in brackets behind it: a loss and its parts, of the same data."""
    parts = re.findall(rf"([A-Za-z][\w/-]*)[ :=]+({NUMBER})", found["parts"], flags=re.IGNORECASE)
    rounding = 0.5 * (len(parts) + 1) * 10.0 ** -len(found["value"].partition(".")[2])
    if abs(sum(float(value) for _, value in parts) - float(found["value"])) > 1.01 * rounding:
        return found.group()
    split = found["split"]
    told = ", ".join(f"{split} {name}_loss: {value}" for name, value in parts)
    return f"{split}: loss: {found['value']}, {told}"


_BY_TURNS = re.compile(
    rf"(?i)(?<![^\s:|\]])(?:[a-z][\w/@.+-]*[ \t]+(?:{NUMBER})%?(?:[ \t]*[,|;])?(?:\s+|$)){{4,}}$",
)
"""Names and numbers by turns up to the end of a line, of which some names may be unknown: `loss 0.3  lat 0.1 …`."""


def _marked(found: re.Match[str]) -> str:
    """The same with a mark between each name and its number."""
    return re.sub(rf"(?i)(?<!\S)([a-z][\w/@.+-]*)[ \t]+(?=(?:{NUMBER}))", r"\1: ", found.group())


def _of_parts(found: re.Match[str]) -> str:
    """A loss and what is in brackets behind it: numbers whose names say nothing else are parts of the loss."""

    def named(part: re.Match[str]) -> str:
        name = part["name"]
        plain = len(name) == 1 or known_metric(name) is None
        return part.group() if not plain or why_left_out(name) or is_rate(name) else f"{name}_loss{part['mark']}"

    return found["loss"] + ", " + _PART.sub(named, found["parts"])


def _of_share(found: re.Match[str]) -> str:
    """The share behind a fraction, unless that is of what a counter has reached: `step 224/462 (48.48%)`."""
    before = found["before"] or ""
    return found.group() if is_counter(before.rstrip(" \t:=#-")) else f"{before}{found['value']} %"


_FORMS: tuple[tuple[str, re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    ("np.float", re.compile(rf"np\.float\d+\(({NUMBER})\)", re.IGNORECASE), r"\1"),
    # `('epoch', 3, 'loss:', 0.3)` and `{'loss': 0.3}`, as Python prints them.
    ("'", re.compile(rf"'([A-Za-z][^']*?):?', *(?={NUMBER})", re.IGNORECASE), r"\1: "),
    ("", re.compile(r"""['"]([A-Za-z][\w ./@-]*)['"] *: *"""), r"\1: "),
    # `0.4 -> 0.3`: what it was, and what it is now
    (">", re.compile(rf"(?i)(?<![\w.])(?=[+-]?(?:\d*\.|nan|inf))(?:{NUMBER}) *[-=]+> *(?={NUMBER})"), ""),
    ("→", re.compile(rf"(?i)(?<![\w.])(?=[+-]?(?:\d*\.|nan|inf))(?:{NUMBER}) *→ *(?={NUMBER})"), ""),
    # `loss → 0.3`, `loss(val)=0.3`
    (">", re.compile(r"(?:(?<=[A-Za-z%)])|(?<=[A-Za-z@]\d)) *[-=]+> *(?=[+-]?[.\d])"), ": "),
    ("→", re.compile(r"(?:(?<=[A-Za-z%)])|(?<=[A-Za-z@]\d)) *→ *(?=[+-]?[.\d])"), ": "),
    ("(", re.compile(rf"(?i)\b([a-z][\w@]*) ?\(({_SPLIT})\)(?= *[:=])"), r"\2 \1"),
    (",", re.compile(r"(?<![\w.,])(\d{1,3}),(\d{3})(?:,(\d{3}))?(?![\d,.])"), r"\1\2\3"),  # thousands
    # Tacotron: `Train loss 100 0.31`, `Validation loss 1000: 0.4`.
    (
        " ",
        re.compile(rf"(?i)^\W*({_SPLIT}) (loss|acc|accuracy) (\d+)(?:: *| +)(?=(?:{NUMBER}))"),
        r"step \3, \1 \2: ",
    ),
    ("tensor(", re.compile(rf"tensor\(({NUMBER})[^()]*\)", re.IGNORECASE), r"\1"),
    ("]", _LIST, _by_class),
    ("", _ROW, _row_by_class),
    ("Average ", _COCO, _of_coco),
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
        _of_tutorial,
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
        _of_share,
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
    ("/", re.compile(r"(?i)(\bepoch *[:=]? *\d+)[ ,|]+(\d+/\d+)(?= *[,|:a-z])"), r"\1, batch \2,"),
    # Swin: `Train: [3/300][0/1251]`
    ("][", re.compile(rf"(?i)^(\W*(?:{_SPLIT})): *\[(\d+)/(\d+)\]\[(\d+)/"), r"\1: epoch \2/\3, batch \4/"),
    # `[ Train | 001/100 ] loss = 0.3`, as in the homework of a lecture that many take.
    ("|", re.compile(rf"(?i)^\W*\[ *({_SPLIT}) *\| *(\d+ */ *\d+) *\]"), r"\1: epoch \2, "),
    # `val 1.25 (seg 0.25, depth 1.00)`
    (
        "(",
        re.compile(
            rf"(?i)\b(?P<split>{_SPLIT})(?: loss)?[ :=]+(?P<value>\d+\.\d+) *"
            rf"\((?P<parts>[a-z][\w/-]*[ :=]+(?:{NUMBER})(?: *[,|] *[a-z][\w/-]*[ :=]+(?:{NUMBER}))+)\)"
        ),
        _of_sum,
    ),
    # `loss 0.5 (pde 0.3, bc 0.2)`
    (
        "(",
        re.compile(
            rf"(?i)(?P<loss>\bloss *[:=]? *(?:{NUMBER})) *"
            rf"\((?P<parts>[a-z][\w/-]*(?: *[:=] *| +)(?:{NUMBER})"
            rf"(?:[ ,;|]+[a-z][\w/-]*(?: *[:=] *| +)(?:{NUMBER}))*)\)"
        ),
        _of_parts,
    ),
    # timm: `Train: 3 [  50/100 ( 50%)]`; `Test 3, loss: 0.4`.
    ("", re.compile(rf"(?i)^(\W*)({_SPLIT})(?:: *(\d+)(?= *\[)| +#?(\d+)(?= *[,:|\[]))"), r"\1\2: epoch \3\4 "),
    ("]", re.compile(rf"(?i)(?<=[\d%] )\[({_SPLIT})\]:? *(?=[a-z])"), r", \1: "),  # `loss=0.3 [val] acc=0.9`
    # `root: Train: loss 0.3`: who says it comes first.
    (": ", re.compile(rf"(?i)^\W*[a-z_][\w.]*: +(?=(?:{_SPLIT}) *:)"), ""),
    ("(", re.compile(r"(?i)\biter\((val|test)\) *\[ *\d+(?: */ *\d+)?\]"), r"\1: "),  # MMCV: of the batches of its data
    ("(", re.compile(r"(?i)\b(epoch|iter)\((train|val|test)\)"), r"\2: \1"),
    (
        "(epoch: ",
        re.compile(r"^\W*\(epoch: (?P<epoch>\d+), iters: (?P<batch>\d+),[^()]*\)(?P<losses>(?: [\w+-]+: \S+)+)\s*$"),
        _of_gan,
    ),
    # `Cost after iteration 100: 0.6`, `validation loss at step 60: 1.7, acc: 0.5`.
    (
        " ",
        re.compile(
            r"(?i)\b([a-z][\w@]*(?: [\w@]+)?) (?:after|at|for|in|of) (?=(?:epoch|iter|step|round|episode))([a-z]+)"
            rf" *#?(\d+) *(?:[:=]|is) *(?=(?:{NUMBER})\s*(?:$|[,;|]))"
        ),
        r"\2 \3, \1: ",
    ),
    # `Average return per evaluation episode: 22.1`
    ("per ", re.compile(r"(?i)\bper (\w+)? ?(?:episode|epoch|step|iteration)\b(?= *[:=])"), r"\1"),
    # `Accuracy of the network on the 10000 test images: 55 %`
    (
        "ccuracy of the ",
        re.compile(
            rf"(?i)\baccuracy of the \w+ on (?:the )?(?:\d+ )?({_SPLIT})(?:ing)?"
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
    ("L.r.", re.compile(r"\bL\.r\."), "lr"),  # Marian
    ("][", re.compile(r"^(\W*\[[A-Za-z][\w.-]*\])\[(\d+)\] ?(?=[A-Za-z])"), r"\1 step \2, "),  # `[lfw][2000]acc: 0.9`
    (" ", _BY_TURNS, _marked),
    # Kaldi: `Average objective function for 'output' for minibatches 90-99 is -0.2 + -0.1 = -0.3 over 9000 frames.`
    (
        "objective function for",
        re.compile(
            r"^\W*Average objective function for '(?P<output>[\w.-]+)' for minibatches \d+-(?P<batch>\d+) is "
            rf"(?P<value>{NUMBER})(?: \+ (?:{NUMBER}) = (?P<whole>{NUMBER}))?.*",
            re.IGNORECASE,
        ),
        _of_kaldi,
    ),
    ("[last ", re.compile(r"\[last \S+ of \S+\](?=:)"), ""),  # Kaldi: `ProgressLoss[last 5h of 10h]: 2.1 (Xent)`
)
"""What is in every line of a form, the form, and the usual one for it."""


def usual_form(line: str) -> str:
    """The line without dates, bars, addresses and the like, in the form of most programs."""
    line = _COLOUR.sub("", line) if "\x1b" in line else line  # before others, which may begin the line
    line = _NOISE.sub("\n", in_english(line))
    for mark, form, usual in _FORMS:
        if mark in line:
            line = form.sub(usual, line)
    return _AFTER_MARK.sub(r"\1 ", line)


_OF_BOTH = re.compile(r"^[\W_]*?\[ *\d+ */ *\d+ *\],? *\[ *\d+ */ *\d+ *\]")
"""An epoch and a batch of it, which count even where another counter is named: `[3/200], [1/604], step: 9`."""


def with_bare_counter(line: str, *, named: bool) -> str:
    """A line that begins with a counter, with the counter's name: `[7] rmse:0.3` as `step 7, rmse:0.3`.

    Args:
        line: the line.
        named: whether it names another counter, so that only an epoch and its batch count beside it.
    """
    if named and _OF_BOTH.match(line) is None:
        return line

    def with_name(found: re.Match[str]) -> str:
        at = f"{found['at'] or found['first']}{'/' + found['of'] if found['of'] else ''}"
        return f"step {at}," if found["batch"] is None else f"epoch {at}, batch {found['batch']},"

    return _BARE.sub(with_name, line)
