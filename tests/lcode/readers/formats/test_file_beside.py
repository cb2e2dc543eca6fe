"""Settings in a file beside the curves of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from lcode.readers.read import read_logs


def write(folder: Path, curves: str, name: str, settings: str) -> None:
    folder.mkdir()
    (folder / "summary.csv").write_text(curves)
    (folder / name).write_text(settings)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("args.yaml", "lr: 0.{run}\nepochs: 300\nmodel: resnet50\nbest_metric: 0.7\n"),
        ("config.json", '{{"config": {{"lr": 0.{run}, "trainer": {{"max_epochs": 300}}}}}}'),
    ],
)
def test_they_are_the_configuration_and_say_how_long_the_training_is(tmp_path: Path, name: str, settings: str) -> None:
    for run in (1, 2):
        curves = "epoch,train_loss,eval_top1\n" + "".join(f"{at},{1 / (at + 1)},{50 + at}\n" for at in range(20))
        write(tmp_path / f"r{run}", curves, name, settings.format(run=run))
    table = read_logs(tmp_path)
    assert table.configs["lr"].tolist() == [0.1, 0.2] and "best_metric" not in table.configs
    assert [note for note in table.notes if name in note] == [
        f"the settings of a run are those of {name} beside its curves."
    ]
    assert table.runs["horizon"].tolist() == [299, 299] and set(table.runs["status"]) == {"running"}


def test_a_training_beyond_what_they_say_and_a_table_of_several_runs_do_not_heed_them(tmp_path: Path) -> None:
    write(
        tmp_path / "a", "epoch,val_acc\n" + "".join(f"{at},0.{at}\n" for at in range(1, 9)), "args.yaml", "epochs: 5\n"
    )
    assert read_logs(tmp_path / "a").runs["horizon"].tolist() == [8]
    write(tmp_path / "b", "run,epoch,val_acc\nx,1,0.1\ny,1,0.2\ny,2,0.3\n", "args.yaml", "epochs: 5\n")
    assert read_logs(tmp_path / "b").runs["horizon"].tolist() == [2, 2]


def test_several_tables_of_a_folder_do_not_heed_them_either(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text("epoch,val_acc\n1,0.1\n2,0.2\n3,0.3\n")
    (tmp_path / "config.yaml").write_text("epochs: 50\nlr: 0.1\n")
    table = read_logs(tmp_path)
    assert table.runs["horizon"].tolist() == [3, 3] and "lr" not in table.configs


AS_PRINTED = {
    "args.txt": "lr: 0.{run}\nepochs: 60\nresume: None\nnet: resnet\n",
    "opt.txt": "------- Options -------\n{blanks}lr: 0.{run} \t[default: 0.02]\n{blanks}epochs: 60\n"
    "{blanks}net: resnet\n--- End ---\n",
    "arguments.txt": "Namespace(lr=0.{run}, epochs=60, net='resnet', layers=[1, 2], out='/tmp/a b')\n",
    "config.txt": "{{'lr': 0.{run}, 'epochs': 60, 'net': 'resnet'}}\n",
    "params.txt": "lr = 0.{run}\nepochs = 60\nnet = resnet\n",
    "train_args.txt": "--lr 0.{run}\n--epochs 60\n--net resnet\n",
    "config.toml": "lr = 0.{run}\nepochs = 60\nnet = 'resnet'\n",
    "hparams.toml": "[args]\nlr = 0.{run}\nepochs = 60\nnet = 'resnet'\n",
    "settings.ini": "[training]\nlr = 0.{run}  ; the rate\nepochs = 60\nnet = resnet\n",
    "config.cfg": '[DEFAULT]\nlr = 0.{run}\n[args]\nepochs = 60\nnet = "resnet"\n',
    "opts.json": '{{"lr": 0.{run}, "epochs": 60, "net": "resnet"}}',
}


@pytest.mark.parametrize("name", AS_PRINTED)
@pytest.mark.parametrize("log", ["log.csv", "log.txt"])
def test_they_may_be_written_in_any_form_beside_tables_and_printed_logs(tmp_path: Path, name: str, log: str) -> None:
    form = "epoch,val_acc\n{}" if log == "log.csv" else "{}"
    row = "{0},0.{0}{1}\n" if log == "log.csv" else "epoch {0} val_acc 0.{0}{1}\n"
    for run in (1, 2):
        (tmp_path / f"r{run}").mkdir()
        (tmp_path / f"r{run}" / log).write_text(form.format("".join(row.format(e, run) for e in range(1, 9))))
        (tmp_path / f"r{run}" / name).write_text(AS_PRINTED[name].format(run=run, blanks=" " * 20))
    table = read_logs(tmp_path)
    assert table.run_ids == ("r1", "r2") and table.configs["lr"].tolist() == [0.1, 0.2]
    assert set(table.configs["net"]) == {"resnet"} and table.runs["horizon"].tolist() == [60, 60]
    assert table.notes.count(f"the settings of a run are those of {name} beside its curves.") == 1


def test_one_that_cannot_be_read_is_told_of_and_prose_holds_no_settings(tmp_path: Path) -> None:
    curves = "epoch,val_acc\n" + "".join(f"{at},0.{at}\n" for at in range(1, 9))
    write(tmp_path / "a", curves, "config.toml", "lr = = 3\n")
    assert any(note.startswith("config.toml: cannot be read") for note in read_logs(tmp_path / "a").notes)
    write(tmp_path / "b", curves, "args.txt", "This run was made on Monday.\nIt went well: 3 of 4.\n")
    assert read_logs(tmp_path / "b").configs.empty


@pytest.mark.parametrize(
    ("ending", "settings"),
    [
        ("toml", "lr = 0.{run}\nepochs = 60\n"),
        ("json", '{{"lr": 0.{run}, "epochs": 60}}'),
        ("yaml", "lr: 0.{run}\nepochs: 60\n"),
    ],
)
def test_a_file_that_is_called_as_one_of_the_tables_is_of_this_run(tmp_path: Path, ending: str, settings: str) -> None:
    for run in (1, 2):
        (tmp_path / f"lr.{run}.csv").write_text("epoch,val_acc\n" + "".join(f"{e},0.{e}{run}\n" for e in range(1, 5)))
        (tmp_path / f"lr.{run}.{ending}").write_text(settings.format(run=run))
    table = read_logs(tmp_path)
    assert table.configs["lr"].tolist() == [0.1, 0.2] and table.runs["horizon"].tolist() == [60, 60]
    told = f"the settings of a run are those of the .{ending} file of its name beside its curves."
    assert table.notes.count(told) == 1


def test_what_wandb_keeps_beside_a_table_is_understood(tmp_path: Path) -> None:
    settings = (
        "wandb_version: 1\nlr:\n  desc: null\n  value: 0.1\nepochs:\n  desc: null\n  value: 60\n"
        "optimizer:\n  desc: null\n  value:\n    name: adam\n_wandb:\n  desc: null\n  value:\n    cli_version: 0.15\n"
    )
    curves = "epoch,val_acc\n" + "".join(f"{at},0.{at}\n" for at in range(1, 5))
    write(tmp_path / "a", curves, "config.yaml", settings)
    table = read_logs(tmp_path)
    assert table.configs.iloc[0].to_dict() == {"lr": 0.1, "optimizer.name": "adam"}
    assert table.runs["horizon"].tolist() == [60]


@pytest.mark.parametrize(
    ("log", "text", "name", "settings", "horizon"),
    [
        ("training_log_2031_2_3.txt", "2031-02-03 04:05:0{e}.1: Epoch {e} \n04:05:09.2: val_loss -0.{e}1 \n",
         "debug.json", '{"num_epochs": "80", "plans_manager": "3d"}', 79),
        ("lcurve.out", "  {e}00   {e}.1e-01   {e}.0e-01  1.0e-03\n",
         "input.json", '{"training": {"numb_steps": 2000, "seed": 1}}', 2000),
    ],
)  # fmt: skip
def test_a_text_has_what_its_program_leaves_beside_it(
    tmp_path: Path, log: str, text: str, name: str, settings: str, horizon: int
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    head = "#  step  rmse_val  rmse_trn  lr\n" if log == "lcurve.out" else ""
    (folder / log).write_text(head + "".join(text.format(e=e) for e in range(6)))
    (folder / name).write_text(settings)
    table = read_logs(tmp_path)
    assert table.runs["horizon"].tolist() == [horizon] and table.runs["status"].tolist() == ["running"]


@pytest.mark.parametrize("name", ["input.json", "debug.json"])
def test_files_of_such_names_of_other_programs_say_nothing(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "train.log").write_text("".join(f"Epoch {e} val loss: 0.{9 - e}\n" for e in range(1, 6)))
    (folder / name).write_text('{"text": "x", "max_epochs": 30, "num_epochs": 30}')
    table = read_logs(tmp_path)
    assert table.runs["horizon"].tolist() == [5] and not len(table.configs.columns)
    assert not any(name in note for note in table.notes)
