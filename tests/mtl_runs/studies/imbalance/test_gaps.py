from __future__ import annotations

import pandas as pd
import pytest

from lcode.errors import UsageError
from mtl_runs.studies.imbalance import add_gaps, chosen_references, gap_table, per_run
from mtl_runs.studies.imbalance.gaps import chosen_singles, relative_gaps

NAN = float("nan")


def row(run: str, method: str, key: str, value: float, **more: object) -> dict[str, object]:
    task, name = key.split("/")
    return {
        "run": run,
        "problem": "p",
        "arch": "a",
        "method": method,
        "label": task if method == "single" else "",
        "lr": 0.01,
        "seed": 0,
        "purpose": "select",
        "status": "finished",
        "task": task,
        "metric": key,
        "direction": "max" if name == "auc" else "min",
        "validation": value,
        "test": value,
        "weight": 0.5,
        "norm_early": 1.0,
        "norm": 1.0,
    } | more


def table(*runs: tuple[str, str, dict[str, float]], **more: object) -> pd.DataFrame:
    return pd.DataFrame([row(run, method, key, v, **more) for run, method, values in runs for key, v in values.items()])


def test_a_gap_is_positive_where_a_task_is_worse_than_alone() -> None:
    values, references = pd.Series([0.3, 0.3]), pd.Series([0.2, 0.4])
    assert list(relative_gaps(values, references, pd.Series(["min", "max"]))) == pytest.approx([50.0, 25.0])


def test_a_negative_reference_keeps_the_direction() -> None:
    assert list(relative_gaps(pd.Series([-1.0]), pd.Series([-2.0]), pd.Series(["min"]))) == pytest.approx([50.0])


def test_a_reference_of_zero_has_no_gaps() -> None:
    with pytest.raises(UsageError, match="reference is 0"):
        relative_gaps(pd.Series([0.3]), pd.Series([0.0]), pd.Series(["min"]))


SINGLES = table(
    ("b-slow", "single", {"b/err": 0.30, "b/auc": 0.70}),
    ("b-good", "single", {"b/err": 0.20, "b/auc": 0.80}),
    ("b-diverged", "single", {"b/err": NAN, "b/auc": NAN}),
    ("c-only", "single", {"c/rmse": 10.0}),
)


def test_the_best_single_task_training_is_the_reference() -> None:
    assert chosen_singles(SINGLES) == ["b-good", "c-only"]
    references = chosen_references(SINGLES, purpose="select", split="validation")
    assert references.droplevel([0, 1]).to_dict() == {"b/auc": 0.8, "b/err": 0.2, "c/rmse": 10.0}


def test_reported_references_are_means_over_seeds() -> None:
    seeds = [table((f"c-s{seed}", "single", {"c/rmse": value}), purpose="report") for seed, value in ((1, 4), (2, 6))]
    references = chosen_references(pd.concat([SINGLES, *seeds]), purpose="report", split="test")
    assert references.to_dict() == {("p", "a", "c/rmse"): 5.0}


def test_delta_m_is_the_mean_over_metrics_and_a_gap_the_mean_over_a_tasks_metrics() -> None:
    both = pd.concat([SINGLES, table(("m", "equal", {"b/err": 0.22, "b/auc": 0.76, "c/rmse": 13.0}))])
    runs = add_gaps(both, chosen_references(both, purpose="select", split="validation"), split="validation")
    assert dict(zip(runs["metric"], runs["gap"].round(9), strict=True)) == {"b/err": 10, "b/auc": 5, "c/rmse": 30}
    gaps = gap_table(runs).set_index("task")["gap"]
    assert gaps.to_dict() == pytest.approx({"b": 7.5, "c": 30.0})
    (run,) = per_run(runs).to_dict("records")
    assert run["delta_m"] == pytest.approx(-15.0)
    assert run["worst"] == pytest.approx(30.0)


def test_a_diverged_training_has_no_delta_m() -> None:
    both = pd.concat([SINGLES, table(("m", "equal", {"b/err": NAN, "b/auc": NAN, "c/rmse": 9.0}))])
    runs = add_gaps(both, chosen_references(both, purpose="select", split="validation"), split="validation")
    assert per_run(runs)["delta_m"].isna().all()
    assert per_run(runs)["worst"].isna().all()
