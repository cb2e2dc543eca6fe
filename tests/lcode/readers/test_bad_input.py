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
