from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import pytest

from lcode.errors import InputError, UsageError
from lcode.evaluation.backtest import backtest
from lcode.evaluation.bench import Entrant, Prefix, Source, Store, entrants, run_bench
from lcode.evaluation.bench.sources import load_problem
from lcode.evaluation.bench.store import COLUMNS
from lcode.forecast import Forecast
from lcode.forecasters import FORECASTERS
from lcode.forecasters.base import At, Forecaster
from lcode.table import RunTable

PREFIXES = (Prefix("2e"), Prefix("0.5"))
FITS: list[tuple[int, int]] = []
"""Runs and related runs of each fit of `Watched`."""


class Watched(Forecaster):
    """The last value; remembers what it learned from."""

    name = "watched"

    def __init__(self, min_finished: int = 0) -> None:
        self.min_finished = min_finished  # type: ignore[misc]

    def fit(self, table: RunTable) -> Self:
        FITS.append((len(table), 0))
        return self

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        assert table.points["epoch"].max() < 12
        return FORECASTERS["last"](0).predict(table, at)


class Siblings(Watched):
    """Tells runs of other problems apart."""

    def fit_related(self, table: RunTable, related: Any) -> Self:
        FITS.append((len(table), sum(map(len, related))))
        return self


class Failing(Watched):
    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        raise FloatingPointError("it went wrong")


@pytest.fixture(autouse=True)
def no_fits() -> None:
    FITS.clear()


def bench(folder: Path, *entrants: Entrant, **options: Any) -> tuple[pd.DataFrame, list[str]]:
    settings: dict[str, Any] = {"prefixes": PREFIXES, "trains": ("all", "4"), "seeds": 2} | options
    return run_bench(settings.pop("sources", [Source("toys/low")]), entrants, folder, **settings)


WATCHED = Entrant("watched", lambda seed: Watched())


def test_one_fit_serves_all_prefixes_and_agrees_with_a_backtest(tmp_path: Path) -> None:
    frame, notes = bench(tmp_path, WATCHED, *entrants(["drift"]), trains=("all",), prefixes=[Prefix("0.5")])
    assert FITS == [(18, 0), (18, 0)] and notes == [] and set(frame["pretrained"]) == {0}
    same = backtest(load_problem(Source("toys/low")).table, observe=0.5, seeds=2, forecasters=("drift",)).records
    mine = frame[frame["forecaster"] == "drift"].sort_values("seed")
    for name in ("mape", "rmse", "final_mae", "kendall", "crps", "coverage90", "curves"):
        np.testing.assert_allclose(mine[name].to_numpy(), same[name].to_numpy())
    FITS.clear()
    frame, _ = bench(tmp_path / "more", WATCHED)
    assert sorted(FITS) == [(4, 0), (4, 0), (18, 0), (18, 0)]
    assert len(frame) == 8 and set(frame["cutoff"]) == {2, 6} and set(frame["error"]) == {""}


def test_a_second_call_does_only_what_is_missing(tmp_path: Path) -> None:
    first, _ = bench(tmp_path, WATCHED, seeds=1)
    assert len(FITS) == 2
    again, _ = bench(tmp_path, WATCHED, seeds=1)
    assert len(FITS) == 2
    pd.testing.assert_frame_equal(first, again)
    pd.testing.assert_frame_equal(first, Store(tmp_path).frame)
    more, _ = bench(tmp_path, WATCHED, seeds=1, prefixes=(*PREFIXES, Prefix("4e")))
    assert len(FITS) == 4 and len(more) == len(first) + 2 and set(more["prefix"]) == {"2e", "0.5", "4e"}
    other = Entrant("watched", lambda seed: Watched(), settings="checkpoint b")
    assert len(bench(tmp_path, other, seeds=1)[0]) == len(more) + len(first)
    assert not [path.name for path in tmp_path.iterdir() if path.name.endswith(".tmp")]


def test_a_failure_is_recorded_and_tried_again(tmp_path: Path) -> None:
    frame, _ = bench(tmp_path, Entrant("x", lambda seed: Failing()), WATCHED, trains=("all",), seeds=1)
    bad = frame[frame["error"] != ""]
    assert bad["error"].tolist() == ["FloatingPointError: it went wrong"] * 2
    assert bad["prefix"].tolist() == ["2e", "0.5"] and bad["mape"].isna().all()
    assert (frame["forecaster"] == "watched").sum() == 2
    frame, _ = bench(tmp_path, Entrant("x", lambda seed: Watched()), trains=("all",), seeds=1)
    assert set(frame["error"]) == {""} and len(frame) == 4


def test_without_a_run_to_learn_from(tmp_path: Path) -> None:
    ready = Entrant("ready", lambda seed: Watched(min_finished=3), untrained=lambda seed: Watched())
    picky = Entrant("picky", lambda seed: Watched(min_finished=3))
    frame, _ = bench(tmp_path, WATCHED, ready, picky, trains=("0",), seeds=1)
    assert set(frame["forecaster"]) == {"watched", "ready"} and set(frame["train_runs"]) == {0}
    assert FITS == [(0, 0)]


def test_runs_of_other_problems(tmp_path: Path) -> None:
    plain, telling = Entrant("plain", lambda seed: Watched()), Entrant("telling", lambda seed: Siblings())
    frame, _ = bench(tmp_path, plain, telling, trains=("0", "4"), seeds=1, protocols=["siblings"])
    assert FITS == [(18, 0), (0, 18), (22, 0), (4, 18)]
    assert set(frame["related_runs"]) == {18} and set(frame["protocol"]) == {"siblings"}


def test_twins_stand_beside_the_forecasters(tmp_path: Path) -> None:
    frame, _ = bench(tmp_path, WATCHED, sources=[Source("twinned/only")], trains=("all", "0"), seeds=1)
    twin = frame[frame["forecaster"] == "twin"]
    assert len(twin) == 2 and set(twin["train"]) == {"any"} and set(twin["subset"]) == {"twins"}
    assert set(frame.loc[frame["forecaster"] == "watched", "subset"]) == {"all", "twins"}


def test_what_has_no_room_is_said(tmp_path: Path) -> None:
    frame, notes = bench(tmp_path, WATCHED, trains=("30",), protocols=["by-run", "by-arch"], prefixes=[Prefix("20e")])
    assert frame.empty and not FITS
    assert notes == [
        "toys/low: prefix 20e left out: the runs end at epoch 12",
        "toys/low, by-run: there are only 18 runs to learn from, so 30 of them are no smaller case",
        "toys/low, by-arch: it has no fixed splits; only the multi-task corpus has",
    ]


def test_worker_processes_give_the_same_numbers(tmp_path: Path) -> None:
    logs = tmp_path / "runs.csv"
    table = load_problem(Source("toys/low")).table
    points = table.points.astype({"run": str})[["run", "epoch", "value"]].rename(columns={"value": "loss"})
    points.to_csv(logs, index=False)
    source = Source(str(logs), logs=True)
    told: list[tuple[int, int, str]] = []
    options: dict[str, Any] = {"sources": [source], "trains": ("all",)}
    many, notes = bench(
        tmp_path / "b", *entrants(["drift", "last"]), workers=2, progress=lambda *step: told.append(step), **options
    )
    one, _ = bench(tmp_path / "a", *entrants(["drift", "last"]), **options)
    assert told[-1][:2] == (4, 4) and any("direction inferred" in note for note in notes)
    keys = ["forecaster", "seed", "prefix"]
    columns = [name for name in COLUMNS if not name.endswith("_seconds")]
    one, many = (f.sort_values(keys)[columns].reset_index(drop=True) for f in (one, many))
    pd.testing.assert_frame_equal(one, many)


def test_wrong_words_and_files(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no protocol 'x'; there are: by-run"):
        bench(tmp_path, WATCHED, protocols=["x"])
    with pytest.raises(UsageError, match="no number of training runs '-3'"):
        bench(tmp_path, WATCHED, trains=("-3",))
    with pytest.raises(UsageError, match="no forecaster 'x'; there are: lcode"):
        entrants(["x"])
    with Store(tmp_path).alone(), pytest.raises(UsageError, match="another bench writes to"):
        bench(tmp_path, WATCHED)
    (tmp_path / "results.parquet").write_bytes(b"junk")
    with pytest.raises(InputError, match="is damaged"):
        Store(tmp_path)
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "results.parquet")
    with pytest.raises(InputError, match="holds no results of a bench"):
        Store(tmp_path)


def test_the_shipped_model_is_the_untrained_lcode() -> None:
    (entrant,) = entrants(["lcode"])
    assert entrant.untrained is not None and entrant.settings.startswith("shipped ")
    assert not any(name.startswith("mtl_curves") for name in entrant.pretrained_on)
    assert entrant.untrained(0).predict(load_problem(Source("toys/low")).table.prefix(3)).quantiles.shape[0] == 24
