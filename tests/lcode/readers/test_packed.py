"""Tables that are compressed one by one."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.errors import InputError
from lcode.readers import read_logs

LINES = b'{"run": "a", "epoch": 1, "acc": 0.5}\n{"run": "a", "epoch": 2, "acc": 0.6}\n'


@pytest.mark.parametrize(("ending", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".XZ", lzma.compress)])
def test_lines_of_json_are_read_compressed_too(tmp_path: Path, ending: str, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / f"log.jsonl{ending}"
    path.write_bytes(pack(LINES))
    for place in (path, tmp_path):
        assert read_logs(place).points["value"].tolist() == [0.5, 0.6]
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(InputError, match=r"log\.jsonl.*compress it again"):
        read_logs(path)


def test_a_compressed_run_log_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"type": "header", "run": "a", "horizon": 3}\n{"type": "epoch", "epoch": 1}\n'))
    with pytest.raises(InputError, match="is a compressed run log; unpack it"):
        read_logs(path)
