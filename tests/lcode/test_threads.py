from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from lcode.threads import limited_threads, one_thread_for_linear_algebra


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


def of_linear_algebra() -> set[int]:
    """Threads of the libraries that numpy and scipy decompose matrices with."""
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_linear_algebra_has_one_thread_within_and_those_that_it_had_after() -> None:
    np.linalg.eigh(np.eye(2))
    with threadpool_limits(3, user_api="blas"):
        with one_thread_for_linear_algebra(), one_thread_for_linear_algebra():
            assert of_linear_algebra() == {1}
        assert of_linear_algebra() == {3}
        with pytest.raises(ValueError, match="inside"), one_thread_for_linear_algebra():
            raise ValueError("inside")
        assert of_linear_algebra() == {3}


def test_who_came_first_gives_them_back_whoever_else_is_inside() -> None:
    with threadpool_limits(3, user_api="blas"):
        inside, leave = threading.Barrier(2), threading.Event()

        def other() -> None:
            with one_thread_for_linear_algebra():
                inside.wait()
                leave.wait()

        thread = threading.Thread(target=other)
        with one_thread_for_linear_algebra():
            thread.start()
            inside.wait()
            assert of_linear_algebra() == {1}
        assert of_linear_algebra() == {3}
        leave.set()
        thread.join()
        assert of_linear_algebra() == {3}
        with one_thread_for_linear_algebra():
            assert of_linear_algebra() == {1}
