"""Parts of printed lines that take more than a replacement to be brought to the usual form: lists, sums, shares."""

from __future__ import annotations

import re

from lcode.readers.understanding.column_words import is_counter, why_left_out
from lcode.readers.understanding.rates import is_rate
from lcode.table.metric_names import known_metric
from lcode.table.metric_words import SPLITS

NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:nan|inf(?:inity)?)\b"
"""A number, which matches in one way alone: a search through a long line of many would try all ways of all."""

BEGINS_NAME = r"(?<![=:])\d+%?[A-Za-z]*_[A-Za-z]"
"""A number that a name begins with, and the beginning of that: `2d_mAP`, `16_l2`, `10%_labels_acc`. Right behind a mark
it is the value: `acc=51_best=52`."""


def _behind(words: str) -> str:
    """What matches right behind one of these words, which are separated by commas, and a space."""
    return "(?:" + "|".join(rf"(?<=(?<![a-z]){word.strip()} )" for word in words.split(",")) + ")"


_ENDS_WITH = "|".join(
    (
        _behind("precision at, recall at, hits at, ndcg at, map at") + r"\d+(?![\d.])",
        _behind("hit, hits, hr, ndcg, recall, precision, mrr, top, topk, ap, map, ar, f1, f1 score, rouge, snr")
        + r"\d+(?![\d.])",
        _behind("angle, angles, normal, normals") + r"(?:30|11\.25|22\.5)(?!\.?\d)",
        _behind("ap, map, ar, iou, miou") + r"0\.\d5?(?!\d)",
        _behind("sigma") + r"1\.25(?!\d)",
        r"(?<=[a-z] < )\d+(?:\.\d+)?",
    )
)
"""A number behind a metric that is known to be measured at such a one: of the first some, up to a threshold. One of
processes, `rank 0: 0.5`, is none."""

ENDS_NAME = (
    rf"(?i:(?<=[a-z<] )(?:(?=\d[\d.]*(?:\^\d)?['\"]?\s*[:=]\s*(?>{NUMBER})(?![\d.:/-]*\d))(?:{_ENDS_WITH})"
    rf"|(?<=\bloss )\d+:\s*(?={NUMBER})"
    r"|(?:(?<=\btop )\d+(?![\d.])|(?<=\bwithin )\d|(?<=\bquantile )0?\.\d\d?(?!\d))))"
)
"""A number that a name ends with, where a known metric is measured at such a one and a value is behind it:
`mAP 0.5: 0.35`, `Hits 10=0.6`, `loss 2: 0.3`, but not `acc 0.6 : 20 steps`; or one within a name, behind a word that
takes one: `top 5 acc: 0.6`."""

STAND_INS = {"nan": "0.0918273645", "inf": "0.0918273646"}
"""Numbers that stand for those that are none while a line is searched, so that it is read as with any other number."""

_NOT_FINITE = re.compile(
    r"(?<![\w.])(?<!\w-)(?P<what>nan|inf)(?:inity)?(?P<unit>[mckn]?m|dB|deg|px|ms|m?eV|x)?(?![\w.])", re.IGNORECASE
)

DATA = SPLITS.keys() - {"batch", "minibatch", "rollout", "tr", "trn"}
"""Words that alone say on which data was measured."""

ANY_DATA = "|".join(sorted(DATA, key=len, reverse=True))
"""What matches any of them, the longest that it can."""

LIST = re.compile(
    rf"(?P<name>[A-Za-z][\w @./%-]*)[:=]? *\[(?P<values> *(?:{NUMBER}) *(?:, *(?:{NUMBER}) *)+)\]", re.IGNORECASE
)
"""A number for each class: `Dice: [0.9, 0.8]`."""

ROW = re.compile(
    rf"^(?P<name>[A-Za-z][\w @./%-]*)[:=] *(?P<values>(?:{NUMBER})(?:\s+(?:{NUMBER})){{3,}})\s*$", re.IGNORECASE
)
"""The same without brackets, of a score, in a line of its own: `IoU:64.22  0.00  1.50 12.75`."""

COCO = re.compile(
    r"Average (?:Precision|Recall)\s+\((?P<what>A[PR])\) @\[ IoU=(?P<iou>[\d.:]+)\s*\| area=\s*(?P<area>\w+)\s*"
    r"\| maxDets=\s*(?P<most>\d+) \]\s*="
)
"""A line of COCO's evaluation as `pycocotools` prints it."""

BY_TURNS = re.compile(
    rf"(?i)(?<![^\s:|\]])(?:[a-z][\w/@.+-]*[ \t]+(?:{NUMBER})%?(?:[ \t]*[,|;])?(?:\s+|$)){{4,}}$",
)
"""Names and numbers by turns up to the end of a line, of which some names may be unknown: `loss 0.3  lat 0.1 …`."""

_PART = re.compile(rf"(?<![\w.])(?P<name>[A-Za-z][\w/-]*)(?P<mark> *[:=] *| +)(?={NUMBER})", re.IGNORECASE)


def with_stand_ins(line: str) -> str:
    """The line with a number wherever `nan` or `inf` stands, with or without a unit behind it."""
    return _NOT_FINITE.sub(lambda found: STAND_INS[found["what"].lower()] + (found["unit"] or ""), line)


def number_of(text: str) -> float:
    """The number that is written so, where one stands for another that one."""
    for name, stand_in in STAND_INS.items():
        if text.lstrip("+-") == stand_in:
            return float(text.replace(stand_in, name))
    return float(text)


def of_thousands(found: re.Match[str]) -> str:
    """A counter in thousands or millions, `step 6k/400k`, in ones."""
    scale = {"k": 1_000, "K": 1_000, "M": 1_000_000}
    return found["before"] + re.sub(
        r"([\d.]+)([kKM])", lambda one: f"{float(one[1]) * scale[one[2]]:.0f}", found["count"]
    )


def by_class(found: re.Match[str]) -> str:
    """The numbers of a list with a name each, where it is that of a metric; whole ones are numbers of classes."""
    if known_metric(found["name"]) is None or "." not in found["values"]:
        return found.group()
    return ", ".join(f"{found['name']}_{at}: {value.strip()}" for at, value in enumerate(found["values"].split(",")))


def row_by_class(found: re.Match[str]) -> str:
    """The numbers of such a line with a name each; of losses the first one is the sum of the others."""
    facts = known_metric(found["name"])
    if facts is None or not facts.share:
        return found.group()
    return ", ".join(f"{found['name']}_{at}: {value}" for at, value in enumerate(found["values"].split()))


def of_gan(found: re.Match[str]) -> str:
    """A line of CycleGAN's and pix2pix' log, in which each number is a loss."""
    losses = re.sub(rf"([A-Za-z][\w+-]*): (?={NUMBER})", r"\1_loss: ", found["losses"], flags=re.IGNORECASE)
    return f"epoch: {found['epoch']}, batch: {found['batch']}, {losses}"


def of_coco(found: re.Match[str]) -> str:
    """The name by which COCO's numbers are known: AP, AP50, APs, AR100."""
    area = "" if found["area"] == "all" else found["area"][0]
    if found["what"] == "AR":
        return f"val/AR{area or found['most']}:"
    return f"val/AP{'' if ':' in found['iou'] else round(100 * float(found['iou']))}{area}:"


def of_kaldi(found: re.Match[str]) -> str:
    """A line of Kaldi's nnet3, which tells of each output of the network what it came to in the last minibatches."""
    return f"batch {found['batch']}, {found['output']}/log-likelihood: {found['whole'] or found['value']}"


def of_tutorial(found: re.Match[str]) -> str:
    """A line of PyTorch's tutorials: after what time, at which step, how much of all, and the loss."""
    return f"step {found['step']}, " + ("" if found["value"] is None else f"loss: {found['value']}")


def of_losses(found: re.Match[str]) -> str:
    """The losses behind the data and the epoch that they are of, each named as one."""
    named = re.sub(rf" ([a-z]\w*?)(?:_?loss)? ({NUMBER})", r", \1_loss: \2", found[3], flags=re.IGNORECASE)
    return f"{found[1]}: epoch {found[2]}{named}"


def of_sum(found: re.Match[str]) -> str:
    """A number that is the sum of those in brackets behind it: a loss and its parts, of the same data."""
    parts = re.findall(rf"([A-Za-z][\w/-]*)[ :=]+({NUMBER})", found["parts"], flags=re.IGNORECASE)
    rounding = 0.5 * (len(parts) + 1) * 10.0 ** -len(found["value"].partition(".")[2])
    told = [number_of(value) for _, value in parts]
    if abs(sum(told) - number_of(found["value"])) > 1.01 * rounding:  # of NaN it cannot be told
        return found.group()
    split = found["split"]
    named = ", ".join(f"{split} {name}_loss: {value}" for name, value in parts)
    return f"{split}: loss: {found['value']}, {named}"


def marked(found: re.Match[str]) -> str:
    """The same with a mark between each name and its number."""
    return re.sub(rf"(?i)(?<!\S)([a-z][\w/@.+-]*)[ \t]+(?=(?:{NUMBER}))", r"\1: ", found.group())


def of_bar(found: re.Match[str]) -> str:
    """What stands in brackets behind a bar, with a mark for the dash between each name and its number."""
    return re.sub(rf"(?i)(?<=\w) - (?=(?:{NUMBER})(?:[,\s]|$))", ": ", found.group())


def of_parts(found: re.Match[str]) -> str:
    """A loss and what is in brackets behind it: numbers whose names say nothing else are parts of the loss."""

    def named(part: re.Match[str]) -> str:
        name = part["name"]
        plain = len(name) == 1 or known_metric(name) is None
        return part.group() if not plain or why_left_out(name) or is_rate(name) else f"{name}_loss{part['mark']}"

    return found["loss"] + ", " + _PART.sub(named, found["parts"])


def of_share(found: re.Match[str]) -> str:
    """The share behind a fraction, unless that is of what a counter has reached: `step 224/462 (48.48%)`."""
    before = found["before"] or ""
    return found.group() if is_counter(before.rstrip(" \t:=#-")) else f"{before}{found['value']} %"


def of_deepxde(found: re.Match[str]) -> str:
    """The terms of the loss in a row of DeepXDE, named as those of its `loss.dat`."""
    terms = [
        f"{split}/term_{at}/loss: {value.strip()}"
        for split in ("train", "test")
        for at, value in enumerate(found[split].split(","), start=1)
    ]
    metrics = [f"test/metric_{at}: {value.strip()}" for at, value in enumerate(found["metrics"].split(","), start=1)]
    return f"step {found['step']}, " + ", ".join((*terms, *(metrics if found["metrics"].strip() else ())))


def of_split(found: re.Match[str]) -> str:
    """Values in brackets behind the data that they were measured on, each with the data in its name."""
    named = re.sub(r"(?:^|(?<=,)) *(?=\S)", f" {found[1]}/", found[2])
    return f", {named.strip()}, "


def with_data(found: re.Match[str]) -> str:
    """What was done with the model as the data that it was done with."""
    return f", {SPLITS[{'evaluat': 'eval', 'validat': 'val'}.get(found[1].lower(), found[1].lower())]} "
