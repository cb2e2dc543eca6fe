"""A problem of the user's: a Python file with a function that makes it, and tasks with losses and metrics of one's own.

The file is named as `my.py:make`. The function takes nothing and returns a `Problem`; what else it may say is its
network. Worker processes load the file again, so it must make the same problem every time.
"""

from __future__ import annotations

import importlib.util
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from traceback import extract_tb
from types import ModuleType

import torch
from torch import Tensor

from lcode.errors import LcodeError, UsageError
from lcode.table import Metric
from lcode.table.metric import Direction
from mtl_runs.problems.base import Problem, Task

FORM = "FILE.py:FUNCTION"

Measure = Callable[[Tensor, Tensor], Tensor | float]


@dataclass(frozen=True, eq=False)
class OwnTask(Task):
    """A task with a loss and metrics of the user's. Targets may have any shape and type.

    All functions get one network's outputs of a batch and the targets, [B, ...] each.

    Args:
        name: file- and module-name safe.
        n_outputs: values that the trainer's own networks are to predict; a network of the user's is not asked.
        criterion: the loss, a single number, such as `torch.nn.functional.cross_entropy`.
        measures: by metric name whether it is to be `min` or `max`, and the function that measures it. A metric is
            averaged over batches by their numbers of samples: what is no mean over samples, such as an area under a
            curve, needs a `Task` of its own.

    Examples:
        >>> import torch
        >>> from mtl_runs.problems import OwnTask
        >>> mae = lambda outputs, targets: (outputs - targets).abs().mean()
        >>> [metric.key for metric in OwnTask("mass", 1, torch.nn.MSELoss(), {"mae": ("min", mae)}).metrics]
        ['mass/mae']
    """

    criterion: Callable[[Tensor, Tensor], Tensor]
    measures: Mapping[str, tuple[Direction, Measure]]

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The measures, in their order."""
        return tuple(Metric(self.name, name, direction) for name, (direction, _) in self.measures.items())

    def target_shape(self, input_shape: Sequence[int]) -> tuple[int, ...]:
        """Not asked: see `refuses`."""
        raise NotImplementedError

    def output_shape(self, input_shape: Sequence[int]) -> None:
        """Not known: what the criterion takes."""

    def refuses(self, targets: Tensor, n_samples: int, input_shape: Sequence[int]) -> str | None:
        """Only another number of targets than of samples."""
        return None if len(targets) == n_samples else f"there are {len(targets)} targets for {n_samples} samples"

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The criterion, member by member."""
        pairs = zip(outputs, targets, strict=True)
        losses = torch.stack([self._number("its loss", self.criterion, own, t) for own, t in pairs])
        if outputs.requires_grad and not losses.requires_grad:
            raise UsageError(
                f"task '{self.name}': its loss does not depend on the outputs, as far as gradients go; was it "
                "detached, or made a number of Python?"
            )
        return losses

    def tally(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Each measure times the number of samples, and that number."""
        n = len(targets)
        rows = [
            [n * float(self._number(f"'{name}'", f, own, targets)) for name, (_, f) in self.measures.items()]
            + [float(n)]
            for own in outputs
        ]
        return torch.tensor(rows, dtype=torch.float64, device=outputs.device)

    def measure(self, tally: Tensor) -> dict[str, Tensor]:
        """Means over the samples."""
        return {metric.key: tally[:, place] / tally[:, -1] for place, metric in enumerate(self.metrics)}

    def _number(self, what: str, function: Measure, outputs: Tensor, targets: Tensor) -> Tensor:
        """What a function of the user's returns, if that is a single number."""
        of = f"task '{self.name}': {what} of outputs {list(outputs.shape)} and targets {list(targets.shape)}"
        try:
            with warnings.catch_warnings():
                # PyTorch goes on where [B, 1] meets [B], with all pairs of samples.
                warnings.filterwarnings("error", message="Using a target size")
                value = torch.as_tensor(function(outputs, targets))
        except Exception as error:
            raise UsageError(f"{of} raised {type(error).__name__}: {error}") from error
        if value.numel() != 1:
            raise UsageError(f"{of} is a tensor of shape {list(value.shape)}; it must be a single number")
        return value.reshape(())


def is_own(name: str) -> bool:
    """Whether a problem's name is that of a file and a function."""
    return ".py:" in name


def own_problem(name: str) -> Problem:
    """The problem that a function of a file makes.

    Args:
        name: `FILE.py:FUNCTION`.

    Raises:
        UsageError: no such file or function, it raises something (the text says where), or returns no problem.
    """
    path_text, _, function = name.rpartition(":")
    path = Path(path_text)
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file; a problem of your own is written {FORM}, such as my.py:make")
    with _beside(path):
        module = _loaded(path)
        make = getattr(module, function, None)
        if not callable(make):
            there = [key for key, value in vars(module).items() if _is_maker(value, module)]
            raise UsageError(f"{path}: there is no function '{function}'; there are: {', '.join(there) or 'none'}")
        with _blamed(path, f"{function}()"):
            made = make()
    if not isinstance(made, Problem):
        raise UsageError(
            f"{path}: {function}() returned a {type(made).__name__}; it must return a mtl_runs.problems.Problem"
        )
    # The trainer's name for it, by which every process finds it.
    return replace(made, name=name)


def _is_maker(value: object, module: ModuleType) -> bool:
    return callable(value) and not isinstance(value, type) and getattr(value, "__module__", "") == module.__name__


def _loaded(path: Path) -> ModuleType:
    """The file as a module of its own name, which replaces none that is there."""
    name = f"_problem_of_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    with _blamed(path, "the file"):
        spec.loader.exec_module(module)
    return module


@contextmanager
def _beside(path: Path) -> Iterator[None]:
    """The file may import what lies beside it, as a script may."""
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


@contextmanager
def _blamed(path: Path, what: str) -> Iterator[None]:
    """What goes wrong within is told with the line of the user's file."""
    try:
        yield
    except LcodeError as error:
        raise UsageError(f"{path}: {what}: {error}") from error
    except Exception as error:
        lines = [frame.lineno for frame in extract_tb(error.__traceback__) if Path(frame.filename) == path.resolve()]
        if isinstance(error, SyntaxError) and error.lineno is not None:
            lines.append(error.lineno)
        place = f"{path}, line {lines[-1]}" if lines else str(path)
        raise UsageError(f"{place}: {what} raised {type(error).__name__}: {error}") from error
