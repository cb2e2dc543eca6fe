"""Forms in which programs print evaluations, and batches beside them, brought to that of most programs."""

from __future__ import annotations

import re
from collections.abc import Callable

from lcode.readers.printed.lines.form_parts import ANY_DATA, NUMBER, of_losses
from lcode.readers.printed.lines.task_pairs import TWO_OF_EACH_TASK, of_tasks

OF_EVALUATIONS: tuple[tuple[str, re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    # DLRM: `Finished training it 1024/8192 of epoch 0, …`, `Testing at - 1024/8192 of epoch 0,`
    ("training ", re.compile(r"(?i)\bfinished training (?=(?:it|iter|step)\w* \d+/\d+ of epoch \d)"), "train: "),
    (
        " of epoch ",
        re.compile(r"(?i)(?:\b(?:it|iter(?:ation)?|step)\b )?(?<![\w./])(\d+/\d+) of epoch (\d+)(?=\s*[,:]|\s*$)"),
        r"epoch \2, step \1",
    ),
    # TensorFlow's estimators: what is kept is what was evaluated.
    (
        "Saving dict for ",
        re.compile(r"\bSaving dict for global step (\d+): (?:global_step = \1,? ?)?"),
        r"global_step \1, eval: ",
    ),
    # DARTS: `valid 050 1.2e+00 75.1 92.3`, a batch, the loss and two accuracies so far
    (
        "e",
        re.compile(
            rf"^(?P<before>.*(?:\s|^))(?P<split>{ANY_DATA}) (?P<batch>\d{{3,}}) "
            r"(?P<loss>\d\.\d+e[+-]\d\d) (?P<top1>\d+\.\d+) (?P<top5>\d+\.\d+)\s*$",
            re.DOTALL,
        ),
        r"\g<before>\n\g<split>: batch \g<batch>, loss: \g<loss>, top1: \g<top1>, top5: \g<top5>",
    ),
    (" TEST: ", TWO_OF_EACH_TASK, of_tasks),  # Auto-Lambda
    ("CV ", re.compile(r"\bCV (?=Batch \d)|\bCV info (?=\w)"), ", val: "),  # WeNet, of cross-validation
    # ALIGNN: `TrainLoss Epoch 3 total 0.3 out 0.2 grad 0.1`
    (
        "Loss",
        re.compile(rf"(?i)\b({ANY_DATA})_?loss epoch:? (\d+)[,:]?(?= )((?: [a-z]\w* (?:{NUMBER})(?![^\s,]))+)"),
        of_losses,
    ),
)
"""What is in every line of a form, the form, and the usual one for it."""
