from __future__ import annotations

import pytest

from mtl_runs.balancers import BALANCERS
from mtl_runs.training.throughput import MIXES, main, members


def test_every_mix_is_one_population_in_equal_parts() -> None:
    for balancers in MIXES.values():
        assert set(balancers) <= set(BALANCERS)
        specs = members("digits", balancers, 32, arch="mlp-8x1", batch_size=128, epochs=1)
        assert len({spec.config.stacking_key for spec in specs}) == 1
        counts = [sum(spec.config.balancer == name for spec in specs) for name in balancers]
        assert counts == [32 // len(balancers)] * len(balancers)


def test_a_line_per_mix(capsys: pytest.CaptureFixture[str]) -> None:
    main(runs=8, epochs=1, arch="mlp-4x1", batch_size=512)
    lines = capsys.readouterr().out.splitlines()
    assert [line[:20].strip() for line in lines[2:]] == list(MIXES)
