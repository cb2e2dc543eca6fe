"""Runs that several columns name together, or one that seldom does."""

from __future__ import annotations

from pathlib import Path

import pytest

from lcode.readers.read import read_logs

EPOCHS = (1, 2, 3)


@pytest.mark.parametrize(
    ("header", "values", "runs"),
    [
        ("dataset,fold,epoch", ["cora,0", "cora,1", "dblp,0"], ("cora/0", "cora/1", "dblp/0")),
        ("label,model,epoch", ["new,gcn", "new,gat", "old,gcn"], ("new/gcn", "new/gat", "old/gcn")),
        ("dataset,epoch", ["cora", "dblp"], ("cora", "dblp")),
        (
            "hidden,lr,epoch",
            ["32,0.1", "64,0.1", "64,0.2"],
            ("hidden=32/lr=0.1", "hidden=64/lr=0.1", "hidden=64/lr=0.2"),
        ),
    ],
)
def test_runs_are_called_after_what_tells_their_rows_apart(
    tmp_path: Path, header: str, values: list[str], runs: tuple[str, ...]
) -> None:
    rows = "".join(f"{value},{epoch},{epoch / 8}\n" for value in values for epoch in EPOCHS)
    (tmp_path / "a.csv").write_text(f"{header},val_acc\n{rows}")
    table = read_logs(tmp_path / "a.csv")
    assert table.run_ids == runs
    assert table.points["value"].tolist() == [0.125, 0.25, 0.375] * len(runs)
    assert {name.split(",")[0] for name in [header]} <= set(table.configs.columns)


@pytest.mark.parametrize(
    ("columns", "runs"),
    [
        ("method,seed,epoch,metric,value", ("a/0", "a/1", "b/0", "b/1")),
        ("method,epoch,task,metric,value", ("a", "b")),
        ("dataset,method,epoch,metric,task,value", ("a", "b")),
    ],
)
@pytest.mark.parametrize("by_metric", [True, False])
def test_so_are_those_of_a_table_with_a_value_per_row(
    tmp_path: Path, columns: str, runs: tuple[str, ...], by_metric: bool
) -> None:
    rows = [
        {"dataset": "nyu", "method": run, "seed": seed, "epoch": at, "task": task, "metric": metric, "value": at / 8}
        for run in ("a", "b")
        for seed in ((0, 1) if "seed" in columns else (0,))
        for task in (("seg", "depth") if "task" in columns else ("",))
        for metric in ("val_loss", "val_acc")
        for at in EPOCHS
    ]
    rows.sort(key=lambda row: str(row["metric"] if by_metric else row["method"]))
    cells = [",".join(str(row[name]) for name in columns.split(",")) for row in rows]
    (tmp_path / "log.csv").write_text("\n".join([columns, *cells]) + "\n")
    table = read_logs(tmp_path / "log.csv")
    assert table.run_ids == runs
    assert table.points["value"].sum() == sum(EPOCHS) / 8 * len(rows) / len(EPOCHS)


def test_texts_that_are_others_in_each_row_name_no_run(tmp_path: Path) -> None:
    rows = "".join(f"{epoch},{epoch / 8},saved {start}.{epoch}\n" for start in (0, 1) for epoch in EPOCHS)
    (tmp_path / "a.csv").write_text(f"epoch,val_acc,note\n{rows}")
    assert read_logs(tmp_path / "a.csv").run_ids == ("a", "a#2")


@pytest.mark.parametrize("column", ["Name", "run_name", "Run Name", "runName", "experiment.name", "Lauf", "Run.Hash"])
def test_a_column_that_only_names_the_runs_is_no_setting(tmp_path: Path, column: str) -> None:
    rows = "".join(f"{run},{epoch},{epoch / 8}\n" for run in ("a", "b") for epoch in EPOCHS)
    (tmp_path / "log.csv").write_text(f"{column},epoch,val_acc\n{rows}")
    table = read_logs(tmp_path / "log.csv")
    assert table.run_ids == ("a", "b") and not len(table.configs.columns)
