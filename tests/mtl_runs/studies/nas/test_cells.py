"""The space of cells, the networks stacked of them, and their training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import avg_pool2d, conv2d, layer_norm

import lcode
from mtl_runs.studies.nas.network import CellNetworks
from mtl_runs.studies.nas.space import (
    CONV1,
    CONV3,
    NONE,
    OPS,
    POOL,
    SKIP,
    cell_string,
    code,
    graph_of,
    is_connected,
    one_hot,
    sample_cells,
)
from mtl_runs.studies.nas.train import run_name, train_cells

ONLY_LAST = (NONE, NONE, NONE)
"""What comes before the three edges into the last state, where that is to be the operation on the input alone."""


def test_a_cell_is_written_as_its_benchmark_does() -> None:
    cell = (CONV3, NONE, SKIP, CONV1, POOL, NONE)
    assert cell_string(cell) == ("|nor_conv_3x3~0|+|none~0|skip_connect~1|+|nor_conv_1x1~0|avg_pool_3x3~1|none~2|")
    assert code(cell) == "301240"
    assert one_hot([cell]).reshape(6, 5).argmax(1).tolist() == [3, 0, 1, 2, 4, 0]
    assert graph_of(cell).params.sum() == 9 * 64 + 64 + 2 * 2 * 8


def test_drawn_cells_differ_let_something_through_and_are_the_first_of_more() -> None:
    cells = sample_cells(300, 3)
    assert len(set(cells)) == 300 and all(map(is_connected, cells))
    assert sample_cells(20, 3) == cells[:20] != sample_cells(20, 4)
    assert not is_connected((CONV3, NONE, NONE, NONE, NONE, CONV3))
    assert {op for cell in cells for op in cell} == set(OPS)


@pytest.mark.parametrize("op", [SKIP, POOL, CONV1, CONV3])
def test_an_edge_computes_its_operation(op: str) -> None:
    others = [tuple(OPS[(at + edge) % 5] for edge in range(6)) for at in range(5)]
    network = CellNetworks([*others, (*ONLY_LAST, op, NONE, NONE)], range(6))
    state = torch.randn(6, 3, 4, 4, 8, generator=torch.Generator().manual_seed(0))
    values = state[-1].permute(0, 3, 1, 2)  # of the last member, channels first
    if op == SKIP:
        expected = values
    elif op == POOL:
        expected = avg_pool2d(values, 3, stride=1, padding=1, count_include_pad=False)
    else:
        kernel = network.kernels[3][-1].reshape(3, 3, 8, 8).permute(3, 2, 0, 1)
        kernel = kernel if op == CONV3 else kernel[..., 1:2, 1:2]
        expected = conv2d(values.relu(), kernel, padding=int(op == CONV3))
        expected = layer_norm(expected, expected.shape[1:])
    found = network._cell(state.flatten(2))[-1].unflatten(-1, (4, 4, 8)).permute(0, 3, 1, 2)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_a_network_does_not_depend_on_what_it_is_stacked_with() -> None:
    cells, pictures = sample_cells(4, 0), torch.randn(2, 8, 8, generator=torch.Generator().manual_seed(0))
    together = CellNetworks(cells, range(4))(pictures)
    torch.testing.assert_close(CellNetworks(cells[2:3], [2])(pictures)[0], together[2])


def test_training_leaves_logs_that_are_read_and_goes_on_with_what_is_missing(tmp_path: Path) -> None:
    cells = sample_cells(3, 0)
    told: list[tuple[int, int]] = []
    train_cells(tmp_path, cells[:2], 1, epochs=2)
    first = (tmp_path / f"{run_name(cells[0], 1)}.jsonl").read_bytes()
    train_cells(tmp_path, cells[:2], 1, epochs=2, listener=lambda done, of, _: told.append((done, of)))
    assert not told and (tmp_path / f"{run_name(cells[0], 1)}.jsonl").read_bytes() == first
    table = lcode.read_logs(tmp_path)
    assert table.runs["status"].tolist() == ["finished"] * 2
    assert table.graphs[code(cells[0])].ops == graph_of(cells[0]).ops
    losses = table.curve(run_name(cells[0], 1), "digit/loss").values
    assert losses[1] < losses[0] < np.log(20)
    # One that was killed while it wrote is trained again, to the same numbers.
    (tmp_path / f"{run_name(cells[0], 1)}.jsonl").write_bytes(first[: len(first) // 2])
    train_cells(tmp_path, cells[:2], 1, epochs=2, listener=lambda done, of, _: told.append((done, of)))
    assert told == [(2, 2)]
    assert lcode.read_logs(tmp_path).curve(run_name(cells[0], 1), "digit/loss").values.tolist() == losses.tolist()
