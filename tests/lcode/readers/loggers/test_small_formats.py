"""Tools whose files are small enough to be written here: what is read of each, and in which direction."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lcode.errors import InputError
from lcode.readers.read import read_logs
from lcode.table.table import RunTable


def written(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def curves(table: RunTable) -> dict[str, list[float]]:
    found = table.points.groupby("metric", observed=True, sort=False)["value"].apply(list)
    return {f"{metric.key} {metric.direction}": found[metric.key] for metric in table.metrics}


def test_mtan_prints_tasks_in_blocks(tmp_path: Path) -> None:
    head = "LOSS FORMAT: SEG_LOSS MEAN_IOU | DEPTH_LOSS ABS_ERR | NORMAL_LOSS MEAN <11.25 | ∆m (test)\n"
    lines = "".join(
        f"[Epoch {e}/9]\n{head}Epoch: {e:04d} | TRAIN: 9.0 0.1 | 9.0 0.9 | 0.0 0.0 0.0 || "
        f"TEST: 1.5 0.2{e} | 0.5 0.7{e} | 0.0 0.0 0.0 | 12.{e}\n"
        for e in range(3)
    )
    table = read_logs(written(tmp_path, {"train.log": lines}) / "train.log")
    assert curves(table) == {
        "seg/loss min": [1.5] * 3,
        "seg/mean_iou max": [0.20, 0.21, 0.22],
        "depth/loss min": [0.5] * 3,
        "depth/abs_err min": [0.70, 0.71, 0.72],
        "delta_m min": [12.0, 12.1, 12.2],
    }
    assert table.runs["horizon"].tolist() == [8]


def test_allennlp_writes_a_file_per_epoch(tmp_path: Path) -> None:
    files = {
        f"run/metrics_epoch_{e}.json": json.dumps(
            {"epoch": e, "training_loss": 2.0, "validation_accuracy": e / 16, "best_validation_accuracy": e / 16}
        )
        for e in (10, 9, 8)
    }
    table = read_logs(written(tmp_path, {**files, "run/metrics.json": "{}"}))
    assert curves(table) == {"validation_accuracy max": [0.5, 0.5625, 0.625]}
    assert table.runs["status"].tolist() == ["finished"]


def test_kaldi_leaves_a_file_per_iteration_and_data_set(tmp_path: Path) -> None:
    head = "# Running on c01\nLOG (nnet3-chain-compute-prob[5.5]:PrintTotalStats():nnet-diagnostics.cc:162) "
    files = {
        f"exp/tdnn/log/compute_prob_{data}.{e}.log": head
        + f"Overall log-probability for 'output' is -0.{good}{9 - e} + -1 = -1.{good}{9 - e} per frame.\n"
        + f"{head}Overall accuracy for 'output-xent' is 0.{good}{e} per frame, over 9 frames.\n"
        for e in (2, 1, 0)
        for data, good in (("valid", 2), ("train", 1))
    }
    others = {"exp/tdnn/log/train.1.2.log": "epoch 1 loss 9.5\nepoch 2 loss 9.5\n", "exp/tdnn/final.mdl": "-"}
    root = written(tmp_path, {**files, **others})
    table = read_logs(root)
    assert curves(table) == {
        "output/log-probability max": [-1.29, -1.28, -1.27],
        "output-xent/accuracy max": [0.20, 0.21, 0.22],
    }
    assert list(table.runs.index) == ["tdnn"] and table.runs["status"].tolist() == ["finished"]
    assert len(table.signals) == 6
    assert any("1 file(s) of text logs" in note for note in table.notes)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "accuracy.report",
            "%Iter\tduration\ttrain_objective\tvalid_objective\tdifference\n"
            "0\t8.0\t0.25\t0.125\t-0.1\n1\t7.0\t0.5\t0.25\t-0.1\n2\t7.0\t0.75\t0.5\t-0.1\n",
            {"accuracy max": [0.125, 0.25, 0.5]},
        ),
        (
            "accuracy.report",
            "%Iter\tduration\ttrain_objective\tvalid_objective\tdifference\n"
            "0\t8.0\t-0.25\t-1.5\t-0.1\n1\t7.0\t-0.125\t-1.25\t-0.1\n2\t7.0\t0.0\t-1.0\t-0.1\n",
            {"log-likelihood max": [-1.5, -1.25, -1.0]},
        ),
        (
            "compute_prob_valid.7.log",
            "# nnet-compute-prob 7.mdl ark:valid.egs\nLOG (nnet-compute-prob:main():nnet-compute-prob.cc:91) "
            "Saw 40 examples, average probability is -1.25 and accuracy is 0.75 with total weight 40\n",
            {"log-likelihood max": [-1.25], "accuracy max": [0.75]},
        ),
    ],
)
def test_kaldi_in_one_file(tmp_path: Path, name: str, text: str, expected: dict[str, list[float]]) -> None:
    table = read_logs(written(tmp_path, {f"mono/{name}": text}) / "mono" / name)
    assert {key.removeprefix("val/"): values for key, values in curves(table).items()} == expected


def test_deepxde_has_a_loss_per_term(tmp_path: Path) -> None:
    rows = "0.0e+00 4.0 3.0 4.0 3.0 9.0e-01\n1.0e+03 2.0 1.0 2.0 1.0 5.0e-01\n"
    table = read_logs(written(tmp_path, {"loss.dat": f"# step, loss_train, loss_test, metrics_test\n{rows}"}))
    assert curves(table) == {"term_1/loss min": [4.0, 2.0], "term_2/loss min": [3.0, 1.0]}
    assert sorted(table.points["epoch"].unique()) == [0, 1000]


def test_dvclive_keeps_a_table_per_curve(tmp_path: Path) -> None:
    place = "dvclive/plots/metrics"
    files = {
        f"{place}/eval/loss.tsv": "step\tloss\n0\t2.5\n1\t1.5\n",
        f"{place}/eval/acc.tsv": "step\tacc\n0\t0.25\n1\t0.5\n",
        f"{place}/train/loss.tsv": "step\tloss\n0\t2.0\n1\t1.0\n",
        "dvclive/params.yaml": "lr: 0.5\n",
    }
    table = read_logs(written(tmp_path, files))
    assert sorted(curves(table)) == ["acc max", "loss min"] and len(table.runs) == 1
    assert table.configs["lr"].tolist() == [0.5]


def test_sacred_keeps_steps_and_values(tmp_path: Path) -> None:
    files: dict[str, str] = {}
    for run, status in ((1, "COMPLETED"), (2, "FAILED")):
        metrics = {
            "val.loss": {"steps": [0, 10], "values": [2.5, {"dtype": "float64", "value": 1.5}], "timestamps": []}
        }
        files |= {
            f"{run}/metrics.json": json.dumps(metrics),
            f"{run}/config.json": json.dumps({"lr": run / 2, "model": {"depth": 3}, "tags": [1]}),
            f"{run}/run.json": json.dumps({"status": status}),
        }
    table = read_logs(written(tmp_path, files))
    assert [m.direction for m in table.metrics] == ["min"] and sorted(table.points["value"]) == [1.5, 1.5, 2.5, 2.5]
    assert table.configs["lr"].tolist() == [0.5, 1.0] and table.configs["model.depth"].tolist() == [3, 3]
    assert table.runs["status"].tolist() == ["finished", "failed"]


def test_sacred_puts_a_loss_of_steps_beside_scores_of_epochs_at_their_epochs(tmp_path: Path) -> None:
    files: dict[str, str] = {}
    for run, length in ((1, 30), (2, 12)):
        steps, epochs = range(50 * length), range(length)
        curves_told = {
            "train.loss": ([*steps], [1 / (1 + at) for at in steps], [float(at) for at in steps]),
            "val.acc": ([*epochs], [at / (at + 9 + run) for at in epochs], [50 * at + 49.5 for at in epochs]),
        }
        metrics = {
            name: {
                "steps": own,
                "values": values,
                "timestamps": [
                    f"2031-01-01T{int(at) // 60 % 24:02d}:{int(at) % 60:02d}:{30 * (at % 1 > 0):02d}" for at in when
                ],
            }
            for name, (own, values, when) in curves_told.items()
        }
        files |= {f"{run}/metrics.json": json.dumps(metrics), f"{run}/config.json": json.dumps({"n_epochs": 40})}
    table = read_logs(written(tmp_path, files))
    assert table.runs["horizon"].tolist() == [39, 39] and len(table.signals) == 42
    fractions = {"steps": [0.5, 1.0, 1.5], "values": [3.0, 2.0, 1.0], "timestamps": []}
    other = read_logs(written(tmp_path / "other", {"metrics.json": json.dumps({"val.loss": fractions})}))
    assert other.points["value"].tolist() == [3.0, 2.0, 1.0]


def test_monitor_counts_the_steps_of_all_environments(tmp_path: Path) -> None:
    files = {
        "0.monitor.csv": '#{"t_start": 100.0, "env_id": null}\nr,l,t\n1.0,10,1.0\n3.0,30,5.0\n',
        "1.monitor.csv": '#{"t_start": 100.0, "env_id": null}\nr,l,t\n2.0,20,3.0\n',
    }
    table = read_logs(written(tmp_path, files))
    assert curves(table) == {"episode_reward max": [1.0, 2.0, 3.0]}
    assert table.points["epoch"].tolist() == [10, 30, 60]


def test_monitors_of_any_settings_and_line_ends(tmp_path: Path) -> None:
    text = '#{"env_id": 1, "t_start": 100.5}\nr,l,t\r\r\n-3.0,10,1.5\r\r\n-1.0,30,5.25\r\r\n'
    table = read_logs(written(tmp_path, {"monitor.csv": text}) / "monitor.csv")
    assert table.points["value"].tolist() == [-3.0, -1.0] and table.metrics[0].direction == "max"


def test_monitors_of_other_names_are_runs_of_their_own(tmp_path: Path) -> None:
    text = '# {{"t_start": 100.0, "env_id": "a"}} \nr,l,t\n{0}.0,10,1.0\n3.0,30,5.0\n'
    files = {f"monitor_{name}.csv": text.format(at) for at, name in enumerate("ab")}
    assert sorted(read_logs(written(tmp_path, files)).runs.index) == ["monitor_a", "monitor_b"]


def test_progress_of_deep_q_learning_counts_steps(tmp_path: Path) -> None:
    rows = "".join(f"99,{at},{at}.5,{at * 100}\n" for at in range(1, 4))
    files = {"progress.csv": f"% time spent exploring,episodes,mean 100 episode reward,steps\n{rows}"}
    table = read_logs(written(tmp_path, files))
    assert curves(table) == {"mean 100 episode reward max": [1.5, 2.5, 3.5]}
    assert table.points["epoch"].tolist() == [100, 200, 300]


def test_curves_downloaded_from_tensorboard(tmp_path: Path) -> None:
    files = {
        "run-a-tag-val_loss.csv": "Wall time,Step,Value\n1600000000.5,10,2.5\n1600000009.5,20,1.5\n",
        "run-a-tag-val_acc.csv": "Wall time,Step,Value\n1600000000.5,10,0.25\n1600000009.5,20,0.5\n",
        "run-b-tag-val_loss.json": "[[1600000000.5, 10, 4.5], [1600000001.5, 20, 3.5]]",
    }
    table = read_logs(written(tmp_path, files))
    assert sorted(table.runs.index) == ["a", "b"]
    assert sorted(f"{m.key} {m.direction}" for m in table.metrics) == ["val_acc max", "val_loss min"]


def test_downloads_without_a_tag_are_runs_and_those_with_a_metric_are_curves(tmp_path: Path) -> None:
    text = "Wall time,Step,Value\n1600000000.5,10,2.5\n1600000009.5,20,{0}\n"
    files = {f"{name}.csv": text.format(at) for at, name in enumerate(("resnet", "vgg", "my_val_loss"))}
    table = read_logs(written(tmp_path / "named", {name: files[name] for name in ("my_val_loss.csv",)}))
    assert curves(table) == {"my_val_loss min": [2.5, 2.0]}
    nameless = written(tmp_path / "nameless", {name: files[name] for name in ("resnet.csv", "vgg.csv")})
    with pytest.raises(InputError, match=r"TensorBoard download; .*--direction value=max"):
        read_logs(nameless)
    table = read_logs(nameless, directions={"value": "max"})
    assert sorted(table.runs.index) == ["resnet", "vgg"] and curves(table) == {"value max": [2.5, 0.0, 2.5, 1.0]}


def test_catboost_says_directions_and_how_many_trees_it_plans(tmp_path: Path) -> None:
    meta = {
        "test_sets": ["test"],
        "learn_metrics": [{"name": "Logloss", "best_value": "Min"}],
        "test_metrics": [{"name": "Logloss", "best_value": "Min"}, {"name": "PRAUC", "best_value": "Max"}],
        "iteration_count": 5,
    }
    iterations = [{"iteration": at, "learn": [0.5], "test": [0.75 - at / 16, at / 4]} for at in range(3)]
    files = {
        "catboost_info/catboost_training.json": json.dumps({"meta": meta, "iterations": iterations}),
        "catboost_info/learn_error.tsv": "iter\tLogloss\n0\t0.5\n1\t0.5\n",
        "catboost_info/time_left.tsv": "iter\tPassed\tRemaining\n0\t4\t484\n",
    }
    table = read_logs(written(tmp_path, files))
    assert curves(table) == {"Logloss min": [0.75, 0.6875, 0.625], "PRAUC max": [0.0, 0.25, 0.5]}
    assert table.runs["horizon"].tolist() == [4] and table.runs["status"].tolist() == ["running"]
    assert table.signals["metric"].unique().tolist() == ["learn/Logloss"]


def test_catboost_without_its_summary_is_read_from_its_tables(tmp_path: Path) -> None:
    files = {
        f"{run}/catboost_info/{name}_error.tsv": "iter\tRMSE\n0\t2.5\n1\t1.5\n"
        for run in "ab"
        for name in ("learn", "test")
    }
    table = read_logs(written(tmp_path, files))
    assert curves(table) == {"RMSE min": [2.5, 1.5, 2.5, 1.5]} and sorted(table.runs.index) == ["a", "b"]


def test_logs_of_mmcv_may_begin_with_nothing(tmp_path: Path) -> None:
    rows = [
        {"mode": mode, "epoch": epoch, "iter": 9, "lr": 0.1, "time": 1.0, "loss" if mode == "train" else "mIoU": 0.5}
        for epoch in (1, 2)
        for mode in ("train", "val")
    ]
    text = "{}\n{}\n" + "".join(json.dumps(row) + "\n" for row in rows)
    table = read_logs(written(tmp_path, {"None.log.json": text}))
    assert [metric.key for metric in table.metrics] == ["mIoU"] and table.points["epoch"].tolist() == [1, 2]


def test_llama_factory_says_how_many_steps_it_plans(tmp_path: Path) -> None:
    rows = [
        {"current_steps": at, "total_steps": 90, "epoch": at / 30, "percentage": 1.1, **told}
        for at, told in ((10, {"loss": 2.5}), (10, {"eval_loss": 2.0}), (20, {"eval_loss": 1.5}), (25, {}))
    ]
    table = read_logs(written(tmp_path, {"trainer_log.jsonl": "".join(json.dumps(row) + "\n" for row in rows)}))
    assert curves(table) == {"eval_loss min": [2.0, 1.5]} and table.points["epoch"].tolist() == [10, 20]
    assert table.runs["horizon"].tolist() == [90]


def test_evaluations_of_an_agent(tmp_path: Path) -> None:
    results, lengths = np.array([[1.0, 2.0], [3.0, 5.0]]), np.full((2, 2), 7)
    path = tmp_path / "evaluations.npz"
    np.savez(path, timesteps=np.array([100, 200]), results=results, ep_lengths=lengths)
    table = read_logs(path)
    assert curves(table) == {"eval/mean_reward max": [1.5, 4.0]} and table.points["epoch"].tolist() == [100, 200]
    np.savez(path, timesteps=np.array([1, 2], dtype=object), results=results)
    with pytest.raises(InputError, match=r"EvalCallback.*cannot be read"):
        read_logs(path)


@pytest.mark.parametrize(
    ("best", "status"), [({3}, "finished"), ({4}, "running"), ({3, 6}, "finished"), ({2, 6}, "running")]
)
def test_yolo_stops_where_patience_ends(tmp_path: Path, best: set[int], status: str) -> None:
    rows = "".join(f"{e},0.5,{0.9 if e in best else 0.1},{0.9 if e == 7 else 0.1}\n" for e in range(1, 9))
    header = "epoch,metrics/precision(B),metrics/mAP50-95(B),metrics/mAP50(B)\n"
    files = {"train/results.csv": header + rows, "train/args.yaml": "epochs: 100\npatience: 5\n"}
    table = read_logs(written(tmp_path, files))
    assert table.runs["status"].tolist() == [status]
    assert table.runs["horizon"].tolist() == [100]


def test_tables_called_log_are_read_beside_fewer_runs_of_a_tool(tmp_path: Path) -> None:
    results = "epoch,metrics/mAP50(B),val/box_loss\n1,0.25,2.0\n2,0.5,1.0\n"
    keras = "epoch,loss,val_loss\n0,0.5,{0}.0\n1,0.25,{0}.5\n"
    files = {"yolo/results.csv": results, "yolo/args.yaml": "epochs: 2\n"}
    files |= {f"{name}.log": keras.format(at) for at, name in enumerate("ab", start=3)}
    assert sorted(read_logs(written(tmp_path, files)).runs.index) == ["a", "b", "yolo"]
    (tmp_path / "b.log").unlink()
    table = read_logs(tmp_path)
    assert list(table.runs.index) == ["yolo"] and any("so not read: a.log" in note for note in table.notes)


def test_settings_beside_logs_are_passed_over(tmp_path: Path) -> None:
    text = "".join(f"epoch {e} val_loss {0.9 - e / 10:.2f}\n" for e in range(4))
    files = {"train.log": text, "run.json": '{"sizes": [1, 2, 3]}', "my_config.json": '[{"a": 1}, {"a": 2}]'}
    table = read_logs(written(tmp_path, files))
    assert curves(table) == {"val_loss min": [0.9, 0.8, 0.7, 0.6]}
    assert not any("json" in note for note in table.notes)


def test_a_history_in_json_is_read_beside_a_table_of_results(tmp_path: Path) -> None:
    files = {
        "per_group.csv": "group,mae\nyoung,2.5\nold,3.5\n",
        "split.json": '{"train": ["a", "b"], "val": ["c"]}',
        "history.json": '{"train_loss": [3.0, 2.0], "val_loss": [3.5, 2.5]}',
    }
    table = read_logs(written(tmp_path, files))
    assert curves(table) == {"val_loss min": [3.5, 2.5]}
    assert any("split.json" in note for note in table.notes)


def test_zeros_of_yolo_without_validation_are_no_values(tmp_path: Path) -> None:
    header = "epoch,train/box_loss,metrics/mAP50(B),val/box_loss,val/cls_loss,lr/pg0\n"
    rows = "1,0.9,0,0,0,0.1\n2,0.8,0,1.5,1.25,0.1\n3,0.7,0,0,0,0.1\n4,0.6,0.5,0.75,0.5,0.1\n"
    table = read_logs(written(tmp_path, {"train/results.csv": header + rows}))
    told = table.points.pivot(index="epoch", columns="metric", values="value")
    assert dict(told["mAP50(B)"]) == {2: 0.0, 4: 0.5}  # nothing may be found at first
    assert dict(told["box/loss"]) == {2: 1.5, 4: 0.75}
    assert any("zeros for all of the validation, so read as not evaluated: 2 rows" in note for note in table.notes)


def test_results_txt_of_yolo_has_no_header(tmp_path: Path) -> None:
    rows = "".join(
        f"  {e}/9  1.9G  0.09  0.08  0  0.17  24  416  0.5  0.{e + 1}  0.25  0.125  0.0{9 - e}  0.05  0.0\n"
        for e in range(3)
    )
    table = read_logs(written(tmp_path, {"exp/results.txt": rows}))
    assert curves(table)["recall max"] == [0.1, 0.2, 0.3]
    assert curves(table)["box/loss min"] == [0.09, 0.08, 0.07]
    assert table.runs["horizon"].tolist() == [9]


def test_results_txt_of_yolo_may_hold_other_losses(tmp_path: Path) -> None:
    rows = "".join(
        f"  {e}/9  2G  0.1 0.2 0.3 0.4  1.0  24  640  0.5  0.{e + 1}  0.25  0.125  0.1 0.2 0.3 0.{9 - e}\n"
        for e in range(3)
    )
    told = curves(read_logs(written(tmp_path, {"exp/results.txt": rows})))
    assert told["recall max"] == [0.1, 0.2, 0.3] and told["loss_4 min"] == [0.9, 0.8, 0.7]


@pytest.mark.parametrize(
    ("parts", "keys"),
    [
        ("2.5 3.5 4.5 {v} 0.25 1.25", {"energy/rmse min", "force/rmse min", "virial/rmse min"}),
        ("4.5 {v}", {"dipole/rmse min"}),
    ],
)
def test_the_columns_of_nep_have_no_names(tmp_path: Path, parts: str, keys: set[str]) -> None:
    rows = "".join(f"{100 * e} 9.5 0.5 0.5 {parts.format(v=1 / e)}\n" for e in (1, 2, 4))
    table = read_logs(written(tmp_path, {"a/loss.out": rows}))
    told = curves(table)
    assert set(told) == keys and told[min(keys)] == [1.0, 0.5, 0.25]
    assert (table.points["epoch"].unique() * table.epoch_unit).tolist() == [100, 200, 400]


def test_lists_of_a_history_are_curves(tmp_path: Path) -> None:
    history = {"train": [{"total": 3.0, "seg": {}}, {"total": 2.0, "seg": {}}], "val": [{"loss": 4.0}, {"loss": 3.5}]}
    table = read_logs(written(tmp_path, {"history.json": json.dumps(history)}) / "history.json")
    assert curves(table) == {"val/loss min": [4.0, 3.5]} or curves(table) == {"loss min": [4.0, 3.5]}
    assert table.points["epoch"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("history.pkl", b"\x80\x04\x95\x00", ("pickle", "to_csv")),
        ("history", b"\x80\x04\x95\x00", ("pickle", "to_csv")),
        ("weights.h5", b"\x89HDF\r\n", ("HDF5", "CSV")),
        ("plot.png", b"\x89PNG\r\n", ("picture", "table")),
        ("run.ipynb", b"{}", ("notebook", "to_csv")),
        ("all_results.json", b'{"eval_loss": 1.5}', ("Hugging Face", "trainer_state.json")),
        ("trials.csv", b"number,value,params_lr,state\n0,0.5,0.1,COMPLETE\n", ("Optuna", "storage")),
    ],
)
def test_what_is_no_log_is_named_with_a_remedy(tmp_path: Path, name: str, data: bytes, told: tuple[str, str]) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_logs(path)
    assert all(word in str(caught.value) for word in (name, *told))


def test_tables_in_the_folder_of_a_run_are_read_where_the_run_holds_no_value(tmp_path: Path) -> None:
    state = json.dumps({"log_history": [], "max_steps": 5})
    curve = "epoch,val_loss\n1,2.5\n2,1.5\n"
    table = read_logs(written(tmp_path, {"out/trainer_state.json": state, "out/curves.csv": curve}))
    assert curves(table) == {"val_loss min": [2.5, 1.5]}
    assert any("has logged nothing yet" in note for note in table.notes)


def test_what_a_training_printed_is_read_where_its_logger_kept_no_score(tmp_path: Path) -> None:
    rows = "0,9,0.5,\n0,9,,2.5\n1,19,0.4,\n1,19,,2.0\n0,9,0.6,\n"  # begun again, and ended before an evaluation
    files = {
        "version_0/metrics.csv": f"epoch,step,train_loss,val_loss\n{rows}",
        "train.log": "".join(f"epoch {e} val_loss {3 - e}\n" for e in range(3)),
    }
    table = read_logs(written(tmp_path, files))
    assert curves(table) == {"val_loss min": [3.0, 2.0, 1.0]}
    assert any("holds a value: Lightning" in note for note in table.notes)
    (tmp_path / "train.log").unlink()
    with pytest.raises(InputError, match=r"no curve holds a value that is to be scored \(read as Lightning\)"):
        read_logs(tmp_path)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "it is empty; name the folder"),
        ({"a/x.png": "", "b.png": "", "c.py": ""}, "files: 2 .png, 1 .py.*Name the folder that the training writes to"),
        ({"a/train.log": "Loading data\n"}, "train.log: no two lines of it name a counter and a metric, as 'epoch 3"),
        (
            {"a/train.log": "XGBoost\nTraceback (most recent call last)\n  File"},
            "training with XGBoost ended with an error",
        ),
    ],
)
def test_a_folder_without_logs_is_told_what_it_holds_and_what_to_do(
    tmp_path: Path, files: dict[str, str], told: str
) -> None:
    with pytest.raises(InputError, match=rf"(?s)holds no logs.*{told}"):
        read_logs(written(tmp_path, files))
