"""Fit once, forecast from every prefix, score, write; then the next."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lcode.errors import NotEnoughDataError, UsageError
from lcode.evaluation.backtest import Exam, Progress
from lcode.evaluation.bench.entrants import TWIN, Entrant
from lcode.evaluation.bench.prefixes import Prefix, usable
from lcode.evaluation.bench.protocols import ALL, PROTOCOLS, Division, default_protocol, divide
from lcode.evaluation.bench.scores import MIN_RUNS, score_forecast, twin_forecast, twin_of
from lcode.evaluation.bench.sources import Source, load_problem
from lcode.evaluation.bench.store import Store


@dataclass(frozen=True)
class Fit:
    """One fit and the prefixes that it is to forecast from.

    Attributes:
        train: `all`, or a number of training runs; `any` for what learns from none.
    """

    source: Source
    protocol: str
    train: str
    seed: int
    entrant: Entrant
    prefixes: tuple[Prefix, ...]

    def cell(self, prefix: Prefix) -> dict[str, str | int]:
        """What a forecast is known by in the results."""
        return {
            "source": self.source.name,
            "protocol": self.protocol,
            "train": self.train,
            "seed": self.seed,
            "forecaster": self.entrant.name,
            "settings": self.entrant.settings,
            "prefix": prefix.label,
        }


ANY = "any"


def run_bench(
    sources: Sequence[Source],
    entrants: Sequence[Entrant],
    folder: Path,
    *,
    prefixes: Sequence[Prefix],
    trains: Sequence[str] = (ALL,),
    seeds: int = 5,
    protocols: Sequence[str] | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> tuple[pd.DataFrame, list[str]]:
    """Do what is missing of a bench, and keep every result.

    Args:
        sources: where the runs come from.
        entrants: who forecasts; the twins of test runs are added where there are some.
        folder: holds the results, `results.parquet`; made if missing.
        prefixes: how much is seen of a test run.
        trains: how many of the training runs are learned from: `all`, or a number.
        seeds: number of divisions; the seed is also that of the forecaster.
        protocols: names from `PROTOCOLS`; None: each source's default.
        workers: processes to fit in, each with one thread; 1: this one.
        progress: told before each fit, or after it with several workers.

    Returns:
        All results in the folder (see `Store.frame`), and remarks: what was left out, and why.

    Raises:
        UsageError: an unknown protocol, a number of runs that is none, or another bench writes to the folder.
        InputError: the results in the folder cannot be read; logs that cannot be read.
        DataNotFoundError: the files of a benchmark are not on this machine.
    """
    unknown = [name for name in protocols or () if name not in PROTOCOLS]
    if unknown:
        raise UsageError(f"no protocol '{unknown[0]}'; there are: {', '.join(PROTOCOLS)}")
    wrong = [train for train in trains if train != ALL and not train.isdecimal()]
    if wrong or seeds < 1 or workers < 1:
        what = f"no number of training runs '{wrong[0]}'" if wrong else "seeds and workers are at least 1"
        raise UsageError(f"{what}; training runs are `all` or a number, such as all,30,10,0")
    store = Store(folder)
    with store.alone():
        fits, notes = _plan(sources, entrants, prefixes, trains, seeds, protocols, store.done())
        for number, (fit, records) in enumerate(_results(fits, workers, progress), start=1):
            store.add(records)
            if progress is not None:
                progress(number, len(fits), _told(fit))
    return store.frame, notes


def _plan(
    sources: Sequence[Source],
    entrants: Sequence[Entrant],
    prefixes: Sequence[Prefix],
    trains: Sequence[str],
    seeds: int,
    protocols: Sequence[str] | None,
    done: set[tuple[Any, ...]],
) -> tuple[list[Fit], list[str]]:
    """The fits that are missing, and remarks about what has no room."""
    fits: list[Fit] = []
    notes: dict[str, None] = {}
    for source in sources:
        table = load_problem(source).table
        notes |= {
            f"{source.name}: the checkpoint of {entrant.name} was trained on its runs, tested ones among them (†)": None
            for entrant in entrants
            if source.name in entrant.pretrained_on
        }
        seen, left_out = usable(prefixes, table)
        notes |= dict.fromkeys(f"{source.name}: {note}" for note in (*(table.notes if source.logs else ()), *left_out))
        for protocol in protocols or [default_protocol(source)]:
            wanted: list[tuple[str, Entrant]] = []
            for train in trains:
                try:
                    division = divide(source, protocol, train, 0)
                except (UsageError, NotEnoughDataError) as error:
                    notes[f"{source.name}, {protocol}: {error}"] = None
                    continue
                if len(division.test) < MIN_RUNS:
                    few = f"only {len(division.test)} of the finished runs are left to test, and it takes {MIN_RUNS}"
                    notes[f"{source.name}, {protocol}: {few}"] = None
                    continue
                wanted += [(train, entrant) for entrant in entrants if entrant.can_learn_from(division)]
                if (twin_of(division.test) >= 0).sum() >= MIN_RUNS:
                    wanted.append((ANY, Entrant(TWIN)))
            for seed in range(seeds):
                for train, entrant in dict.fromkeys(wanted):
                    fit = Fit(source, protocol, train, seed, entrant, tuple(seen))
                    missing = tuple(p for p in seen if tuple(fit.cell(p).values()) not in done)
                    if missing:
                        fits.append(replace(fit, prefixes=missing))
    return fits, list(notes)


def _results(
    fits: Sequence[Fit], workers: int, progress: Progress | None
) -> Iterator[tuple[Fit, list[dict[str, Any]]]]:
    """Each fit's records, as they come."""
    if workers == 1:
        for number, fit in enumerate(fits):
            if progress is not None:
                progress(number, len(fits), _told(fit))
            yield fit, records_of(fit)
        return
    # Forking a process that has used torch is not safe, and Windows cannot fork.
    with _one_thread(), ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        futures = {pool.submit(records_of, fit): fit for fit in fits}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool as error:
            raise UsageError("a worker was killed, perhaps for memory; try again with fewer workers") from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def records_of(fit: Fit) -> list[dict[str, Any]]:
    """Fit, forecast from every prefix, and score; a failure is a record, too."""
    division = divide(fit.source, fit.protocol, ALL if fit.train == ANY else fit.train, fit.seed)
    known = {
        "group": fit.source.group,
        "pretrained": fit.source.name in fit.entrant.pretrained_on,
        "train_runs": len(division.train),
        "related_runs": sum(map(len, division.related)),
        "test_runs": len(division.test),
    }
    cells = {prefix: {**fit.cell(prefix), **known, "error": ""} for prefix in fit.prefixes}
    try:
        return list(_scored(fit, division, cells))
    except Exception as error:  # whatever goes wrong in one forecaster is no reason to lose the others
        text = f"{type(error).__name__}: {error}"
        return [{**cell, "error": text} for cell in cells.values()]


def _scored(fit: Fit, division: Division, cells: dict[Prefix, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    began = time.perf_counter()
    fitted = None if fit.entrant.name == TWIN else fit.entrant.learn(division, fit.seed)
    fit_seconds = time.perf_counter() - began
    problem = load_problem(fit.source)
    for prefix, cell in cells.items():
        exam = _exam(fit.source, fit.protocol, fit.seed, prefix)
        began = time.perf_counter()
        forecast = twin_forecast(division.test, exam) if fitted is None else fitted.predict(exam.observed, exam.queries)
        spent = {"fit_seconds": fit_seconds, "predict_seconds": time.perf_counter() - began}
        cutoff = {"cutoff": float(np.median(exam.observed.last_epochs))}
        for scores in score_forecast(problem, division.test, exam, forecast):
            if fitted is not None or scores["subset"] == "twins":
                yield {**cell, **cutoff, **scores, **spent}


@lru_cache(maxsize=16)
def _exam(source: Source, protocol: str, seed: int, prefix: Prefix) -> Exam:
    test = divide(source, protocol, ALL, seed).test
    return Exam.at(test, prefix.cutoffs(test), test.metrics)


def _told(fit: Fit) -> str:
    return f"{fit.source.name}, {fit.entrant.name}, {fit.train} runs, seed {fit.seed}"


@contextmanager
def _one_thread() -> Iterator[None]:
    """Processes that are started in the block use one thread each: libraries read this when they are loaded."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
