"""Log-probabilities of replies: by a run as it was trained, and by a folder as anybody would load it.

Both are computed in a process of their own, one after the other, so that a package is proven without anything of the
studio's in between::

    run = await by_run(run_params(run), replies)
    plain = await by_folder(PlainQuestion(folder=..., base=..., runtime=run.runtime, rows=run.rows, replies=replies))

The run's side renders and masks a conversation as training does; the other one loads the folder with transformers and
peft alone and renders with the tokenizer that it finds there.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from studio.chatml import Frozen, Messages
from studio.errors import UserError
from studio.machine.gpu import claimed
from studio.serve.types import ServeParams

RUN = "studio.serve.worker.logprobs"
PLAIN = "studio.serve.worker.plain"


class Reply(Frozen):
    """A conversation that ends with the user's turn, and the reply whose words are scored."""

    messages: Messages
    text: str


class Runtime(Frozen):
    """What decides how numbers come out: ``dtype`` is torch's name, such as ``float32``."""

    dtype: str
    device: str
    """``cpu`` or ``cuda``."""
    four_bits: bool = False
    compute_dtype: str = "bfloat16"
    """Of a base model in four bits."""


class Row(Frozen):
    """Token ids of what the model is asked with and of the reply, end token included; natural log-probabilities of the
    reply's tokens, as many as there are ``taught``."""

    prompt: tuple[int, ...]
    taught: tuple[int, ...]
    logprobs: tuple[float, ...]


class RunQuestion(Frozen):
    params: ServeParams
    replies: tuple[Reply, ...]


class RunAnswer(Frozen):
    rows: tuple[Row, ...]
    runtime: Runtime


class PlainQuestion(Frozen):
    """``rows`` are the run's: their ``taught`` tokens are scored after the prompt that ``folder`` renders.

    ``most_tokens`` bounds the greedy reply to the first conversation.
    """

    folder: str
    base: str
    runtime: Runtime
    replies: tuple[Reply, ...]
    rows: tuple[Row, ...]
    most_tokens: int


class PlainAnswer(Frozen):
    rows: tuple[Row, ...]
    reply: str
    """Greedy, to the first conversation."""
    cut: bool
    """Whether it was cut at ``most_tokens``."""
    versions: dict[str, str]
    """Of torch, transformers and peft."""


Question = TypeVar("Question", bound=BaseModel)
Answer = TypeVar("Answer", bound=BaseModel)


async def by_run(question: RunQuestion) -> RunAnswer:
    """As the run was trained and is served. Raises :class:`UserError` with the process's last line where it fails."""
    return await _asked(RUN, question, RunAnswer)


async def by_folder(question: PlainQuestion) -> PlainAnswer:
    """As anybody would load ``question.folder``. Raises as :func:`by_run`."""
    return await _asked(PLAIN, question, PlainAnswer)


async def _asked(module: str, question: BaseModel, answer: type[Answer]) -> Answer:
    with tempfile.TemporaryDirectory(prefix="persona-studio-") as name, ExitStack() as held:
        asked, told, log = (Path(name) / one for one in ("question.json", "answer.json", "log.txt"))
        asked.write_text(question.model_dump_json(), encoding="utf-8")
        path = os.pathsep.join(str(Path(place).absolute()) for place in sys.path)
        await asyncio.to_thread(held.enter_context, claimed("proving a package"))
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", module, str(asked), str(told)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "PYTHONPATH": path},
            )
        try:
            status = await process.wait()
        finally:
            if process.returncode is None:  # cancelled
                process.kill()
                await process.wait()
        if status:
            lines = log.read_text(errors="replace").strip().splitlines()
            raise UserError(lines[-1] if lines else f"it ended with status {status}", where=module)
        return answer.model_validate_json(told.read_bytes())


def answered(question: type[Question], answer: Callable[[Question], BaseModel]) -> None:
    """The other side: read the question, write the answer, as the command line names their files."""
    asked, told = map(Path, sys.argv[1:])
    told.write_text(answer(question.model_validate_json(asked.read_bytes())).model_dump_json(), encoding="utf-8")
