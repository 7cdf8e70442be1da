"""Mask preview: which tokens of a run's data are learned, as the collator of its trainer hands them to the model.

Nothing heavy is loaded here: the tokenizer, the chat template and the collator are, without any weights, in a process
of their own, which takes some eight seconds.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pydantic import ValidationError

from studio.chatml import Frozen
from studio.errors import UserError
from studio.train.types import TrainPlan


class Piece(Frozen):
    """Tokens in a row that are all learned, or all not. Special tokens are part of the text."""

    text: str
    learned: bool
    tokens: int


class MaskQuestion(Frozen):
    plan: TrainPlan
    count: int


class MaskPreview(Frozen):
    """``rows`` are the first conversations of the data, or the replies of its first pairs, each after its prompt.

    ``left_out`` is how many of all teach nothing, or are over ``max_length``.
    """

    rows: tuple[tuple[Piece, ...], ...]
    examples: int
    left_out: int


def preview_mask(plan: TrainPlan, count: int) -> MaskPreview:
    """Of the first ``count`` rows of the plan's data. Raises :class:`UserError` with the process's last line."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "studio.train.worker.mask"],
        input=MaskQuestion(plan=plan, count=count).model_dump_json(),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(str(Path(place).absolute()) for place in sys.path)},
    )
    if done.returncode == 0:
        try:
            return MaskPreview.model_validate_json(done.stdout.strip().splitlines()[-1])
        except (IndexError, ValidationError):
            pass
    said = (done.stderr.strip().splitlines() or [f"it ended with status {done.returncode}"])[-1]
    raise UserError(f"the mask could not be made: {said}", where=plan.base_model)
