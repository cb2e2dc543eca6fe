"""Lines that say of which data the ones below them are: `Eval begin...`, `validation:`, `Final evaluation`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from lcode.readers.printed.lines.form_parts import DATA
from lcode.readers.printed.lines.line_forms import usual_form
from lcode.readers.printed.lines.printed_line import BATCH, EPOCH, FEWEST, IN_BATCH, STEP, Said, counts_behind
from lcode.readers.understanding.column_words import words_of
from lcode.readers.understanding.curve_names import split_name
from lcode.table.metric_names import known_metric

SPLIT_WORD = re.compile(r"train|val(?:id)?|test|eval|dev", re.IGNORECASE)

_HEAD = re.compile(
    r"\W*(?:(?:start(?:ing)?|begin(?:ning)?|run(?:ning)?|now)\W+)?"
    r"(?P<split>train(?:ing)?|val(?:id(?:at(?:e|ing|ion))?)?|eval(?:uat(?:e|ing|ion))?|dev|test(?:ing)?)"
    r"(?:\W+(?:on\W+)?(?P<data>train|val|valid|validation|dev|test))?"
    r"(?:\W+(?:set|data|epoch|phase|results?|metrics|begins?|starts?|started))*(?:\W*\d+(?:\s*/\s*\d+)?)?"
    r"(?:\W+(?:begins?|starts?|started))?\W*",
    re.IGNORECASE,
)
"""A line that alone says on which data the lines below it were measured."""

_SENTENCE = re.compile(
    r"(?:[^A-Za-z]*\bINFO\b)?\W*(?:(?:start(?:ing|ed)?|begin(?:ning)?|run(?:ning)?|perform(?:ing)?|now|do(?:ing)?)\W+)?(?:the\W+)?"
    r"(?P<split>train|validat|evaluat|val|test)(?:ing|e|ion)?\W+"
    r"(?:(?:the|model|network|on|at|end|of|after|for|with|epoch|batch|step|iter\w*|set|data|dataset|\d+)\b\W*)*"
    r"(?P<data>train|val|valid|validation|dev|test)?(?:ing)?\W*(?:(?:set|data|dataset|split|\d+)\b\W*)*",
    re.IGNORECASE,
)
"""Such a line in a sentence: `Validating the model at the end of epoch 3 on valid dataset...`."""

_OF_THE_END = re.compile(
    r"\W*(?:(?:run(?:ning)?|start(?:ing)?|perform(?:ing)?|now|the)\W+)*"
    r"(?:final\b[^:=\d]*\b(?:evaluat|validat|test|results?\b|metrics\b|performance\b).*"
    r"|(?:load|restor|evaluat|validat|test)\w*\b[^:=]*?(?:\b|_)best\b.*"
    r"|\d+ epochs completed in\b.*"
    r"|training\W+(?:is\W+|has\W+|was\W+)?(?:done|over|finished|complete[d]?|ended|stopped)\W*)",
    re.IGNORECASE,
)
"""Begins a line below which the training is over, or is measured with other weights than those of the present epoch."""

_OF_FOLDS = re.compile(
    r"(?<![=#*~-])([=#*~-])\1{2,}+\s*(?:fold\W{0,3}\d+\W+results?|(?:overall )?cv(?: score| results?)?"
    r"|oof(?: score| results?)?|overall(?: results?| score)?|cross[ -]validation(?: results?| score)?|all folds)"
    r"[\s:]*\1{3,}",
    re.IGNORECASE,
)
"""A heading between rules below which it is told what a fold, or all of them, came to."""

_OF_BEST = re.compile(r"\bbest iteration(?: is)?:?\s*$", re.IGNORECASE)
"""A line below which LightGBM and XGBoost print again what was told at the best iteration."""

_RULES = ("===", "###", "***", "~~~", "---")

_SPLITS = {"tra": "train", "val": "val", "eva": "val", "dev": "val", "tes": "test"}
"""What the words at the head of a section say, by their first letters."""

_LONGEST = 120
"""Characters of a line that may be the head of a section, time and place in the program before it."""

_END_WORD = re.compile(r"final|best|epochs completed|training\W", re.IGNORECASE)

_SUMS_UP = re.compile(r"(?:^|\b(?:INFO|DEBUG)\b[^\w*]*)\s*(?:\*|Averaged stats:)")
"""How a line begins that tells what all batches above it came to: a star, or as programs after DETR print it."""

_TESTED = re.compile(r"evaluat|test", re.IGNORECASE)


def said_once(lines: Sequence[str]) -> frozenset[int]:
    """The 1-based lines that say that the model is tested as no other line says it.

    What is told below the last of them, where no other epoch comes, is of the end: `Start testing...`.
    """
    said: dict[str, list[int]] = {}
    for number, line in enumerate(lines, start=1):
        if len(line) <= _LONGEST and _TESTED.search(line) and split_of_head(line):
            said.setdefault(re.sub(r"\d+", "", line.strip()), []).append(number)
    return frozenset(at[0] for at in said.values() if len(at) == 1)


def results_of_folds(lines: Iterable[str]) -> frozenset[str]:
    """The headings below which it is told what folds came to, but those that come again and again, as in each epoch."""
    ruled = (line for line in lines if len(line) <= _LONGEST and any(rule in line for rule in _RULES))
    said = Counter(found.group() for line in ruled if (found := _OF_FOLDS.search(line)) is not None)
    return frozenset(heading for heading, times in said.items() if times < FEWEST)


class Batches:
    """Knows of which data a line below those of batches tells.

    So does ` * acc 0.8` below `Test: [3/4] acc 0.7 (0.8)`, and `acc 0.7` where a batch is told in several lines.
    """

    def __init__(self) -> None:
        self._names: dict[tuple[str, ...], str] = {}
        self._split = ""
        self._in_batch = False
        self._further: set[str] = set()

    def named(self, line: str, said: Said, pairs: Mapping[str, float]) -> dict[str, float]:
        """The values of the next line, named as those of the batches where it tells more of these or sums them up."""
        if said.counters:
            self._names, self._split, self._in_batch = {}, "", BATCH in said.counters
        elif pairs and all(split_name(name)[0] in ("val", "test") for name in pairs):
            self._names |= {_key(split_name(name)[1]): name for name in pairs}
            self._split = split_name(next(iter(pairs)))[0]
        elif pairs and _SUMS_UP.search(line):
            return {self._names.get(_key(name), name): value for name, value in pairs.items()}
        elif self._split and self._further.issuperset(pairs):
            named = {f"{self._split}/{name}": value for name, value in pairs.items()}
            self._names |= {_key(name): f"{self._split}/{name}" for name in pairs}
            return named
        elif self._in_batch and not self._split:
            self._further.update(pairs)
        return dict(pairs)


def _key(name: str) -> tuple[str, ...]:
    """What a name is compared by: `e/MAE` of batches is the `e_MAE` that sums them up."""
    return tuple(sorted(words_of(name)))


class Ahead:
    """Knows what is told before the line of the count at which it was measured, as nanoGPT does it.

    `validation loss: 10.9` stands above `step 0 | loss: 10.8`, and `step 1` follows, so what is above `step 250` is of
    it. Where steps are not told one by one, it may as well be of the step above it, which was told long before. So is
    all that is told above `Epoch 1 is done` where the same is told above each such line, and nothing below the last.
    """

    def __init__(self) -> None:
        self._at_first: frozenset[str] | None = None
        self._names: frozenset[str] = frozenset()
        self._held: dict[str, float] = {}

    def hold(self, pairs: Mapping[str, float]) -> None:
        """Take up what is told before anything was counted."""
        self._held |= {name: value for name, value in pairs.items() if known_metric(name) is not None}

    @property
    def may_go_on(self) -> bool:
        """Whether something is held above the first line that counts, of which the lines below it say what it is of."""
        return self._at_first is None and bool(self._held)

    def go_on(self, following: Iterable[Said | None]) -> None:
        """Find out from what the first line that counts, and those below it, say whether each count stands below."""
        names, counts, blocks = frozenset(self._held), None, [set[str]()]
        for said in following:
            if said is not None and said.counters and said.counters != counts:
                counts = said.counters
                blocks.append(set())
            if said is not None and not said.counters:
                blocks[-1] |= {name.rpartition("/")[2].removeprefix(IN_BATCH) for name in said.pairs}
        bare = {name.rpartition("/")[2].removeprefix(IN_BATCH) for name in names}
        _, *between, behind = blocks
        if len(between) >= FEWEST - 1 and all(bare <= block for block in between) and behind.isdisjoint(bare):
            self._at_first = self._names = names

    def in_turn(self, said: Said, pairs: dict[str, float]) -> dict[str, float]:
        """The values of the next line, with those that were told ahead of it and without those that it tells ahead."""
        if said.counters:
            if self._at_first is None:
                self._held = self._held if said.counters == {STEP: 0.0} and pairs else {}
                self._at_first = frozenset(self._held)
            elif said.counters == {STEP: 1.0}:
                self._names = self._at_first
            held, self._held = self._held, {}
            return pairs | held if held else pairs
        if self._names and pairs.keys() <= self._names:
            self._held |= pairs
            return {}
        return pairs


class Sections:
    """Follows the lines of a text, and says of each on which data its values were measured.

    Attributes:
        split: what the last head said; empty: nothing is said of the present line.
        is_over: whether what is told now is not of the epoch that was counted last.
    """

    def __init__(self, over: Collection[str] = ()) -> None:
        """Follow a text.

        Args:
            over: headings below which nothing is of the epoch that was counted last.
        """
        self.split = ""
        self.is_over = False
        self._over = over
        self._told = False
        self._begins = False
        self._names: frozenset[str] = frozenset()
        self._looked_back = False
        self._in_epochs = False

    def follow(self, line: str, said: Said | None, *, counted: bool, is_next: bool) -> None:
        """Take up the next line.

        Args:
            line: as it was printed.
            said: what it says.
            counted: whether anything was counted before.
            is_next: whether its epoch is another than that of the line before.
        """
        if self._over and any(heading in line for heading in self._over):
            self.is_over, self.split = True, ""
            return
        in_epoch = said is not None and EPOCH in said.counters
        self._in_epochs = self._in_epochs or in_epoch
        # Numbers of classes count nothing where epochs did.
        if said is not None and said.counters and (in_epoch or not (self.is_over and self._in_epochs)):
            # `Best iteration is:` and below it, as the epochs before were, that one again.
            self.is_over, self._looked_back = self._looked_back, False
        if said is not None and said.pairs:
            of_epoch = EPOCH in said.counters and STEP not in said.counters and BATCH not in said.counters
            names = frozenset((*said.counters, *said.pairs))
            begins, self._begins = self._begins, False
            if is_next and begins and self.split and names != self._names and counts_behind(line):
                return  # `loss: 0.3, epoch: 2` below `Evaluating on val.`, and the training did not tell the same
            if is_next or (of_epoch and self._told):
                self.split, self._told = "", False  # a line of the whole epoch after the values of the section
            elif self._told and BATCH in said.counters:
                self.split, self._told = "", False  # the training goes on in the middle of an epoch
            self._told = self._told or (bool(self.split) and not said.counters)
            self._names = self._names if self.split else names
            return
        if counted:
            split = split_of_head(line)
            if split or in_epoch:
                self.split, self._told, self._begins = split, False, bool(split)
            self._looked_back = self._looked_back or _OF_BEST.search(line) is not None
            self.is_over = self.is_over or ends_training(line)

    def named(self, pairs: Mapping[str, float]) -> dict[str, float]:
        """The values with the part of the data in their names, where these do not say it."""
        if not self.split:
            return dict(pairs)
        names = {name: name.removeprefix(IN_BATCH) for name in pairs}
        return {
            name if split_name(bare)[0] or bare.lower() in DATA else f"{self.split}/{bare}": pairs[name]
            for name, bare in names.items()
        }


def split_of_head(line: str) -> str:
    """The part of the data that a line says the ones below it are of; empty where it says none."""
    if len(line) > _LONGEST or not SPLIT_WORD.search(line):
        return ""
    plain = usual_form(line).rpartition("\n")[2]
    found = next((one for form in (_HEAD, _SENTENCE) for one in map(form.fullmatch, (line, plain)) if one), None)
    return "" if found is None else _SPLITS.get((found["data"] or found["split"]).lower()[:3], "")


def ends_training(line: str) -> bool:
    """Whether what is told below a line is not of the epoch before it: `Final evaluation`, `Loading best model`."""
    if len(line) > _LONGEST or not _END_WORD.search(line):
        return False
    return _OF_THE_END.match(usual_form(line).rpartition("\n")[2]) is not None
