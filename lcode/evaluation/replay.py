"""What a stopping policy would have saved and lost: finished runs reported to it again, epoch by epoch."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lcode.decisions import (
    MedianRule,
    Objective,
    Standings,
    StopRule,
    Verdict,
    diverged_verdict,
    final_values,
    forecast_rows,
    make_objective,
    score_samples,
)
from lcode.decisions.objective import ScoreFunction
from lcode.decisions.rule import SAMPLES
from lcode.errors import NotEnoughDataError
from lcode.evaluation.score_curves import ScoreCurves, architectures
from lcode.forecasters.base import Forecaster
from lcode.forecasters.in_sweep import InSweep
from lcode.table import RunTable, as_epochs


@dataclass(frozen=True, eq=False)
class ForecastPolicy:
    """Stop by forecasts, as the live monitor does.

    Attributes:
        model: a forecaster that has not seen the runs to be replayed. One that can take up finished runs, as the
            shipped one, learns while the sweep goes on; see `InSweep`.
        rule: when to stop.
    """

    model: Forecaster
    rule: StopRule = StopRule()  # noqa: RUF009 (a frozen value)


Policy = ForecastPolicy | MedianRule | None
"""None trains every run to its end."""


@dataclass(frozen=True)
class Replay:
    """Outcome of one replay of R runs.

    Attributes:
        order: the runs in the order in which they were started.
        epochs_trained: epochs that were trained under the policy, all runs together.
        epochs_total: epochs without any stopping.
        stopped: the stopped runs, with the epoch at which each was.
        best_run: the run with the best true final score of all; None if all diverged.
        regret: best true final score of all runs minus that of the runs that were not stopped, in the objective's
            unit (Δm: percentage points), ≥ 0. If all were stopped: minus the best score that any had when it was
            stopped; NaN if there is none. The runs of the history do not count: a sweep is to find its own best.
        verdicts: every verdict, in the order given.
    """

    order: tuple[str, ...]
    epochs_trained: float
    epochs_total: float
    stopped: Mapping[str, float]
    best_run: str | None
    regret: float
    verdicts: tuple[Verdict, ...]

    @property
    def saved(self) -> float:
        """Share of the epochs that was not trained, 0 to 1."""
        return 1 - self.epochs_trained / self.epochs_total if self.epochs_total else 0.0

    @property
    def speedup(self) -> float:
        """How many times fewer epochs were trained, ≥ 1."""
        return self.epochs_total / self.epochs_trained if self.epochs_trained else 1.0

    @property
    def best_kept(self) -> bool:
        """Whether the truly best run was trained to its end."""
        return self.best_run is not None and self.best_run not in self.stopped


Samples = tuple[NDArray[np.float64], NDArray[np.bool_]]
"""Samples of every run's final score as forecast at an epoch, [n, R], and which runs diverged, [R]."""


class RecordedSweep:
    """Finished runs, ready to be replayed under several policies and orders; forecasts are made once per model.

    All runs are forecast together, one batch per epoch. Forecasts of a model that does not learn in the sweep do not
    depend on the order of the runs either, and serve every replay.
    """

    def __init__(
        self,
        table: RunTable,
        *,
        objective: str | Objective | ScoreFunction = "delta_m",
        baseline: Mapping[str, float] | str | os.PathLike[str] | None = None,
        history: RunTable | None = None,
    ) -> None:
        """Prepare the finished runs of a table.

        Args:
            table: the runs to be replayed; those that did not finish are left out, for how they would have ended is
                not known.
            objective: what final scores, and regret, are measured by; see `lcode.decisions.make_objective`.
            baseline: single-task references of `delta_m`.
            history: runs that had finished before the sweep: the first incumbents, the median rule's first peers,
                and the source of references and scales. Without it these come from the replayed runs' final values.

        Raises:
            NotEnoughDataError: no run of the table finished.
        """
        finished = table.with_status("finished")
        measured = set(finished.points["run"].astype(str))
        self.table = finished.select([run for run in finished.run_ids if run in measured])
        if not len(self.table):
            raise NotEnoughDataError(f"none of the {len(table)} runs finished; only finished runs can be replayed")
        self.history = None if history is None else history.with_status("finished")
        finals = final_values(self.table)
        past = None if self.history is None or not len(self.history) else final_values(self.history)
        metrics = table.metrics
        self.objective = make_objective(
            objective, metrics, population=finals if past is None else past, baseline=baseline
        )
        self.final_scores = self.objective.score(finals, metrics, architectures(self.table))
        self.past_scores: dict[str, float] = {}
        if self.history is not None and past is not None:
            scores = self.objective.score(past, metrics, architectures(self.history))
            self.past_scores = dict(zip(self.history.run_ids, scores.tolist(), strict=True))
        self._curves = ScoreCurves(self.table, self.objective)
        self._past_curves = None if past is None or self.history is None else ScoreCurves(self.history, self.objective)
        # A forecaster is kept with its forecasts, so that its id stays its own; of one that learned in a sweep there is
        # a new one whenever runs have finished, and only the latest serves.
        self._forecasts: dict[int, tuple[Forecaster, dict[int, Samples]]] = {}
        self._latest: tuple[Forecaster, dict[int, Samples]] | None = None

    def replay(self, policy: Policy, *, order_seed: int = 0, workers: int = 1) -> Replay:
        """Replay the runs in a random order, as a sweep would have trained them.

        Args:
            policy: what to stop by.
            order_seed: seed of the order in which the runs start.
            workers: runs that train at the same time, an epoch each in turn; when one ends, the next one starts.
        """
        runs = self.table.run_ids
        order = [int(i) for i in np.random.default_rng(order_seed).permutation(len(runs))]
        standings = Standings()
        for run, score in self.past_scores.items():
            standings.finish(run, score, past=True)
        done: list[int] = []  # replayed runs that finished: the median rule's peers
        stopped: dict[str, int] = {}
        verdicts: list[Verdict] = []
        waiting, training = order[::-1], dict[int, int]()  # the latter: run -> position of its next epoch
        past = self.table.select([]) if self.history is None else self.history
        learned = InSweep(policy.model, past) if isinstance(policy, ForecastPolicy) else None
        while waiting or training:
            while waiting and len(training) < workers:
                training[waiting.pop()] = 0
            for i, position in list(training.items()):
                epochs = self._curves.epochs[i]
                verdict = self._decide(policy, learned, i, position, standings, done)
                if verdict is not None:
                    verdicts.append(verdict)
                if verdict is not None and verdict.stop:
                    standings.drop(runs[i])
                    stopped[runs[i]] = epochs[position]
                    del training[i]
                elif position + 1 == len(epochs):
                    standings.finish(runs[i], float(self.final_scores[i]))
                    done.append(i)
                    del training[i]
                else:
                    training[i] = position + 1
                    if verdict is not None and verdict.score is not None:
                        standings.expect(runs[i], verdict.score)
        return self._outcome(order, stopped, verdicts)

    def _decide(
        self,
        policy: Policy,
        learned: InSweep | None,
        i: int,
        position: int,
        standings: Standings,
        done: list[int],
    ) -> Verdict | None:
        """The verdict on the i-th run at the epoch at this position; None where the policy has nothing to say."""
        if policy is None:
            return None
        name, diverged = self.table.run_ids[i], self._curves.diverged.get(i)
        epoch = self._curves.epochs[i][position]
        told = self._told(epoch)
        if diverged is not None and diverged[0] <= epoch:
            _, first, metric, value = diverged
            return dataclasses.replace(diverged_verdict(name, self._told(first), metric, value), epoch=told)
        if epoch >= self._curves.horizons[i]:
            return None
        if isinstance(policy, MedianRule):
            peers = self._curves.at(epoch)[done]
            if self._past_curves is not None:
                peers = np.concatenate([self._past_curves.at(epoch), peers])
            return policy.decide(name, told, self._curves.best_until(i, epoch), peers)
        if not policy.rule.due(told, self._told(self._curves.epochs[i][position - 1]) if position else -1):
            return None
        assert learned is not None
        model = learned.knowing([self.table.run_ids[run] for run in done], self.table.select)
        samples, lost = self._score_samples(model, epoch, learned=model is not policy.model)
        if lost[i]:
            return Verdict(name, told, "stop", "diverged, says the forecaster", 0.0)
        return policy.rule.decide(name, told, samples[:, i], standings, unit=self.objective.unit)

    def _told(self, tick: int) -> int | float:
        """Ticks of the table as epochs: a fraction where the table has such."""
        return as_epochs(tick, self.table.epoch_unit).item()

    def _score_samples(self, model: Forecaster, epoch: int, *, learned: bool) -> Samples:
        """What a model expects at this epoch of every run; see `Samples`.

        Args:
            model: the forecaster.
            epoch: what is seen of each run.
            learned: whether it has learned in this very sweep.
        """
        by_epoch = self._made_by(model, learned=learned)
        if epoch not in by_epoch:
            forecast = model.predict(_finite(self.table.prefix(epoch))).final()
            archs = architectures(self.table)
            # Each run is sampled alone, as the live monitor does it.
            rows = [forecast_rows(forecast, np.array([i])) for i in range(len(archs))]
            columns = [
                score_samples(row, self.objective, n=SAMPLES, seed=0, archs=[arch])
                for row, arch in zip(rows, archs, strict=True)
            ]
            by_epoch[epoch] = np.concatenate(columns, axis=1), (forecast.status == "diverged").any(1)
        return by_epoch[epoch]

    def _made_by(self, model: Forecaster, *, learned: bool) -> dict[int, Samples]:
        """The forecasts that this model has made so far, by epoch."""
        if not learned:
            return self._forecasts.setdefault(id(model), (model, {}))[1]
        if self._latest is None or self._latest[0] is not model:
            self._latest = (model, {})
        return self._latest[1]

    def _outcome(self, order: list[int], stopped: dict[str, int], verdicts: list[Verdict]) -> Replay:
        runs = self.table.run_ids
        first = self._curves.first_epoch
        last = {run: epochs[-1] for run, epochs in zip(runs, self._curves.epochs, strict=True)}
        # Where epochs count from 0, epoch e is the (e+1)-th.
        offset = 1 if first == 0 else 0
        scores = np.where(np.isfinite(self.final_scores), self.final_scores, -np.inf)
        kept = np.array([run not in stopped for run in runs])
        best = float(scores.max())
        left = float(scores[kept].max(initial=-np.inf))
        if not np.isfinite(left):
            reached = [self._curves.at(stopped[run])[i] for i, run in enumerate(runs) if run in stopped]
            left = max((float(score) for score in reached if np.isfinite(score)), default=np.nan)
        return Replay(
            order=tuple(runs[i] for i in order),
            epochs_trained=self._told(sum(stopped.get(run, last[run]) + offset for run in runs)),
            epochs_total=self._told(sum(last[run] + offset for run in runs)),
            stopped={run: self._told(epoch) for run, epoch in stopped.items()},
            best_run=runs[int(scores.argmax())] if np.isfinite(best) else None,
            regret=max(0.0, best - left) if np.isfinite(best) else 0.0,
            verdicts=tuple(verdicts),
        )


def _finite(table: RunTable) -> RunTable:
    """The table without the points that are not finite, of which it is not known yet whether they will last."""
    points = table.points[np.isfinite(table.points["value"])]
    return dataclasses.replace(table, points=points.reset_index(drop=True))


def replay(
    table: RunTable,
    policy: Policy,
    *,
    objective: str | Objective | ScoreFunction = "delta_m",
    baseline: Mapping[str, float] | str | os.PathLike[str] | None = None,
    history: RunTable | None = None,
    order_seed: int = 0,
    workers: int = 1,
) -> Replay:
    """Replay finished runs under one stopping policy; see `RecordedSweep`, which serves several without waste."""
    sweep = RecordedSweep(table, objective=objective, baseline=baseline, history=history)
    return sweep.replay(policy, order_seed=order_seed, workers=workers)
