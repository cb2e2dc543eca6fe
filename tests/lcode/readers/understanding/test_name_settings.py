from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcode import read_logs
from lcode.readers import Choices
from lcode.readers.understanding.name_settings import name_settings
from lcode.report.understood import understood


@pytest.mark.parametrize(
    ("names", "settings"),
    [
        (["lr0.03_w5.0", "lr0.1_w5.0", "lr0.1_w1.0"], {"lr": ["0.03", "0.1", "0.1"], "w": ["5.0", "5.0", "1.0"]}),
        (["lr=0.03,w=5", "lr=0.1,w=1"], {"lr": ["0.03", "0.1"], "w": ["5", "1"]}),
        (["batch_size=64_lr=1e-3", "batch_size=32_lr=1e-3"], {"batch_size": ["64", "32"]}),
        (["+model=resnet,run=1", "+model=vgg,run=2"], {"model": ["resnet", "vgg"]}),
        (["lr_0p03/version_0", "lr_0p1/version_1"], {"lr": ["0.03", "0.1"]}),
        (["bs16", "bs32"], {"bs": ["16", "32"]}),
        (
            ["bs64-lr1e-3-adam", "bs32-lr1e-3-sgd", "bs64-lr1e-2-adam", "bs32-lr1e-2-sgd"],
            {
                "bs": ["64", "32", "64", "32"],
                "lr": ["1e-3", "1e-3", "1e-2", "1e-2"],
                "optimizer": ["adam", "sgd", "adam", "sgd"],
            },
        ),
        (
            ["uw-lr0.1", "pcgrad-lr0.1", "uw-lr0.2", "pcgrad-lr0.2"],
            {"lr": ["0.1", "0.1", "0.2", "0.2"], "name.1": ["uw", "pcgrad", "uw", "pcgrad"]},
        ),
        # Grids of a word that may be anything: its numbers come again.
        (["q1_z7", "q1_z8", "q2_z7", "q2_z8"], {"q": ["1", "1", "2", "2"], "z": ["7", "8", "7", "8"]}),
        (["lr0.1", "lr0.1#2", "lr0.2"], {"lr": ["0.1", "0.1", "0.2"]}),
    ],
)  # fmt: skip
def test_settings_that_stand_in_names(names: list[str], settings: dict[str, list[str]]) -> None:
    assert name_settings(names).settings == settings


@pytest.mark.parametrize(
    "names",
    [
        ["run_1", "run_2"],
        ["run-1.5", "run-2.5"],
        ["version_0", "version_1", "version_2"],
        ["a17", "a18", "b2"],
        ["q1", "q2", "q3"],
        ["2026-05-01_12-30-11", "2026-05-02_09-20-45"],
        ["May01_12-30-45_host", "Jun02_11-31-46_host"],
        ["wild-forest-12", "calm-sea-13"],
        ["lr0.1_w5", "baseline"],
        ["adam", "sgd", "adam", "sgd"],
        ["lr0.1"],
    ],
)
def test_names_that_are_only_numbered_or_of_no_pattern_say_nothing(names: list[str]) -> None:
    found = name_settings(names)
    assert not found.settings and not found.seeds


@given(st.lists(st.text(max_size=20), max_size=6))
def test_any_names_can_be_looked_at(names: list[str]) -> None:
    assert all(len(values) == len(names) for values in name_settings(names).settings.values())


def written(folder: Path, *names: str, columns: str = "") -> Path:
    for name in names:
        (folder / name).mkdir()
        rows = "".join(f"{epoch},{0.9**epoch}{',0.5' if columns else ''}\n" for epoch in range(1, 6))
        (folder / name / "log.csv").write_text(f"epoch,loss{columns}\n{rows}")
    return folder


def test_they_are_the_configuration_where_there_is_no_other(tmp_path: Path) -> None:
    folder = written(tmp_path, "lr0.03_seed1", "lr0.1_seed2", "lr0.3_seed2")
    table = read_logs(folder)
    assert table.configs["lr"].tolist() == [0.03, 0.1, 0.3] and table.runs["seed"].tolist() == [1, 2, 2]
    assert "  configuration from the names: lr" in understood(table)
    assert not len(read_logs(folder, choices=Choices(ignore=("lr",))).configs.columns)


def test_a_configuration_that_was_read_is_the_better_one(tmp_path: Path) -> None:
    folder = written(tmp_path, "lr0.03", "lr0.1", columns=",config.wd")
    (folder / "lr0.1" / "log.csv").write_text("epoch,loss,config.wd\n1,0.9,0.1\n2,0.8,0.1\n")
    assert read_logs(folder).configs.columns.tolist() == ["wd"]
