from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lcode.curves.batch import CurveBatch, RunTensors
from lcode.curves.own_scale import SMALLEST, OwnScales


def batch_of(values: list[float], cutoff: int) -> CurveBatch:
    """One run of one metric, measured at the epochs 1, 2, …"""
    count = len(values)
    curve = torch.tensor(values, dtype=torch.float64).reshape(1, 1, count)
    zeros = torch.zeros(1, 1, count, 0)
    runs = RunTensors(
        epochs=torch.arange(1.0, count + 1)[None],
        values=curve,
        present=torch.ones_like(curve, dtype=torch.bool),
        signals=zeros,
        cosines=torch.zeros(1, 1, 1, count),
        config=torch.zeros(1, 0),
        weights=torch.zeros(1, 1),
        plan=torch.zeros(1, 65, 3),
        graph_index=torch.tensor([-1]),
        horizons=torch.tensor([float(count)]),
        ticks=torch.ones(1),
    )
    return CurveBatch(runs, torch.tensor([float(cutoff)]))


def scales_of(*, signed: bool = False, apart: float = np.nan) -> OwnScales:
    return OwnScales(torch.tensor([False]), torch.tensor([signed]), torch.zeros(1), torch.tensor([apart]))


def test_the_last_observed_value_is_zero_and_the_size_is_how_far_the_later_half_is_from_it() -> None:
    batch, scale = scales_of()(batch_of([9.0, 5.0, 4.0, 3.0, 2.0, -100.0], cutoff=5))
    # Of five points the later half are the third and the fourth, 2 and 1 from the last one.
    assert scale.last.item() == 2 and scale.size.item() == 1.5
    np.testing.assert_allclose(
        np.sinh(batch.runs.values[0, 0].numpy()), np.array([7, 3, 2, 1, 0, -102]) / 1.5, atol=1e-9
    )


def test_nothing_after_the_cutoff_is_read() -> None:
    one, other = (scales_of()(batch_of([3.0, 2.0, 1.5, future], cutoff=3)) for future in (1.0, 1e6))
    assert torch.equal(one[1].size, other[1].size) and torch.equal(one[0].marks, other[0].marks)  # type: ignore[arg-type]


@settings(max_examples=40)
@given(st.lists(st.floats(-3, 3), min_size=3, max_size=9), st.floats(0.01, 100), st.floats(-50, 50))
def test_moved_and_stretched_curves_look_alike(values: list[float], stretch: float, shift: float) -> None:
    if max(values) - min(values) < 0.1:
        return
    one, scale = scales_of()(batch_of(values, cutoff=len(values) - 1))
    other, _ = scales_of()(batch_of([stretch * value + shift for value in values], cutoff=len(values) - 1))
    if scale.size > 1e3 * SMALLEST and scale.size * stretch > 1e3 * SMALLEST:
        torch.testing.assert_close(one.runs.values, other.runs.values, rtol=1e-4, atol=1e-4)


def test_back_and_forth() -> None:
    batch, scale = scales_of()(batch_of([3.0, 2.5, 2.0, 1.0], cutoff=3))
    torch.testing.assert_close(
        scale.unscale(batch.runs.values), torch.tensor([[[3.0, 2.5, 2.0, 1.0]]], dtype=torch.float64)
    )


def test_after_one_point_a_size_comes_from_the_other_runs_or_from_the_kind_of_metric() -> None:
    def size(scales: OwnScales, value: float = 4.0) -> float:
        return scales(batch_of([value, 1.0], cutoff=1))[1].size.item()

    assert size(scales_of()) == 1
    assert size(scales_of(apart=0.25)) == 0.25 and size(scales_of(apart=0.25).alone()) == 1
    assert size(scales_of(signed=True)) == 4  # a return of 4: as far as 0 is


def test_a_curve_that_stands_still_has_the_smallest_size() -> None:
    batch, scale = scales_of()(batch_of([2.0, 2.0, 2.0, 1.0], cutoff=3))
    assert scale.size.item() == np.float32(SMALLEST) or np.isclose(scale.size.item(), SMALLEST)
    assert torch.isfinite(batch.runs.values).all()


def test_a_forecast_gets_no_worse_than_the_curve_ever_moved_beyond_its_worst() -> None:
    _, moved = scales_of()(batch_of([9.0, 5.0, 4.0, 3.0], cutoff=4))
    _, still = scales_of()(batch_of([2.0, 2.0, 2.1, 2.0], cutoff=4))
    far = torch.full((1, 1, 1), 15.0)
    assert moved.unscale(far).item() == 9 + 6
    assert np.isclose(still.unscale(far).item(), 2.1 + 2)  # a factor of 7 in a loss
