"""From forecasts to decisions: objectives, rankings, stopping rules and verdicts. No torch here."""

from lcode.decisions.budget import RegretBudget
from lcode.decisions.constraints import Constrained, Constraint
from lcode.decisions.final import FinalValue, architectures, final_values, forecast_rows, score_samples
from lcode.decisions.freeze_thaw import earlier_looks, thaw_rule
from lcode.decisions.gain import GainRule
from lcode.decisions.kinds import make_objective, scores_alone, takes_baseline
from lcode.decisions.objective import CustomObjective, DeltaM, Objective, Standardised
from lcode.decisions.ranking import Ranking, rank
from lcode.decisions.references import References, read_baseline
from lcode.decisions.regret_rule import RegretRule
from lcode.decisions.relative import Hypervolume, MeanRank, ParetoFront, RelativeObjective
from lcode.decisions.rule import MedianRule, StopRule, diverged_verdict
from lcode.decisions.standings import Incumbent, Standings
from lcode.decisions.stopping import StoppingCurve, epochs_to_come, stopping_curve
from lcode.decisions.suggest import check_suggested, suggest
from lcode.decisions.suggestions import Suggestion, Suggestions
from lcode.decisions.verdict import Action, Verdict

__all__ = [
    "Action",
    "Constrained",
    "Constraint",
    "CustomObjective",
    "DeltaM",
    "FinalValue",
    "GainRule",
    "Hypervolume",
    "Incumbent",
    "MeanRank",
    "MedianRule",
    "Objective",
    "ParetoFront",
    "Ranking",
    "References",
    "RegretBudget",
    "RegretRule",
    "RelativeObjective",
    "Standardised",
    "Standings",
    "StopRule",
    "StoppingCurve",
    "Suggestion",
    "Suggestions",
    "Verdict",
    "architectures",
    "check_suggested",
    "diverged_verdict",
    "earlier_looks",
    "epochs_to_come",
    "final_values",
    "forecast_rows",
    "make_objective",
    "rank",
    "read_baseline",
    "score_samples",
    "scores_alone",
    "stopping_curve",
    "suggest",
    "takes_baseline",
    "thaw_rule",
]
