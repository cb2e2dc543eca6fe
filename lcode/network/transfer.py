"""From a pretrained model to one with other inputs: what both have is copied, what is new begins as it is."""

from __future__ import annotations

import torch

from lcode.network.model import LCGODE


def transfer(source: LCGODE, target: LCGODE) -> None:
    """Copy the source's parameters into the target, in place.

    Where the target's input is wider (more signals, an architecture beside the curve), the new input rows begin at
    zero, so that at first the target forecasts as the source did.

    Raises:
        ValueError: the two have different numbers of members or widths.
    """
    given = source.state_dict()
    with torch.no_grad():
        for name, parameter in target.state_dict().items():
            if name not in given:
                continue
            old = given[name]
            if old.shape == parameter.shape:
                parameter.copy_(old)
            elif old.ndim == 3 and old.shape[0] == parameter.shape[0] and old.shape[2] == parameter.shape[2]:
                parameter.zero_()
                shared = min(old.shape[1], parameter.shape[1])
                parameter[:, :shared] = old[:, :shared]
            elif name != "metric":
                raise ValueError(f"parameter {name} is {tuple(parameter.shape)}, the pretrained one {tuple(old.shape)}")
