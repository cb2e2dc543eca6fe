"""Orders of cells, what they are worth, and what it costs to find one of the best."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import lcode
from lcode.errors import UsageError
from lcode.table import RunTable
from mtl_runs.studies.nas import __main__ as command
from mtl_runs.studies.nas import finding, ranking
from mtl_runs.studies.nas.finding import (
    at_random,
    best,
    find,
    guided_halving,
    halving,
    ranked_again,
    ranked_once,
)
from mtl_runs.studies.nas.predictors import PREDICTORS, Array, Rows, Trained, last_value
from mtl_runs.studies.nas.ranking import Ranked, ranked, rankings, regret
from mtl_runs.studies.nas.space import CONV3, code, graph_of, sample_cells
from mtl_runs.studies.nas.train import METRICS, run_name


def trained_cells(n: int, epochs: int = 6) -> Trained:
    """Cells that end the better the more 3×3 convolutions they have, and begin in another order."""
    cells = sample_cells(n, 0)
    finals = np.array([1 - 0.1 * cell.count(CONV3) + 0.001 * row for row, cell in enumerate(cells)])
    losses = finals[:, None] + np.linspace(1, 0, epochs) ** 2 * (1 + np.cos(np.arange(n))[:, None])
    points = pd.DataFrame(
        {
            "run": np.repeat([code(cell) for cell in cells], epochs),
            "epoch": np.tile(np.arange(1, epochs + 1), n),
            "metric": METRICS[0].key,
            "value": losses.ravel(),
        }
    )
    names = [code(cell) for cell in cells]
    runs = pd.DataFrame({"status": "finished", "horizon": epochs, "arch": names}, index=names)
    graphs = {code(cell): graph_of(cell) for cell in cells}
    table = RunTable.from_points(points, METRICS[:1], runs=runs, graphs=graphs)
    return Trained(table, np.stack([table.curve(run, METRICS[0].key).values for run in table.run_ids]))


def test_a_forest_learns_which_operations_are_worth_it_and_the_last_value_does_not_know() -> None:
    trained = trained_cells(150)
    rows = np.arange(150)
    for name in ("forest on the operations", "forest on the graph's statistics"):
        predicted = PREDICTORS[name].predict(trained, rows[:100], rows[100:], 0)
        assert np.corrcoef(predicted, trained.finals[100:])[0, 1] > 0.6
    assert last_value(trained, rows[:0], rows, 6).tolist() == trained.finals.tolist()
    assert np.corrcoef(last_value(trained, rows[:0], rows, 1), trained.finals)[0, 1] < 0.4


def test_lcode_is_asked_for_cells_before_they_are_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    trained = trained_cells(12)
    fitted: list[tuple[int, int]] = []

    def fit(table: RunTable) -> object:
        fitted.append((len(table), table.configs.shape[1]))
        return lcode.forecaster("trees").fit(table)

    monkeypatch.setattr(lcode, "fit", fit)
    rows = np.arange(12)
    predict = PREDICTORS["lcode, graph alone"].predict
    before, early = (predict(trained, rows[:5], rows[5:], epochs) for epochs in (0, 2))
    assert np.isfinite(before).all() and before.tolist() != early.tolist()
    # In the order in which they are asked for.
    assert predict(trained, rows[:5], rows[:4:-1], 2).tolist() == early[::-1].tolist()
    assert fitted == [(5, 0)]


def test_what_a_ranking_loses() -> None:
    truth = np.array([1.0, 2.0, 3.0, 4.0, 7.0])
    assert regret(truth, -truth) == 3 and regret(truth, truth) == 0 and regret(truth, np.array([9, 1, 2, 3, 4])) == 0.5
    trained = trained_cells(140)
    row = ranked(trained, "last value", 1, 0, 5)
    assert row.tau == pytest.approx(ranked(trained, "last value", 1, 0, 5).tau) and -1 < row.tau < 1
    keys = list(rankings(2))
    assert ("last value", 0, 0, 1) in keys and ("lcode", 1, 30, 0) in keys
    assert not any(finished == 0 and epochs == 0 for _, _, finished, epochs in keys)
    frame = pd.DataFrame([Ranked("last value", split, 0, 5, 0.5 + split / 4, 0.1) for split in (0, 1)])
    assert "| 0 | last value | – | – | – | 0.625 ± 0.177 |" in ranking.summary(frame)


def test_costs_of_searches_are_counted_in_epochs() -> None:
    trained = trained_cells(100, epochs=10)
    (wanted,) = best(trained)
    others = [row for row in range(100) if row != wanted]
    rows = np.array([*others[:3], wanted, *others[3:]])
    assert at_random(trained, rows) == 4 * 10

    def knows(trained: Trained, finished: Rows, asked: Rows, epochs: int) -> Array:
        return trained.finals[asked]

    assert ranked_once(knows, 0, 2)(trained, rows) == 100 * 2 + 8
    assert ranked_once(knows, 3, 0)(trained, rows) == 3 * 10 + 10
    assert ranked_once(knows, 5, 0)(trained, rows) == 4 * 10  # it was among the first
    assert ranked_again(lambda *asked: -knows(*asked), 2, 97)(trained, rows) == pytest.approx(99 * 10 + 10)
    # Nine, three after epoch 1 and one after epoch 3; the bracket's last goes on to epoch 10.
    at_once = trained_cells(100, epochs=10)
    at_once.losses[:] = at_once.finals[:, None]
    assert halving(9)(at_once, rows) == 9 + 3 * 2 + 7
    assert halving(9)(at_once, rows[4:]) == np.inf


@pytest.mark.parametrize("rung", [1, 3])
def test_brackets_after_the_first_take_what_those_before_speak_for_and_see_no_further(rung: int) -> None:
    trained = trained_cells(100, epochs=10)
    trained.losses[:] = trained.finals[:, None]
    (wanted,) = best(trained)
    rows = np.array([*(row for row in range(100) if row != wanted), wanted])
    asked: list[tuple[int, int, int]] = []

    def knowing(seen: Trained, known: Rows, left: Rows, epochs: int) -> Array:
        asked.append((len(known), len(left), seen.losses.shape[1]))
        assert int(seen.table.points["epoch"].max()) == rung and seen.table.runs["horizon"].eq(rung).all()
        return trained.finals[left]

    bracket = 9 + 3 * 2 + 7
    assert guided_halving(knowing, 9, rung)(trained, rows) == 2 * bracket
    assert asked == [(9 if rung == 1 else 3, 91, rung)]

    def knowing_nothing(seen: Trained, known: Rows, left: Rows, epochs: int) -> Array:
        return np.zeros(len(left))

    assert guided_halving(knowing_nothing, 9, rung)(trained, rows) == np.inf
    assert guided_halving(knowing_nothing, 9, rung)(trained, rows[1:]) == 11 * bracket


def test_a_study_goes_on_with_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[object] = []
    monkeypatch.setattr(command, "train_cells", lambda _, cells, *__, **___: trained.append(cells))
    monkeypatch.setattr(command.Trained, "read", lambda folder: trained_cells(20 if folder.name == "twins" else 140))
    monkeypatch.setattr(command, "WAYS", {"random search": at_random})
    monkeypatch.setattr(command, "rankings", lambda splits: [("last value", 0, 0, 1)])
    text = command.conduct(tmp_path, orders=2)
    assert text.startswith("20 cells trained twice: τ 1.000, regret of the other's best 0.00")
    assert "| random search | 2 |" in text
    before = pd.read_csv(tmp_path / "searches.csv")
    monkeypatch.setattr(
        command, "find", lambda trained, way, split: pytest.fail("twice") if split < 2 else find(trained, way, split)
    )
    command.conduct(tmp_path, orders=3, seed=1)
    assert trained[0] == sample_cells(1000, 0) and trained[2] == sample_cells(1000, 1)
    assert pd.read_csv(tmp_path / "searches.csv").head(2).equals(before)
    assert finding.summary(pd.DataFrame({"way": ["a"] * 2, "cost": [60, np.inf]})).endswith(
        "| a | 2 | 60 | 60 to inf | – |"
    )


def test_the_folder_of_another_draw_is_refused_before_any_work(tmp_path: Path) -> None:
    (other,) = set(sample_cells(1, 0)) - set(sample_cells(3, 1))
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / f"{run_name(other, 0)}.jsonl").touch()
    with pytest.raises(UsageError, match="that seed 1 does not draw; give each seed a folder"):
        command.conduct(tmp_path, cells=3, seed=1)
