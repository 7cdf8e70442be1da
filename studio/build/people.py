"""The bank of people as a stage: built by its job, on request alone."""

from __future__ import annotations

from studio.bank.types import BankParams
from studio.build.jobs import Stream, run_job
from studio.build.types import Session, StageEnded, StageError
from studio.jobs import Job, active, start


async def bank_stage(session: Session, count: int) -> Stream:
    """Everybody of the spec's profiles and ``count`` built-in people."""
    jobs_dir = session.workspace.jobs_dir
    params = BankParams(spec_path=str(session.loaded.path), workspace=str(session.root), count=count, seed=session.seed)
    running = active(jobs_dir, "bank")
    if running is not None and running.request.params != params.model_dump(mode="json"):
        remedy = f"wait for it, or: studio jobs stop {running.id}"
        raise StageError("another bank is being built", where=running.id, remedy=remedy)

    def begin() -> Job:
        return start(jobs_dir, "bank", "studio.bank.job:main", params)

    def done() -> bool:
        return running is not None and running.view().state == "finished"

    async for event in run_job(session, "bank", begin, done):
        yield event
    yield StageEnded(stage="bank", note=f"{len(session.workspace.examples.people())} people")
