"""What a column of a log is by its name: a counter, a clock, a reading of the machine, bookkeeping of a tool."""

from __future__ import annotations

import re

from lcode.table.metric_names import known_metric
from lcode.table.other_languages import name_in_english


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


RUN_NAMES = (
    *("run", "run_id", "runid", "run_name", "run_hash", "run_uuid", "run_key"),
    *("trial_id", "trial", "experiment", "experiment_name", "experiment_key", "exp", "model", "lauf"),
)
"""Columns that may name the run, the best one first."""

OTHER_RUN_NAMES = (
    *("method", "algorithm", "algo", "variant", "optimizer", "fold", "seed"),
    *("client", "client_id", "subject", "agent", "agent_id"),
)
"""Columns that name the run where nothing else tells the rows of an epoch apart."""

EPOCHS = (
    *("epoch", "epochs", "trainer/epoch", "train/epoch", "current_epoch", "epoch_num", "num_epochs", "epoche", "ep"),
    *("durchgang", "epochen", "époque", "epoque", "época", "epoca"),
    *("round", "generation"),
)
"""Columns that count evaluations or passes over the data, the best one first."""

STEPS = (
    *(
        "step",
        "steps",
        "global_step",
        "current_steps",
        "trainer/global_step",
        "train/global_step",
        "_step",
        "num_steps",
        "train_step",
    ),
    "training_iteration",
    *("iteration", "iterations", "iter", "iters", "it", "update", "updates", "total_timesteps", "timesteps_total"),
    *("time/total_timesteps", "timesteps", "num_env_steps_sampled", "env_steps", "total/steps"),
    *("num_env_steps", "total_env_steps", "totalenvsteps"),
    *("total_steps", "totalenvinteracts", "misc/total_timesteps", "timestep", "total timesteps", "frame", "frames"),
    *("timestepssofar", "episodessofar", "numiters"),
    *("episode", "episodes", "num episodes", "num_episodes", "game", "games", "record_id", "batch", "batch_idx", "t"),
)
"""Columns that count steps of the optimiser, of an environment, or calls of a tool, the best one first."""

FORECASTS = "lcode/"
"""What the names begin with under which our own hooks log what they forecast: `lcode/val/acc`."""

_INDEX = re.compile(r"(unnamed(: ?|_)\d+|__index_level_\d+__|index|idx|row|rowid|#)?", re.IGNORECASE)

_COUNTERS = _words(
    "step steps iter iters iteration iterations epoch epochs timestep timesteps episode episodes updates round rounds "
    "game games generation generations cycle cycles"
)
_COUNTS = _words(
    "num n no nr number idx index id bad total global cumulative current count counter since restore trainer train "
    "training env sampled optim optimizer optimiser opt gradient grad agent learner comm communication server fl"
)

_CLOCK = _words("time times timestamp timestamps datetime date elapsed runtime duration wall walltime eta clock hours "
                "minutes seconds secs sec ms minute hour total this iter step epoch per start end relative s st worker "
                "created updated remaining progress percent complete completed avg average mean load loading "
                "data batch cost forward backward train val eval test training validation timer timers")  # fmt: skip
_TIME = _words(
    "time times timestamp timestamps datetime date elapsed runtime duration wall walltime eta clock created "
    "remaining progress complete completed timer timers"
)

_SPEED = _words("fps throughput ips speed")
_PER_SECOND = re.compile(
    r"(samples|examples|steps|tokens|toks?|words|images|imgs?|it|iters|batches|frames|epochs)[ _/]?(per[ _]?s|/s|ps)",
    re.IGNORECASE,
)
_SECONDS_PER = re.compile(r"(?:.*/)?(?:m?s|secs?)/(?P<what>\w+)", re.IGNORECASE)
"""How long each takes: `s/iter`, but `s/MAE` is of the stress."""

_MACHINE = _words("""
    memory mem vram gpu cpu ram swap hostname host node ip pid device power temperature utilization util mb gb
    flos flops mfu usage used allocated alloc reserved cached cuda rss vms percent
""")

_OF_MACHINE = _words("max peak mean avg train val eval test training validation process system")
"""What is said of such a reading: `train/max_mem`."""

_UNITS = _words("bytes kb mb gb kib mib gib")
"""What ends in one of these is a size in memory or of what was sent: `communication_cost_mb`."""

_MEASURED = _words("loss losses acc accuracy")
"""Beside these, such an ending is that of something else: `train_loss_mb`, of minibatches."""

_BOOKKEEPING = re.compile(
    r"(trial_id|done|should_checkpoint|checkpoint_dir_name|experiment_tag|experiment_id|warmup_time|batch_size_total|"
    r"acc(umulated)?_iter|(.*/)?(avg_)?(reader|batch)_cost(_sum|_avg)?|peak_\w+_mb|(training_)?(start|best)_epoch|training_epochs|"
    r"node_ip|hostname|pid|hist_stats.*|timers.*|perf/.*|sys/.*|system\..*|.*config/.*)",
    re.IGNORECASE,
)


_OF_MODEL = _words(
    "depth layers width hidden dim dims heads neurons units neighbors degree components clusters trees leaves"
)
_OF_DATA = (_words("train training dataset data sample"), _words("size sizes samples examples fraction ratio"))
"""How large a model is; a word of each of the two sets says how much it learns from."""

_STATISTIC = r"(?:max|min|mean|avg|std)(?![a-z])"

_EDGE_OF_WORD = re.compile(
    rf"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{{2}})(?!.{_STATISTIC})|(?<=[A-Z]{{2}})(?={_STATISTIC})"
)
"""Where one word of a name ends and the next begins: `KL|Loss`, `AR|max`."""


def words_of(name: str) -> list[str]:
    """The words of a name in lower case: `trainer/globalStep` is trainer, global, step, `KLLoss` kl, loss."""
    parts = _EDGE_OF_WORD.sub(" ", name)
    return [word for word in re.split(r"[^A-Za-z0-9]+", parts.lower()) if word]


def plain_name(name: str) -> str:
    """A name as these lists have it, however it joins its words: `run_name` of `Run Name`, `runName` and `run.name`."""
    return "_".join(words_of(name_in_english(name)))


def is_counter(name: str) -> bool:
    """Whether a column counts epochs or steps by its name."""
    return name.strip().lower() in (*EPOCHS, *STEPS)


def ends_in_counter(name: str) -> bool:
    """Whether the last part of a column's name is that of a counter: `history/epoch`."""
    return is_counter(name.rpartition("/")[2])


def tells_time(name: str) -> bool:
    """Whether a word of the name is that of a clock: `aggregation_time`."""
    return not _TIME.isdisjoint(words_of(name))


def fixed_in_a_training(name: str) -> bool:
    """Whether a column is named as what no training changes: the size of the model or that of its data.

    Where each row has another one, each is of a training of its own.
    """
    words = set(words_of(name))
    return known_metric(name) is None and (not words.isdisjoint(_OF_MODEL) or not any(map(words.isdisjoint, _OF_DATA)))


def why_left_out(name: str) -> str | None:
    """What a column is that is neither a curve nor a setting by its name; None where the name does not say that."""
    words = words_of(name_in_english(name))
    if _INDEX.fullmatch(name.strip()):
        return "index"
    if name.startswith(FORECASTS):
        return "forecast"
    if name.endswith(("__MIN", "__MAX")):
        return "range of a chart"
    if _BOOKKEEPING.fullmatch(name) or set() < set(words) - _OF_MACHINE <= _MACHINE:
        return "bookkeeping"
    if len(words) > 1 and words[-1] in _UNITS and _MEASURED.isdisjoint(words):
        return "bookkeeping"
    seconds = _SECONDS_PER.fullmatch(name)
    if seconds is not None and known_metric(seconds["what"]) is None:
        return "speed"
    if _PER_SECOND.search(name) or (words and words[-1] in _SPEED):
        return "speed"
    if words and not _TIME.isdisjoint(words) and (set(words) <= _CLOCK | _COUNTS or words[-2:] == ["time", "cost"]):
        return "clock"
    if words and not _COUNTERS.isdisjoint(words) and set(words) <= _COUNTERS | _COUNTS | _CLOCK:
        return "counter"
    last = set(words_of(name.rpartition("/")[2]))
    if len(last) > 1 and not _COUNTERS.isdisjoint(last) and last <= _COUNTERS | _COUNTS:  # `eval/reach/NumEpisodes`
        return "counter"
    return None
