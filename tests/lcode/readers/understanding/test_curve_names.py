"""Which word of a curve's name is its task, and which its metric."""

from __future__ import annotations

from pathlib import Path

import pytest

from lcode.readers.read import read_logs


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("R2_energy,MAE_forces", {"energy/R2": "max", "forces/MAE": "min"}),
        ("R² energy,R² forces", {"energy/R²": "max", "forces/R²": "max"}),
        ("pearson_energy,acc_energy,rmse_force", {"energy/pearson": "max", "energy/acc": "max", "force/rmse": "min"}),
        ("energy_R2,stress_R2", {"energy/R2": "max", "stress/R2": "max"}),
        ("acc/energy,acc/charge", {"energy/acc": "max", "charge/acc": "max"}),
        ("seg_abs_err,depth_abs_err", {"seg/abs_err": "min", "depth/abs_err": "min"}),
        ("val_acc,val_acc_gap,val_f1_drop,error_reduction", {"val_acc": "max"}),  # differences: of no known way
        ("rmse,acc/gap,acc/drop,loss_gain,mae_reduction", {"rmse": "min"}),
        ("loss_gap,loss_mu,mae_gap", {"gap/loss": "min", "mu/loss": "min", "gap/mae": "min"}),  # of molecules
        (
            "eval_loss,eval_rewards/chosen,eval_rewards/rejected,eval_rewards/margins,eval_rewards/accuracies",
            {"eval_loss": "min", "rewards/margins": "max", "rewards/accuracies": "max"},  # of preferences
        ),
        ("acc,chosen_reward,rejected_reward,reward_margin", {"acc": "max", "reward_margin": "max"}),
        ("total_energy,seg_acc", {"total_energy": "min", "seg_acc": "max"}),
    ],
)
def test_a_word_that_is_a_metric_only_where_it_stands_alone_may_be_a_task(
    tmp_path: Path, names: str, expected: dict[str, str]
) -> None:
    columns = len(names.split(","))
    rows = "".join(f"{at}" + "".join(f",{at / (k + 7):.4f}" for k in range(columns)) + "\n" for at in range(1, 6))
    (tmp_path / "a.csv").write_text(f"epoch,{names}\n{rows}")
    table = read_logs(tmp_path / "a.csv")
    assert {metric.key: metric.direction for metric in table.metrics} == expected
