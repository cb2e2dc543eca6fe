"""What a file is that is no log: whose it looks like, and how what it holds can be read all the same."""

from __future__ import annotations

import re
import zipfile
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from lcode.errors import InputError
from lcode.readers.loggers import LOGGERS
from lcode.readers.loggers.lines import head_of
from lcode.readers.raw import RawTable, as_number
from lcode.table.metric_names import known_metric

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

_BY_ENDING = {
    ".html": ("a page", "name the log or the table that it was made from"),
    ".svg": ("a picture", "name the log or the table that it was drawn from"),
    ".ipynb": ("a Jupyter notebook", "save the history in it: pandas.DataFrame(history).to_csv('log.csv')"),
    ".yaml": ("a file of settings", "name the folder that it lies in"),
    ".yml": ("a file of settings", "name the folder that it lies in"),
    ".toml": ("a file of settings", "name the folder that it lies in"),
    ".py": ("a program", "name the folder that it logs to"),
    ".md": ("a text for people", "name the folder of the logs"),
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

_FROM_EVALUATIONS = (
    "save it as a table: z = numpy.load('{name}'); pandas.DataFrame({{'step': z['timesteps'], 'reward': "
    "z['results'].mean(1)}}).to_csv('log.csv', index=False)"
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
    return _BY_ENDING.get(path.suffix.lower())


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
    head = head_of(path).lower()
    return next((name for name in _WRITERS if name.lower().encode() in head), "")


def _of_archive(path: Path) -> tuple[str, str]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile):
        names = []
    if {"timesteps.npy", "results.npy"} <= set(names):
        return "stable-baselines3's evaluations", _FROM_EVALUATIONS.format(name=path.name)
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
        wrote = _writer(path)
        return InputError(
            f"is of no known format{f', though it names {wrote}' if wrote else ''}; expected .csv, .parquet or .jsonl "
            "(a table, or a run log), or a text log, in which a counter stands before named numbers (epoch 3, val_loss "
            "0.2). Name the folder of the training that wrote it, or save the curves as a CSV with a column 'epoch'",
            path=path,
        )
    entries = sorted(path.iterdir())
    names = ", ".join(entry.name for entry in entries[:10]) or "nothing"
    tools = ", ".join(logger.tool for logger in LOGGERS.values())
    told = {entry.name: looks_like(entry) for entry in entries[:100] if entry.is_file()}
    hint = next((f". {name} looks like {known[0]}: {known[1]}" for name, known in told.items() if known), "")
    return InputError(f"holds no logs (.csv, .parquet, .jsonl, or those of {tools}); found: {names}{hint}", path=path)


TRIALS = ("number", "trial_number", "trial_index", "trial", "trial_id", "trialjobid")


def without_epochs(raw: RawTable) -> str:
    """What to say of a table in which no column counts: whose it looks like, and what to do instead."""
    lower = [name.strip().lower() for name in raw.columns]
    if all(as_number(name) is not None for name in lower):
        return "its first line holds numbers, so put a line with a name for each column above it: epoch,loss,…"
    parameters = any(name.startswith(("params_", "param.", "user_attrs_")) for name in lower)
    if parameters or any(name in TRIALS for name in lower) or "arm_name" in lower:
        whose = "Ax's" if "arm_name" in lower else "NNI's" if "trialjobid" in lower else "Optuna's"
        return (
            f"it looks like {whose} table of trials, which holds what each came to in the end and not the way there: "
            "name the storage of the study instead (its .db file or journal), or the logs of the trials"
        )
    counter = next((name for name, column in raw.columns.items() if _rises(column)), None)
    if counter is not None and any(known_metric(name) is not None for name in raw.columns if name != counter):
        return f"where '{counter}' is what counts them, say so: --epoch '{counter}'"
    named = next((name for name, column in raw.columns.items() if _names_rows(column)), None)
    if named is not None:
        return (
            f"it looks like a table of results with a row for each '{named}', which holds what each came to in the end "
            "and not the way there: name the logs of the trainings instead (or with --epoch the column that counts, if "
            "there is one)"
        )
    return "where its rows follow each other in time, add a column 'epoch' that numbers them from 1"


def _rises(column: pa.ChunkedArray) -> bool:
    """Whether the cells are whole numbers, each larger than the one before."""
    numbers = [as_number(cell) for cell in column.to_pylist()]
    return len(numbers) > 1 and all(
        one is not None and other is not None and one < other and one.is_integer() and other.is_integer()
        for one, other in pairwise(numbers)
    )


def _names_rows(column: pa.ChunkedArray) -> bool:
    """Whether texts tell rows apart, which those of one training have in common."""
    texts = pa.types.is_string(column.type) and all(as_number(cell) is None for cell in column.to_pylist())
    return texts and bool(len(column) == 1 or pc.count_distinct(column).as_py() > 1)
