"""A forecaster inside somebody else's training loop borrows few threads, and gives them back."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from types import ModuleType
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Protocol, TypeVar

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S", bound="TakesTurns")

_setting = threading.Lock()
_own = threading.local()


@contextmanager
def limited_threads(number: int) -> Iterator[None]:
    """Set torch's intra-op threads within the block, for this thread alone, and restore them after.

    A tiny model on the threads that the training itself uses runs many times slower than on one. Blocks may be nested,
    and entered by several threads at once, in any order. Does not import torch.

    Args:
        number: threads, at least 1.
    """
    torch = sys.modules.get("torch")
    with _setting:
        before = number if torch is None else torch.get_num_threads()
    if torch is None or before == number:
        yield
        return
    outermost = not hasattr(_own, "usual")
    if outermost:
        _own.usual = before
    _set(torch, number)
    try:
        yield
    finally:
        _set(torch, before)
        if outermost:
            del _own.usual


def _set(torch: ModuleType, number: int) -> None:
    """Set the number of this thread alone.

    `torch.set_num_threads` sets it for the calling thread and for all that have not used torch yet. These would keep
    the lent number for good, so a thread that ends at once says theirs again.
    """
    with _setting:
        torch.set_num_threads(number)
        if number != _own.usual:
            others = threading.Thread(target=torch.set_num_threads, args=(_own.usual,))
            others.start()
            others.join()


BRING_LIBRARIES = ("numpy", "scipy.linalg", "sklearn")
"""Modules that load libraries of linear algebra; which of them are loaded tells whether there are new ones."""

_lent = threading.Lock()


@cache
def _linear_algebra(loaded: tuple[str, ...]) -> ThreadpoolController:
    """The libraries that these modules have brought; to find them takes 30 ms."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")


@contextmanager
def one_thread_for_linear_algebra() -> Iterator[None]:
    """Within the block numpy and scipy decompose matrices in one thread.

    Ours are small: on two threads the decomposition of 80 × 80 numbers took 4.3 ms where one takes 0.7, and hundreds
    where other processes keep the processors busy. The number belongs to the whole process, so the thread that came
    first sets it and gives it back; for those that come meanwhile there is nothing to do.
    """
    loaded = tuple(name for name in BRING_LIBRARIES if name in sys.modules)
    if not loaded or not _lent.acquire(blocking=False):
        yield
        return
    try:
        with _linear_algebra(loaded).limit(limits=1):
            yield
    finally:
        _lent.release()


class Turn:
    """A lock of an object, which its thread may take again; a copy of the object has one of its own.

    Example:
        >>> import copy
        >>> turn = Turn()
        >>> with turn, turn:
        ...     copy.deepcopy(turn) is turn
        False
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *error: object) -> None:
        self._lock.release()

    def __reduce__(self) -> tuple[type[Turn], tuple[()]]:
        return Turn, ()


class TakesTurns(Protocol):
    """An object whose methods run one at a time, those marked with `in_turn`."""

    _turn: Turn


def in_turn(method: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Mark a method that waits while another thread is in one of the same object."""

    @wraps(method)
    def alone(self: S, *args: P.args, **kwargs: P.kwargs) -> T:
        with self._turn:
            return method(self, *args, **kwargs)

    return alone
