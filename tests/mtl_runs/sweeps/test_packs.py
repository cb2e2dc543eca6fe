from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mtl_runs.sweeps import RunSpec, Sweep
from mtl_runs.sweeps.packs import make_packs
from mtl_runs.training import RunConfig

configs = st.builds(
    RunConfig,
    arch=st.sampled_from(["mlp-8x1", "mlp-16x1"]),
    balancer=st.sampled_from(["equal", "dwa", "mgda", "cagrad", "famo"]),
    batch_size=st.sampled_from([32, 64]),
    lr=st.sampled_from([0.1, 0.01]),
    tasks=st.sampled_from([None, ("left",)]),
)


def named(some: list[RunConfig]) -> list[RunSpec]:
    return [RunSpec(f"r{i}", "digits" if i % 3 else "tabular", config, i, 2) for i, config in enumerate(some)]


@given(st.lists(configs, min_size=1, max_size=40), st.integers(1, 9), st.integers(1, 10))
def test_every_run_is_in_one_pack_of_its_kind(some: list[RunConfig], largest: int, fitting: int) -> None:
    specs = named(some)
    packs, notes = make_packs(specs, largest=largest, bytes_of=lambda spec: 100, memory=100 * fitting + 50)
    assert sorted(spec.run for pack in packs for spec in pack) == sorted(spec.run for spec in specs)
    for pack in packs:
        assert len({(spec.problem, *spec.config.stacking_key) for spec in pack}) == 1
        assert 1 <= len(pack) <= min(largest, fitting)
        balancers = [spec.config.balancer for spec in pack]
        changes = sum(one != other for one, other in pairwise(balancers))
        assert changes == len(set(balancers)) - 1
    assert bool(notes) <= (fitting < largest)


def test_a_single_run_is_never_refused() -> None:
    packs, notes = make_packs(named([RunConfig()] * 3), largest=2, bytes_of=lambda spec: 100, memory=1)
    assert [len(pack) for pack in packs] == [1, 1, 1]
    assert "are trained 1 at a time" in notes[0]


class Notes:
    """A listener that keeps the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def begin(self, epochs: int, runs: int) -> None:
        pass

    def epoch(self, run: str, epoch: int) -> None:
        pass

    def end(self, run: str, status: str) -> None:
        pass

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_a_sweep_says_that_it_split_a_population(tmp_path: Path) -> None:
    specs = [RunSpec(f"r{i}", "digits", RunConfig(arch="mlp-4x1", batch_size=256), i, 1) for i in range(3)]
    listener = Notes()
    statuses = Sweep(tmp_path, workers=1, memory=1e-7, listener=listener).run(specs)
    assert set(statuses.values()) == {"finished"}
    (note,) = listener.notes
    assert note.startswith("3 runs of mlp-4x1 on digits are trained 1 at a time: each takes about ")
