from __future__ import annotations

import pytest

from lcode.table.balancing import balanced_tasks, balancing, tells_of_balancing


@pytest.mark.parametrize(
    ("name", "kind", "tasks"),
    [
        ("seg|depth/cosine", "gradient cosine", "seg|depth"),
        ("grad_cos/seg_depth", "gradient cosine", "seg_depth"),
        ("train/grad_cos_sim/seg-depth", "gradient cosine", "seg-depth"),
        ("gradCos_seg_depth", "gradient cosine", "seg_depth"),
        ("gradient_cosine", "gradient cosine", "gradient_cosine"),
        ("seg/weight", "weight", "seg"),
        ("weights/seg", "weight", "seg"),
        ("loss_weight_seg", "weight", "seg"),
        ("lambda_1", "weight", "1"),
        ("task weights.2", "weight", "task weights.2"),
    ],
)
def test_what_tells_of_the_balance_between_tasks(name: str, kind: str, tasks: str) -> None:
    assert balancing(name) == kind and balanced_tasks(name) == tasks
    assert tells_of_balancing(name)


@pytest.mark.parametrize(
    "name",
    [
        "weight_decay",
        "weights/conv1/norm",
        "lr/cosine_schedule",
        "cost",
        "seg/weighted_f1",
        "train/loss",
        "heavyweight",
    ],
)
def test_what_does_not(name: str) -> None:
    assert balancing(name) is None and not tells_of_balancing(name)


@pytest.mark.parametrize("name", ["normals/cosine", "parcel/weight_mae"])
def test_what_may_be_a_score(name: str) -> None:
    assert balancing(name) is not None and not tells_of_balancing(name)
