"""What is to be done with a live run, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from lcode.decisions.ending import Ending

Action = Literal["continue", "stop"]


@dataclass(frozen=True)
class Verdict:
    """Continue or stop, for one run at one epoch.

    Attributes:
        run: name of the run.
        epoch: last epoch of the run that the verdict is based on.
        action: `continue` or `stop`.
        reason: why, in a sentence with the numbers.
        probability: that the run beats the incumbent by its horizon, 0 to 1; None if it was not estimated.
        score: median of the run's score at its horizon; None without a forecast.
        forecast: for each metric that is forecast, by its key, `median`, `q05` and `q95` at the horizon, in its unit.
        dry_run: the action is only advice: `stop` stays False.
        price: what stopping the run now adds to the chance that more than the budget of regret is lost, 0 to 1; None
            where there is no budget.
        outlook: the run's score at its horizon as forecast, see `lcode.decisions.ledger.Outlook`; empty without one.
        ending: the final values as forecast, by which the run can be scored anew; None without a forecast.

    Examples:
        >>> import lcode
        >>> table = lcode.read_logs("logs.csv")
        >>> model = lcode.forecaster("power").fit(table)
        >>> monitor = lcode.Monitor(model, history=table, objective="mean", min_epochs=3, keep=0)
        >>> for epoch in (1, 2, 3):
        ...     verdict = monitor.report("flat", epoch, {"seg/miou": 0.1, "depth/abs_err": 0.9})
        >>> verdict.stop, verdict.epoch
        (True, 3)
    """

    run: str
    epoch: float
    action: Action
    reason: str
    probability: float | None = None
    score: float | None = None
    forecast: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    dry_run: bool = False
    price: float | None = None
    outlook: tuple[float, ...] = ()
    ending: Ending | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "outlook", tuple(self.outlook))  # a list, read from JSON
        if isinstance(self.ending, Mapping):
            object.__setattr__(self, "ending", Ending.from_json(self.ending))

    @property
    def stop(self) -> bool:
        """Whether the training loop should end this run now."""
        return self.action == "stop" and not self.dry_run

    def to_json(self) -> dict[str, Any]:
        """The verdict as plain values; `Verdict(**plain)` is its inverse."""
        return asdict(self)
