"""A comparison of rules as a table for the terminal, and as a line per rule while it is made."""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

from lcode.evaluation.replay.compare import Comparison, Figures
from lcode.show import NOTHING, counted, numbers


def rule_line(rule: str, figures: Figures, unit: str) -> str:
    """What a rule came to, in a line."""
    lost = f"{figures.regret_mean:.3g} {unit}".rstrip()
    return f"{rule}: {figures.speedup:.2f} times fewer epochs, regret {lost}, best run kept in {figures.best_kept:.0%}"


def comparison_table(result: Comparison) -> Table:
    """A row per rule, or per rule and number of workers where there are several."""
    several = len({workers for by_workers in result.replays.values() for workers in by_workers}) > 1
    rows = [(rule, workers, result.figures(rule, workers)) for rule, by in result.replays.items() for workers in by]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption=_caption(result), caption_justify="left")
    table.header_style = "bold"
    # In a narrow terminal the settings wrap; no number is cut, and no name of a rule.
    table.add_column("rule", overflow="fold", min_width=max(len(rule.partition(":")[0]) for rule in result.replays))
    if several:
        table.add_column("workers", justify="right", no_wrap=True)
    for heading in ("speedup", "regret", "95 %", "of spread", "best kept", "promise"):
        table.add_column(heading, justify="right", no_wrap=True)
    columns = [
        [f"{f.speedup:.2f}×" for *_, f in rows],
        numbers([f.regret_mean for *_, f in rows], digits=3),
        numbers([f.regret_p95 for *_, f in rows], digits=3),
        [_share(f.regret_share) for *_, f in rows],
        [f"{f.best_kept:.0%}" for *_, f in rows],
        [NOTHING if f.promise_kept is None else f"{f.promise_kept:.0%}" for *_, f in rows],
    ]
    shown = ""
    for (rule, workers, _), *cells in zip(rows, *columns, strict=True):
        name = Text("" if rule == shown else rule)
        table.add_row(name, *([str(workers)] if several else []), *cells)
        shown = rule
    return table


def _share(value: float) -> str:
    return f"{value:.4f}" if value == value else NOTHING  # NaN is not itself


def _caption(result: Comparison) -> str:
    unit = f" ({result.objective})" if result.objective not in ("", "score") else ""
    orders: dict[int, list[str]] = {}
    for rule, by_workers in result.replays.items():
        orders.setdefault(len(next(iter(by_workers.values()))), []).append(rule)
    told = "; ".join(
        f"{counted(count, 'order')}{'' if len(orders) == 1 else ': ' + ', '.join(rules)}"
        for count, rules in orders.items()
    )
    text = (
        f"{result.runs} finished runs, replayed in {told}\n"
        f"speedup: epochs of all runs ÷ epochs trained. regret{unit}: best final score of all runs minus the best "
        f"that is left; mean, the value that 95 % of the replays do not exceed, and mean ÷ (best − median final score)"
    )
    if result.allowed is not None:
        text += f". promise: share of the replays that lost at most {result.allowed:.3g}"
    if result.seed_deviation is not None:
        text += f". Repeats of a configuration differ by {result.seed_deviation:.3g} (standard deviation)"
    return text
