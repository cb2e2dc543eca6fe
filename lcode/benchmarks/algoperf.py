"""AlgoPerf: trainings of eight workloads by the submissions to the contest, several validation metrics each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from lcode.benchmarks.files import DataFile, find_file
from lcode.table import MAIN_TASK, Direction, Metric, RunTable

_RUNS = DataFile("algoperf/algoperf.runs.parquet", "c72993e766eb41258a95fc8b01cb126d753ad7ea534a3e528fa87e4e692bbb48")

_CURVES = {
    "criteo1tb_embed_init_jax": "7990105af94f81031a868a9b1211f997319fbc876923d062d141b4c952fd0b48",
    "criteo1tb_embed_init_pytorch": "e097f9bcc0f30c305e34d21129acbb0648eb928ae36e6d70b8af92fc77325f9a",
    "criteo1tb_jax": "2f36c222574e14758a290b036f73f31b8b6eb5a9f090578a5bd7c63fd689cb5a",
    "criteo1tb_pytorch": "a611d0176aba532fd144db619ab70f052a596a11ac13a5c13876c7dcf533dd6b",
    "fastmri_jax": "d4082cb07506b16ee5e6dea161578a08801c993f14600ebe6af5f47e03971d3c",
    "fastmri_pytorch": "2f6814af0ea080db3eeaeb30a3b41e88fb38f32addaa92e5d84c60d6c07083c5",
    "fastmri_tanh_jax": "5b74d17d88a7d51e24146ae213627e39e1d7724eee1591b8df5eacdf8bdc45db",
    "fastmri_tanh_pytorch": "228ae109de75c834fb8f228292eee615c856be642aa56758dd0b5322bd9406f3",
    "librispeech_conformer_jax": "5e3db7bc65bb0c4cfe1f1ab3902de32d32adfcd05961a748187034db11ffe1b3",
    "librispeech_conformer_layernorm_jax": "887ce4c672168ed5401014c6e8475c1cddff2b857035c623505194856cb1a4bf",
    "librispeech_conformer_layernorm_pytorch": "3fbbff3d6235f63856ead7692ba83c1eb58497d48eb72de6f1589f862813af93",
    "librispeech_conformer_pytorch": "07d5170afbc5e69fde494d55a2863f622b53a2b11a64eaec985b8f452f0bda0f",
    "ogbg_jax": "cdd49fed174f07d03a210966d35e131c4a9ddfa9a4b4303903ae39efd6d8c0c7",
    "ogbg_model_size_jax": "3705cea010f3cf404eaf71678fa7e569e71fe0fc8034e30a7490f24c9999c213",
    "ogbg_model_size_pytorch": "e42b4815385c67e5860d91792622dd532dd10cd53f670c4abf7303ac3f1d31f6",
    "ogbg_pytorch": "e703e238da14878db14aefee0aa903252278ad55449777fe6af5cede9e41443a",
}

FEWEST_EVALUATIONS = 8
"""Shorter trainings are left out: with a fifth of them seen there would be one evaluation or none to go by."""

_DIRECTIONS: dict[str, Direction] = {
    "loss": "min",
    "ctc_loss": "min",
    "wer": "min",
    "ssim": "max",
    "accuracy": "max",
    "mean_average_precision": "max",
}

_DESCRIPTION = ("submission", "ruleset", "version")
"""Columns of the runs that belong to the configuration, beside the hyper-parameters."""


@dataclass(frozen=True)
class AlgoPerfCollection:
    """The trainings of one workload in one framework.

    The contest allots a time, not a number of steps: a training ends when its time is used up or, by the older rules,
    when the target is reached, and what was planned is recorded nowhere. So a run's horizon is its last evaluated
    step, and every run has reached it.

    Attributes:
        workload: data set, variant of the network, and framework; a key of the collection.
        sha256: digest of the file of its curves.
    """

    workload: str
    sha256: str

    source: ClassVar[str] = "Dahl et al. 2023, AlgoPerf: training algorithms benchmark; logs of mlcommons submissions"

    @property
    def name(self) -> str:
        """Name of the benchmark."""
        return f"algoperf/{self.workload}"

    @property
    def files(self) -> tuple[DataFile, ...]:
        """The curves, and the runs of all workloads."""
        return DataFile(f"algoperf/{self.workload}.curves.parquet", self.sha256), _RUNS

    def load(self) -> RunTable:
        """Read the files into a table: the validation metrics, and the training set's as signals.

        An epoch is a step of the optimiser. The seed is the number of the study: studies repeat equal configurations.
        A run whose validation loss ends with NaN has the status `failed`.

        Raises:
            DataNotFoundError: a file is neither in `LCODE_DATA` nor in the cache.
        """
        curves = pd.read_parquet(find_file(self.files[0]))
        runs = pd.read_parquet(find_file(_RUNS)).set_index("run")
        # In the order of the curves' file, so that no run without a curve comes in.
        counts = curves.groupby("run", sort=False).size()
        runs = runs.loc[counts.index[counts >= FEWEST_EVALUATIONS]]
        curves = curves[curves["run"].isin(runs.index)]
        columns = {name: column for name in _DIRECTIONS if (column := f"validation/{name}") in curves}
        last = curves.groupby("run", sort=False).tail(1).set_index("run").loc[runs.index]
        failed = last[list(columns.values())].isna().any(axis=1)
        settings = pd.DataFrame([json.loads(text) for text in runs["hparams"]], index=runs.index)
        side = pd.DataFrame(
            {
                "status": failed.map({True: "failed", False: "finished"}),
                "horizon": last["global_step"],
                "seed": runs["study"].str.removeprefix("study_").astype(int),
            }
        )
        return RunTable.from_points(
            _points(curves, {column: name for name, column in columns.items()}),
            [Metric(MAIN_TASK, name, _DIRECTIONS[name]) for name in columns],
            runs=_named(side),
            configs=_named(runs[list(_DESCRIPTION)].join(settings)),
            signals=_points(curves, {f"train/{name}": f"train_{name}" for name in columns}),
        )


def _points(curves: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    """These columns of the curves as points, under the names given."""
    wide = curves[["run", "global_step", *columns]].rename(columns={"global_step": "epoch", **columns})
    points = wide.melt(["run", "epoch"], var_name="metric", value_name="value")
    return points.astype({"run": str, "value": float})


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the runs' numbers as text."""
    return frame.set_axis(frame.index.astype(str))


ALGOPERF = {
    collection.name: collection
    for collection in (AlgoPerfCollection(workload, sha256) for workload, sha256 in _CURVES.items())
}
"""By name `algoperf/<workload>`."""
