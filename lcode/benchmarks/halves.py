"""Which public collections a model may be shaped on, and which only report how good it is: a division made once.

On the *design* half constants may be chosen, and the shipped checkpoint may be pretrained; on the *report* half never,
so that figures on it are figures on curves of unseen sources. Whole sources are on one side:

- `lcbench/<table>` by a hash of the table's name. All tables share their 2,000 settings, so what one of them
  is worth may be learnt across the halves. The shipped prior of hyper-parameters has seen 100 of them, and has 44
  weights, too few to know one by heart; of the test runs of the report half one in twenty has one of them.
- `rl_returns/<task>` by a hash of the body (`walker` of `walker-run`), since one body's tasks resemble each other.
- `algoperf/<workload>` by data set: Criteo and fastMRI are design, LibriSpeech and OGBG report.
- `taskset/<task>`, `cifar10_cnn`, `mlp_curves/<table>`, `llm_loss`: report.

The project's own corpus, `mtl_curves/<problem>`, is in neither half: its runs carry a division of their own
(`MtlCurves.part`).
"""

from __future__ import annotations

import hashlib

from lcode.benchmarks.algoperf import ALGOPERF
from lcode.benchmarks.cifar10_cnn import CIFAR10_CNN
from lcode.benchmarks.lcbench import LCBENCH
from lcode.benchmarks.llm_loss import LLM_LOSS
from lcode.benchmarks.mlp_curves import MLP_CURVES
from lcode.benchmarks.rl_returns import RL_RETURNS
from lcode.benchmarks.taskset import TASKSET

_DESIGN_WORKLOADS = ("criteo", "fastmri")


def design_sources() -> tuple[str, ...]:
    """Names of the benchmarks that constants may be chosen on and the shipped checkpoint may be trained on."""
    return (
        *(name for name, collection in ALGOPERF.items() if collection.workload.startswith(_DESIGN_WORKLOADS)),
        *(name for name in LCBENCH if _is_even(name.partition("/")[2])),
        *(name for name, collection in RL_RETURNS.items() if _is_even(collection.task.partition("-")[0])),
    )


def report_sources() -> tuple[str, ...]:
    """Names of the benchmarks that are never learned from, in the order of their registries."""
    design = set(design_sources())
    public = (*ALGOPERF, *LCBENCH, *RL_RETURNS, *TASKSET, CIFAR10_CNN.name, *MLP_CURVES, LLM_LOSS.name)
    return tuple(name for name in public if name not in design)


def _is_even(name: str) -> bool:
    """Whether the first byte of the name's SHA-256 is even: a coin that falls the same everywhere and for ever."""
    return hashlib.sha256(name.encode()).digest()[0] % 2 == 0
