from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import torch

from lcode.threads import limited_threads


@pytest.fixture(autouse=True)
def four_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


def in_a_new_thread() -> int:
    """The number that torch gives to a thread that never used it."""
    seen: list[int] = []
    thread = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return seen[0]


def test_nested_blocks_give_back_what_each_found() -> None:
    with limited_threads(1):
        with limited_threads(2):
            assert (torch.get_num_threads(), in_a_new_thread()) == (2, 4)
        with limited_threads(1):
            assert torch.get_num_threads() == 1
        assert (torch.get_num_threads(), in_a_new_thread()) == (1, 4)
    assert (torch.get_num_threads(), in_a_new_thread()) == (4, 4)


def test_the_number_comes_back_after_an_error() -> None:
    with pytest.raises(ValueError, match="inside"), limited_threads(1):
        raise ValueError("inside")
    assert torch.get_num_threads() == 4


def test_blocks_of_several_threads_do_not_meddle() -> None:
    steps = [threading.Event() for _ in range(3)]
    seen: dict[str, int] = {}

    def outer() -> None:
        with limited_threads(1):
            steps[0].set()
            steps[1].wait(10)
            seen["outer, inside"] = torch.get_num_threads()
        seen["outer, after"] = torch.get_num_threads()
        steps[2].set()

    def inner() -> None:
        steps[0].wait(10)
        with limited_threads(1):
            seen["inner, inside"] = torch.get_num_threads()
            steps[1].set()
            steps[2].wait(10)  # the other block ends first
        seen["inner, after"] = torch.get_num_threads()

    threads = [threading.Thread(target=target) for target in (outer, inner)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert seen == {"outer, inside": 1, "outer, after": 4, "inner, inside": 1, "inner, after": 4}
    assert (torch.get_num_threads(), in_a_new_thread()) == (4, 4)
