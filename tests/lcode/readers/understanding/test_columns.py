"""Which column names the run, which counts the epochs, and which are no curves."""

from __future__ import annotations

from pathlib import Path

import pytest

from lcode.errors import InputError
from lcode.readers import Choices, read_logs
from lcode.table import RunTable

ROWS = [(run, epoch) for run in ("a", "b") for epoch in (1, 2, 3)]


def table(tmp_path: Path, extra: str = "", cells: str = "", **options: object) -> RunTable:
    """Two runs of three epochs with two curves; `cells` may use run, epoch and row."""
    lines = [f"run,epoch,seg/acc,depth/rmse{extra}"]
    for row, (run, epoch) in enumerate(ROWS):
        rest = cells.format(run=run, epoch=epoch, row=row, half=epoch / 2, tenth=0.1 * (run == "b") + 0.1)
        lines.append(f"{run},{epoch},{0.1 * epoch:.1f},{1 / epoch:.2f}{rest}")
    (tmp_path / "runs.csv").write_text("\n".join([*lines, ""]))
    return read_logs(tmp_path / "runs.csv", **options)  # type: ignore[arg-type]


def keys(read: RunTable) -> list[str]:
    return [metric.key for metric in read.metrics]


@pytest.mark.parametrize(
    ("name", "cell", "reason"),
    [
        ("step", "{epoch}0", "counter"),
        ("trainer/global_step", "{epoch}0", "counter"),
        ("eval/reach-v2/NumEpisodes", "10", "counter"),
        ("Unnamed: 0", "{row}", "index"),
        ("", "{row}", "index"),
        ("elapsed", "{half}", "clock"),
        ("_timestamp", "17{epoch}", "clock"),
        ("time_total_s", "{half}", "clock"),
        ("eval_samples_per_second", "{half}", "speed"),
        ("gpu_mem", "{half}", "bookkeeping"),
        ("train/max_mem", "{half}", "bookkeeping"),
        ("training_cpu_memory_MB", "{half}", "bookkeeping"),
        ("communication_cost_mb", "{half}", "bookkeeping"),
        ("rss", "{half}", "bookkeeping"),
        ("s/batch", "{half}", "speed"),
        ("seg/acc__MIN", "0.1", "range of a chart"),
        ("lcode/seg/acc", "0.1", "forecast"),
        ("seen", "{epoch}00", "counter"),
        ("when", "at {epoch}", "text"),
    ],
)
def test_what_is_no_curve_is_left_out_and_named(tmp_path: Path, name: str, cell: str, reason: str) -> None:
    read = table(tmp_path, f",{name}", f",{cell}")
    assert keys(read) == ["seg/acc", "depth/rmse"] and len(read.points) == 12
    assert read.reading is not None
    assert read.reading.left_out == {name or "Unnamed: 4": reason}


def test_constants_of_a_run_are_its_configuration(tmp_path: Path) -> None:
    read = table(tmp_path, ",optimizer,alpha,layers", ",{run}dam,{tenth},2")
    assert read.configs.to_dict("list") == {"optimizer": ["adam", "bdam"], "alpha": [0.1, 0.2], "layers": [2.0, 2.0]}


def test_words_in_every_row_are_no_curve_whatever_the_columns_name(tmp_path: Path) -> None:
    read = table(tmp_path, ",loss_weighting,roc_plot_auc", ",fixed,/roc/{epoch}.png")
    assert keys(read) == ["seg/acc", "depth/rmse"] and read.configs.to_dict("list") == {"loss_weighting": ["fixed"] * 2}
    assert read.reading is not None and read.reading.left_out == {"roc_plot_auc": "text"}
    with pytest.raises(InputError, match="'None' is not a number"):
        table(tmp_path, ",cls/acc", ",None")


def test_epochs_that_were_set_for_each_of_several_trainings_count_no_rows(tmp_path: Path) -> None:
    rows = "".join(f"{epochs},0.{at * 3 % 7},0.{at}\n" for at, epochs in enumerate([9, 6, 7, 5, 9, 6, 9]))
    (tmp_path / "a.csv").write_text("epochs,alpha,rmse\n" + rows)
    with pytest.raises(InputError, match="'epochs' goes back in many rows"):
        read_logs(tmp_path / "a.csv")


def test_an_object_in_each_cell_is_no_curve(tmp_path: Path) -> None:
    rows = "".join(f'{epoch},0.{epoch},"{{""0"": 0.{epoch}}}"\n' for epoch in (1, 2, 3))
    (tmp_path / "a.csv").write_text("epoch,acc,f1_per_class\n" + rows)
    read = read_logs(tmp_path / "a.csv")
    assert keys(read) == ["acc"] and read.reading is not None and read.reading.left_out == {"f1_per_class": "text"}


@pytest.mark.parametrize("name", ["max_depth", "train_sizes", "n_neighbors", "training fraction"])
def test_rows_of_trainings_of_another_size_each_are_no_run(tmp_path: Path, name: str) -> None:
    text = f"{name},train_score,test_score\n" + "".join(f"{at},0.9,0.{at}\n" for at in range(1, 10))
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError, match=f"each row has another '{name}'"):
        read_logs(tmp_path / "a.csv")
    assert keys(read_logs(tmp_path / "a.csv", choices=Choices(epoch=name))) == ["test_score"]


def test_a_metric_that_stands_still_is_a_curve(tmp_path: Path) -> None:
    assert keys(table(tmp_path, ",cls/acc", ",0.5")) == ["seg/acc", "depth/rmse", "cls/acc"]


def test_what_the_user_says_is_stronger(tmp_path: Path) -> None:
    assert keys(table(tmp_path, ",elapsed", ",{half}", directions={"elapsed": "min"}))[-1] == "elapsed"
    read = table(tmp_path, ",cls/acc", ",0.5", choices=Choices(config=("cls/acc",)))
    assert list(read.configs) == ["cls/acc"]
    read = table(tmp_path, ",cls/acc", ",0.5", choices=Choices(ignore=("cls/*",)))
    assert keys(read) == ["seg/acc", "depth/rmse"]
    read = table(tmp_path, ",cls/acc", ",0.5", choices=Choices(only=("cls/*", "seg/*")))
    assert keys(read) == ["seg/acc", "cls/acc"] and set(read.signals["metric"]) == {"depth/rmse"}
    read = table(tmp_path, ",round", ",{epoch}00", choices=Choices(epoch="round"))
    assert set(read.points["epoch"]) == {100, 200, 300} and read.reading is not None and read.reading.axis == ("round",)


def test_a_column_that_is_not_there_lists_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no column 'when'; found: run, epoch"):
        table(tmp_path, choices=Choices(epoch="when"))
    (tmp_path / "x.csv").write_text("run,acc\na,1\n")
    with pytest.raises(InputError, match=r"no column counts .*a table of results with a row for each 'run'"):
        read_logs(tmp_path / "x.csv")


@pytest.mark.parametrize("name", ["Epoch", "step", "global_step", "training_iteration", "iter", "TotalEnvSteps"])
def test_the_axis_by_other_names(tmp_path: Path, name: str) -> None:
    (tmp_path / "r.csv").write_text(f"{name},err\n1,0.5\n2,0.4\n3,0.3\n")
    read = read_logs(tmp_path / "r.csv")
    assert read.points["epoch"].tolist() == [1, 2, 3] and read.run_ids == ("r",)


@pytest.mark.parametrize("evaluations", [3, 8])
def test_a_training_of_one_epoch_is_counted_in_steps(tmp_path: Path, evaluations: int) -> None:
    rows = "".join(f"0,{100 * i},{1 / i:.3f}\n" for i in range(1, evaluations + 1))
    (tmp_path / "llm.csv").write_text("epoch,step,eval_loss\n" + rows)
    read = read_logs(tmp_path / "llm.csv")
    assert read.points["epoch"].tolist() == [100 * i for i in range(1, evaluations + 1)]


def test_evaluations_within_many_epochs_are_counted_in_steps(tmp_path: Path) -> None:
    steps = [10 * at for at in range(1, 33)]
    for name, often in (("val_loss", 1), ("loss", 0)):
        rows = "".join(f"{at // 80},{at},{1 / at:.3f}\n" for at in steps)
        (tmp_path / f"{name}.csv").write_text(f"epoch,step,{name}\n" + rows)
        epochs = read_logs(tmp_path / f"{name}.csv").points["epoch"].tolist()
        assert epochs == (steps if often else [0, 1, 2, 3, 4])


def test_a_wrong_cell_is_still_an_error_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"line 3, column 'seg/loss': 'oops' is not a number"):
        (tmp_path / "runs.csv").write_text("run,epoch,seg/loss\na,1,0.5\na,2,oops\na,3,0.4\n")
        read_logs(tmp_path / "runs.csv")


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("pass,acc\n3,0.1\n7,0.2\n9,0.3\n", "say so: --epoch 'pass'"),
        ("method,acc,f1\nours,0.1,0.2\ntheirs,0.2,0.1\n", "a row for each 'method'"),
        ("data,layers,acc\na,5,0.1\na,5,0.2\nb,5,0.1\n", "a row for each 'data'"),
        ("acc,f1\n0.1,0.3\n0.2,0.1\n", "add a column 'epoch'"),
    ],
)
def test_what_to_do_where_no_column_counts(tmp_path: Path, text: str, remedy: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=remedy):
        read_logs(path)


@pytest.mark.parametrize("name", ["method", "fold", "seed"])
def test_rows_by_turns_are_runs_where_a_column_tells_them_apart(tmp_path: Path, name: str) -> None:
    path = tmp_path / "results.csv"
    path.write_text(f"{name},epoch,val_acc\n1,1,0.5\n2,1,0.25\n1,2,0.75\n2,2,0.5\n")
    points = read_logs(path).points
    assert points.groupby("run", observed=True)["value"].apply(list).tolist() == [[0.5, 0.75], [0.25, 0.5]]


def test_the_same_column_counts_in_every_file_whatever_the_order_of_the_columns(tmp_path: Path) -> None:
    rows = {"TotalEnvSteps": (75, 150, 225), "Evaluation/Iteration": (0, 1, 2), "Evaluation/AverageReturn": (5, 6, 7)}
    for name, order in (("a", sorted(rows)), ("b", sorted(rows, reverse=True))):
        lines = [",".join(order), *(",".join(str(rows[column][at]) for column in order) for at in range(3))]
        (tmp_path / f"{name}.csv").write_text("\n".join([*lines, ""]))
    read = read_logs(tmp_path)
    assert len(read) == 2 and set(read.runs["horizon"]) == {225}


@pytest.mark.parametrize(
    ("head", "scored"),
    [
        ("époque,perte,précision,exactitude,perte_validation", ["précision", "exactitude", "perte_validation"]),
        ("Durchgang,Verlust,Genauigkeit,Validierungsverlust,Dauer", ["Genauigkeit", "Validierungsverlust"]),
        ("Epoca,Perdita di prova,val_loss,train_loss,lr", ["val_loss"]),
    ],
)
def test_names_of_other_languages(tmp_path: Path, head: str, scored: list[str]) -> None:
    (tmp_path / "a.csv").write_text(
        f"{head}\n" + "".join(f"{e},0.{9 - e},0.{e},0.{e},0.{9 - e}\n" for e in range(1, 6))
    )
    assert [metric.key for metric in read_logs(tmp_path / "a.csv").metrics] == scored
