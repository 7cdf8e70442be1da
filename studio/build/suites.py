"""The suites beside the probes as a stage: on request alone, no build needs them."""

from __future__ import annotations

from functools import partial

from studio.build.session import Session, StageEnded, StageError, Tell, run_job
from studio.evaluate.suites import SuiteReport
from studio.evaluate.suites.job import SuiteParams, suites_of
from studio.evaluate.suites.report import suite_fingerprint, suite_reports
from studio.jobs import active, start
from studio.judge import open_judge
from studio.train import Run

STAGE = "suites"


async def suites_stage(tell: Tell, session: Session, run: Run, asked: SuiteParams) -> tuple[SuiteReport, ...]:
    """The reports of the suites that are asked for: those that are there and whole are kept.

    Raises :class:`StageError` where another job of suites is under way, or it ended early.
    """
    judge = open_judge(session.settings, session.loaded, session.workspace.examples)
    run_id, jobs_dir = run.plan.run_id, session.workspace.jobs_dir
    suites = suites_of(session.loaded, asked)
    wanted = {suite.name: suite_fingerprint(session.loaded, run, suite, judge) for suite in suites}

    def found(*, whole: bool) -> tuple[SuiteReport, ...]:
        return tuple(
            report
            for report in suite_reports(session.workspace, run_id)
            if wanted.get(report.suite) == report.fingerprint and not (whole and report.failed_calls)
        )

    running = active(jobs_dir, STAGE)
    if running is not None and running.request.params != asked.model_dump(mode="json"):
        remedy = f"wait for it, or: studio jobs stop {running.id}"
        raise StageError("another job of suites is under way", where=running.id, remedy=remedy)
    skipped = len(found(whole=True)) == len(wanted)
    if not skipped:
        begin = partial(start, jobs_dir, STAGE, "studio.evaluate.suites.job:main", asked)
        note = "loading the base model and the adapter"
        await run_job(tell, session, STAGE, begin, lambda: len(found(whole=True)) == len(wanted), note)
    reports = found(whole=False)
    if len(reports) < len(wanted):
        raise StageError("the suites ended before their last reply", remedy="run the same command to go on")
    tell(StageEnded(stage=STAGE, skipped=skipped, note=", ".join(report.suite for report in reports)))
    return reports


def suite_params(session: Session, run: Run, **more: object) -> SuiteParams:
    """What the job is asked; ``more`` by the names of :class:`SuiteParams`."""
    given = {"spec_path": str(session.loaded.path), "workspace": str(session.root), "run_id": run.plan.run_id}
    return SuiteParams.model_validate(given | {"settings": session.settings, **more})
