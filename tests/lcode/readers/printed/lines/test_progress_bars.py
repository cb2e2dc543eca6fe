"""Progress bars in what a program printed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lcode.readers.read import read_logs

LOSSES = (0.9, 0.7, 0.5, 0.4)


def test_of_what_was_drawn_again_the_last_state_of_each_epoch_counts(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    states = [
        f"Epoch {e}:  {at}%|##  | {at}/100 [00:01<00:02, 9.1it/s, v_num=3, val_loss={v if at == 100 else 9.5}]"
        for e, v in enumerate(LOSSES)
        for at in (50, 100)
    ]
    log = tmp_path / "nohup.out"
    log.write_text("Sanity Checking: 100%|####| 2/2\r" + "\r".join(states) + "\n", newline="")
    assert scored(log) == {"nohup val_loss min": list(LOSSES)}


def test_a_bar_over_the_epochs_counts_them(tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    states = [
        f" {25 * e}%|##   | {e}/4 [00:01<00:02,  9.1it/s, train_loss=9.5, val_loss={v}]" for e, v in enumerate(LOSSES)
    ]
    log = tmp_path / "nohup.out"
    log.write_text("\r".join(states) + "\n", newline="")
    assert scored(log) == {"nohup val_loss min": list(LOSSES)}


def test_bars_of_the_training_and_the_validation_are_one_pass(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "nohup.out"
    bar = "{name}: 100%|####| {n}/{n} [00:01<00:00,  9.1it/s, loss={v}]\n"
    log.write_text(
        "".join(bar.format(name="Training", n=9, v=9.5) + bar.format(name="Validation", n=3, v=v) for v in LOSSES)
    )
    assert scored(log) == {"nohup loss min": list(LOSSES)}


def test_a_table_below_bars(tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    log = tmp_path / "fastai.out"
    rows = "".join(f"Epoch {e}/4 : |---| 0.00% [0/9]\r{e}   9.5   {v}   00:12\n" for e, v in enumerate(LOSSES))
    log.write_text(f"epoch     train_loss  valid_loss  time\n{rows}", newline="")
    assert scored(log) == {"fastai valid_loss min": list(LOSSES)}


def test_names_and_numbers_with_a_dash_between_them(tmp_path: Path) -> None:
    log, scores = tmp_path / "train.txt", [0.2, 0.3, 0.4, 0.5]
    text = ""
    for epoch, score in enumerate(scores):
        text += f"\nEpoch: {epoch}\n"
        for split, value in (("train", score + 0.3), ("valid", score)):
            bar = f"{split}: 100%|██████████| 10/10 [00:10<00:00,  2.10it/s, "
            text += f"{bar}dice_loss - {1 - value:.4f}, iou_score - {value:.4f}]\n"
        text += "Model saved!\n"
    log.write_text(text)
    table = read_logs(log)
    assert [metric.key for metric in table.metrics] == ["dice_loss", "iou_score"]
    assert table.points[table.points["metric"] == "iou_score"]["value"].tolist() == scores
