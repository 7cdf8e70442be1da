"""The proof of a package: loaded back with transformers and peft alone, it says what the run said, to the token.

On up to eight probes the evaluated reply is scored twice, in two fresh processes: by the run, as it was trained and
served, and by the folder, as anybody would load it (:mod:`studio.serve.logprobs`). The prompts must be the same token
ids, and the log-probabilities of the reply's tokens the same within a tolerance. One greedy reply is shown beside it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from statistics import fmean

from studio.errors import UserError
from studio.evaluate.types import Evaluation, ProbeResult
from studio.package.packages import Verification
from studio.serve import run_params
from studio.serve.logprobs import PlainAnswer, PlainQuestion, Reply, RunAnswer, RunQuestion, by_folder, by_run
from studio.train.types import Run

PROBES = 8
SHOWN_TOKENS = 80
"""Of the greedy reply: some seconds of a small model on a CPU."""
TOLERANCES = {"float32": 1e-4, "bfloat16": 0.01, "float16": 2e-3}
"""Mean absolute difference of log-probabilities a token, by the number format that is computed in.

Measured with SmolLM2-135M (371 tokens of eight replies). The same kernels gave 0 in all three formats. In float32 other
kernels (eager attention, padded batches) gave 3e-6 at most, an adapter scaled by 1 % 3e-3, one of alpha 15 in the place
of 16 2e-2. In bfloat16 rounding makes 1e-2 to 8e-2 of any difference, of kernels as of such adapters: both processes
use the same kernels, and a difference is a fault there too.
"""


async def verify(folder: Path, run: Run, evaluation: Evaluation) -> Verification:
    """Compare what is packed in ``folder`` with the run. A failure of either process is a note, never an exception."""
    began = time.monotonic()
    chosen = in_turn([one for one in evaluation.results if one.tuned_error is None and one.tuned.strip()])[:PROBES]
    if not chosen:
        return Verification(verified=False, seconds=0, note="the evaluation has no probe with a reply")
    first = chosen[0]
    shown = {"prompt": first.probe.messages[-1].content, "expected": first.tuned}
    try:
        params = run_params(run)
        replies = tuple(Reply(messages=one.probe.messages, text=one.tuned) for one in chosen)
        told = await by_run(RunQuestion(params=params, replies=replies))
        asked = PlainQuestion(
            folder=str(folder),
            base=params.base_path,
            runtime=told.runtime,
            replies=replies,
            rows=told.rows,
            most_tokens=min(SHOWN_TOKENS, evaluation.max_tokens),
        )
        found = await by_folder(asked)
    except UserError as error:
        return Verification(verified=False, seconds=time.monotonic() - began, note=str(error), **shown)
    return compared(told, found, first.tuned).model_copy(update={"seconds": time.monotonic() - began, **shown})


def compared(run: RunAnswer, plain: PlainAnswer, expected: str) -> Verification:
    """What the two answers come to."""
    differences = [
        abs(one - other)
        for row, found in zip(run.rows, plain.rows, strict=True)
        for one, other in zip(row.logprobs, found.logprobs, strict=True)
    ]
    difference = fmean(differences)
    tolerance = TOLERANCES[run.runtime.compute_dtype if run.runtime.four_bits else run.runtime.dtype]
    others = sum(row.prompt != found.prompt for row, found in zip(run.rows, plain.rows, strict=True))
    faults = []
    if others:
        faults.append(f"{others} of {len(run.rows)} prompts are other tokens than training used")
    if not difference <= tolerance:  # nor where it is not a number
        faults.append(f"log-probabilities differ by {difference:.2g} a token, over the tolerance of {tolerance:g}")
    same = expected.startswith(plain.reply) if plain.cut else expected == plain.reply
    note = "" if same else "its greedy reply differs from the evaluated one, which may have shared a batch"
    return Verification(
        verified=not faults,
        reply=plain.reply,
        expected=expected,
        seconds=0,
        note="; ".join(faults) or note,
        probes=len(run.rows),
        tokens=len(differences),
        difference=difference,
        largest=max(differences),
        tolerance=tolerance,
        runtime=run.runtime,
        versions=plain.versions,
    )


def in_turn(results: Sequence[ProbeResult]) -> list[ProbeResult]:
    """The first of each category, then the second of each, and so on."""
    categories: dict[str, list[ProbeResult]] = {}
    for result in results:
        categories.setdefault(result.probe.category, []).append(result)
    return [one for row in zip_longest(*categories.values()) for one in row if one is not None]
