"""Tables as they lie in folders: what each file is, and what its run is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from lcode.errors import InputError
from lcode.readers import read_logs

WIDE = "epoch,seg/acc,depth/rmse\n1,0.5,1.5\n2,0.6,1.4\n3,0.7,1.3\n"


def write(folder: Path, *names: str, text: str = WIDE) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text.replace(",", "\t") if name.endswith(".tsv") else text)


@pytest.mark.parametrize(
    ("names", "runs"),
    [
        (("a.csv", "b.csv"), ("a", "b")),
        (("a/metrics.csv", "b/metrics.csv"), ("a", "b")),
        (("x/a/version_0/metrics.csv", "x/b/version_0/metrics.csv"), ("a", "b")),
        (("a/0/m.csv", "a/1/m.csv", "b/0/m.csv"), ("a/0", "a/1", "b/0")),
        (("a/m.csv",), ("a",)),
        (("a.csv", "a.tsv", "a#2.csv"), ("a#2", "a", "a#3")),
    ],
)
def test_a_run_is_called_after_what_tells_its_file_apart(tmp_path: Path, names: tuple[str, ...], runs: object) -> None:
    write(tmp_path, *names)
    assert read_logs(tmp_path).run_ids == runs


def test_a_single_file_is_called_by_its_own_name(tmp_path: Path) -> None:
    write(tmp_path, "first_try.csv")
    assert read_logs(tmp_path / "first_try.csv").run_ids == ("first_try",)


def test_tables_that_are_no_logs_are_left_out_with_a_remark(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "b.csv")
    write(tmp_path, "notes.csv", text="name,remark\nx,y\n")
    write(tmp_path, ".hidden/c.csv", "__pycache__/d.csv")
    table = read_logs(tmp_path)
    assert table.run_ids == ("a", "b") and any("not read: notes.csv" in note for note in table.notes)


def test_tables_in_which_nothing_is_logged_yet_cost_the_others_nothing(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "b.csv")
    write(tmp_path, "c.csv", text=WIDE.partition("\n")[0] + "\n")
    table = read_logs(tmp_path)
    assert table.run_ids == ("a", "b") and any("no rows yet, so not read: c.csv" in note for note in table.notes)
    with pytest.raises(InputError, match="holds a header but no rows"):
        read_logs(tmp_path / "c.csv")


def test_other_json_is_no_log(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "b.csv")
    (tmp_path / "settings.json").write_text('{"lr": 0.1}')
    (tmp_path / "people.json").write_text('[{"name": "x"}]')
    table = read_logs(tmp_path)
    assert table.run_ids == ("a", "b") and any("people.json" in note for note in table.notes)


def test_a_file_per_task_or_per_part_of_the_data(tmp_path: Path) -> None:
    for run in ("a", "b"):
        write(tmp_path / "tasks", f"{run}/seg.csv", text="epoch,loss,miou\n1,0.5,0.1\n2,0.4,0.2\n")
        write(tmp_path / "tasks", f"{run}/depth.csv", text="epoch,loss\n1,1.5\n2,1.4\n")
    table = read_logs(tmp_path / "tasks")
    assert table.run_ids == ("a", "b")
    assert {metric.key for metric in table.metrics} == {"seg/loss", "seg/miou", "depth/loss"}
    assert table.curve("b", "depth/loss").values.tolist() == [1.5, 1.4]
    write(tmp_path / "one", "train.csv", text="epoch,loss\n1,0.5\n2,0.4\n")
    write(tmp_path / "one", "val.csv", text="epoch,loss\n1,0.6\n2,0.5\n")
    table = read_logs(tmp_path / "one")
    assert table.run_ids == ("one",) and [metric.key for metric in table.metrics] == ["loss"]
    assert table.points["value"].tolist() == [0.6, 0.5] and set(table.signals["metric"]) == {"train/loss"}


def test_a_file_per_fold_is_a_run_each(tmp_path: Path) -> None:
    write(tmp_path, "a/fold0.csv", "a/fold1.csv", "b/fold0.csv", "b/fold1.csv")
    assert read_logs(tmp_path).run_ids == ("a/fold0", "a/fold1", "b/fold0", "b/fold1")


def test_a_run_called_train_beside_others_keeps_its_name(tmp_path: Path) -> None:
    for name in ("train", "train2", "val"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "results.csv").write_text("epoch,metrics/mAP50(B)\n1,0.1\n2,0.2\n" + "3,0.3\n" * (name == "val"))
        (folder / "args.yaml").write_text(f"epochs: 5\nlr0: 0.{len(name)}\n")
    assert sorted(read_logs(tmp_path).runs.index) == ["train", "train2", "val"]


def test_a_run_in_the_folder_that_was_named_has_its_name(tmp_path: Path) -> None:
    for folder in (tmp_path / "logs", tmp_path / "logs" / "baseline"):
        folder.mkdir()
        rows = "".join(f"{at},{at * len(folder.name)}\n" for at in range(1, 4))
        (folder / "progress.csv").write_text(f"time/total_timesteps,rollout/ep_rew_mean\n{rows}")
    assert sorted(read_logs(tmp_path / "logs").runs.index) == ["baseline", "logs"]


def test_a_table_of_results_beside_logs_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a_metrics.csv").write_text("step,reward,length\n1,0.1,5\n2,0.3,7\n3,0.2,6\n")
    (tmp_path / "a_results.csv").write_text("Run,Steps,Total Reward\nRun 1,9,1.5\nRun 2,53,14.5\n")
    table = read_logs(tmp_path)
    assert [metric.key for metric in table.metrics] == ["reward"] and len(table) == 1
    assert any("a_results.csv" in note for note in table.notes)


def test_a_loss_in_a_file_of_its_own_says_nothing_of_how_often_the_others_log(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("epoch,loss,acc\n,,\n" + "".join(f"{at},0.{9 - at},0.{at}\n" for at in range(1, 6)))
    (tmp_path / "b.csv").write_text("epoch,loss\n" + "".join(f"{at},{1 / at}\n" for at in range(1, 60)))
    table = read_logs(tmp_path)
    assert [metric.key for metric in table.metrics] == ["loss", "acc"]
    assert any("1 empty row" in note for note in table.notes)


def test_a_tools_run_without_a_curve_costs_the_other_logs_nothing(tmp_path: Path) -> None:
    (tmp_path / "hf").mkdir()
    (tmp_path / "hf" / "trainer_state.json").write_text('{"log_history": [], "max_steps": 10, "global_step": 0}')
    with pytest.raises(InputError, match="has logged nothing yet"):
        read_logs(tmp_path)
    (tmp_path / "runs.csv").write_text("run,epoch,seg/loss\na,1,0.5\na,2,0.4\nb,1,0.6\n")
    table = read_logs(tmp_path)
    assert table.run_ids == ("a", "b")
    assert any(note.startswith("left out:") and "has logged nothing yet" in note for note in table.notes)


def test_seeds_that_come_again_in_each_file_are_runs_of_their_own(tmp_path: Path) -> None:
    text = "step,reward,seed\n" + "".join(f"{step},{seed}{step},{seed}\n" for seed in (1, 2) for step in (0, 5, 9))
    write(tmp_path, "walk.csv", text=text)
    write(tmp_path, "run.csv", text=text.replace("9,", "8,"))
    assert read_logs(tmp_path).run_ids == ("run/1", "run/2", "walk/1", "walk/2")
    write(tmp_path, "run.csv", text="step,reward,seed\n0,3,3\n5,4,3\n0,3,4\n5,5,4\n")
    assert read_logs(tmp_path).run_ids == ("3", "4", "1", "2")
