"""A picture in a file of the user's, scaled down as it is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lcode.errors import InputError, MissingExtraError


def read_picture(path: Path, height: int) -> Tensor:
    """A picture scaled to this height, [3, height, width], 0..1; every pixel is the mean of those that it covers.

    Raises:
        InputError: it is missing, or no picture.
        MissingExtraError: Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtraError("reading picture files needs Pillow: pip install 'lcode[pictures]'") from error
    try:
        with Image.open(path) as image:
            width = max(1, round(height * image.width / image.height))
            pixels = np.asarray(image.convert("RGB").resize((width, height), Image.Resampling.BOX), np.float32)
    except OSError as error:
        raise InputError(f"cannot be read as a picture ({error})", path=path) from error
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)) / 255)
