"""The proof of a package: loaded back in a fresh process, it says what the run said."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from studio.evaluate.scoring import MAX_TOKENS
from studio.evaluate.types import Evaluation
from studio.jobs import Job, active
from studio.jobs.types import LIVING
from studio.llm import ModelSettings, OpenAIModel
from studio.llm.errors import ModelError
from studio.llm.types import Request, Sampling
from studio.package.types import Verification
from studio.serve import TUNED, ServeParams, ensure, socket_path


async def verify(folder: Path, base_path: str, evaluation: Evaluation) -> Verification:
    """Serve the base model with the adapter of ``folder``, ask the first probe, and compare with the evaluation."""
    if not evaluation.results:
        return Verification(
            verified=False, prompt="", reply="", expected="", seconds=0, note="the evaluation has no probes"
        )
    first = evaluation.results[0]
    began = time.monotonic()
    jobs_dir = folder.parent / f".{folder.name}.verify"
    params = ServeParams(base_path=base_path, adapter_path=str(folder), socket=str(socket_path(jobs_dir)), idle_s=120)
    _end(active(jobs_dir, "serve"))  # of an attempt that was killed: it holds the files of that attempt
    try:
        _, ready = await ensure(jobs_dir, params)
        model = OpenAIModel(ModelSettings(endpoint="http://studio/v1", uds=ready.socket), TUNED)
        try:
            request = Request(purpose="probe", messages=first.probe.messages, sampling=Sampling(max_tokens=MAX_TOKENS))
            reply, note = (await model.complete(request)).text, ""
        finally:
            await model.close()
    except ModelError as error:
        reply, note = "", str(error)
    finally:
        _end(active(jobs_dir, "serve"))
    same = reply == first.tuned
    if same:
        shutil.rmtree(jobs_dir, ignore_errors=True)  # the log stays where something went wrong
    return Verification(
        verified=same,
        prompt=first.probe.messages[-1].content,
        reply=reply,
        expected=first.tuned,
        seconds=time.monotonic() - began,
        note=note or ("" if same else "the reply differs from the evaluated one"),
    )


def _end(server: Job | None) -> None:
    if server:
        server.stop()
        if server.wait(30).state in LIVING:
            server.kill()
