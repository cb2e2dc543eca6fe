from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lcode.decisions import DeltaM, Objective, make_objective
from lcode.errors import InputError, NotEnoughDataError, UsageError
from lcode.table import Metric

SEG, PIX = Metric("seg", "miou", "max"), Metric("seg", "pixacc", "max")
DEPTH, LOSS = Metric("depth", "abs_err", "min"), Metric("main", "loss", "min")
TWO = (SEG, DEPTH)
NYU = tuple(
    Metric(task, name, "max" if sign else "min")
    for task, name, sign in zip(
        ["seg"] * 2 + ["depth"] * 2 + ["normals"] * 5,
        ["miou", "pixacc", "abs_err", "rel_err", "mean", "median", "within11", "within22", "within30"],
        [1, 1, 0, 0, 0, 0, 1, 1, 1],
        strict=True,
    )
)
NYU_SINGLE = [0.3830, 0.6376, 0.6754, 0.2780, 25.01, 19.21, 0.3014, 0.5720, 0.6915]
NYU_EQUAL_WEIGHTS = np.array([0.3929, 0.6533, 0.5493, 0.2263, 28.15, 23.96, 0.2209, 0.4750, 0.6108])


def single_task(metrics: tuple[Metric, ...], values: list[float]) -> dict[str, float]:
    return {metric.key: value for metric, value in zip(metrics, values, strict=True)}


def test_delta_m_of_the_published_nyuv2_row_has_the_opposite_sign() -> None:
    objective = make_objective("delta_m", NYU, baseline=single_task(NYU, NYU_SINGLE))
    assert objective.score(NYU_EQUAL_WEIGHTS, NYU) == pytest.approx(-5.589, abs=5e-4)
    assert objective.unit == "Δm %"


def test_the_drop_is_the_number_that_the_table_prints() -> None:
    objective = make_objective("delta_m:drop", NYU, baseline=single_task(NYU, NYU_SINGLE))
    score = objective.score(NYU_EQUAL_WEIGHTS, NYU)
    assert score == pytest.approx(-5.589, abs=5e-4) and objective.told(score) == pytest.approx(5.589, abs=5e-4)
    assert objective.direction == "min" and objective.unit == "Δm drop %"
    assert "drop below" in objective.notes[0] and "lower is better" in objective.notes[0]


def test_averaged_per_task_the_same_row_is_a_gain() -> None:
    # seg (2.585 + 2.462)/2, depth (18.670 + 18.597)/2, normals −(12.555 + 24.727 + 26.709 + 16.958 + 11.670)/5
    objective = make_objective("delta_m:per-task", NYU, baseline=single_task(NYU, NYU_SINGLE))
    assert objective.score(NYU_EQUAL_WEIGHTS, NYU) == pytest.approx(0.878, abs=1e-3)
    assert "over tasks, of the mean over each one's metrics" in objective.notes[0]


def test_per_task_a_metric_or_task_without_a_reference_has_no_say() -> None:
    metrics, population = (SEG, PIX, DEPTH), np.array([[0.5, 0.0, np.nan], [0.5, 0.0, np.nan]])
    objective = make_objective("delta_m:drop, per-task", metrics, population=population)
    assert objective.score(np.array([0.6, 0.9, np.nan]), metrics) == pytest.approx(20)


def test_per_task_by_architecture_or_with_one_reference(tmp_path: Path) -> None:
    path = tmp_path / "baseline.csv"
    rows = ["seg,miou,0.5,small", "seg,miou,0.8,big", "seg,pixacc,0.5,", "depth,abs_err,2,"]
    path.write_text("\n".join(["task,metric,value,arch", *rows]))
    metrics, values = (SEG, PIX, DEPTH), np.array([[0.6, 0.5, 1.0]] * 2)
    own = make_objective("delta_m:per-task", metrics, baseline=path).score(values, metrics, ["small", "big"])
    np.testing.assert_allclose(own, [(20 / 2 + 50) / 2, (-25 / 2 + 50) / 2])
    # One reference: the mean of 0.5 and 0.8.
    one = make_objective("delta_m:per-task,one-reference", metrics, baseline=path)
    np.testing.assert_allclose(one.score(values, metrics, ["small", "big"]), [(-100 * 0.05 / 0.65 / 2 + 50) / 2] * 2)


def test_delta_m_of_the_published_cityscapes_row() -> None:
    metrics = NYU[:4]
    objective = make_objective("delta_m", metrics, baseline=single_task(metrics, [0.7401, 0.9316, 0.0125, 27.77]))
    assert objective.score(np.array([0.7518, 0.9349, 0.0155, 46.77]), metrics) == pytest.approx(-22.62, abs=5e-3)


def test_delta_m_by_hand_and_in_batches() -> None:
    objective = make_objective("delta_m", TWO, baseline={"seg/miou": 0.5, "depth/abs_err": 2.0})
    values = np.array([[0.6, 1.0], [0.5, 2.0], [np.nan, 1.0]])
    scores = objective.score(np.stack([values, values]), TWO)
    assert scores.shape == (2, 3)
    np.testing.assert_allclose(scores[0], [(20 + 50) / 2, 0.0, np.nan])


def test_delta_m_without_a_baseline_takes_the_median_run_and_says_so() -> None:
    population = np.array([[0.4, 1.0], [0.5, 2.0], [0.9, 9.0], [np.nan, 2.0]])
    objective = make_objective("delta_m", TWO, population=population)
    assert objective.score(np.array([0.5, 2.0]), TWO) == pytest.approx(0)
    assert "median final value of 3 to 4 runs" in objective.notes[0]


@pytest.mark.parametrize("value", [0.0, 1e-12, float("nan")])
def test_a_reference_of_zero_is_refused(value: float) -> None:
    with pytest.raises(InputError, match=r"depth/abs_err.*no meaning"):
        make_objective("delta_m", TWO, baseline={"seg/miou": 0.5, "depth/abs_err": value})


def test_a_baseline_names_the_metrics_of_the_logs() -> None:
    with pytest.raises(UsageError, match="'seg/iou', which is not measured; there are: seg/miou, depth/abs_err"):
        make_objective("delta_m", TWO, baseline={"seg/iou": 0.5, "depth/abs_err": 1.0})
    with pytest.raises(UsageError, match="lacks 'depth/abs_err'"):
        make_objective("delta_m", TWO, baseline={"seg/miou": 0.5})


def test_a_baseline_file(tmp_path: Path) -> None:
    path = tmp_path / "single.csv"
    path.write_text("task,metric,value\nseg,miou,0.5\ndepth,abs_err,2\nnormals,mean,1\n,loss,4\n")
    metrics = (*TWO, LOSS)
    objective = make_objective("delta_m", metrics, baseline=path)
    assert objective.score(np.array([0.6, 1.0, 4.0]), metrics) == pytest.approx((20 + 50 + 0) / 3)


def test_a_baseline_file_by_architecture(tmp_path: Path) -> None:
    path = tmp_path / "single.csv"
    path.write_text("arch,task,metric,value\nbig,seg,miou,0.6\nsmall,seg,miou,0.2\nsmall,depth,abs_err,2\n")
    objective = make_objective("delta_m", TWO, baseline=str(path))
    values = np.array([0.6, 1.0])
    scores = objective.score(np.stack([values] * 4), TWO, ["big", "small", "other", None])
    # An architecture without a row of its own is measured against the mean over the others.
    np.testing.assert_allclose(scores, [(0 + 50) / 2, (200 + 50) / 2, (50 + 50) / 2, (50 + 50) / 2])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("task,metric\nseg,miou\n", r"single.csv, line 1: column 'value' is missing"),
        ("task,metric,value\nseg,miou,half\n", r"line 2, column 'value': 'half' is not a number"),
        ("task,metric,value\nseg,miou,0\n", r"line 2, column 'value': the reference of 'seg/miou' is 0"),
        ("task,metric,value\nseg,miou,0.5\nseg,miou,0.6\n", r"line 3.*two references"),
        ("task,metric,value\nseg,miou,0.5\n", r"no row for the metric 'depth/abs_err'.*it has: seg/miou"),
        ("", r"found: none"),
    ],
)
def test_bad_baseline_files_are_named_with_line_and_column(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "single.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        make_objective("delta_m", TWO, baseline=path)


def test_a_missing_baseline_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        make_objective("delta_m", TWO, baseline=tmp_path / "none.csv")


POPULATION = np.array([[0.0, 10.0], [1.0, 20.0], [2.0, 30.0], [3.0, 40.0], [4.0, 50.0]])


def test_mean_worst_and_weights_on_the_standard_scale() -> None:
    # median (2, 30), inter-quartile range (2, 20): z of (4, 40) is (1, -0.5)
    values = np.array([4.0, 40.0])
    score = {
        spec: float(make_objective(spec, TWO, population=POPULATION).score(values, TWO))
        for spec in ("mean", "worst", "weights:seg=1,depth=2", "weights:seg/miou=3")
    }
    assert score == pytest.approx({"mean": 0.25, "worst": -0.5, "weights:seg=1,depth=2": 0.0, "weights:seg/miou=3": 3})


def test_a_tasks_weight_is_shared_by_its_metrics_and_worst_is_over_tasks() -> None:
    metrics = (SEG, PIX, DEPTH)
    population = np.column_stack([POPULATION[:, 0], POPULATION[:, 0], POPULATION[:, 1]])
    values = np.array([4.0, 0.0, 20.0])  # z = (1, -1, 0.5)
    weighted = make_objective("weights:seg=2, depth=1", metrics, population=population)
    assert weighted.score(values, metrics) == pytest.approx(1 - 1 + 0.5)
    assert make_objective("worst", metrics, population=population).score(values, metrics) == pytest.approx(0.0)


def test_a_metric_without_weight_may_be_missing() -> None:
    objective = make_objective("weights:seg=1", TWO, population=POPULATION)
    assert objective.score(np.array([4.0, np.nan]), TWO) == pytest.approx(1.0)


def test_a_users_function_and_an_objective_pass_through() -> None:
    objective = make_objective(lambda values, metrics: values[..., 0] - values[..., 1], TWO)
    assert objective.score(np.array([[3.0, 1.0]]), TWO).tolist() == [2.0]
    assert make_objective(objective, TWO) is objective
    with pytest.raises(UsageError, match="must reduce the last axis"):
        make_objective(lambda values, metrics: values, TWO).score(np.ones((2, 2)), TWO)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("median", "no objective 'median'; there are: delta_m, mean, worst, weights"),
        ("delta_m:", "no objective 'delta_m:'; there are"),
        ("pareto:seg", "no objective 'pareto:seg'; there are"),
        ("delta_m:per-task,loss", "'loss' of 'delta_m:per-task,loss' has no meaning; there are: per-task, drop"),
        ("mean:seg=1", "no objective 'mean:seg=1'"),
        ("weights:normals=1", "'normals' to weight; there are: seg, depth, seg/miou, depth/abs_err"),
        ("weights:seg", "not of the form NAME=NUMBER"),
        ("weights:seg=-1", "a weight is a number ≥ 0"),
        ("weights:seg=0", "no metric a weight above 0"),
    ],
)
def test_wrong_objectives_list_the_right_ones(spec: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_objective(spec, TWO, population=POPULATION)


def test_a_baseline_is_for_delta_m_alone() -> None:
    with pytest.raises(UsageError, match="uses no baseline"):
        make_objective("mean", TWO, population=POPULATION, baseline={"seg/miou": 1.0})


@pytest.mark.parametrize("population", [None, np.empty((0, 2)), np.array([[np.nan, np.nan]])])
def test_references_need_a_finished_run(population: NDArray[np.float64] | None) -> None:
    with pytest.raises(NotEnoughDataError, match="finished runs, or single-task references"):
        make_objective("delta_m", TWO, population=population)


HALF_MEASURED = np.array([[0.4, np.nan], [0.5, np.nan], [0.8, np.nan]])
"""Runs that end with a value of the first metric alone; its median is 0.5, its inter-quartile range 0.2."""


@pytest.mark.parametrize(
    ("spec", "expected"),
    [("delta_m", 40.0), ("mean", 1.0), ("worst", 1.0), ("weights:seg=2,depth=1", 2.0)],
)
def test_a_metric_that_no_run_ends_with_has_no_say_and_is_named(spec: str, expected: float) -> None:
    objective = make_objective(spec, TWO, population=HALF_MEASURED)
    scores = objective.score(np.array([[0.7, np.nan], [0.7, 3.0]]), TWO)
    np.testing.assert_allclose(scores, expected)
    assert "depth/abs_err" in objective.notes[-1] and "--ignore 'depth/abs_err'" in objective.notes[-1]


def test_if_the_only_metric_that_counts_has_no_value_there_is_nothing_to_score() -> None:
    with pytest.raises(NotEnoughDataError, match="depth/abs_err"):
        make_objective("weights:depth=1", TWO, population=HALF_MEASURED)


def objectives() -> list[Objective]:
    made = [make_objective(spec, TWO, population=POPULATION + 1) for spec in ("mean", "worst", "weights:seg=1,depth=3")]
    return [*made, make_objective("delta_m", TWO, baseline={"seg/miou": -0.5, "depth/abs_err": 2.0})]


@settings(max_examples=50, deadline=None)
@given(
    values=st.tuples(st.floats(-100, 100), st.floats(-100, 100)),
    gains=st.tuples(st.floats(0, 100), st.floats(0, 100)),
)
def test_better_metrics_never_score_lower(values: tuple[float, float], gains: tuple[float, float]) -> None:
    before = np.array(values)
    after = before + np.array(gains) * [metric.sign for metric in TWO]
    for objective in objectives():
        assert objective.score(after, TWO) >= objective.score(before, TWO) - 1e-9


def test_delta_m_refuses_metrics_it_has_no_reference_for() -> None:
    objective = make_objective("delta_m", TWO, population=POPULATION)
    assert isinstance(objective, DeltaM)
    with pytest.raises(UsageError, match="no reference value for 'seg/pixacc'"):
        objective.score(np.ones(1), [PIX])


def test_without_a_baseline_a_metric_whose_median_is_0_has_no_say() -> None:
    metrics = [Metric("det", "map", "max"), Metric("cls", "loss", "min")]
    population = np.array([[0.0, 2.0], [0.0, 4.0], [0.3, 3.0]])
    objective = make_objective("delta_m", metrics, population=population)
    np.testing.assert_allclose(objective.score(np.array([[0.5, 1.5], [0.0, np.nan]]), metrics), [50, np.nan])
    assert "without det/map" in objective.notes[0]
    with pytest.raises(InputError, match="no meaning"):
        make_objective("delta_m", metrics, population=np.zeros((3, 2)))


def test_a_median_near_0_beside_the_better_runs_is_no_reference() -> None:
    """A relative gain over 0.001 would be one of 30,000 %, and the loss would count for nothing."""
    metrics = [Metric("det", "map", "max"), Metric("cls", "loss", "min")]
    population = np.array([[0.0, 2.0], [0.001, 4.0], [0.3, 3.0]])
    objective = make_objective("delta_m", metrics, population=population)
    assert objective.score(np.array([0.3, 1.5]), metrics) == pytest.approx(50)
    assert dict(objective.left_out) == {"det/map": "the median of 3 runs is 0.001, the better quartile 0.15"}
    assert "det/map" in objective.notes[-1] and "--baseline" in objective.notes[-1]
    given = make_objective("delta_m", metrics, population=population, baseline={"det/map": 0.001, "cls/loss": 3.0})
    assert given.score(np.array([0.002, 3.0]), metrics) == pytest.approx(50) and not given.left_out


def test_a_small_median_counts_where_no_run_gains_much_or_no_other_task_is_outweighed() -> None:
    losses = make_objective("delta_m", TWO, population=np.array([[0.4, 0.01], [0.5, 0.02], [0.6, 9.0], [0.5, 9.0]]))
    assert not losses.left_out
    alone = make_objective("delta_m", TWO[:1], population=np.array([[0.0], [0.001], [0.3]]))
    assert alone.score(np.array([0.002]), TWO[:1]) == pytest.approx(100)
