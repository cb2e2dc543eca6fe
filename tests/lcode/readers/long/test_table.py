"""Read by blocks, a long table holds the runs that it holds when it is read whole."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from lcode.errors import InputError
from lcode.readers import Choices, read_logs
from lcode.readers.long import LongTable
from lcode.table import RunTable
from lcode.table.points import plain

RUNS = 30


def wide() -> pd.DataFrame:
    """Runs of 3 to 8 of 10 epochs, of which every fifth has finished; some columns say something only late."""
    rng = np.random.default_rng(0)
    rows = []
    for at in range(RUNS):
        last = 10 if at % 5 == 0 else int(rng.integers(3, 9))
        for epoch in range(1, last + 1):
            late = at >= 22
            rows.append(
                {
                    "run": f"run {at}", "epoch": epoch, "seg/miou": rng.uniform(), "horizon": 10,
                    "depth/abs_err": rng.uniform() if late else None, "lr": 0.1 / epoch if late else 0.1,
                    "width": 32 * (1 + at % 3), "drift": epoch if at == 25 else 1.0, "config.name": "ab"[at % 2],
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def layouts() -> dict[str, pd.DataFrame]:
    """Tables of the same runs."""
    table = wide()
    curves = ["seg/miou", "depth/abs_err"]
    fixed = ["run", "epoch", "config.name"]
    long = table.melt(fixed, curves, var_name="metric").dropna(subset=["value"])
    half = table.assign(epoch=np.where(table["run"] == "run 23", table["epoch"] / 2, table["epoch"]))
    return {
        "wide": table,
        "a value per row": long.sort_values(["run", "epoch"], kind="stable"),
        "halves of epochs in one run": half,
        "no horizon, the longest run last": table.drop(columns="horizon").assign(
            epoch=np.where(table["run"] == "run 29", table["epoch"] * 3, table["epoch"])
        ),
        "numbers as names": table.assign(run=table["run"].str.removeprefix("run ").astype(int)),
        "categories": table.astype({"run": "category", "config.name": "category"}),
        "blanks around names": table.rename(columns={"run": " run "}),
        "runs by turns": table.sort_values("epoch", kind="stable"),
        "a value per row, by turns": long.sort_values(["metric", "epoch"], kind="stable"),
    }


def same(one: RunTable, other: RunTable) -> None:
    """Both tables hold the same of these runs."""
    assert one.metrics == other.metrics and one.epoch_unit == other.epoch_unit
    for ours, theirs in ((one.runs, other.runs), (one.configs, other.configs)):
        assert_frame_equal(ours, theirs, check_dtype=False)
    for ours, theirs in ((one.points, other.points), (one.signals, other.signals)):
        assert_frame_equal(plain(ours), plain(theirs))
    assert {run: plan.rates.tolist() for run, plan in one.schedules.items()} == {
        run: plan.rates.tolist() for run, plan in other.schedules.items()
    }


@pytest.mark.parametrize("layout", sorted(layouts()))
def test_blocks_hold_what_the_whole_table_holds(layout: str, tmp_path: Path) -> None:
    path = tmp_path / "runs.parquet"
    layouts()[layout].to_parquet(path, index=False, row_group_size=25)
    read = partial(read_logs, path, known={"drift": "min"})
    whole, long = read(), LongTable.open(path, Choices(), tmp_path / "scratch", cells=1, rows=50)
    assert long is not None
    blocks = list(long.blocks(lambda some: read(rows=some)))
    assert len(blocks) > 2
    assert [run for block in blocks for run in block.run_ids] == list(whole.run_ids)
    for block in blocks:
        same(block, whole.select(block.run_ids))
    some = [whole.run_ids[at] for at in (28, 2, 17)]
    same(long.select(some, lambda some: read(rows=some)), whole.select(sorted(some, key=whole.run_ids.index)))
    outline = long.outline(lambda some: read(rows=some))
    assert_frame_equal(outline.runs, whole.runs)
    pd.testing.assert_series_equal(outline.last_epochs, whole.last_epochs)
    assert outline.metrics == whole.metrics and [*outline.configs] == [*whole.configs]
    assert (len(outline.points) <= 2 * RUNS) and outline.reading == whole.reading


def test_a_folder_of_parts_is_one_table(tmp_path: Path) -> None:
    table, folder = wide().astype({"epoch": float}), tmp_path / "runs"
    folder.mkdir()
    (folder / "_SUCCESS").touch()
    for number, begin in enumerate(range(0, len(table), 70)):  # a run may go on in the next file
        part = table.iloc[begin : begin + 70].astype({"epoch": "int32" if number else float})
        part.to_parquet(folder / f"part-{number}.parquet", index=False)
    read = partial(read_logs, folder, known={"drift": "min"})
    whole, long = read(), LongTable.open(folder, Choices(), tmp_path / "scratch", cells=1, rows=50)
    assert long is not None and not (tmp_path / "scratch").exists()
    blocks = list(long.blocks(lambda some: read(rows=some)))
    assert [run for block in blocks for run in block.run_ids] == list(whole.run_ids)
    for block in blocks:
        same(block, whole.select(block.run_ids))


@pytest.mark.parametrize("odd", ["short", "another column", "no run", "no Parquet", "a file beside them"])
def test_other_tables_are_read_whole(odd: str, tmp_path: Path) -> None:
    table, folder = wide(), tmp_path / "runs"
    folder.mkdir()
    table.drop(columns="run" if odd == "no run" else []).to_parquet(folder / "a.parquet")
    if odd == "another column":
        table.assign(more=1.0).to_parquet(folder / "b.parquet")
    elif odd == "no Parquet":
        (folder / "a.parquet").write_bytes(b"PAR1 and no more")
    elif odd == "a file beside them":
        table.to_csv(folder / "b.csv")
    cells = 10**5 if odd == "short" else 1
    assert LongTable.open(folder, Choices(), tmp_path / "scratch", cells=cells) is None
    one = None if odd in ("short", "no run", "no Parquet") else folder / "a.parquet"
    assert one is None or LongTable.open(one, Choices(), tmp_path / "scratch", cells=cells) is not None


@pytest.mark.parametrize("together", [True, False])
def test_an_error_names_the_file_and_its_row(tmp_path: Path, together: bool) -> None:
    folder, table = tmp_path / "runs", wide().drop(columns="drift")
    folder.mkdir()
    table = pd.concat([table, table.tail(1).assign(**{"seg/miou": 7.0})], ignore_index=True)
    if not together:
        table = table.iloc[[*range(3, len(table)), *range(3)]]
    table.iloc[:100].to_parquet(folder / "a.parquet")
    table.iloc[100:].to_parquet(folder / "b.parquet")
    long = LongTable.open(folder, Choices(), tmp_path / "scratch", cells=1, rows=30)
    assert long is not None
    line = len(table) - 100 - (0 if together else 3)
    with pytest.raises(InputError, match=f"b.parquet, line {line}.*here, but .* on line {line - 1}"):
        long.outline(lambda some: read_logs(folder, rows=some))
