"""Trainings appended to the log of another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.errors import InputError
from lcode.readers.read import read_logs


def test_where_epochs_begin_anew_there_is_another_run(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "log.csv"
    log.write_text("epoch,val_loss\n0,0.9\n1,0.8\n2,0.7\n0,0.6\n0,0.5\n1,0.4\n")
    with pytest.raises(InputError, match="at epoch 0"):  # twice in a row: nobody knows which is right
        read_logs(log)
    log.write_text("epoch,val_loss\n-1,9.5\n0,0.9\n1,0.8\n2,0.7\n0,0.6\n1,0.5\n0,0.4\n1,0.3\n")
    assert scored(log) == {
        "log val_loss min": [0.9, 0.8, 0.7],
        "log#2 val_loss min": [0.6, 0.5],
        "log#3 val_loss min": [0.4, 0.3],
    }
    notes = read_logs(log).notes
    assert any("holds 3 runs" in note for note in notes) and any(
        "at epoch -1, which is before" in note for note in notes
    )
    with_runs = tmp_path / "runs.csv"
    with_runs.write_text("run,epoch,val_loss\na,1,0.9\na,2,0.8\na,3,0.7\na,1,0.6\n")
    with pytest.raises(InputError, match=r"run 'a' has val_loss = 0\.6 at epoch 1"):
        read_logs(with_runs)


def test_the_last_epoch_may_stand_on_top(tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    for run in ("a", "b"):
        rows = "".join(f"{at},{at}.5\n" for at in (4, 3, 2, 1))
        (tmp_path / f"{run}.csv").write_text(f"epoch,val_loss\n{rows}")
    assert scored(tmp_path) == {f"{run} val_loss min": [1.5, 2.5, 3.5, 4.5] for run in "ab"}
    log = tmp_path / "b.csv"
    log.write_text("epoch,val_loss\n3,0.1\n2,0.2\n1,0.3\n3,0.4\n2,0.5\n1,0.6\n")
    assert scored(log) == {"b val_loss min": [0.6, 0.5, 0.4], "b#2 val_loss min": [0.3, 0.2, 0.1]}
    assert any("last epoch stands first" in note for note in read_logs(log).notes)


@pytest.mark.parametrize("epochs", [(1, 2, 3), (3, 2, 1)])
def test_one_curve_below_another_is_no_training_of_its_own(
    tmp_path: Path, epochs: tuple[int, ...], scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    rows = "".join(f"{key},{at},{at}.5\n" for key in ("val_loss", "val_acc") for at in epochs)
    (tmp_path / "log.csv").write_text(f"metric,epoch,value\n{rows}")
    assert scored(tmp_path / "log.csv") == {"log val_loss min": [1.5, 2.5, 3.5], "log val_acc max": [1.5, 2.5, 3.5]}


def test_of_several_episodes_at_one_step_the_mean_counts(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "log.csv"
    log.write_text("timesteps,episode_reward\n8,-3\n16,tensor(-2.5)\n16,-2\n24,\"tensor(-1., device='cuda:0')\"\n")
    assert scored(log) == {"log episode_reward max": [-3, -2.25, -1]}


def test_the_length_of_an_episode_counts_nothing(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("Steps,Episode,reward\n62,1,-3\n41,2,-2\n77,3,-1\n30,4,0\n")
    assert read_logs(log).points["epoch"].tolist() == [1, 2, 3, 4]


def test_a_tools_log_to_which_another_training_was_appended(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "metrics.json"
    log.write_text(
        "".join(f'{{"iteration": {at}, "total_loss": {value}}}\n' for at, value in ((19, 4), (39, 3), (59, 2)))
        + '{"iteration": 60, "eta_seconds": 9.5}\n'
        + "".join(f'{{"iteration": {at}, "total_loss": {value}}}\n' for at, value in ((19, 5), (39, 1)))
    )
    assert scored(log) == {"metrics total_loss min": [4, 3, 2], "metrics#2 total_loss min": [5, 1]}
