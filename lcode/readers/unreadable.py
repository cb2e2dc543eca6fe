"""What a file is that is no log: whose it looks like, and how what it holds can be read all the same."""

from __future__ import annotations

import os
import re
import zipfile
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from lcode.errors import InputError
from lcode.readers.logged.lines import PRINTED, ending_of, head_of, printed_text
from lcode.readers.loggers import LAST_RESORT, LOGGERS
from lcode.readers.printed.texts.console_lines import metrics_told
from lcode.readers.raw import as_number
from lcode.table.reading import listed

MOST_LOOKED_AT = 100
"""Files of a folder without logs that are opened to say what they are."""

END = 1 << 13
"""Bytes at the end of a text in which an error is looked for that ended the training: a page or two."""

_ERROR = re.compile(
    rb"^(?:Traceback \(most recent call last\)|\w*(?:Error|Exception): |.* error location: |slurmstepd: error)",
    re.MULTILINE,
)
"""How an error is told at the end of what a program printed."""

_PICKLE = re.compile(rb"\x80[\x02-\x05][\x8c\x95\}\]\(c\x00]")

_BY_BYTES: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89HDF", "an HDF5 file (of Keras or h5py)", "write the curves that it holds to a CSV with a column 'epoch'"),
    (b"\x89PNG", "a picture", "name the log or the table that it was drawn from"),
    (b"\xff\xd8\xff", "a picture", "name the log or the table that it was drawn from"),
    (b"%PDF", "a PDF", "name the log or the table that it was drawn from"),
    (
        b"\x93NUMPY",
        "an array of NumPy",
        "write it to a CSV: numpy.savetxt('log.csv', array, delimiter=',', header='epoch,…')",
    ),
)

_PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf", b"Rar!")
"""How files begin that gzip, bzip2, xz, zstd, 7-Zip and RAR have packed."""

_OF_ARCHIVES = (".tar", ".tgz", ".tbz2", ".txz", ".7z", ".rar")

_BY_ENDING = {
    ".html": ("a page", "name the log or the table that it was made from"),
    ".svg": ("a picture", "name the log or the table that it was drawn from"),
    ".ipynb": ("a Jupyter notebook", "save the history in it: pandas.DataFrame(history).to_csv('log.csv')"),
    ".yaml": ("a file of settings", "name the folder that it lies in"),
    ".yml": ("a file of settings", "name the folder that it lies in"),
    ".toml": ("a file of settings", "name the folder that it lies in"),
    ".py": ("a program", "name the folder that it logs to"),
    ".md": ("a text for people", "name the folder of the logs, or save a table in it as a CSV with a column 'epoch'"),
}

_BY_NAME = {
    "all_results.json": (
        "Hugging Face's results, of the end only",
        "name trainer_state.json beside it, or their folder",
    ),
    "train_results.json": (
        "Hugging Face's results, of the end only",
        "name trainer_state.json beside it, or their folder",
    ),
    "eval_results.json": (
        "Hugging Face's results, of the end only",
        "name trainer_state.json beside it, or their folder",
    ),
    "wandb-summary.json": ("W&B's summary, of the end only", "name the run-*.wandb file in the same run's folder"),
}

_FROM_PICKLE = (
    "where you trust it, save it as a table: pandas.DataFrame(pickle.load(open('{name}', 'rb'))).to_csv('log.csv')"
)


def looks_like(path: Path) -> tuple[str, str] | None:
    """What a file is by its name and first bytes, and what to do instead of naming it; None: nothing that is known."""
    head = head_of(path, 4096)
    if path.name in _BY_NAME:
        return _BY_NAME[path.name]
    if _PICKLE.match(head) or path.suffix.lower() in (".pkl", ".pickle", ".joblib"):
        return "a pickle of Python, which can run code and is never opened", _FROM_PICKLE.format(name=path.name)
    if head.startswith(b"PK"):
        return _of_archive(path)
    for beginning, what, remedy in _BY_BYTES:
        if head.startswith(beginning):
            return what, remedy
    suffix = path.suffix.lower()
    if suffix in _OF_ARCHIVES or path.stem.lower().endswith(".tar"):
        return "an archive", "unpack it and name the folder"
    if head.startswith(_PACKED):
        return "a packed file", "unpack it and name what is in it"
    return _BY_ENDING.get(suffix)


_WRITERS = (
    *("nnU-Net", "SpeechBrain", "ESPnet", "fairseq", "Kaldi", "Marian", "RecBole", "OpenNMT", "LightGBM", "XGBoost"),
    *(
        "CatBoost",
        "PaddlePaddle",
        "MindSpore",
        "DeepSpeed",
        "Megatron",
        "Ultralytics",
        "detectron2",
        "mmengine",
        "mmcv",
    ),
    *("Lightning", "transformers", "stable_baselines3", "rllib", "Keras", "TensorFlow", "PyTorch"),
)
"""Tools whose name in what was printed says who wrote it, those before that others are built on."""


def _writer(path: Path) -> str:
    """The tool that a text names itself after, empty where it names none."""
    head = head_of(path).decode("utf-8", "replace")
    found = (re.search(rf"(?<![a-z]){re.escape(name)}(?![a-z])", head, re.IGNORECASE) and name for name in _WRITERS)
    return next(filter(None, found), "")


def _failed(path: Path) -> str:
    """What to say of a text that ends with an error, empty where it does not."""
    if not _ERROR.search(path.read_bytes()[-END:]):
        return ""
    wrote = _writer(path)
    what = f"the training{f' with {wrote}' if wrote else ''} ended with an error, and no curve was found before it"
    return f"{what}; mend what the last lines say and train again, or save what was told as a CSV with a column 'epoch'"


def _untold(path: Path) -> str:
    """What to say of a text that names metrics, but not when they were measured, or only once; empty for others."""
    if ending_of(path) not in PRINTED:
        return ""
    text = printed_text(head_of(path))[0]
    counted, metric = metrics_told(text)
    if not metric:
        return _nameless(text)
    if counted:
        return (
            f"tells '{metric}' at one count of epochs or steps only, which makes no curve; read it when the training "
            "has come further, or name the log of a longer one"
        )
    return (
        f"tells '{metric}' in lines that name no counter; where they follow each other in time, put 'epoch 1, ', "
        f"'epoch 2, ' … before each line that tells '{metric}'"
    )


def _nameless(text: str) -> str:
    """What to say of a text of numbers alone; empty for others."""
    lines = [line for line in text.split("\n")[:-1] or [text] if line.strip()]
    rows = [[cell for cell in re.split(r"[,;\s\[\]]+", line) if cell] for line in lines]
    if not rows or any(as_number(cell) is None for row in rows for cell in row):
        return ""
    if len(rows) == 1:
        return "holds numbers in one line; write each into a line of its own, below a line with their name: loss"
    firsts = [as_number(row[0]) or 0.0 for row in rows]
    counted = len(rows[0]) > 1 and 2 * sum(one + 1 == other for one, other in pairwise(firsts)) > len(firsts)
    more = len(rows[0]) - counted
    names = ",".join(("epoch", *("loss", "accuracy", "f1", "auc")[:more], *["…"][: more > 4]))
    number = "" if counted else "number the lines, and "
    return f"holds numbers without names; {number}put a line with a name for each column above them, such as {names}"


def _of_archive(path: Path) -> tuple[str, str]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile):
        names = []
    if any(name.endswith(".npy") for name in names):
        return "arrays of NumPy", "write each to a column of a CSV with a column 'epoch'"
    if any(name.endswith("data.pkl") for name in names):
        return "a checkpoint of PyTorch, a pickle, which is never opened", "name the folder of the logs beside it"
    return "an archive", "unpack it and name the folder"


def no_logs(path: Path) -> InputError:
    """The error to raise for a file that no reader knows, or a folder in which none finds anything."""
    if path.is_file():
        known = looks_like(path)
        if known is not None:
            return InputError(f"looks like {known[0]}, which is no log; {known[1]}", path=path)
        if not head_of(path).strip():
            return InputError("is empty: nothing was logged yet; read it after the first epoch", path=path)
        wrote, failed = _writer(path), _failed(path)
        return InputError(
            failed
            or _untold(path)
            or f"is of no known format{f', though it names {wrote}' if wrote else ''}; expected .csv, .parquet or "
            ".jsonl (a table, or a run log), or a text log, in which a counter stands before named numbers (epoch 3, "
            "val_loss 0.2). Name the folder of the training that wrote it, or save the curves as a CSV with a column "
            "'epoch'",
            path=path,
        )
    entries = sorted(path.iterdir())
    files = [Path(folder, name) for folder, _, names in os.walk(path) for name in names]
    if not files:
        return InputError("holds no logs: it is empty; name the folder that the training writes to", path=path)
    endings = Counter(file.suffix.lower() or "no ending" for file in files)
    counts = ", ".join(f"{number} {ending}" for ending, number in endings.most_common(6))
    tools = ", ".join(logger.tool for name, logger in LOGGERS.items() if name != LAST_RESORT)
    return InputError(
        f"holds no logs; found: {listed([entry.name for entry in entries], 6)} (files: {counts}). "
        f"{_next_step(path, files).rstrip('.')}. Read are tables (.csv, .tsv, .json, .jsonl, .parquet, .xlsx), what a "
        f"program printed (.log, .txt, .out), and what these leave: {tools}",
        path=path,
    )


def _next_step(folder: Path, files: Sequence[Path]) -> str:
    """What to do about a folder of these files, as a sentence."""
    looked = [file for file in files[:MOST_LOOKED_AT] if file.suffix.lower() not in (".py", ".md", ".yaml", ".yml")]
    for file in looked:
        known = looks_like(file)
        if known is not None:
            return f"{file.relative_to(folder)} looks like {known[0]}: {known[1]}"
    printed = [file for file in looked if ending_of(file) in PRINTED and head_of(file, 512).strip()]
    if printed:
        untold = next(filter(None, map(_untold, printed)), "") or (
            "no two lines of it name a counter and a metric, as 'epoch 3, val_loss 0.2' does; where each line is one "
            "evaluation, put 'epoch 1', 'epoch 2', … and the name of what was measured before the numbers"
        )
        return f"{printed[0].relative_to(folder)}: {_failed(printed[0]) or untold}"
    told = next((file for file in files if file.suffix.lower() == ".md"), None)
    if told is not None:
        return (
            f"{told.relative_to(folder)} looks like a text for people, and .md files are not read: name the folder "
            "that the training writes to, or save a table in it as a CSV with a column 'epoch'"
        )
    return "Name the folder that the training writes to, or save the curves as a CSV with a column 'epoch'"
