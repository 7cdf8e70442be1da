"""The proof of a package: loaded back in a fresh process, it says what the run said."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

from studio.evaluate.types import Evaluation, Probe
from studio.llm import ModelError, Request, Sampling
from studio.package.types import Verification
from studio.serve import TUNED, ServeParams, end_unused, ensure, open_model, run_params
from studio.train.types import Run


async def verify(folder: Path, run: Run, evaluation: Evaluation) -> Verification:
    """Serve the run's base model with the adapter of ``folder``, ask the first probe that had a reply, and compare."""
    first = next((result for result in evaluation.results if result.tuned_error is None), None)
    if first is None:
        note = "the evaluation has no probe with a reply"
        return Verification(verified=False, prompt="", reply="", expected="", seconds=0, note=note)
    began = time.monotonic()
    jobs_dir = folder.parent / f".{folder.name}.verify"
    end_unused(jobs_dir)  # of an attempt that was killed: it holds the files of that attempt
    params = run_params(run).model_copy(update={"adapter_path": str(folder)})
    try:
        reply, note = await _reply(jobs_dir, params, first.probe, evaluation.max_tokens), ""
    except ModelError as error:
        reply, note = "", str(error)
    finally:
        await asyncio.to_thread(end_unused, jobs_dir)
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


async def _reply(jobs_dir: Path, params: ServeParams, probe: Probe, max_tokens: int) -> str:
    request = Request(purpose="probe", messages=probe.messages, sampling=Sampling(max_tokens=max_tokens))
    with await ensure(jobs_dir, params) as server:
        model = open_model(server.ready, TUNED)
        try:
            return (await model.complete(request)).text
        finally:
            await model.close()
