from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

import numpy as np
import pytest

from lcode.report import headline
from lcode.report.advice import Headline, advice, likelier_than_first
from lcode.table.reading import Reading


def test_stopped_and_failed_runs_are_not_to_be_stopped_again(sweep: Any) -> None:
    runs = sweep.table.runs.copy()
    going = [run for run, action in zip(sweep.ranking.runs, sweep.ranking.action, strict=True) if action == "stop"]
    runs.loc[going[0], "status"], runs.loc[going[1], "status"] = "stopped", "failed"
    told = advice(sweep.forecast, sweep.ranking, dataclasses.replace(sweep.table, runs=runs))
    assert (told[going[0]], told[going[1]], told[going[2]]) == ("stopped", "failed", "stop")
    assert told["run-00"] == "finished" and tuple(told) == sweep.ranking.runs


def test_a_finished_run_that_never_logged_a_metric_has_finished(sweep: Any) -> None:
    status = sweep.forecast.status.copy()
    status[sweep.forecast.run_ids.index("run-00"), 0] = "ok"
    told = advice(dataclasses.replace(sweep.forecast, status=status), sweep.ranking, sweep.table)
    assert told["run-00"] == "finished"


def test_what_stopping_saves_is_a_share_of_what_is_to_come(sweep: Any) -> None:
    told = headline(sweep.forecast, sweep.ranking, sweep.table)
    # All twenty open runs have fifteen of twenty epochs to come.
    assert told.saved == pytest.approx(len(told.stop) / 20)
    assert told.best == sweep.ranking.runs[int(sweep.ranking.p_best.argmax())]
    assert sum(told.counts.values()) == 50 and told.counts["finished"] == 30


def test_candidates_are_to_be_started_or_skipped(sweep: Any) -> None:
    going = [run for run, action in advice(sweep.forecast, sweep.ranking).items() if action in ("stop", "continue")]
    observed = sweep.forecast.observed.copy()
    observed[[sweep.forecast.run_ids.index(run) for run in going]] = -1
    told = headline(dataclasses.replace(sweep.forecast, observed=observed), sweep.ranking, sweep.table)
    assert not told.stop and told.counts.keys() == {"finished", "start", "skip"} and told.candidates == 20
    before = headline(sweep.forecast, sweep.ranking, sweep.table)
    assert told.counts["skip"] == before.counts["stop"]
    # They have twenty epochs to come, each of them.
    assert told.saved == pytest.approx(told.counts["skip"] / 20)
    chance = dict(zip(sweep.ranking.runs, sweep.ranking.p_best, strict=True))
    assert told.start in going and chance[told.start] == max(chance[run] for run in going)


def test_a_run_that_was_stopped_is_no_bet(sweep: Any) -> None:
    runs = sweep.table.runs.copy()
    runs.loc[sweep.ranking.runs[int(sweep.ranking.p_best.argmax())], "status"] = "stopped"
    forecast = dataclasses.replace(sweep.forecast, status=np.full_like(sweep.forecast.status, "ok"))
    assert headline(forecast, sweep.ranking, dataclasses.replace(sweep.table, runs=runs)).best is None


def _headline(**values: Any) -> Headline:
    return Headline(**{"stop": {}, "counts": Counter(), "saved": 0.0, "best": None, "p_best": 0.0, **values})


@pytest.mark.parametrize(
    ("told", "sentence", "line"),
    [
        (
            _headline(
                stop={"r3": 0.01}, counts=Counter({"stop": 1, "continue": 12}), saved=0.62, best="r0022", p_best=0.63
            ),
            "Stop 1 of 13 runs: that saves 62 % of the epochs still to come. Best bet: r0022 (P(best) 0.63).",
            "stop r3 (P 0.01), continue 12, best bet r0022 P 0.63",
        ),
        (
            _headline(counts=Counter({"continue": 7})),
            "Let all 7 unfinished runs go on: none is hopeless so far.",
            "stop none, continue 7",
        ),
        (
            _headline(counts=Counter(finished=4, start=12), start="r07"),
            "Start r07 first of 12 candidates.",
            "stop none, start r07 first of 12 candidates, finished 4",
        ),
        (
            _headline(stop={"r3": 0}, counts=Counter(stop=1, finished=3, skip=2, start=3), saved=0.5, start="r07"),
            "Stop 1 of 4 runs and skip 2 of 5 candidates: that saves 50 % of the epochs still to come. "
            "Start r07 first of the other 3 candidates.",
            "stop r3 (P 0), start r07 first of 3 candidates, finished 3, skip 2",
        ),
        (
            _headline(counts=Counter(skip=1, start=1, **{"continue": 2}), saved=0.5, start="r07"),
            "Skip 1 of 2 candidates: that saves 50 % of the epochs still to come. Start r07.",
            "stop none, start r07, continue 2, skip 1",
        ),
        (
            _headline(counts=Counter(finished=1), best="a\x1b", p_best=1.0, assumed=True),
            "Nothing is left to stop: the run has ended. Best bet: a\\x1b (P(best) 1.00).",
            "stop none, finished 1, best bet a\\x1b P 1.00, horizon assumed",
        ),
    ],
)  # fmt: skip
def test_the_words(told: Headline, sentence: str, line: str) -> None:
    assert (told.sentence, told.line) == (sentence, line)


def test_an_assumed_horizon_is_said_where_runs_have_finished_by_it(sweep: Any) -> None:
    table = dataclasses.replace(sweep.table, reading=Reading(assumed_horizon=True))
    assert "--horizon N" in headline(sweep.forecast, sweep.ranking, table).caveat
    assert headline(sweep.forecast, sweep.ranking, sweep.table).caveat == ""


def test_a_run_further_down_that_is_likelier_to_end_best_is_explained(sweep: Any) -> None:
    p = np.zeros(50)
    p[[0, 4]] = 0.3, 0.7
    text = likelier_than_first(dataclasses.replace(sweep.ranking, p_best=p))
    assert text.startswith(f"{sweep.ranking.runs[4]} (0.70) is ranked 5") and "less certain" in text
    assert likelier_than_first(dataclasses.replace(sweep.ranking, p_best=p[::-1].cumsum()[::-1])) == ""
