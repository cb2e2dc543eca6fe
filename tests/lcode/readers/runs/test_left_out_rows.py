"""Readings of the machine that a tool goes on logging behind the last evaluation."""

from __future__ import annotations

from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from lcode.readers import read_logs


def test_readings_of_the_machine_are_no_epochs_and_no_divergence(tmp_path: Path) -> None:
    for run, length in ((0, 30), (1, 12)):
        with SummaryWriter(str(tmp_path / str(run))) as writer:
            for epoch in range(length):
                writer.add_scalar("val/acc", epoch / (epoch + 9 + run), epoch)
                for reading in range(13):
                    writer.add_scalar("system/gpu_utilization", 50 + reading, 13 * epoch + reading)
    table = read_logs(tmp_path, horizon=30)
    assert table.runs["horizon"].tolist() == [29, 29] and table.runs["status"].tolist() == ["finished", "running"]
    assert table.points["value"].notna().all() and not any("diverged" in note for note in table.notes)
