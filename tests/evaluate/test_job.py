"""Evaluating as a job: what it does about the worker that serves the run."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from studio.evaluate.job import EvaluateParams, main
from studio.jobs import JobContext
from studio.jobs.events import EventLog
from studio.llm import ModelSettings
from studio.llm.endpoint import FILE, shared_endpoint
from studio.serve import ServeParams, Server
from tests.package.making import Made


async def test_a_stop_while_the_model_loads_ends_it_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(tmp_path)
    loading: list[ServeParams] = []
    windows: list[float] = []
    settings = ModelSettings(endpoint="http://127.0.0.1:9/v1", model="judge")
    learned = {"at": datetime.now(UTC).isoformat(), "limit": {"window": 77}}
    (made.workspace.folder / FILE).write_text(json.dumps({f"{settings.place} judge": learned}))

    async def ensure(jobs_dir: Path, params: ServeParams) -> Server:
        loading.append(params)
        windows.append(shared_endpoint(settings.judging, "judge").limiter.limit.window)
        return await asyncio.Event().wait()  # type: ignore[return-value]

    monkeypatch.setattr("studio.evaluate.job.ensure", ensure)
    served = ServeParams(base_path="/nowhere", adapter_path=str(made.adapter))
    monkeypatch.setattr("studio.evaluate.job.run_params", lambda run: served)
    log = EventLog(tmp_path / "events.jsonl")
    context = JobContext(tmp_path, log)
    context.attach(asyncio.get_running_loop())
    asked = EvaluateParams(spec_path=str(made.loaded.path), workspace=str(made.root), run_id="run-1", settings=settings)
    params: dict[str, Any] = asked.model_dump(mode="json")
    working = asyncio.create_task(main(params, context))
    while not loading and not working.done():  # noqa: ASYNC110 - the job is a task of its own
        await asyncio.sleep(0.01)
    context.request_stop()
    async with asyncio.timeout(10):
        await working
    assert loading == [served]
    assert windows == [77.0], "it begins with what other processes learned of the judge's endpoint"
    log.close()
    made.workspace.close()
