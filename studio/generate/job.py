"""Generating as a job: its events are the job's events, and started again it goes on where it was."""

from __future__ import annotations

from contextlib import aclosing, closing
from pathlib import Path
from typing import Any

from studio.generate.run import generate
from studio.generate.types import GenerateParams
from studio.jobs import JobContext
from studio.llm.concurrency import Concurrency
from studio.spec import load
from studio.store import Workspace


async def main(params: dict[str, Any], context: JobContext) -> None:
    """Entry of the job."""
    asked = GenerateParams.model_validate(params, extra="ignore")
    loaded = load(Path(asked.spec_path))
    opened = Workspace.open(Path(asked.workspace), loaded.spec.slug, gives_up=lambda: context.cancel_requested)
    with closing(opened) as workspace:
        events = generate(
            loaded,
            workspace,
            asked,
            lambda: context.stop_requested,
            cancel=lambda: context.cancel_requested,
            concurrency=Concurrency(asked.concurrency, context.folder),
            job_id=context.id,
        )
        async with aclosing(events):
            async for event in events:
                context.emit(event)
