"""NaN behind the last evaluation, while the next one is still to come."""

from __future__ import annotations

from pathlib import Path

from lcode.readers.read import read_logs


def test_nan_until_the_next_evaluation_is_no_divergence(tmp_path: Path) -> None:
    rows = [
        f"{run},{epoch},{1 / epoch},{epoch / 100 if epoch % 5 == 0 else 'NaN'}"
        for run, last in (("a", 20), ("b", 13), ("c", 3), ("d", 16))
        for epoch in range(1, last + 1)
    ]
    rows += [f"d,{epoch},{1 / epoch},NaN" for epoch in range(17, 21)]  # the evaluation at 20 was no number
    (tmp_path / "log.csv").write_text("run,epoch,train_loss,val_acc\n" + "\n".join(rows) + "\n")
    table = read_logs(tmp_path / "log.csv")
    at = {run: points["epoch"].tolist() for run, points in table.points.groupby("run", observed=True)}
    assert at == {"a": [*range(1, 21)], "b": [*range(1, 11)], "d": [*range(1, 21)]}
    assert not table.curve("c", "val_acc").epochs.size


def test_nan_at_the_end_of_a_curve_measured_each_epoch_has_diverged(tmp_path: Path) -> None:
    rows = [f"{epoch},{1 / epoch},{epoch / 100 if epoch < 9 else 'NaN'}" for epoch in range(1, 12)]
    (tmp_path / "log.csv").write_text("epoch,train_loss,val_acc\n" + "\n".join(rows) + "\n")
    assert read_logs(tmp_path / "log.csv").points["value"].isna().sum() == 3
