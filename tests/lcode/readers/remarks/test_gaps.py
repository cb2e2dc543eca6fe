"""A value that is finite again later is no divergence: the curve is forecast, and the user is told of the gap."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lcode.decisions import final_values, rank
from lcode.forecasters.last_value import LastValueForecaster
from lcode.readers import read_logs


def written(folder: Path, losses: dict[str, list[str]]) -> Path:
    """A wide table with one loss per run, and an accuracy beside it."""
    path = folder / "logs.csv"
    rows = [
        f"{run},{epoch},{loss},0.5,10" for run, curve in losses.items() for epoch, loss in enumerate(curve, start=1)
    ]
    path.write_text("\n".join(["run,epoch,seg/loss,seg/acc,horizon", *rows, ""]))
    return path


def test_the_better_run_is_ranked_by_its_values_and_the_gap_is_named(tmp_path: Path) -> None:
    table = read_logs(written(tmp_path, {"a": ["2.0", "inf", "inf", "0.5"], "b": ["2.0", "nan", "1.9", "1.8"]}))
    gaps = [note for note in table.notes if "gaps" in note]
    assert gaps == [
        "NaN or infinite, and finite again later, so read as gaps: a seg/loss (epochs 2 to 3), b seg/loss (epoch 2)."
    ]
    forecast = LastValueForecaster().predict(table)
    assert (forecast.status == "ok").all()
    ranking = rank(forecast, baseline={"seg/loss": 1.0, "seg/acc": 0.5})
    assert ranking.runs == ("a", "b") and ranking.action[0] == "continue"


def test_a_curve_that_stays_undefined_has_diverged_and_is_no_gap(tmp_path: Path) -> None:
    table = read_logs(written(tmp_path, {"a": ["2.0", "1.0", "nan", "nan"], "b": ["2.0", "inf", "1.0", "inf"]}))
    notes = " ".join(table.notes)
    assert "b seg/loss (epoch 2)." in notes and "a seg/loss" not in notes
    assert [table.curve(run, "seg/loss").diverged_at for run in ("a", "b")] == [3, 4]
    assert table.curve("b", "seg/loss").gaps == ((2, 2),)
    assert table.curve("b", "seg/loss").epochs.tolist() == [1, 3]
    assert np.isnan(final_values(table)[:, 0]).all()


def test_of_many_gaps_a_few_are_named(tmp_path: Path) -> None:
    table = read_logs(written(tmp_path, {f"r{i}": ["1.0", "nan", "0.5"] for i in range(8)}))
    assert "r4 seg/loss (epoch 2) and 3 more." in " ".join(table.notes)
