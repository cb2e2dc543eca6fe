"""What rules that stop runs would have saved and lost: finished runs reported to them again, epoch by epoch."""

from lcode.evaluation.replay.in_turn import ForecastPolicy
from lcode.evaluation.replay.outcome import Replay
from lcode.evaluation.replay.sweep import Policy, RecordedSweep, replay

__all__ = ["ForecastPolicy", "Policy", "RecordedSweep", "Replay", "replay"]
