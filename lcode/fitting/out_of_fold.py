"""Forecasts of the finished runs by what was learned without them: what widths, weights and trust are read off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from lcode.experts.committee import EXPERTS, Committee
from lcode.experts.gaussian_process import WARM_STEPS
from lcode.experts.reach import within
from lcode.fitting.calibration import Judged
from lcode.fitting.loop import Source
from lcode.fitting.network import OutOfFoldNetwork
from lcode.fitting.novelty import ripeness, scarcity
from lcode.fitting.shares import leads_of
from lcode.fitting.stacking import Stacking
from lcode.fitting.zero_shot import ZeroShot
from lcode.models.lcgode import LCGODE
from lcode.table import RunTable
from lcode.tensors.collate import Preprocessor
from lcode.tensors.scaling import ValueScaler

Array = NDArray[np.float64]

SHARES = (0.0, 0.05, 0.1, 0.2, 0.4, 0.7)
"""Prefixes from which the left-out runs are forecast, as shares of the horizon; 0 = the first epoch alone."""

QUERIES = 8

NETWORK = "lc-gode"

PRETRAINED = "pretrained"

PARTS = (NETWORK, *EXPERTS, PRETRAINED)
"""What a forecast is made of; the last only where the network started from a pretrained one."""

GAINS = dict(zip(PARTS, (1.0, 1.08, 0.96, 0.97, 0.93, 1.0), strict=True))
"""CRPS of each of `PARTS` in a forecast over that on left-out runs, relative to the network's.

The network and the forests stand in a forecast with all their members, of which only one or those of one fold left a
run out; the process, whose hyper-parameters were chosen on all runs, gains nothing. Measured on ten divisions of eight
sources, with all runs, at four prefixes: 1.15, 0.93, 0.95 and 0.86 (standard errors 0.01). Half of that gave the
smallest CRPS, by 0.8 %.
"""


LEAST_PRIOR = 0.1
"""Prior weight that a part keeps: from none at all the left-out runs could not bring it back."""


def gains(names: Sequence[str]) -> list[float]:
    """`GAINS` of these parts."""
    return [GAINS[name] for name in names]


def prior_weights(names: Sequence[str], runs: int, share: float) -> Array:
    """Weights of these parts before the left-out runs have spoken, for a number of finished runs and a share seen.

    At the first epoch the adapted network, which knows the configuration, stands beside the process; as curves grow,
    the pretrained one, which reads each curve on a scale of its own, takes over its weight. A forest of surprises has
    somewhat more, with any number of runs, and the two forests of values and of changes, near relatives, together as
    much as the process. A forest that forecasts values, not changes, has up to three times the error of the others
    where few runs have finished.

    With 30 finished runs of two tables of LCBench's design half and one workload of AlgoPerf's, two divisions each,
    giving way changed the CRPS by -11 to +7 % from a tenth of the horizon on, mostly down, and by up to 2 % before.
    """
    few, very_few, ripe = scarcity(runs), scarcity(runs, 10, 30), float(ripeness(share))
    late, first = few * ripe, few * max(1 - share / 0.05, 0.0)
    network, process = 2 + late - 0.9 * first, 2 - late + 0.8 * first
    giving_way = ripe if NETWORK in names else 1.0
    pretrained = 0.1 + (0.6 + 1.4 * very_few) * late + network * giving_way
    adapted = max(network * (1 - giving_way), LEAST_PRIOR)
    weights = (adapted, process, 1 - 0.8 * late, 1 + 0.5 * (few - late), 2.5, pretrained)
    return np.array([weights[PARTS.index(name)] for name in names])


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Forecasts of N runs from one prefix, by parts that never learned from them.

    Attributes:
        names: of the E parts.
        share: how much of the horizon was seen, of the run with the median horizon.
        cutoffs: last epoch seen, [N].
        leads: place of each query between cutoff (0) and horizon (1), [N, Q].
        parts: in model space, [E, N, K, Q, 21].
        truth: scaled values, NaN where there is none, [N, K, Q].
        last: last observed scaled value, [N, K].
        own: so many of the runs, the first, are of the problem to forecast, the others of related ones.
        novelty: share of the weights that goes to the last part, [N, K]; None: what the stacking says.
    """

    names: tuple[str, ...]
    share: float
    cutoffs: Array
    leads: Array
    parts: Array
    truth: Array
    last: Array
    own: int
    novelty: Array | None = None

    def of_own(self) -> OutOfFold:
        """The runs of the problem alone."""
        n = self.own
        parts, rows = self.parts[:, :n], (self.cutoffs[:n], self.leads[:n])
        novelty = None if self.novelty is None else self.novelty[:n]
        return OutOfFold(self.names, self.share, *rows, parts, self.truth[:n], self.last[:n], n, novelty)

    def natural(self, values: ValueScaler) -> tuple[Array, Array]:
        """Parts and truth in natural units, the parts up to what a forecast may reach."""
        ceilings = values.ceilings[:, None, None]
        parts = [np.sort(np.minimum(values.unscale(part), ceilings), axis=-1) for part in self.parts]
        return np.stack(parts), values.unscale(self.truth)

    def judged(self, stacking: Stacking | None = None) -> Judged:
        """The forecasts that a user would get: the parts blended, or the first part alone."""
        shares = np.full(len(self.truth), self.share)
        quantiles = self.parts[0] if stacking is None else stacking.mix(self.parts, shares, self.leads, self.novelty)
        return Judged(self.share, self.leads, quantiles, self.truth)


def out_of_fold_forecasts(model: LCGODE, source: Source) -> list[OutOfFold]:
    """Forecasts by the model's members alone: each run by the member that left it out, from each of `SHARES`."""
    rows = torch.nonzero(source.folds < model.config.members)[:, 0]
    network, chosen = OutOfFoldNetwork(model, source), source.runs.rows(rows)
    counts = (chosen.present.any(1) * torch.arange(1, chosen.present.shape[-1] + 1, device=rows.device)).amax(-1)
    results = []
    for share in SHARES:
        seen = (chosen.epochs <= (share * chosen.horizons)[:, None]).sum(-1) - 1
        index = torch.minimum(seen.clamp(min=0), (counts - 2).clamp(min=0))
        first = torch.minimum(index + 1, counts - 1)
        steps = torch.linspace(0, 1, QUERIES, dtype=torch.float32, device=rows.device)
        queries = (first[:, None] + steps * (counts - 1 - first)[:, None]).round().long().clamp(min=0)
        epochs, cutoffs = _numpy(chosen.epochs.gather(1, queries)), _numpy(chosen.epochs.gather(1, index[:, None]))
        forecast, last = network.forecast(rows.cpu().numpy(), cutoffs[:, 0], epochs)
        place = queries[:, None].expand(-1, chosen.values.shape[1], -1)
        truth = torch.where(chosen.present.gather(-1, place), chosen.values.gather(-1, place), torch.nan)
        leads = leads_of(epochs, cutoffs[:, 0], _numpy(chosen.horizons))
        results.append(
            OutOfFold((NETWORK,), share, cutoffs[:, 0], leads, forecast[None], _numpy(truth), last, len(rows))
        )
    return results


def out_of_fold_parts(
    committee: Committee, zero_shot: ZeroShot | None, preprocessor: Preprocessor, adapted: OutOfFoldNetwork | None
) -> list[OutOfFold]:
    """Forecasts by the model's members, the committee's experts, each without the run's fold, and the pretrained model.

    All runs are cut at the same epochs, which are `SHARES` of their median horizon: the experts learn by cutoff.

    Args:
        committee: experts, which know the members' left-out forecasts of their finished runs.
        zero_shot: the pretrained model, if there is one.
        preprocessor: of the model.
        adapted: the network that learned from the runs; None: there is none.
    """
    results = []
    horizons = committee.finished.runs["horizon"].to_numpy(float)
    of_zero_shot = None if zero_shot is None else zero_shot.tensors(committee.finished)
    names = EXPERTS if adapted is None else (NETWORK, *EXPERTS)
    names = names if zero_shot is None else (*names, PRETRAINED)
    for share, cutoff in calibration_cutoffs(committee.finished):
        experts = committee.at(cutoff, steps=WARM_STEPS)
        if experts is None:
            continue
        scene = experts.scene
        chosen = np.unique(np.rint(np.linspace(0, len(scene.grid) - 1, QUERIES)).astype(np.int64))
        # A run of a later fold has no member that left it out.
        members = scene.folds.max() + 1 if adapted is None else adapted.model.config.members
        kept = np.flatnonzero(scene.folds < members)
        rows, epochs = scene.rows[kept], scene.epochs[kept][:, chosen].astype(float)
        cutoffs = np.full(len(rows), float(cutoff))
        parts = [] if adapted is None else [adapted(rows, cutoff, epochs)[None]]
        parts.append(experts.out_of_fold()[:, kept][:, :, :, chosen])
        novelty = None
        if zero_shot is not None and of_zero_shot is not None:
            apart = scene.folds[kept][:, None] != committee.folds
            novelty = zero_shot.preference(scene.arrays.rows(kept), share, cutoff, preprocessor, apart)
            parts.append(
                zero_shot.quantiles(of_zero_shot.rows(torch.from_numpy(rows)), cutoffs, epochs, preprocessor)[None]
            )
        ends = experts.out_of_fold_ends()[kept][:, :, chosen]
        plausible = within(np.concatenate(parts), ends, len(scene.rows), None if zero_shot is None else parts[-1][0])
        leads = leads_of(epochs, cutoffs, horizons[rows])
        last = experts.known.anchor(experts.known.last)[kept]
        truth = scene.values[kept][:, :, chosen]
        own = int((kept < scene.own).sum())
        results.append(OutOfFold(names, share, cutoffs, leads, plausible, truth, last, own, novelty))
    return results


def calibration_cutoffs(finished: RunTable) -> Iterator[tuple[float, int]]:
    """Share and epoch of each calibrated prefix, without repeats where the horizon is short."""
    horizon = float(finished.runs["horizon"].median())
    first = int(finished.points.groupby("run", observed=True)["epoch"].min().median())
    before = None
    for share in SHARES:
        cutoff = max(round(share * horizon), first)
        if cutoff != before and cutoff < horizon:
            yield share, cutoff
        before = cutoff


def _numpy(tensor: torch.Tensor) -> Array:
    return tensor.double().cpu().numpy()
