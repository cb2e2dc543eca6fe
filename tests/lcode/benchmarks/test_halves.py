from __future__ import annotations

from lcode.benchmarks import BENCHMARKS, design_sources, report_sources


def test_every_public_collection_is_in_one_half() -> None:
    design, report = design_sources(), report_sources()
    assert not set(design) & set(report)
    assert {*design, *report} == {name for name in BENCHMARKS if not name.startswith("mtl_curves/")}


def test_the_division_is_what_it_was_when_the_first_model_was_trained() -> None:
    """Counted once; a source that changes sides would have been learned from and then be reported on."""
    counts = {
        kind: sum(name.partition("/")[0] == kind for name in design_sources())
        for kind in ("algoperf", "lcbench", "rl_returns")
    }
    assert counts == {"algoperf": 8, "lcbench": 12, "rl_returns": 26} and len(design_sources()) == 46
    assert {"lcbench/segment", "taskset/patch32_GRU64_avg_bs128", "cifar10_cnn", "llm_loss"} <= set(report_sources())
    assert {"lcbench/shuttle", "algoperf/criteo1tb_jax", "algoperf/fastmri_tanh_pytorch"} <= set(design_sources())


def test_relatives_are_on_the_same_side() -> None:
    for half in (design_sources(), report_sources()):
        bodies = {name.partition("/")[2].partition("-")[0] for name in half if name.startswith("rl_returns/")}
        alike = {
            n for n in BENCHMARKS if n.startswith("rl_returns/") and n.partition("/")[2].partition("-")[0] in bodies
        }
        assert alike <= set(half)
