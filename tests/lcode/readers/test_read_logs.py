from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lcode.errors import InputError, UsageError
from lcode.readers import read_logs
from lcode.table import Metric, RunTable
from lcode.table.runlog import RunHeader, RunLogWriter

ERR = Metric("seg", "err", "min")


def read(tmp_path: Path, text: str, name: str = "runs.csv") -> RunTable:
    (tmp_path / name).write_text(text)
    return read_logs(tmp_path / name)


def test_reading_loads_no_torch() -> None:
    code = "import sys, lcode.readers; sys.exit(any(name.split('.')[0].startswith('torch') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# Directions.


def test_directions_are_inferred_and_told(tmp_path: Path) -> None:
    table = read(tmp_path, "run,epoch,seg/miou,depth/abs_err\na,1,0.5,0.1\n")
    assert table.metrics == (Metric("seg", "miou", "max"), Metric("depth", "abs_err", "min"))
    assert "direction inferred: seg/miou=max, depth/abs_err=min." in table.notes


def test_stated_directions_win_by_key_then_by_bare_name(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("run,epoch,horizon,a/foo,b/foo,err\nr,1,9,1,2,3\n")
    table = read_logs(path, directions={"foo": "max", "b/foo": "min", "main/err": "max"})
    assert [(metric.key, metric.direction) for metric in table.metrics] == [
        ("a/foo", "max"),
        ("b/foo", "min"),
        ("err", "max"),
    ]
    assert not table.notes


def test_a_direction_or_target_without_metric_lists_those_there_are(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("run,epoch,seg/miou\nr,1,1\n")
    with pytest.raises(UsageError, match=r"'seg/iou'.*seg/miou"):
        read_logs(path, directions={"seg/iou": "max"})
    with pytest.raises(UsageError, match=r"'acc'.*seg/miou"):
        read_logs(path, targets=["acc"])
    with pytest.raises(UsageError, match="'up'"):
        read_logs(path, directions={"miou": "up"})  # type: ignore[dict-item]


def test_with_targets_other_columns_of_unknown_direction_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("run,epoch,seg/miou,spread\nr,1,1,7\n")
    table = read_logs(path, targets=["seg/miou"])
    assert [metric.key for metric in table.metrics] == ["seg/miou"]
    assert set(table.points["metric"]) == {"seg/miou"}
    assert any("no targets: spread" in note for note in table.notes)
    with pytest.raises(InputError, match="--direction spread=max"):
        read_logs(path, targets=["spread"])


def test_curves_of_a_tool_whose_direction_is_unknown_are_signals_until_it_is_stated(tmp_path: Path) -> None:
    path = tmp_path / "progress.csv"
    path.write_text("step,loss,grad_norm,aggregation_time\n10,3,1,7\n20,2,4,8\n30,1,2,7\n")
    table = read_logs(path)
    assert [metric.key for metric in table.metrics] == ["loss"]
    assert table.reading is not None and table.reading.left_out["aggregation_time"] == "clock"
    assert table.signals[["epoch", "metric", "value"]].values.tolist() == [
        [10, "main/grad_norm", 1],
        [20, "main/grad_norm", 4],
        [30, "main/grad_norm", 2],
    ]
    assert any("--direction grad_norm=max" in note for note in table.notes)
    scored = read_logs(path, directions={"grad_norm": "min"})
    assert [metric.key for metric in scored.metrics] == ["loss", "grad_norm"]
    assert scored.signals.empty


# Epochs and values.


def test_epochs_may_be_unsorted_irregular_and_start_at_zero(tmp_path: Path) -> None:
    table = read(tmp_path, "run,epoch,acc\na,7,0.7\na,0,0.1\nb,1,0.5\na,2.0,0.2\n")
    curve = table.curve("a", "acc")
    assert curve.epochs.tolist() == [0, 2, 7]
    assert curve.values.tolist() == [0.1, 0.2, 0.7]
    assert table.runs["horizon"].tolist() == [7, 7]
    assert table.runs["status"].tolist() == ["finished", "running"]


def test_a_run_of_one_epoch_and_cells_with_blanks_are_read(tmp_path: Path) -> None:
    table = read(tmp_path, "\ufeffrun, epoch, acc\r\n a , 1 , +0.5 \r\n\r\n")
    assert table.run_ids == ("a",)
    assert table.curve("a", "acc").values.tolist() == [0.5]


@pytest.mark.parametrize("text", ["nan", "NaN", "inf", "-inf", "Infinity"])
def test_explicit_non_finite_values_mean_divergence(text: str, tmp_path: Path) -> None:
    table = read(tmp_path, f"run,epoch,acc,err\na,1,0.5,1\na,2,{text},\na,3,{text},2\n")
    assert table.curve("a", "acc").diverged_at == 2
    assert table.curve("a", "err").diverged_at is None
    assert len(table.points) == 5


def test_rows_without_values_at_the_end_are_a_divergence(tmp_path: Path) -> None:
    table = read(tmp_path, "run,epoch,acc,err\na,1,0.5,1\na,2,,\na,3,,\nb,1,0.5,1\nb,2,,2\n")
    assert table.curve("a", "acc").diverged_at == table.curve("a", "err").diverged_at == 2
    assert table.curve("b", "acc").diverged_at is None
    assert any("1 runs end in rows without values" in note and "(a)" in note for note in table.notes)


def test_a_run_measured_now_and_then_has_not_diverged_between_two_measurements(tmp_path: Path) -> None:
    text = "run,epoch,acc,lr\n" + "".join(f"a,{e},{0.5 if e % 3 == 0 else ''},\n" for e in range(1, 9))
    table = read(tmp_path, text)
    assert table.curve("a", "acc").diverged_at is None
    assert table.curve("a", "acc").epochs.tolist() == [3, 6]


def test_exact_duplicates_are_merged_and_counted(tmp_path: Path) -> None:
    table = read(tmp_path, "run,epoch,acc,err\na,1,0.5,nan\na,1,0.50,nan\na,1,0.5,\n")
    assert len(table.points) == 2
    assert "runs.csv: 3 repeated values were merged." in table.notes


def test_empty_columns_are_left_out(tmp_path: Path) -> None:
    table = read(tmp_path, "run,epoch,acc,foo\na,1,0.5,\n")
    assert [metric.key for metric in table.metrics] == ["acc"]
    assert "left out, since they are empty: foo." in table.notes


# What is known of a run.


def test_hyper_parameters_keep_their_kind(tmp_path: Path) -> None:
    header = "run,epoch,acc,config.lr,config.opt,config.clip,config.mixed\n"
    table = read(tmp_path, header + "a,1,1,0.1,sgd,true,1\na,2,1,0.10,,,\nb,1,1,,adam,false,x\n")
    assert table.configs["lr"].dtype == float and table.configs["lr"].isna().tolist() == [False, True]
    assert table.configs["opt"].tolist() == ["sgd", "adam"]
    assert table.configs["clip"].dtype == bool
    assert table.configs["mixed"].tolist() == ["1", "x"]


def test_seconds_and_the_learning_rate_of_trained_epochs_are_signals(tmp_path: Path) -> None:
    table = read(tmp_path, "run,epoch,acc,lr,seconds\na,1,0.5,0.1,2\na,2,0.6,0.05,3\n")
    signals = table.signals.pivot_table(index="epoch", columns="metric", values="value", observed=True)
    assert signals["main/lr"].tolist() == [0.1, 0.05]
    assert signals["main/seconds"].tolist() == [2, 3]


GRAPH = {"nodes": [{"op": "linear", "params": 8}, {"op": "relu"}], "edges": [[0, 1]]}


def test_graphs_are_found_by_architecture_and_by_run(tmp_path: Path) -> None:
    graphs = tmp_path / "graphs.json"
    graphs.write_text(json.dumps({"mlp": GRAPH, "b": GRAPH, "c": GRAPH}))
    path = tmp_path / "runs.csv"
    path.write_text("run,epoch,acc,arch\na,1,1,mlp\nb,1,1,\nc,1,1,gone\nd,1,1,gone\n")
    table = read_logs(path, graphs=graphs)
    assert table.runs["arch"].tolist() == ["mlp", "b", "c", "gone"]
    assert table.graphs["mlp"].ops == ("linear", "relu")
    assert "no graph for these architectures in graphs.json: gone." in table.notes
    path.write_text("run,epoch,acc\na,1,1\nb,1,1\n")
    assert "no graph in graphs.json for 1 run: a." in read_logs(path, graphs=graphs).notes
    path.write_text("run,epoch,acc,arch\nx,1,1,gone\ny,1,1,\n")
    with pytest.raises(InputError, match=r"graphs\.json.*its keys are mlp, b, c, the runs are x, y"):
        read_logs(path, graphs=graphs)


# Growing files.


@pytest.mark.parametrize("tail", ["a,3", "a,3,", "a,3,0.", "a,3x,0.7", 'a,3,"0.'])
def test_a_torn_last_line_of_a_growing_csv_is_skipped_or_whole(tail: str, tmp_path: Path) -> None:
    table = read(tmp_path, "run,epoch,acc\na,1,0.5\na,2,0.6\n" + tail)
    assert table.curve("a", "acc").epochs.tolist()[:2] == [1, 2]
    assert len(table.points) + sum("incomplete" in note for note in table.notes) in (2, 3)


def test_a_torn_last_line_is_told(tmp_path: Path) -> None:
    table = read(tmp_path, "run,epoch,acc\na,1,0.5\na,2")
    assert table.last_epochs["a"] == 1
    assert "runs.csv: the last line is incomplete and was skipped." in table.notes
    table = read(tmp_path, "run,epoch,acc,status\na,1,0.5,running\na,2,0.5,runn", "other.csv")
    assert table.last_epochs["a"] == 1
    table = read(tmp_path, '{"run": "a", "epoch": 1, "acc": 0.5}\n{"run": "a", "ep', "x.jsonl")
    assert table.last_epochs["a"] == 1
    assert "x.jsonl: the last line is incomplete and was skipped." in table.notes


def test_a_last_line_without_newline_counts_if_it_is_whole(tmp_path: Path) -> None:
    table = read(tmp_path, "run,epoch,acc\na,1,0.5\na,2,0.6")
    assert table.last_epochs["a"] == 2
    assert any("the last line has no line end" in note for note in table.notes)
    assert not any("line end" in note for note in read(tmp_path, "run,epoch,acc\na,1,0.5\na,2,0.6\n").notes)


@pytest.mark.parametrize("cell", ["1", "1.", "1.4", "1.4e", "1.4e-"])
def test_a_last_cell_that_is_shorter_than_all_others_is_cut(cell: str, tmp_path: Path) -> None:
    table = read(tmp_path, f"run,epoch,acc,err\na,1,0.5,1.8e-3\na,2,0.6,0.0016\na,3,0.7,{cell}")
    assert table.last_epochs["a"] == 2
    assert "runs.csv: the last line is incomplete and was skipped." in table.notes


@pytest.mark.parametrize("line", ["a,3", "a,3,0.7,0.1", "a,3,0.7,0.1,\n", "a,3\n", "a\n\n"])
def test_a_last_line_of_too_many_or_too_few_cells_is_skipped(line: str, tmp_path: Path) -> None:
    table = read(tmp_path, "run,epoch,acc\na,1,0.5\na,2,0.6\n" + line)
    assert table.last_epochs["a"] == 2
    assert any("the last line is incomplete" in note for note in table.notes)


# Run logs.


def write_log(folder: Path, run: str, n: int, **header: object) -> Path:
    with RunLogWriter(folder, RunHeader(run, 5, (ERR,), **header)) as log:  # type: ignore[arg-type]
        for epoch in range(1, n + 1):
            log.epoch(epoch, {"seg/err": 1 / epoch}, signals={"seg/grad_norm": 2.0 * epoch}, lr=0.1, seconds=1.5)
    return log.path


def test_a_growing_log_is_read_up_to_its_last_whole_line(tmp_path: Path) -> None:
    path = write_log(tmp_path, "a", 3)
    whole = path.read_bytes()
    start_of_last = whole[:-1].rfind(b"\n") + 1
    for cut in range(start_of_last + 1, len(whole) - 1, 7):
        path.write_bytes(whole[:cut])
        table = read_logs(tmp_path)
        assert table.last_epochs["a"] == 2
        assert table.notes == ("a.jsonl: the last line is incomplete and was skipped.",)
    path.write_bytes(whole[:-1])
    assert read_logs(path).last_epochs["a"] == 3


def test_status_of_a_log_is_its_last_end_line_unless_epochs_follow(tmp_path: Path) -> None:
    path = write_log(tmp_path, "a", 2)
    with path.open("a") as file:
        file.write('{"type":"end","status":"stopped","reason":"hopeless"}\n')
    assert read_logs(path).runs.loc["a", "status"] == "stopped"
    with path.open("a") as file:
        file.write('{"type":"epoch","epoch":3,"values":{"seg/err":NaN}}\n')
    table = read_logs(path)
    assert table.runs.loc["a", "status"] == "running"
    assert table.curve("a", "seg/err").diverged_at == 3


def test_headers_bring_plans_graphs_signals_and_promised_metrics(tmp_path: Path) -> None:
    from lcode.graphs.arch import ArchGraph

    one, other = ArchGraph.build(["linear"], []), ArchGraph.build(["conv"], [])
    plan = [0.5, 0.4, 0.3, 0.2, 0.1]
    write_log(tmp_path, "a", 1, arch="net", graph=one, schedule=plan, seed=4, config={"lr": 0.5})
    write_log(tmp_path, "b", 0, arch="net", graph=one)
    write_log(tmp_path, "c", 1, arch="net", graph=other)
    write_log(tmp_path, "d", 1, graph=other)
    table = read_logs(tmp_path)
    assert table.schedules["a"].rates.tolist() == plan
    assert table.runs["arch"].tolist() == ["net", "net", "c", "d"]
    assert table.graphs["c"].ops == ("conv",)
    assert table.runs.loc["a", "seed"] == 4
    assert table.last_epochs.tolist() == [1, 0, 1, 1]
    assert set(table.signals["metric"]) == {"seg/grad_norm", "main/lr", "main/seconds"}
    assert table.configs["lr"].isna().tolist() == [False, True, True, True]
    assert not table.notes


def test_reports_and_newborn_logs_beside_run_logs_are_not_read(tmp_path: Path) -> None:
    write_log(tmp_path, "a", 1)
    (tmp_path / "forecast.csv").write_text("run,task\n")
    (tmp_path / "b.jsonl").write_text('{"type":"head')
    table = read_logs(tmp_path)
    assert table.run_ids == ("a",)
    assert "b.jsonl" in table.notes[0] and "forecast.csv" in table.notes[0] and "--baseline" not in table.notes[0]
    (tmp_path / "baseline.csv").write_text("arch,task,metric,value\n")
    assert "baseline.csv (the references" in read_logs(tmp_path).notes[0]


def test_runs_of_single_tasks_below_a_sweep_are_references_and_no_candidates(tmp_path: Path) -> None:
    write_log(tmp_path, "a", 1)
    (tmp_path / "single-task").mkdir()
    write_log(tmp_path / "single-task", "single-seg-net", 1)
    table = read_logs(tmp_path)
    assert table.run_ids == ("a",) and "1 runs of a single task each, in single-task" in table.notes[0]
    assert read_logs(tmp_path / "single-task").run_ids == ("single-seg-net",)


def test_null_values_and_repeated_lines_of_a_log(tmp_path: Path) -> None:
    path = write_log(tmp_path, "a", 2)
    line = '{"type":"epoch","epoch":3,"values":{"seg/err":null}}\n'
    with path.open("a") as file:
        file.write(line + path.read_text().splitlines(keepends=True)[-1])
    table = read_logs(path)
    assert table.curve("a", "seg/err").epochs.tolist() == [1, 2]
    assert "1 repeated values in the run logs were merged." in table.notes
