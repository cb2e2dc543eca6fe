"""One event file of TensorBoard: the scalars that were logged, and the hyper-parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lcode.errors import InputError, MissingExtraError
from lcode.readers.loggers.points import Points
from lcode.readers.loggers.tfrecord import Frames, frames
from lcode.show import counted

TOOL = "TensorBoard"

_TENSORS = {1: ("<f4", "float_val"), 2: ("<f8", "double_val"), 3: ("<i4", "int_val"), 9: ("<i8", "int64_val"),
            10: ("?", "bool_val"), 14: ("", "half_val"), 19: ("<f2", "half_val")}  # fmt: skip
"""Kinds of numbers by TensorFlow's number of the kind: the spelling in bytes, and the field that holds them else."""

_BFLOAT16 = 14


@dataclass(frozen=True, eq=False)
class EventFile:
    """What one file says.

    Attributes:
        path: the file.
        points: its scalars.
        config: hyper-parameters, as the hparams plugin has them.
        begun: seconds since 1970 of its first record.
        notes: remarks on what was left out.
    """

    path: Path
    points: Points
    config: Mapping[str, Any]
    begun: float
    notes: tuple[str, ...]

    @property
    def is_summary(self) -> bool:
        """Whether it repeats final values beside the hyper-parameters, as `add_hparams` does, and holds no curve."""
        return bool(self.config) and len(self.points.codes) == len(self.points.names)


def read_events(path: Path) -> EventFile:
    """The scalars and hyper-parameters of an event file; a torn end is left out with a remark.

    Raises:
        InputError: no record of it is whole.
        MissingExtraError: TensorBoard is not installed.
    """
    try:
        from google.protobuf.message import DecodeError
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
    except ImportError as error:
        raise MissingExtraError(
            f"{path}: an event file of TensorBoard is read with the package tensorboard, which is not installed; "
            "pip install 'lcode[tensorboard]'"
        ) from error
    found = frames(path.read_bytes())
    if not len(found.starts):
        what = "is no event file of TensorBoard, or was cut within its first record" if found.data else "is empty"
        raise InputError(
            f"{what}, so {TOOL} has left nothing to read in it; restore it from a copy, or move it away", path=path
        )
    codes_of: dict[str, int] = {}
    codes: list[int] = []
    steps: list[int] = []
    values: list[float] = []
    times: list[float] = []
    plugins: dict[str, str] = {}
    config: dict[str, Any] = {}
    begun, damaged = float("nan"), found.damaged
    for record in found:
        try:
            event = Event.FromString(record)
        except DecodeError:
            damaged += 1
            continue
        if begun != begun:
            begun = event.wall_time
        for value in event.summary.value:
            number = value.simple_value
            if not number and not value.HasField("simple_value"):
                # The plugin stands in the first record of a tag only.
                plugin = value.metadata.plugin_data
                if plugin.plugin_name:
                    plugins[value.tag] = plugin.plugin_name
                if plugin.plugin_name == "hparams":
                    try:
                        start = HParamsPluginData.FromString(plugin.content).session_start_info
                    except DecodeError:
                        damaged += 1
                        continue
                    config |= {name: _plain(given) for name, given in start.hparams.items()}
                if plugins.get(value.tag, "scalars") != "scalars":
                    continue
                number = _scalar(value.tensor)
                if number is None:
                    continue
            codes.append(codes_of.setdefault(value.tag, len(codes_of)))
            steps.append(event.step)
            values.append(number)
            times.append(event.wall_time)
    points = Points(list(codes_of), np.array(codes, np.int64), np.array(steps, np.int64), np.array(values),
                    np.array(times))  # fmt: skip
    return EventFile(path, points, config, begun, tuple(_damages(path, damaged, found)))


def _damages(path: Path, damaged: int, found: Frames) -> Iterator[str]:
    """What to tell the user of a file that is not whole; its folder names the run."""
    name = f"{path.parent.name}/{path.name}"
    if damaged:
        yield (
            f"{name}: damaged, so that {counted(damaged, 'record')} in its midst could not be read; "
            "copy the file again where it is whole elsewhere."
        )
    if found.lost:
        yield (
            f"{name}: damaged from byte {len(found.data) - found.lost:,} on, and nothing behind that can be read; copy "
            "the file again where it is whole elsewhere."
        )
    if found.torn:
        yield f"{name}: its end is torn and was left out; a training that still writes it mends that."


def _plain(given: Any) -> Any:
    """A hyper-parameter, which is one of three kinds."""
    kind = given.WhichOneof("kind")
    return None if kind is None else getattr(given, kind)


def _scalar(tensor: Any) -> float | None:
    """The number in a tensor without dimensions; None: it is none."""
    if tensor.tensor_shape.dim or tensor.dtype not in _TENSORS:
        return None
    spelling, field = _TENSORS[tensor.dtype]
    raw = tensor.tensor_content
    if not raw:
        cells = getattr(tensor, field)
        if len(cells) != 1:
            return None
        if field != "half_val":
            return float(cells[0])
        raw = int(cells[0]).to_bytes(2, "little")
    if tensor.dtype == _BFLOAT16:
        raw, spelling = b"\0\0" + raw, "<f4"
    return float(np.frombuffer(raw, spelling)[0]) if len(raw) == np.dtype(spelling).itemsize else None
