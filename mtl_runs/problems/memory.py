"""What fits into memory: every split is held there as a whole."""

from __future__ import annotations

from lcode.errors import UsageError

LARGEST = 8 * 2**30
"""Bytes that the pictures and targets of a user's folder may take."""


def check_memory(folder: object, n_samples: int, numbers: int) -> None:
    """Refuse what is too large before anything is read.

    Args:
        folder: where the samples are, for the message.
        n_samples: number of samples in all splits.
        numbers: numbers of 4 bytes per sample, inputs and targets together.

    Raises:
        UsageError: the samples take more than `LARGEST`.
    """
    needed = 4 * n_samples * numbers
    if needed > LARGEST:
        raise UsageError(
            f"{folder}: {n_samples} samples of this size take {needed / 2**30:.1f} GiB of memory, more than "
            f"{LARGEST / 2**30:.0f} GiB; give a smaller height or a limit, such as '{folder}?height=48&limit=500'"
        )
