"""Reports of suites: made from replies, kept as documents of the workspace and, with the replies, beside the run."""

from __future__ import annotations

import hashlib
import math
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean

from pydantic import ValidationError

from studio.evaluate.fingerprint import judge_info, replies_fingerprint
from studio.evaluate.suites.metrics import figures, side_figures, trait_deltas, worst
from studio.evaluate.suites.suite import Suite
from studio.evaluate.suites.types import (
    JUDGED,
    SIDES_OF,
    SUITES,
    Perplexity,
    SuiteReply,
    SuiteReport,
    SuiteResults,
    report_id,
)
from studio.files import write_atomic
from studio.judge import Agreement, Judge
from studio.spec import LoadedSpec
from studio.store import Workspace
from studio.train.types import Run

TABLE = "suites"
FILE = "SUITE_RESULTS.json"


def suite_fingerprint(loaded: LoadedSpec, run: Run, suite: Suite, judge: Judge) -> str:
    """A SHA-256 over all that decides a report: items, spec, replies' models, judge."""
    who = [judge.name, judge.version] if suite.name in JUDGED else []
    told = "\x1f".join([suite.hash, loaded.hash, replies_fingerprint(loaded, run), *who])
    return hashlib.sha256(told.encode()).hexdigest()


def conclude(
    loaded: LoadedSpec,
    run: Run,
    suite: Suite,
    judge: Judge,
    replies: tuple[SuiteReply, ...],
    *,
    seed: int,
    seconds: float,
    agreement: Agreement | None = None,
    perplexity: Perplexity | None = None,
) -> SuiteReport:
    """The report of a suite that was played to its end."""
    spec = loaded.spec
    sides = {side: side_figures(replies, suite, side, spec) for side in SIDES_OF[suite.name]}
    if perplexity is not None:
        for side, losses in (("base", perplexity.base), ("tuned", perplexity.tuned)):
            found = sides[side]  # type: ignore[index]
            sides[side] = found.model_copy(update={"perplexity": math.exp(fmean(losses))})  # type: ignore[index]
    return SuiteReport(
        run_id=run.plan.run_id,
        suite=suite.name,
        spec_hash=loaded.hash,
        judge=judge_info(judge, agreement) if suite.name in JUDGED else None,
        items=len(suite.items),
        files=suite.files,
        seed=seed,
        max_tokens=suite.max_tokens,
        sides=sides,
        figures=figures(replies, suite, spec, sides, perplexity),
        traits=trait_deltas(replies, spec) if suite.name == "leak" else {},
        failed_calls=sum(
            (one.error is not None and not one.refused)
            or (one.judgement is not None and one.judgement.verdict == "error")
            for one in replies
        ),
        worst=worst(replies, suite, spec),
        created=datetime.now(UTC),
        seconds=seconds,
        fingerprint=suite_fingerprint(loaded, run, suite, judge),
    )


def save_suite(workspace: Workspace, report: SuiteReport, replies: tuple[SuiteReply, ...]) -> Path:
    """Keep a report, in the place of an earlier one of the same run and suite, and its replies beside the run."""
    before = suite_results(workspace, report.run_id)
    reports = [one for one in before.reports if one.suite != report.suite]
    others = tuple(one for one in before.replies if one.suite != report.suite)
    kept = SuiteResults(reports=_in_order([*reports, report]), replies=(*others, *replies))
    path = workspace.runs_dir / report.run_id / FILE
    write_atomic(path, kept.model_dump_json(indent=2) + "\n")
    workspace.documents.put(TABLE, report_id(report.run_id, report.suite), report)
    return path


def suite_reports(workspace: Workspace, run_id: str, spec_hash: str | None = None) -> tuple[SuiteReport, ...]:
    """Those of a run, in the order of the suites; by ``spec_hash`` only those made with that version of the spec."""
    found = workspace.documents.readable(TABLE, SuiteReport, run_id=run_id)
    return _in_order([one for one in found if spec_hash in (None, one.spec_hash)])


def suite_results(workspace: Workspace, run_id: str) -> SuiteResults:
    """Reports with their replies; empty where there are none, or the file is another version's."""
    with suppress(FileNotFoundError, ValidationError):
        text = (workspace.runs_dir / run_id / FILE).read_bytes()
        return SuiteResults.model_validate_json(text, extra="ignore")
    return SuiteResults()


def _in_order(reports: list[SuiteReport]) -> tuple[SuiteReport, ...]:
    return tuple(sorted(reports, key=lambda one: SUITES.index(one.suite)))
