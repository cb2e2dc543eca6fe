"""Settings that stand in the names of runs: `lr0.03_w5.0`, `lr=0.03,w=5.0`, `bs64-lr1e-3-adam`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from lcode.readers.choices import Choices
from lcode.readers.part import LogPart


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NUMBERING = _words(
    "run runs version v ver exp exps experiment experiments trial trials job jobs task try test attempt id idx index "
    "no nr num n part phase stage fold split rep repeat copy model net log file day host node gpu rank worker r t s k "
    "i x"
)
"""Words and letters whose numbers count runs, or say where they were trained, and set nothing."""

SETTINGS = _words(
    "lr wd bs mb batch batchsize width depth layers hidden dim heads dropout drop momentum mom decay warmup weight "
    "alpha beta gamma lambda lam eps temp tau rho sigma noise clip"
)
"""Words whose numbers are settings, also where each run has another one, as if they were counted."""

SEEDS = _words("seed rs rng")

OPTIMISERS = _words(
    "adam adamw sgd rmsprop adagrad adadelta nadam radam lamb lars lion adafactor shampoo muon sophia lbfgs"
)

_NUMBER = re.compile(r"[+-]?(?:\d+(?:[.p]\d+|\.)?|\.\d+)(?:[eE][+-]?\d+)?")
_KEYED = re.compile(rf"([A-Za-z]+)({_NUMBER.pattern})")
_STATED = re.compile(r"(?:^|[_+-])([A-Za-z][\w.]*?)[=:]")
_BOUNDS, _JOINTS = re.compile(r"[/,;& ]+"), re.compile(r"_+|(?<![\d.][eE])-+")
_ADDED = re.compile(r"(#\d+| \([^)]*\))+$")


@dataclass(frozen=True)
class Piece:
    """A part of a name: a setting with its value, or a word alone; whether it is stated with `=`."""

    key: str | None
    value: str
    stated: bool = False


@dataclass(frozen=True)
class NameSettings:
    """What the names of runs say of them.

    Attributes:
        settings: setting -> its value in each run, as text, in the order of the names.
        seeds: of each run; empty: the names say none.
    """

    settings: dict[str, list[str]] = field(default_factory=dict)
    seeds: list[str] = field(default_factory=list)


def with_named_settings(part: LogPart, choices: Choices) -> tuple[LogPart, tuple[str, ...]]:
    """The runs with the settings of their names as configuration, where nothing else tells them apart.

    Returns:
        The runs, and which settings are from the names.
    """
    if any(len({str(config.get(name)) for config in part.configs.values()}) > 1 for name in _names(part)):
        return part, ()
    found = name_settings([str(run) for run in part.runs.index])
    kept = {name: values for name, values in found.settings.items() if not choices.ignores(name, f"config.{name}")}
    rows = [dict(zip(kept, values, strict=True)) for values in zip(*kept.values(), strict=True)] or [{}] * len(
        part.runs
    )
    configs = {
        str(run): {**part.configs.get(str(run), {}), **row} for run, row in zip(part.runs.index, rows, strict=True)
    }
    runs = part.runs
    if found.seeds and runs["seed"].isna().all():
        runs = runs.assign(seed=[int(seed) if seed.isdecimal() else seed for seed in found.seeds])
    return replace(part, configs=configs, runs=runs), tuple(kept)


def name_settings(names: Sequence[str]) -> NameSettings:
    """The settings in which names of one pattern differ.

    A number belongs to the word before it (`lr0.03`, `lr_0.03`, `lr=0.03`; `0p03` is 0.03). What only counts the runs
    (`run_1`, `version_3`, a date) is no setting: its word is one of `NUMBERING`, or it is whole, of no known setting,
    and hardly ever comes twice. Words without a number are a setting where they come again beside one that has one.

    Args:
        names: of the runs, different ones.
    """
    rows = [_pieces(_ADDED.sub("", name)) for name in names]
    if len(rows) < 2 or len({len(row) for row in rows}) > 1:
        return NameSettings()
    found = NameSettings()
    words: dict[str, list[str]] = {}
    for place, column in enumerate(zip(*rows, strict=True), start=1):
        keys, values = {piece.key for piece in column}, [piece.value for piece in column]
        (key,) = keys if len(keys) == 1 else (None,)
        if key is None:
            texts = [f"{piece.key or ''}{piece.value}" for piece in column]
            if _come_again(texts) and not any(_NUMBER.fullmatch(text) for text in texts):
                words["optimizer" if _words(" ".join(texts).lower()) <= OPTIMISERS else f"name.{place}"] = texts
        elif key.lower() in SEEDS:
            found.seeds[:] = values
        elif len(set(values)) > 1 and _is_setting(key, column):
            found.settings[key if key not in found.settings else f"{key}.{place}"] = values
    if found.settings:
        found.settings.update(words)
    return found


def _is_setting(key: str, column: Sequence[Piece]) -> bool:
    """Whether the values of a word are those of a setting, and do not count the runs."""
    values, stated = [piece.value for piece in column], all(piece.stated for piece in column)
    if key.lower() in NUMBERING:
        return stated and not any(_NUMBER.fullmatch(value) for value in values)
    return stated or key.lower() in SETTINGS or not all(value.isdecimal() for value in values) or _come_again(values)


def _come_again(values: Sequence[str]) -> bool:
    """Whether there are several values, each of which two runs have on average."""
    return 1 < len(set(values)) <= len(values) / 2


def _pieces(name: str) -> list[Piece]:
    """A name in its parts: `bs64-lr1e-3-adam` is bs 64, lr 1e-3, and adam."""
    pieces: list[Piece] = []
    for bounded in _BOUNDS.split(name):
        before, *stated = _STATED.split(bounded)
        pieces += _unstated(before)
        pieces += [
            Piece(key, _plain(value), True) for key, value in zip(stated[::2], stated[1::2], strict=True) if value
        ]
    return pieces


def _unstated(text: str) -> list[Piece]:
    pieces: list[Piece] = []
    for part in filter(None, _JOINTS.split(text)):
        keyed = _KEYED.fullmatch(part)
        if keyed is not None:
            pieces.append(Piece(keyed[1], _plain(keyed[2])))
        elif _NUMBER.fullmatch(part) and pieces and pieces[-1].key is None and pieces[-1].value.isalpha():
            pieces[-1] = Piece(pieces[-1].value, _plain(part))
        else:
            pieces.append(Piece(None, part))
    return pieces


def _plain(value: str) -> str:
    """The number with a point: `0p03` is 0.03; any other text as it is."""
    return value.replace("p", ".") if _NUMBER.fullmatch(value) else value


def _names(part: LogPart) -> list[str]:
    return list(dict.fromkeys(name for config in part.configs.values() for name in config))
