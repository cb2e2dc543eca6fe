from __future__ import annotations

from pathlib import Path

import pytest

from lcode.errors import InputError
from lcode.readers import read_logs
from lcode.testing import BadInput, bad_inputs


@pytest.mark.parametrize("case", bad_inputs(), ids=lambda case: case.name)
def test_bad_logs_are_refused_with_place_and_remedy(case: BadInput, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_logs(case.write(tmp_path))
    for text in case.expect:
        assert text in str(caught.value)


def test_there_are_no_two_cases_of_one_name() -> None:
    names = [case.name for case in bad_inputs()]
    assert len(set(names)) == len(names) >= 25


def test_what_is_refused_says_whose_it_is(tmp_path: Path) -> None:
    path = tmp_path / "wandb_export.csv"
    path.write_text('"Step","a - strange","a - strange__MIN","a - strange__MAX"\n1,0.5,0.5,0.5\n2,0.4,0.4,0.4\n')
    with pytest.raises(InputError, match=r"is read as W&B export; .*--direction strange=max"):
        read_logs(path)
    empty = tmp_path / "train_log.txt"
    empty.write_text("\n")
    with pytest.raises(InputError, match="is empty: nothing was logged yet"):
        read_logs(empty)
