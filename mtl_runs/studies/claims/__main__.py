"""Do flat minima, COST and NGDiff do here what they claim? `python -m mtl_runs.studies.claims --out FOLDER`.

Trains every arm's candidates, and what was chosen among them with new seeds, and prints a table per experiment.
What there is is not trained again: called once more, it goes on. Leaves the run logs and a table per experiment.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean

import pandas as pd

from lcode.errors import LcodeError
from lcode.files import replacing
from mtl_runs.studies.arms import SELECT_SEED, Experiment, conduct
from mtl_runs.studies.claims.plan import flat_minima, teleports, unlearning
from mtl_runs.studies.claims.report import paired, table
from mtl_runs.studies.claims.sharpness import sharpness
from mtl_runs.studies.claims.unlearning import kept_score, landmarks
from mtl_runs.sweeps.logs import last_values
from mtl_runs.training import RunConfig


def of_flat_minima(experiment: Experiment, out: Path) -> str:
    """Beside Δm, how sharp the minima are."""
    results = conduct(experiment, out)
    finished = set(results.loc[results["score"].notna(), "run"])
    specs = [
        spec
        for arm, own in results.groupby("arm", sort=False)
        for spec in experiment.specs(str(arm), experiment.seeds, int(own["chosen"].iloc[0]))
        if spec.run in finished
    ]
    found = sharpness(experiment.problem(SELECT_SEED), specs, out / experiment.name)
    results["sharpness"] = results["run"].map(found)
    text = _written(results, experiment, out, ["sharpness"])
    lines = [
        f"sharpness, {arm} − {own['base'].iloc[0]}: {paired(results, str(arm), own['base'].iloc[0], 'sharpness'):.4f}"
        for arm, own in results.groupby("arm", sort=False)
        if own["base"].iloc[0]
    ]
    return "\n".join([text, "", *lines])


def of_teleports(experiment: Experiment, out: Path) -> str:
    """Δm, and the metrics that it is made of."""
    return _written(conduct(experiment, out), experiment, out, [m.key for m in experiment.problem(SELECT_SEED).metrics])


def of_unlearning(experiment: Experiment, out: Path) -> str:
    """Errors beside the network as it was and one that has never seen the digit; what all candidates come to."""
    results = conduct(experiment, out)
    keys = ["keep/err", "forget/err"]
    text = _written(results, experiment, out, keys)
    marks = [landmarks(seed) for seed in experiment.seeds]
    means = {name: {key: fmean(one[name][key] for one in marks) for key in keys} for name in marks[0]}
    lines = [f"{name}: " + ", ".join(f"{key} {own[key]:.3f}" for key in keys) for name, own in means.items()]
    lines += [f"{arm}, candidates: {_spread(experiment, arm, out)}" for arm in experiment.arms]
    return text + "\n\n" + "\n".join(lines)


def _spread(experiment: Experiment, arm: str, out: Path) -> str:
    """Scores of an arm's candidates on validation data, the best first: how much hangs on the choice."""
    runs = [spec.run for spec in experiment.specs(arm, (SELECT_SEED,))]
    scores = sorted((100 * kept_score(last_values(out / experiment.name, run)) for run in runs), reverse=True)
    return ", ".join(f"{score:.0f}" for score in scores)


def _written(results: pd.DataFrame, experiment: Experiment, out: Path, columns: Sequence[str]) -> str:
    with replacing(out / f"{experiment.name}.csv") as file:
        results.to_csv(file, index=False)
    chosen = (
        f"{arm}: {_told(experiment.arms[str(arm)].candidates[int(own['chosen'].iloc[0])])}"
        for arm, own in results.groupby("arm", sort=False)
    )
    return table(results, columns) + "\n\nchosen: " + "; ".join(chosen)


def _told(config: RunConfig) -> str:
    """What a candidate's configuration is told by."""
    weights = config.balancer_settings.get("weights")
    radius = f", radius {config.flat_radius:g}" if config.flat_radius else ""
    return f"rate {config.lr:g}{radius}" + (f", weights {weights}" if weights else "")


EXPERIMENTS: Mapping[str, tuple[Callable[[], Experiment], Callable[[Experiment, Path], str]]] = {
    "flat": (flat_minima, of_flat_minima),
    "cost": (teleports, of_teleports),
    "ngdiff": (unlearning, of_unlearning),
}
"""What is claimed, by the names of `--only`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; exit status 0: done, 2: bad usage, with one message on stderr."""
    parser = argparse.ArgumentParser(prog="python -m mtl_runs.studies.claims", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the run logs and tables")
    parser.add_argument("--only", nargs="+", choices=list(EXPERIMENTS), default=list(EXPERIMENTS))
    given = parser.parse_args(arguments)
    try:
        given.out.mkdir(parents=True, exist_ok=True)
        for name in given.only:
            plan, report = EXPERIMENTS[name]
            print(f"## {name}\n\n{report(plan(), given.out)}\n", flush=True)  # noqa: T201
    except (LcodeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
