from __future__ import annotations

import re
from importlib.resources import files

import pytest

from lcode.report.trusted import UNSEEN, Trust, trust_sentences

ROWS = [{"metric": "seg/miou", "covers %": "75"}, {"metric": "depth/abs_err", "covers %": "100"}]


@pytest.mark.parametrize(
    ("trust", "first", "told"),
    [
        (Trust(), "As a first guess", "held 87 to 99 % of what came"),
        (
            Trust(ROWS, learned_from=6),
            "too early to say",
            "learned from 6 finished runs of yours, too few to check it on",
        ),
        (Trust(ROWS, learned_from=6), "too early to say", "held 87 to 99 % of what came"),
        (Trust(ROWS, learned_from=12), "Yes", "held the final value of 75 to 100 % of these runs"),
        (Trust(ROWS, ["wide"], learned_from=12), "With care", "learned from 12 finished runs"),
    ],
)
def test_few_finished_runs_give_no_certainty(trust: Trust, first: str, told: str) -> None:
    answer, *reasons = trust_sentences(trust)
    assert first in answer and told in " ".join(reasons)
    assert ("look again when 12 runs have finished" in reasons[-1]) == (trust.learned_from < 12)


def test_what_unseen_problems_said_is_what_the_card_has() -> None:
    card = (files("lcode") / "SHIPPED.md").read_text(encoding="utf-8")
    figures = card.split("90 % covers |")[1].split("\n\n")[0]
    covered = [round(100 * float(value)) for value in re.findall(r"([01]\.\d\d) \|$", figures, flags=re.MULTILINE)]
    assert len(covered) > 10 and (min(covered), max(covered)) == UNSEEN
