from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
import torch

from lcode.curves.batch import PLAN_POINTS, CurveBatch, RunTensors, task_indices
from lcode.curves.collate import Preprocessor
from lcode.graphs import ArchGraph
from lcode.table import Metric, RunTable

Family = Callable[..., RunTable]
METRICS = (Metric("seg", "err", "min"), Metric("seg", "miou", "max"), Metric("depth", "loss", "min"))


@pytest.fixture(scope="module")
def preprocessor(history: RunTable) -> Preprocessor:
    return Preprocessor.fit(history)


def points(rows: list[tuple[str, int, str, float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"])


def by_hand() -> RunTable:
    """Two runs with gaps, signals of every kind, one plan and one graph."""
    return RunTable.from_points(
        points(
            [
                ("a", 1, "seg/err", 0.9),
                ("a", 3, "seg/err", 0.5),
                ("a", 3, "depth/loss", 2.0),
                ("a", 4, "depth/loss", 1.0),
                ("b", 0, "seg/err", 0.8),
                ("b", 1, "seg/err", np.nan),
                ("b", 2, "depth/loss", 3.0),
            ]
        ),
        METRICS,
        runs=pd.DataFrame({"horizon": [8, 4], "arch": ["net", None]}, index=["a", "b"]),
        configs=pd.DataFrame({"weight.seg": [1.0, 1.0], "weight.depth": [np.e**2, np.nan]}, index=["a", "b"]),
        signals=points(
            [
                ("a", 1, "seg/grad_norm", 1.0),
                ("a", 3, "seg/grad_norm", 4.0),
                ("a", 2, "seg/grad_norm", 9.0),
                ("b", 0, "depth/grad_norm", 2.0),
                ("a", 1, "seg|depth/cosine", 0.4),
                ("a", 4, "seg|depth/cosine", -0.2),
                ("b", 0, "train_time", 2.0),
                ("b", 2, "train_time", 3.0),
            ]
        ),
        schedules={"a": np.array([1.0, 1, 1, 1, 0.1, 0.1, 0.1, 0.1])},
        graphs={"net": ArchGraph.build(["linear"], []), "unused": ArchGraph.build(["conv"], [])},
    )


def test_values_lie_on_each_runs_own_epochs() -> None:
    table = by_hand()
    runs, _ = Preprocessor.fit(table).tensors(table)
    assert runs.epochs.tolist() == [[1, 3, 4], [0, 2, 2]]
    assert runs.present[0].tolist() == [[True, True, False], [False] * 3, [False, True, True]]
    assert runs.present[1].tolist() == [[True, False, False], [False] * 3, [False, True, False]]
    assert (runs.values[~runs.present] == 0).all() and (runs.values[runs.present] != 0).all()
    assert runs.horizons.tolist() == [8, 4]


def test_signals_and_cosines_are_placed_at_their_epochs() -> None:
    table = by_hand()
    preprocessor = Preprocessor.fit(table)
    assert [scale.name for scale in preprocessor.signals] == ["grad_norm", "train_time"]
    runs, _ = preprocessor.tensors(table)
    # seg's two metrics share seg's signals; epoch 2 of run a was not measured and has no place.
    assert torch.equal(runs.signals[0, 0], runs.signals[0, 1])
    assert runs.signals[0, 0, 0, 0] < runs.signals[0, 0, 1, 0]
    assert (runs.signals[0, 2] == 0).all() and (runs.signals[0, 0, 2] == 0).all()
    # A signal without a task belongs to every task.
    assert torch.equal(runs.signals[1, 0, :, 1], runs.signals[1, 2, :, 1]) and runs.signals[1, 0, 1, 1] != 0
    np.testing.assert_allclose(runs.cosines[0, 0, 2], [0.4, 0.4, 0.1], atol=1e-6)
    assert torch.equal(runs.cosines, runs.cosines.transpose(1, 2))
    assert (runs.cosines[0, 0, 1] == 0).all() and (runs.cosines[1] == 0).all()


def test_loss_weights_are_relative_to_the_runs_mean() -> None:
    table = by_hand()
    runs, _ = Preprocessor.fit(table).tensors(table)
    # log weights 0, 0, 2 of the three metrics
    np.testing.assert_allclose(runs.weights[0], [-2 / 3, -2 / 3, 4 / 3], atol=1e-6)
    assert runs.weights[1].tolist() == [0, 0, 0]


def test_plans() -> None:
    table = by_hand()
    runs, _ = Preprocessor.fit(table).tensors(table)
    assert runs.plan.shape == (2, PLAN_POINTS, 3) and (runs.plan[1] == 0).all()
    rate, done, there = runs.plan[0].unbind(-1)
    assert (there == 1).all() and rate[0] == 0
    assert rate[-1].item() == pytest.approx(np.log(0.1) / 5, rel=1e-5)
    assert (done.diff() >= 0).all() and done[0] == 0 and done[-1] == 1
    assert done[PLAN_POINTS // 2].item() == pytest.approx(4 / 4.4, rel=1e-5)


def test_each_run_points_at_its_graph(preprocessor: Preprocessor, history: RunTable) -> None:
    table = by_hand()
    runs, graphs = Preprocessor.fit(table).tensors(table)
    assert runs.graph_index.tolist() == [0, -1] and graphs is not None and graphs.size == 1
    runs, graphs = preprocessor.tensors(history)
    assert graphs is not None and graphs.size == 2
    names = np.array(["large", "small"])[runs.graph_index.numpy()]
    assert names.tolist() == history.runs["arch"].tolist()


def test_graphs_may_be_missing(preprocessor: Preprocessor, family: Family) -> None:
    runs, graphs = preprocessor.tensors(family(3, graphs=False))
    assert graphs is None and (runs.graph_index == -1).all()
    without = Preprocessor.fit(family(3, graphs=False))
    assert without.ops is None
    runs, graphs = without.tensors(family(3))
    assert graphs is None


def test_a_subset_of_the_graphs_is_those_graphs(preprocessor: Preprocessor, history: RunTable) -> None:
    graphs = preprocessor.tensors(history)[1]
    assert graphs is not None
    one = graphs.subset(torch.tensor([1]))
    assert one.size == 1 and set(one.batch.tolist()) == {0}
    assert torch.equal(one.op, graphs.op[graphs.batch == 1])
    assert one.edge_index.tolist() == [[0, 1, 1], [1, 2, 3]]


def test_what_is_cut_is_not_there(preprocessor: Preprocessor, fresh: RunTable) -> None:
    for cutoff in (0, 1, 4, 16):
        whole, _ = preprocessor.tensors(fresh)
        cut, _ = preprocessor.tensors(fresh.prefix(cutoff))
        seen = cut.epochs.shape[1] if cutoff else 0
        assert seen == cutoff
        for name in ("values", "present", "cosines"):
            assert torch.equal(getattr(whole, name)[..., :seen], getattr(cut, name)[..., :seen]), name
        assert torch.equal(whole.signals[:, :, :seen], cut.signals[:, :, :seen])
        for name in ("config", "weights", "plan", "graph_index", "horizons"):
            assert torch.equal(getattr(whole, name), getattr(cut, name)), name


def test_nothing_after_the_cutoff_is_observed(preprocessor: Preprocessor, fresh: RunTable) -> None:
    runs, _ = preprocessor.tensors(fresh)
    cutoffs = torch.arange(len(runs)).float()
    observed = CurveBatch(runs, cutoffs).observed
    last = torch.where(observed.any(1), runs.epochs, 0).amax(-1)
    assert last.tolist() == cutoffs.tolist()
    assert observed.sum(-1)[:, 0].tolist() == cutoffs.tolist()


def test_a_metric_that_the_table_lacks_is_missing_everywhere(preprocessor: Preprocessor, fresh: RunTable) -> None:
    rows = fresh.points[fresh.points["metric"] == "seg/err"]
    one = RunTable.from_points(rows, [fresh.metric("seg/err")], runs=fresh.runs, configs=fresh.configs)
    runs, _ = preprocessor.tensors(one)
    assert runs.values.shape[1] == 2 and not runs.present[:, 1].any() and runs.present[:, 0].all()


def test_rows_and_forgotten_configurations(preprocessor: Preprocessor, fresh: RunTable) -> None:
    runs, _ = preprocessor.tensors(fresh)
    some = runs.rows(torch.tensor([3, 1]))
    for field in fields(RunTensors):
        assert torch.equal(getattr(some, field.name), getattr(runs, field.name)[[3, 1]])


def test_a_generic_preprocessor_knows_nothing_by_name(fresh: RunTable) -> None:
    generic = Preprocessor.generic(fresh)
    assert (generic.config.width, generic.signals, generic.ops) == (0, (), None)
    assert generic.own_scales is not None
    runs, graphs = generic.tensors(fresh)
    assert graphs is None and torch.isfinite(runs.values).all()


def test_json_round_trip(preprocessor: Preprocessor, fresh: RunTable) -> None:
    again = Preprocessor.from_json(json.loads(json.dumps(preprocessor.to_json())))
    assert replace(again, ops=None) == replace(preprocessor, ops=None)
    assert again.ops is not None and preprocessor.ops is not None and again.ops.ops == preprocessor.ops.ops
    assert torch.equal(again.tensors(fresh)[0].values, preprocessor.tensors(fresh)[0].values)


def test_everything_is_finite_whatever_was_measured() -> None:
    wild = by_hand()
    signals = wild.signals.copy()
    signals.loc[0, "value"], signals.loc[1, "value"] = np.inf, -5.0
    runs, _ = Preprocessor.fit(by_hand()).tensors(replace(wild, signals=signals))
    for field in fields(RunTensors):
        assert torch.isfinite(getattr(runs, field.name).float()).all(), field.name


def test_task_indices() -> None:
    assert task_indices(["b", "a", "c", "a"], ["a", "b"]) == [1, 0, 2, 0]
