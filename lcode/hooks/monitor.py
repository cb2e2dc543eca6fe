"""The monitor of a sweep: live runs report their epochs to it and hear whether to go on."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lcode.decisions import (
    FinalValue,
    Objective,
    Standings,
    StopRule,
    Verdict,
    diverged_verdict,
    make_objective,
    score_samples,
)
from lcode.decisions.objective import ScoreFunction
from lcode.decisions.rule import SAMPLES
from lcode.errors import NotEnoughDataError, UsageError
from lcode.forecast import Forecast
from lcode.forecasters.base import Forecaster
from lcode.graphs import ArchGraph
from lcode.hooks.live_run import LiveRun, plain_config
from lcode.table import RunStatus, RunTable, Schedule
from lcode.threads import limited_threads

STATE_VERSION = 1

MIN_REFERENCE_RUNS = 3
"""Finished runs needed before an objective that takes its references or scales from them says anything."""


class Monitor:
    """Tells live runs whether to go on, from forecasts of how they will end.

    A call that needs no forecast costs well below 10 ms whatever the size of the history: the history is read once.
    Only the run that reports is forecast, alone; of the others their last expected score is remembered.

    While there is no baseline and fewer than `MIN_REFERENCE_RUNS` runs have finished, every run goes on. The
    objective is then fixed for the life of the monitor, so that scores stay comparable.

    Attributes:
        objective: what runs are compared by; None until there is something to compare with.
        log: every verdict, in the order given.
    """

    def __init__(
        self,
        model: Forecaster,
        history: RunTable,
        *,
        objective: str | Objective | ScoreFunction = "delta_m",
        baseline: Mapping[str, float] | str | os.PathLike[str] | None = None,
        min_epochs: int = 3,
        keep: int = 3,
        delta: float = 0.05,
        every: int = 1,
        dry_run: bool = False,
        num_threads: int = 1,
        final: str | FinalValue = "horizon",
    ) -> None:
        """Make a monitor.

        Args:
            model: any fitted forecaster.
            history: the runs known so far; its metrics are those that may be reported, its finished runs are the
                first incumbents. A run of the history that reports is taken up where the history left it.
            objective: see `lcode.decisions.make_objective`.
            baseline: single-task references of `delta_m`: by metric key, or a CSV file.
            min_epochs: no run is stopped before this epoch (a diverged one is).
            keep: the best so many of the runs that report, by current expectation, are never stopped.
            delta: a run is stopped when its probability of beating the incumbent is below this.
            every: forecast at epochs divisible by this only.
            dry_run: verdicts say what they would do, `stop` stays False.
            num_threads: torch threads while forecasting; the training's own number is restored.
            final: what a run ends with, and is compared by: `horizon`, `best` (best so far, of each metric on its own)
                or `last:5` (mean of the last 5 epochs).

        Raises:
            UsageError: an option out of range, an unknown objective, name or final value.
            InputError: a baseline that cannot be read.
        """
        self.model, self.metrics, self.dry_run, self.num_threads = model, history.metrics, dry_run, num_threads
        self.final = FinalValue.parse(final)
        self.rule = StopRule(delta=delta, min_epochs=min_epochs, keep=keep, every=every)
        self.log: list[Verdict] = []
        self.objective: Objective | None = None
        self._spec, self._baseline, self._history = objective, baseline, history
        self._keys = {key: m.key for m in history.metrics for key in (m.key, f"{m.task}/{m.name}")}
        self._runs: dict[str, LiveRun] = {}
        self._standings = Standings()
        self._finals = self._history_finals()
        self._archs = {run: arch for run, arch in history.runs["arch"].items() if isinstance(arch, str)}
        self._population: NDArray[np.float64] | None = None
        self._settle_objective()

    def start(
        self,
        run: str,
        *,
        config: Mapping[str, Any] | None = None,
        horizon: int | None = None,
        arch: str | None = None,
        graph: ArchGraph | None = None,
        schedule: Sequence[float] | None = None,
    ) -> None:
        """Announce a run, or more of what is known of one; what is not given stays as it is.

        Args:
            run: name of the run. One of the history is taken up with all that the history knows of it.
            config: hyper-parameters, named as in the history.
            horizon: planned last epoch; default: the longest of the history.
            arch: key of the architecture: of its graph in the history, and of its references in the baseline.
            graph: the architecture.
            schedule: planned learning rate for the epochs 1..horizon.

        Raises:
            UsageError: no horizon is given and the history is empty.
        """
        live = self._runs.get(run) or self._new_run(run, horizon)
        self._runs[run] = live
        live.horizon = live.horizon if horizon is None else int(horizon)
        live.config = live.config if config is None else plain_config(config)
        live.arch = live.arch if arch is None else arch
        live.graph = graph if graph is not None else live.graph or self._history.graphs.get(live.arch or "")
        live.schedule = live.schedule if schedule is None else Schedule.of(schedule)
        if live.arch is not None:
            self._archs[run] = live.arch

    def report(
        self, run: str, epoch: int, values: Mapping[str, float], *, signals: Mapping[str, float] | None = None
    ) -> Verdict:
        """Report an epoch and hear whether to go on.

        Epochs may be reported in any order, twice (the later values overwrite), or with a task missing. A run that
        was not announced starts with the history's horizon. A run whose metrics are all reported at its horizon is
        finished.

        Args:
            run: name of the run.
            epoch: the epoch that the values were measured after.
            values: metric key -> value in natural units. NaN or infinity means that the run diverged.
            signals: auxiliary values, such as `seg/train_loss`; read by the forecaster, never forecast.

        Raises:
            UsageError: an unknown metric; the text lists the right ones.
        """
        known = self._named(values)
        if run not in self._runs:
            self.start(run)
        live = self._runs[run]
        live.record(int(epoch), known, signals or {})
        live.status = "running"
        verdict = replace(self._decide(live), dry_run=self.dry_run)
        if verdict.stop:
            live.status = "stopped"
        if verdict.stop or (verdict.action == "stop" and verdict.score is None):
            # A diverged run is nobody's rival, even in a dry run.
            self._standings.drop(run)
        elif verdict.score is not None:
            self._standings.expect(run, verdict.score)
        self.log.append(verdict)
        return verdict

    def finish(self, run: str, status: RunStatus = "finished") -> None:
        """The run has ended. The final score of a finished one may become the incumbent.

        Raises:
            UsageError: the run was never started.
        """
        if run not in self._runs:
            raise UsageError(f"run '{run}' never reported; there are: {', '.join(self._runs) or 'none'}")
        live = self._runs[run]
        live.status = status
        self._standings.drop(run)
        self._finals.pop(run, None)
        if status != "finished":
            return
        self._finals[run] = final = live.final_values(self.metrics, self.final)
        if self.objective is None:
            self._settle_objective()
        else:
            self._standings.finish(run, self._score(run, final))

    def state_dict(self) -> dict[str, Any]:
        """All that was reported, as plain JSON values (NaN as Python's json writes it), to survive a resume.

        The model and the history are not in it: they are given anew.
        """
        return {
            "version": STATE_VERSION,
            "runs": [live.to_json() for live in self._runs.values()],
            "expected": dict(self._standings.expected),
            "population": None if self._population is None else self._population.tolist(),
            "log": [verdict.to_json() for verdict in self.log],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up a state that a monitor with the same history and settings saved.

        Raises:
            UsageError: the state is of another version.
        """
        if state.get("version") != STATE_VERSION:
            raise UsageError(f"the state is of version {state.get('version')}, this monitor reads {STATE_VERSION}")
        self._runs = {plain["name"]: LiveRun.from_json(plain) for plain in state["runs"]}
        self.log = [Verdict(**plain) for plain in state["log"]]
        self._archs.update({run: live.arch for run, live in self._runs.items() if live.arch is not None})
        # The objective is that of the saved monitor: the history may have grown since.
        population = state["population"]
        self._population = None if population is None else np.array(population, dtype=float)
        self.objective, self._standings, self._finals = None, Standings(), self._history_finals()
        for run, live in self._runs.items():
            self._finals.pop(run, None)
            if live.status == "finished":
                self._finals[run] = live.final_values(self.metrics, self.final)
        self._settle_objective()
        for run, expected in state["expected"].items():
            self._standings.expect(run, expected)

    def _decide(self, live: LiveRun) -> Verdict:
        epoch = live.last_epoch
        diverged = live.divergence()
        if diverged is not None:
            at, metric, value = diverged
            return replace(diverged_verdict(live.name, at, metric, value), epoch=epoch)
        if epoch >= live.horizon:
            if not live.is_complete(self.metrics):
                return Verdict(live.name, epoch, "continue", f"at its last epoch {epoch}, with a task still missing")
            self.finish(live.name)
            return Verdict(live.name, epoch, "continue", f"finished: reached its last epoch {epoch}")
        if self.objective is None:
            reason = f"fewer than {MIN_REFERENCE_RUNS} finished runs to compare with ({len(self._finals)})"
            return Verdict(live.name, epoch, "continue", reason)
        if not self.rule.due(epoch):
            reason = f"no forecast before epoch {self.rule.next_due(epoch)}"
            return Verdict(live.name, epoch, "continue", reason)
        with limited_threads(self.num_threads):
            table = live.to_table(self.metrics)
            forecast = self.final.of_forecast(self.model.predict(table, self.final.at), table)
        if (forecast.status == "diverged").any():
            return Verdict(live.name, epoch, "stop", "diverged, says the forecaster", 0.0, forecast=summary(forecast))
        samples = score_samples(forecast, self.objective, n=SAMPLES, seed=0, archs=[live.arch])[:, 0]
        return self.rule.decide(
            live.name, epoch, samples, self._standings, unit=self.objective.unit, forecast=summary(forecast)
        )

    def _history_finals(self) -> dict[str, NDArray[np.float64]]:
        finished = self._history.with_status("finished")
        return dict(zip(finished.run_ids, self.final.of_table(finished), strict=True))

    def _new_run(self, run: str, horizon: int | None) -> LiveRun:
        self._standings.drop(run)
        self._finals.pop(run, None)
        if run in self._history.runs.index:
            return LiveRun.from_history(self._history, run)
        if horizon is None and not len(self._history):
            raise UsageError(f"run '{run}': the history is empty, so say `start(run, horizon=…)` before it reports")
        return LiveRun(run, int(self._history.runs["horizon"].max()) if horizon is None else int(horizon))

    def _named(self, values: Mapping[str, float]) -> dict[str, float]:
        unknown = [name for name in values if name not in self._keys]
        if unknown:
            raise UsageError(f"no metric '{unknown[0]}'; there are: {', '.join(m.key for m in self.metrics)}")
        return {self._keys[name]: value for name, value in values.items()}

    def _settle_objective(self) -> None:
        """Fix the objective once it can be had, and enter the finished runs in the standings."""
        if self.objective is None:
            complete = [final for final in self._finals.values() if np.isfinite(final).all()]
            population = self._population
            if population is None and len(complete) >= MIN_REFERENCE_RUNS:
                population = np.stack(complete)
            try:
                self.objective = make_objective(
                    self._spec, self.metrics, population=population, baseline=self._baseline
                )
            except NotEnoughDataError:
                return
            self._population = population
        for run, final in self._finals.items():
            self._standings.finish(run, self._score(run, final), past=run not in self._runs)

    def _score(self, run: str, final: NDArray[np.float64]) -> float:
        assert self.objective is not None
        return float(self.objective.score(final[None], self.metrics, [self._archs.get(run)])[0])


def summary(forecast: Forecast) -> dict[str, dict[str, float]]:
    """Median and 90 % interval of each metric of the first run at its last query, in natural units."""
    final = forecast.final()
    levels = {"median": 0.5, "q05": 0.05, "q95": 0.95}
    columns = {name: final.quantile(level)[0, :, 0] for name, level in levels.items()}
    return {m.key: {name: float(column[k]) for name, column in columns.items()} for k, m in enumerate(final.metrics)}
