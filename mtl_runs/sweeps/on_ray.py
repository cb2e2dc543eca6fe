"""The Ray engine: every population is a trial of Ray Tune, on the processes or machines of a cluster."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lcode.errors import UsageError
from lcode.table import RunStatus
from mtl_runs.sweeps.conductor import Judge, Listener, Silent
from mtl_runs.sweeps.logs import last_status
from mtl_runs.sweeps.worker import Answer, Job
from mtl_runs.training import EpochReport

RETRIES = 1
"""How often a trial is tried again whose process died; its runs go on from their checkpoints."""


def train_on_ray(jobs: Sequence[Job], *, workers: int, judge: Judge | None, listener: Listener) -> dict[str, RunStatus]:
    """Train all jobs as trials of Ray Tune.

    A cluster that is already running (`ray.init` was called, or `RAY_ADDRESS` names one) is used as it is; otherwise
    Ray is started here. On several machines the folder of the logs must be one that all of them see. Ray's own files
    are in `<folder>/ray/`; a sweep is resumed from its logs, like any other, and not from them.

    Args:
        jobs: the populations, at least one.
        workers: number of processes where Ray is started here; each trial takes one CPU, or a share of a GPU.
        judge: decides on the runs of monitored jobs; it lives in a process of its own.
        listener: told about progress.

    Returns:
        Status of every run; `running` for those whose process died again and again.

    Raises:
        UsageError: Ray is not installed, or a run cannot be trained.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        from ray import tune
    except ImportError as error:
        raise UsageError("--engine ray needs Ray Tune; install it with: pip install 'lcode[ray]'") from error

    started = not ray.is_initialized()
    if started and "RAY_ADDRESS" in os.environ:
        ray.init(log_to_driver=False)
    elif started:
        ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False)
    jobs = [replace(job, folder=Path(job.folder).resolve()) for job in jobs]
    handle = None if judge is None else ray.remote(num_cpus=0)(Judge).remote(judge.monitor, judge.headers)

    class Progress(tune.Callback):
        """Passes on what the trials report."""

        def __init__(self, listener: Listener) -> None:
            self.listener = listener

        def __getstate__(self) -> dict[str, Any]:
            # Ray saves its callbacks for a restart of its own; a progress bar cannot be saved, and need not be.
            return {"listener": Silent()}

        def on_trial_result(self, iteration: int, trials: Any, trial: Any, result: dict[str, Any], **info: Any) -> None:
            for run, epoch in zip(result["runs"], result["epochs"], strict=True):
                self.listener.epoch(run, epoch)

        def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
            for run, status in _statuses(jobs[trial.config["job"]]).items():
                self.listener.end(run, status)

    on_gpu = jobs[0].device != "cpu"
    trainable = tune.with_resources(
        tune.with_parameters(_trial, jobs=tuple(jobs), judge=handle, place=Path.cwd()),
        {"gpu": 1 / workers} if on_gpu else {"cpu": 1},
    )
    tuner = tune.Tuner(
        trainable,
        param_space={"job": tune.grid_search(list(range(len(jobs))))},
        run_config=tune.RunConfig(
            name="ray",
            storage_path=str(jobs[0].folder),
            callbacks=[Progress(listener)],
            failure_config=tune.FailureConfig(max_failures=RETRIES),
            verbose=0,
        ),
    )
    try:
        results = tuner.fit()
    finally:
        if started:
            ray.shutdown()
    for failure in results.errors:
        cause = getattr(failure, "cause", failure)
        if isinstance(cause, UsageError):
            raise cause
        if "UsageError" in str(failure):
            raise UsageError(str(failure).strip().splitlines()[-1].partition("UsageError: ")[2])
    return {run: status for job in jobs for run, status in _statuses(job).items()}


def _trial(config: dict[str, Any], jobs: Sequence[Job], judge: Any, place: Path) -> None:
    """One population, in a process of Ray; `place` is where the sweep was begun."""
    import ray
    from ray import tune

    from mtl_runs.problems import make_problem
    from mtl_runs.training import train_population

    job = jobs[config["job"]]
    if place.is_dir():  # Ray puts each trial into a folder of its own, and problems may be files of the user's
        os.chdir(place)

    def on_epochs(reports: Sequence[EpochReport]) -> list[Answer | None]:
        tune.report({"runs": [report.run for report in reports], "epochs": [report.epoch for report in reports]})
        if job.monitored:
            answers: list[Answer | None] = ray.get(judge.decide.remote(list(reports)))
            return answers
        return [None] * len(reports)

    results = train_population(
        make_problem(job.specs[0].problem),
        job.specs,
        folder=Path(job.folder),
        on_epochs=on_epochs,
        device=job.device,
        continue_stopped=job.continue_stopped,
        until=job.until,
        features=job.features,
    )
    if judge is not None:
        ray.get(judge.finish.remote({result.run: result.status for result in results}))


def _statuses(job: Job) -> dict[str, RunStatus]:
    """How the runs of a job stand by their logs."""
    return {spec.run: last_status(job.folder, spec.run) or "running" for spec in job.specs}
